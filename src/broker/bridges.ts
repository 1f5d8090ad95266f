// The bridges of the config: opened, changed by a reload, stopped and closed together. One whose settings and TLS files are the same
// stays as it is. None of them ever keeps the gateway from starting or from going on.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Metrics, whenRead } from "../metrics.ts";
import { type Bridge, type BridgeDeps, type BridgeStatus, createBridge } from "./bridge.ts";
import { clientIdOf } from "./bridge-connection.ts";
import type { BridgeSettings } from "./bridge-schema.ts";

/** @param options.identity of the data directory, from which client ids are made */
export function createBridges(deps: BridgeDeps & { metrics: Metrics }, options: { identity: string; packetBytes: number }) {
  let running: { readonly bridge: Bridge; readonly stamp: string }[] = [];
  const closing = new Set<Promise<void>>();
  let isStopped = false;
  showBridges(deps.metrics, () => running.map(({ bridge }) => bridge.status()));

  const close = (bridge: Bridge, leaving?: readonly string[]): Promise<void> => {
    const closed = bridge.close(leaving).finally(() => closing.delete(closed));
    closing.add(closed);
    return closed;
  };

  /** @param after the one that it follows, at the same broker under the same name */
  const begin = (settings: BridgeSettings, stamp: string, after: Promise<void> | undefined) => {
    const bridge = createBridge(deps, settings, { clientId: clientIdOf(settings, options.identity), packetBytes: options.packetBytes });
    void (after ?? Promise.resolve()).then(() => (isStopped ? undefined : bridge.open()));
    return { bridge, stamp };
  };

  return {
    /** Puts these in force: those that are new are opened, others changed, those that are gone are closed. */
    use(wanted: readonly BridgeSettings[]): void {
      const before = new Map(running.map((each) => [each.bridge.clientId, each]));
      running = wanted.map((settings) => {
        const id = clientIdOf(settings, options.identity);
        const old = before.get(id);
        before.delete(id);
        const stamp = stampOf(settings);
        if (old?.stamp === stamp) return old;
        return begin(settings, stamp, old && close(old.bridge, leftBehind(old.bridge.settings, settings)));
      });
      for (const { bridge } of before.values()) void close(bridge, bridge.settings.topics);
    },
    status: (): BridgeStatus[] => running.map(({ bridge }) => bridge.status()),
    /** Nothing more is taken; what was taken is still acknowledged when it is committed. */
    stop(): void {
      isStopped = true;
      for (const { bridge } of running) bridge.stop();
    },
    async close(): Promise<void> {
      isStopped = true;
      for (const { bridge } of running) void close(bridge);
      await Promise.all(closing);
    },
  };
}

/** Subscriptions of the session that the new settings do not have. */
function leftBehind(old: BridgeSettings, next: BridgeSettings): string[] {
  return old.shared_group === next.shared_group ? old.topics.filter((topic) => !next.topics.includes(topic)) : [...old.topics];
}

/** Differs when anything does, the content of the TLS files included. */
function stampOf(settings: BridgeSettings): string {
  const hash = createHash("sha256").update(JSON.stringify(settings));
  for (const file of [settings.tls?.ca, settings.tls?.cert, settings.tls?.key]) {
    if (file === undefined) continue;
    try {
      hash.update(readFileSync(file));
    } catch {
      // The bridge itself will say so.
      hash.update("unreadable");
    }
  }
  return hash.digest("hex");
}

function showBridges(metrics: Metrics, statuses: () => readonly BridgeStatus[]): void {
  const labels = ["bridge", "client_id"];
  const show = (kind: "gauge" | "counter", name: string, help: string, figure: (status: BridgeStatus) => number): void => {
    const [metric, add] = kind === "gauge" ? gaugeOf(metrics, name, help, labels) : counterOf(metrics, name, help, labels);
    whenRead(metric, () => {
      metric.reset();
      for (const status of statuses()) add({ bridge: status.url, client_id: status.client_id }, figure(status));
    });
  };
  show("gauge", "highwater_bridge_connected", "Whether a bridge is connected", ({ state }) => (state === "connected" ? 1 : 0));
  show("gauge", "highwater_bridge_waiting", "Messages of a bridge that wait for their commit", ({ waiting }) => waiting);
  show("counter", "highwater_bridge_messages_total", "Messages that came over a bridge", ({ messages }) => messages);
  show("counter", "highwater_bridge_known_total", "Of them, those that were stored before and are not counted again", ({ known }) => known);
  show("counter", "highwater_bridge_reconnects_total", "Attempts to connect a bridge again", ({ reconnects }) => reconnects);
}

type Add = (labels: Record<string, string>, figure: number) => void;

function gaugeOf(metrics: Metrics, name: string, help: string, labels: string[]): [{ reset: () => void }, Add] {
  const gauge = metrics.gauge(name, help, labels);
  return [gauge, (of, figure) => gauge.set(of, figure)];
}

function counterOf(metrics: Metrics, name: string, help: string, labels: string[]): [{ reset: () => void }, Add] {
  const counter = metrics.counter(name, help, labels);
  return [counter, (of, figure) => counter.inc(of, figure)];
}
