// A device: it measures by its own clock, keeps what is not acknowledged and sends it again after each reconnect, as QoS 1
// wants. Its habits are drawn: a clock that is off, drifts, begins in 1970 or thinks it is 2099, bursts, batches, no time at
// all, repeated times, nonsense, silence.

import type { Holder } from "../../src/broker/hold.ts";
import { type Labels, seriesKey } from "../../src/engine/reading.ts";
import type { EventLoop, Life } from "./event-loop.ts";
import type { Gateway } from "./gateway.ts";
import type { Message, SentReading } from "./ledger.ts";
import { topics } from "./plans.ts";
import type { Random } from "./random.ts";

export type Habits = {
  readonly skew: boolean;
  readonly reboots: boolean;
  readonly future: boolean;
  readonly timeless: boolean;
  readonly nonsense: boolean;
  readonly silence: boolean;
  readonly outages: boolean;
  readonly disorder: boolean;
  readonly conflicts: boolean;
};

export type DeviceDeps = {
  readonly loop: EventLoop;
  readonly random: Random;
  /** What time it truly is. */
  readonly truth: () => number;
  readonly gateway: () => Gateway | undefined;
  readonly violate: (text: string) => void;
  readonly tell: (text: string) => void;
};

const FAR_FUTURE_MS = 73 * 365 * 86_400_000;
const encoder = new TextEncoder();
const outside: Life = { isAlive: true };

export type Device = ReturnType<typeof createDevice>;

export function createDevice(deps: DeviceDeps, name: string, habits: Habits, intervalMs: number) {
  const { loop, random, tell } = deps;
  const clock = createDeviceClock(deps, habits, (text) => tell(`${name} ${text}`));
  const measure = createMeasuring(random, name, habits, clock.now);
  const link = createLink(deps, name);
  let isMeasuring = true;
  let silentUntil = 0;

  function work(): void {
    if (!isMeasuring) return;
    loop.schedule("world", outside, intervalMs * random.between(0.8, 1.2), work);
    if (loop.peek() < silentUntil) return;
    if (habits.silence && random.chance(0.01)) {
      silentUntil = loop.peek() + random.spread(2, 200) * intervalMs;
      tell(`${name} is silent for ${Math.round(silentUntil - loop.peek())} ms`);
      return;
    }
    link.send(measure(), habits.disorder && random.chance(0.1));
  }

  return {
    start(): void {
      loop.schedule("world", outside, random.between(0, intervalMs), work);
      link.connect();
      if (habits.outages) loop.schedule("world", outside, random.waiting(40 * intervalMs), outage);
    },
    /** The process of the gateway ended. */
    dropped: () => link.drop(),
    /** Measures no more; what it has is still sent, over a network that is there again. */
    stop(): void {
      isMeasuring = false;
      link.online();
    },
    waiting: () => link.waiting(),
  };

  function outage(): void {
    if (!isMeasuring) return;
    const ms = random.spread(0.5, 60) * intervalMs;
    tell(`${name} has no network for ${Math.round(ms)} ms`);
    link.outage(ms);
    loop.schedule("world", outside, ms + random.waiting(60 * intervalMs), outage);
  }
}

function createDeviceClock({ loop, random, truth }: DeviceDeps, habits: Habits, tell: (text: string) => void) {
  const drift = habits.skew ? random.between(-1e-4, 1e-4) : 0;
  const skew = habits.skew ? random.pick([0, 300, -2_000, 20_000, -40_000, 55_000, 70_000, -3_600_000]) : 0;
  let bootedAt = Number.NaN;
  let wrongUntil = 0;
  let inFuture = false;
  return {
    now(): number {
      const now = truth() + skew + loop.peek() * drift;
      if (loop.peek() < wrongUntil) return Math.floor(inFuture ? now + FAR_FUTURE_MS : loop.peek() - bootedAt);
      const event = random.next();
      if ((habits.reboots && event < 0.008) || (habits.future && event > 0.994)) {
        inFuture = event > 0.5;
        bootedAt = loop.peek();
        wrongUntil = loop.peek() + random.spread(1_000, 600_000);
        tell(inFuture ? "thinks that it is 2099" : "begins in 1970");
      }
      return Math.floor(now);
    },
  };
}

/** Values about 20, of which stretches go up to 40 or down to 0; in halves, so that some repeat. */
function createSignal(random: Random): () => number {
  let level = 20;
  let left = 0;
  return () => {
    if (left-- <= 0) {
      level = random.chance(0.4) ? 20 : random.pick([0, 8, 27, 31, 33, 40]);
      left = random.whole(1, 25);
    }
    return Math.round((level + random.between(-2, 2)) * 2) / 2;
  };
}

const nonsense = ["NaN", '{"value": null}', "unavailable", '{"value": "unknown"}', "{broken", '{"ts": 1, "value": 1e999}'];

function createMeasuring(random: Random, device: string, habits: Habits, now: () => number): () => Message {
  const topic = random.pick(topics);
  const metrics = random.chance(0.3) ? ["temperature", "humidity"] : ["temperature"];
  const isTimeless = habits.timeless && random.chance(0.4);
  const qos = random.chance(0.1) ? 0 : 1;
  const batches = random.chance(0.2);
  const signals = new Map(metrics.map((metric) => [metric, createSignal(random)]));
  let before: SentReading[] = [];
  /** Of one series, from the begin: some of them come again long after the engine has forgotten them. */
  const past: SentReading[] = [];

  function read(series: string, metric: string): SentReading {
    const value = (signals.get(metric) as () => number)();
    const time = now();
    const again = before.find((reading) => reading.series === series && reading.ts !== undefined);
    if (habits.conflicts && again !== undefined && random.chance(0.03)) return { ...again, value: random.chance(0.5) ? value : again.value };
    if (habits.conflicts && metric === "temperature" && past.length > 0 && random.chance(0.03)) {
      const old = random.pick(past);
      return random.chance(0.7) ? old : { ...old, value };
    }
    const reading = { series, ts: isTimeless ? undefined : time, value };
    if (metric === "temperature" && !isTimeless) past.push(reading);
    return reading;
  }

  return () => {
    const metric = random.pick(metrics);
    const labels: Labels = { device, metric };
    const path = topic.replace("{device}", device).replace("{metric}", metric);
    if (habits.nonsense && random.chance(0.03)) return { device, topic: path, payload: encoder.encode(random.pick(nonsense)), readings: [], bad: 1, qos };
    const series = seriesKey(labels);
    const readings = [read(series, metric)];
    if (batches && random.chance(0.3)) readings.push(...before.filter((reading) => reading.series === series).slice(0, 4), read(series, metric));
    before = [...readings, ...before].slice(0, 8);
    const written = readings.map(({ ts, value }) => (ts === undefined ? `${value}` : `{"ts": ${instant(ts)}, "value": ${value}}`));
    const payload = encoder.encode(written.length === 1 ? written[0] : `[${written.join(",")}]`);
    return { device, topic: path, payload, readings, bad: 0, qos };
  };
}

/** Small numbers would be taken for seconds. */
const instant = (ts: number): string => (ts < 1e12 ? JSON.stringify(new Date(ts).toISOString()) : `${ts}`);

type Connection = Life & {
  readonly holder: Holder;
  /** Published and not acknowledged, in order. */
  readonly published: Message[];
  lastAck: number;
};

/** The connection: what is not acknowledged is kept and sent again; packets arrive in order, several at once. */
function createLink({ loop, random, gateway, violate, tell }: DeviceDeps, name: string) {
  const window = random.whole(1, 20);
  const queue: Message[] = [];
  let connection: Connection | undefined;
  let sent = 0;
  let lastArrival = 0;
  let offlineUntil = 0;

  function connect(): void {
    const target = gateway();
    const isReachable = loop.peek() >= offlineUntil && target?.isOpen() === true;
    if (!isReachable || connection !== undefined) return retry();
    connection = { isAlive: true, holder: { held: 0, heldSince: 0 }, published: [], lastAck: 0 };
    sent = 0;
    pump();
  }

  function retry(): void {
    if (connection === undefined) loop.schedule("world", outside, random.spread(500, 20_000), connect);
  }

  function drop(): void {
    if (connection === undefined) return;
    connection.isAlive = false;
    connection = undefined;
    retry();
  }

  function pump(): void {
    const open = connection;
    const target = gateway();
    if (open === undefined || target === undefined) return;
    while (sent < queue.length && sent < window) {
      const chunk = queue.slice(sent, Math.min(sent + random.whole(1, 6), window));
      if (chunk[0]?.qos === 0) queue.splice(sent, chunk.length);
      else sent += chunk.length;
      lastArrival = Math.max(lastArrival, loop.peek() + random.spread(0.2, random.chance(0.02) ? 2_000 : 20));
      loop.schedule("main", open, lastArrival - loop.peek(), () => arrive(target, open, chunk));
    }
  }

  function arrive(target: Gateway, open: Connection, chunk: readonly Message[]): void {
    if (!target.life.isAlive || !target.isOpen()) return drop();
    open.published.push(...chunk);
    target.publish(open.holder, chunk, (message, error) => {
      if (error !== undefined) return;
      if (open.published.shift() !== message) violate(`${name} is acknowledged in another order than it published`);
      if (message.qos === 0) return;
      open.lastAck = Math.max(open.lastAck, loop.peek() + random.spread(0.2, 30));
      loop.schedule("world", open, open.lastAck - loop.peek(), () => acknowledged(message));
    });
  }

  function acknowledged(message: Message): void {
    const index = queue.indexOf(message);
    if (index < 0 || index >= sent) return violate(`${name} was acknowledged what it had not sent`);
    queue.splice(index, 1);
    sent -= 1;
    pump();
  }

  return {
    connect,
    drop,
    waiting: (): number => queue.length,
    send(message: Message, first: boolean): void {
      // Out of order: before what waits but was not sent yet.
      if (first && queue.length > sent) queue.splice(sent, 0, message);
      else queue.push(message);
      pump();
    },
    online(): void {
      offlineUntil = 0;
    },
    outage(ms: number): void {
      offlineUntil = loop.peek() + ms;
      tell(`${name} reconnects and sends ${queue.length} again later`);
      if (connection === undefined) return;
      connection.isAlive = false;
      connection = undefined;
      retry();
    },
  };
}
