// Server-sent events: `status`, `readings` (the newest of each series that changed), `alert` (a transition), `beat`.
// The gateway is asked only while someone listens. A reader that does not keep up is cut: its browser comes back by
// itself and is given everything anew, so that no event needs an id and Last-Event-ID changes nothing.

import type { ServerResponse } from "node:http";
import type { Clock } from "../clock.ts";
import type { AlertRecord, Transition } from "../engine/effect.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import type { Latest } from "./route.ts";
import type { StatusAnswer } from "./status.ts";
import { alertOfRecord } from "./view.ts";

export type LiveDeps = {
  latest(since: number): Promise<Latest>;
  status(): Promise<StatusAnswer>;
  /** Calls back after each commit that changed alerts, with the record as it is after the transition. */
  onTransition(listener: (alert: AlertRecord, transition: Transition) => void): () => void;
  log: Log;
  metrics: Metrics;
  clock: Clock;
};

export type LiveLimits = {
  /** Streams open at once. */
  clientsMax: number;
  /** Bytes that may wait for one reader before it is cut. */
  waitingBytesMax: number;
  /** At most one `readings` event per series in this time. */
  readingsEveryMs: number;
  statusEveryMs: number;
  /** `beat` is sent when nothing else was for this long, so that either side finds a dead connection. */
  heartbeatEveryMs: number;
  /** How often it is looked whether who listens still may. */
  accessEveryMs: number;
};

export const liveLimits: LiveLimits = {
  clientsMax: 64,
  waitingBytesMax: 4_194_304,
  readingsEveryMs: 500,
  statusEveryMs: 2000,
  heartbeatEveryMs: 3000,
  accessEveryMs: 1000,
};

/** Series in one `readings` event; keeps the writing of one below a few milliseconds. */
const SERIES_PER_EVENT = 2000;

/** How long a reader that may no longer listen has to take what was sent. */
const ENDING_MS = 2000;

type Client = { readonly response: ServerResponse; readonly holds: () => boolean; sentAt: number; greeted: boolean };

export type Live = {
  /**
   * Takes over a response whose security headers are set.
   * @param holds whether who asked still may; the stream ends soon after it says no
   * @returns false when there are too many streams
   */
  attach(response: ServerResponse, holds?: () => boolean): boolean;
  clients(): number;
  close(): void;
};

export function createLive(deps: LiveDeps, limits: LiveLimits = liveLimits): Live {
  const listeners = createListeners(deps, limits);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  /** Readings up to this commit were told to all who were greeted. */
  let seq = Number.POSITIVE_INFINITY;
  let statusAt = Number.NEGATIVE_INFINITY;
  /** What was told of transitions in this turn of the event loop: a commit may bring a thousand. */
  let transitions: string[] = [];

  const stopTransitions = deps.onTransition((alert, transition) => {
    if (listeners.count() === 0) return;
    if (transitions.length === 0) setImmediate(tellTransitions);
    transitions.push(event("alert", { alert: alertOfRecord(alert), transition: transition.to, reason: transition.reason }));
  });
  const tellTransitions = (): void => {
    listeners.tellAll(transitions.join(""));
    transitions = [];
  };
  const complain = (error: unknown): void => deps.log.warn({ err: error }, "the live stream could not be told what is new");
  /** Does not hold up the readings: the status is gathered from all threads, and one of them may be busy. */
  const tellStatus = (told: (text: string) => void): void => {
    deps.status().then((status) => told(event("status", status)), complain);
  };
  const tick = async (): Promise<void> => {
    if (Number.isFinite(seq)) {
      const latest = await deps.latest(seq);
      seq = latest.seq;
      for (const text of readingEvents(latest)) {
        listeners.tellGreeted(text);
        await new Promise(setImmediate);
      }
    }
    const now = deps.clock.monotonic();
    if (now - statusAt >= limits.statusEveryMs) {
      statusAt = now;
      tellStatus(listeners.tellGreeted);
    }
    listeners.beat(now);
  };
  const run = async (): Promise<void> => {
    await tick().catch(complain);
    timer = undefined;
    if (listeners.count() > 0) schedule();
    else seq = Number.POSITIVE_INFINITY;
  };
  /** One chain of ticks, alive while someone listens. */
  const schedule = (): void => {
    if (timer === undefined && !closed) timer = setTimeout(() => void run(), limits.readingsEveryMs);
  };
  /** Everything as it is now, for one who has just come. What changes meanwhile is told to all again. */
  const greet = async (client: Client): Promise<void> => {
    listeners.tell(client, "retry: 2000\n\n");
    tellStatus((text) => listeners.tell(client, text));
    const latest = await deps.latest(-1);
    for (const text of readingEvents(latest)) {
      listeners.tell(client, text);
      await new Promise(setImmediate);
    }
    client.greeted = true;
    seq = Math.min(seq, latest.seq);
  };
  return {
    attach(response, holds = () => true) {
      const client = closed ? undefined : listeners.add(response, holds);
      if (client === undefined) return false;
      greet(client).catch((error: unknown) => {
        deps.log.warn({ err: error }, "a listener of the live stream could not be greeted");
        listeners.drop(client, "error");
      });
      schedule();
      return true;
    },
    clients: listeners.count,
    close() {
      closed = true;
      stopTransitions();
      clearTimeout(timer);
      listeners.close();
    },
  };
}

/** Who listens: bounded in number, and each in what may wait for it. */
function createListeners({ metrics, clock }: LiveDeps, limits: LiveLimits) {
  const clients = new Set<Client>();
  const open = metrics.gauge("highwater_http_streams", "Open streams of server-sent events");
  const ended = metrics.counter("highwater_http_streams_ended_total", "Streams that the gateway refused or cut", ["reason"]);

  const drop = (client: Client, reason?: "slow" | "error" | "access"): void => {
    if (!clients.delete(client)) return;
    open.set(clients.size);
    if (reason !== undefined) ended.inc({ reason });
    if (reason !== "access") return void client.response.destroy();
    // An end in order, so that the browser asks again and hears why; but not for one that does not read.
    client.response.end();
    setTimeout(() => client.response.destroy(), ENDING_MS).unref();
  };
  const tell = (client: Client, text: string): void => {
    if (!clients.has(client)) return;
    if (client.response.writableLength > limits.waitingBytesMax) return drop(client, "slow");
    client.sentAt = clock.monotonic();
    client.response.write(text);
  };
  // A timer of its own: ticks wait for other threads, and who may no longer listen must not gain by that.
  const access = setInterval(() => {
    for (const client of clients) if (!client.holds()) drop(client, "access");
  }, limits.accessEveryMs).unref();
  return {
    count: () => clients.size,
    drop,
    tell,
    tellAll(text: string): void {
      for (const client of clients) tell(client, text);
    },
    tellGreeted(text: string): void {
      for (const client of clients) if (client.greeted) tell(client, text);
    },
    beat(now: number): void {
      for (const client of clients) if (now - client.sentAt >= limits.heartbeatEveryMs) tell(client, event("beat", {}));
    },
    add(response: ServerResponse, holds: () => boolean): Client | undefined {
      if (clients.size >= limits.clientsMax) {
        ended.inc({ reason: "too_many" });
        return undefined;
      }
      const client: Client = { response, holds, sentAt: clock.monotonic(), greeted: false };
      response.writeHead(200, streamHeaders);
      response.on("close", () => drop(client));
      response.on("error", () => drop(client));
      clients.add(client);
      open.set(clients.size);
      return client;
    },
    close(): void {
      clearInterval(access);
      for (const { response } of clients) response.end();
      clients.clear();
      open.set(0);
    },
  };
}

const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  connection: "keep-alive",
  // A proxy in front must not gather events.
  "x-accel-buffering": "no",
};

const event = (name: string, body: unknown): string => `event: ${name}\ndata: ${JSON.stringify(body)}\n\n`;

/** `{ series: [ids], ts: [ms], value: [numbers] }`, equally long, in slices. */
function* readingEvents(latest: Latest): Generator<string> {
  for (let from = 0; from < latest.series.length; from += SERIES_PER_EVENT) {
    const to = from + SERIES_PER_EVENT;
    const slice = (column: Uint32Array | Float64Array): number[] => Array.from(column.subarray(from, to));
    yield event("readings", { series: slice(latest.series), ts: slice(latest.ts), value: slice(latest.value) });
  }
}
