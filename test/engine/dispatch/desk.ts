// Drives dispatch alone, by an engine whose only rule fires when a device says 1 and resolves when it says 0: what is told to whom,
// at which second, and what became of every notification. Each is followed from its making to its end, so that the balance can be asked.

import { expect } from "vitest";
import type { Command, CommandAnswer } from "../../../src/engine/dispatch/command.ts";
import type { DispatchPlan, RoutePlan } from "../../../src/engine/dispatch/plan.ts";
import { noDispatch } from "../../../src/engine/dispatch/plan.ts";
import type { NotificationRecord } from "../../../src/engine/dispatch/record.ts";
import type { Effects } from "../../../src/engine/effect.ts";
import { createEngine } from "../../../src/engine/engine.ts";
import type { Input } from "../../../src/engine/input.ts";
import { type Rule, type RulePlan } from "../../../src/engine/rule.ts";
import type { Saved } from "../../../src/engine/state.ts";
import { plan, rule, SOURCE, snapshotOf } from "../harness.ts";

export const onOff = (settings: Record<string, unknown> = {}): Rule =>
  rule({ name: "on", match: { metric: "on" }, condition: { type: "threshold", above: 0.5 }, ...settings });

/** A warning above 0.5, critical above 1.5. */
export const levelled: Rule = onOff({
  condition: {
    type: "threshold",
    levels: [
      { above: 0.5, severity: "warning" },
      { above: 1.5, severity: "critical" },
    ],
  },
});

export type Setting = {
  readonly route?: Partial<RoutePlan>;
  readonly dispatch?: Partial<DispatchPlan>;
  readonly receivers?: RulePlan["receivers"];
  readonly rules?: readonly Rule[];
};

/** Seconds are those of the wall clock since the start, which is at `from`. */
export function desk(setting: Setting = {}, from = 1_700_000_000_000) {
  let engine = createEngine();
  let kept = new Map<number, Saved>();
  let current = planOf(setting);
  let [at, up] = [from, 0];
  const ids = new Map<string, number>();
  const rows = new Map<string, NotificationRecord>();
  const effects: Effects[] = [];
  const devices = new Map<string, string>();

  function run(inputs: readonly Input[]): Effects {
    const effect = engine.step(inputs, { now: at, up });
    effects.push(effect);
    for (const { id, labels } of effect.alerts) devices.set(id, labels["device"] ?? labels["alertname"] ?? "");
    for (const record of effect.notifications) {
      const before = rows.get(record.id);
      if (before !== undefined && before.disposition !== "waiting") throw new Error(`${record.id} was ${before.disposition} and becomes ${record.disposition}`);
      if (before !== undefined && before.heldUntil === null) throw new Error(`${record.id} could be sent already and changes`);
      rows.set(record.id, record);
    }
    return effect;
  }

  function planOf({ route = {}, dispatch, receivers, rules = [onOff()] }: Setting): RulePlan {
    const base = plan(rules);
    const withRoute = {
      ...base,
      hash: JSON.stringify([rules, route, dispatch, receivers]),
      route: { receiver: "on-call", ...route },
      receivers: receivers ?? base.receivers,
    };
    return dispatch === undefined ? withRoute : { ...withRoute, dispatch: { ...noDispatch, ...dispatch } };
  }

  run([{ kind: "rules", at, up, plan: current }]);
  const second = (): number => (at - from) / 1000;
  const nameOf = (record: NotificationRecord): string => {
    const others = record.members === null ? "" : `+${record.members.alerts.length - 1}`;
    return `${record.kind} ${record.state} ${deviceOf(record.alert)}${others} → ${record.receiver}`;
  };
  const deviceOf = (alert: string): string => devices.get(alert) ?? alert;

  const driven = {
    get engine() {
      return engine;
    },
    effects,
    rows,
    second,
    now: () => at,
    /** The device of each given name says a value now. */
    say(value: number, ...names: string[]): Effects {
      const defined = names.flatMap((device) => {
        if (ids.has(device)) return [];
        ids.set(device, ids.size);
        const [name = "", ...pairs] = device.split(",");
        const labels = Object.fromEntries([["device", name], ["metric", "on"], ...pairs.map((pair) => pair.split("="))]);
        return [{ id: ids.get(device) as number, labels, source: SOURCE }];
      });
      const batch = {
        series: Uint32Array.from(names, (device) => ids.get(device) as number),
        ts: Float64Array.from(names, () => at),
        value: Float64Array.from(names, () => value),
      };
      return run([{ kind: "readings", at, up, batch: { ...batch, defined, rejected: {} } }]);
    },
    /** Time passes, looked at each second. @returns what was sent meanwhile, as `second: words` */
    pass(seconds: number, step = 1): string[] {
      const sent: string[] = [];
      for (let passed = 0; passed < seconds; passed += step) {
        at += Math.round(step * 1000);
        up += Math.round(step * 1000);
        sent.push(...driven.sentBy(run([])));
      }
      return sent;
    },
    /** The gateway is down for a while, and woken then. */
    down(seconds: number): string[] {
      at += seconds * 1000;
      return driven.sentBy(run([{ kind: "started", at, up, version: "1" }]));
    },
    setClock(bySeconds: number): Effects {
      at += bySeconds * 1000;
      return run([{ kind: "clock", at, up, steppedMs: bySeconds * 1000 }]);
    },
    sentBy: (effect: Effects): string[] =>
      effect.notifications
        .filter(({ disposition, heldUntil }) => disposition === "waiting" && heldUntil === null)
        .map((record) => `${second()}: ${nameOf(record)}`),
    /** What became of all notifications so far, `disposition cause` by how often. */
    dispositions(): Record<string, number> {
      const counts: Record<string, number> = {};
      for (const { disposition, cause, heldUntil } of rows.values()) {
        const kind = disposition === "waiting" ? (heldUntil === null ? "sent" : "held") : `${disposition} ${cause?.split(":")[0]}`;
        counts[kind] = (counts[kind] ?? 0) + 1;
      }
      return counts;
    },
    alertOf(device: string): string {
      const found = [...devices].filter(([, name]) => name === device).at(-1)?.[0];
      if (found === undefined) throw new Error(`${device} never fired`);
      return found;
    },
    command(command: Command, by = "anna"): CommandAnswer & { sent: string[] } {
      const effect = run([{ kind: "command", at, up, by, command }]);
      expect(effect.answers).toHaveLength(1);
      return { ...(effect.answers[0] as CommandAnswer), sent: driven.sentBy(effect) };
    },
    dead(notification: string, reason = "refused"): Effects {
      return run([{ kind: "dead-letter", at, up, notification, reason }]);
    },
    reload(next: Setting): Effects {
      current = planOf(next);
      return run([{ kind: "rules", at, up, plan: current }]);
    },
    /** Goes on with a fresh engine that was restored from a snapshot. */
    restart(): void {
      kept = snapshotOf(engine, kept);
      engine = createEngine();
      engine.restore(structuredClone([...kept].map(([part, saved]) => ({ part, saved }))));
    },
  };
  return driven;
}

export const receivers = (...names: string[]): RulePlan["receivers"] => names.map((name) => ({ name, channels: ["webhook:0"] }));
