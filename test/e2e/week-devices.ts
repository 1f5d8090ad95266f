// The devices of the simulated week: what each measures, and when it sends what. One list of messages per device, in the order of sending, drawn by a
// seed: disorder that its source allows and disorder beyond it, repeated and contradicting readings, outages with and without a store, hours
// that come hours or days late, clocks that are wrong by decades either way, payloads that nobody can read.
// The list knows nothing of connections and kills; whoever sends it may have to send parts of it again.

import { readSignal, type Signal, seedOf } from "../../simulators/signals.ts";
import type { Draw } from "./gateway-process.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export type SentValue = { readonly series: string; readonly ts: number; readonly value: number };
export type Message = {
  readonly topic: string;
  readonly payload: string;
  /** `future`: further ahead than the source allows; `rejected`: no reading at all. */
  readonly kind: "reading" | "future" | "rejected";
  /** One per metric; empty for what is rejected. */
  readonly values: readonly SentValue[];
};
/** `at`: the moment of the week at which the device hands it over. */
export type Sending = { readonly at: number; readonly message: Message };

export type Source = { readonly name: string; readonly outOfOrdernessMs: number; readonly idleAfter: string };
/** The clock of the last is borrowed when a device is silent for ten real seconds, so that it hears some readings as late that others would not. */
export const SOURCES: readonly Source[] = [
  { name: "strict", outOfOrdernessMs: 0, idleAfter: "10s" },
  { name: "patient", outOfOrdernessMs: 5 * MINUTE_MS, idleAfter: "1h" },
  { name: "hasty", outOfOrdernessMs: 3 * MINUTE_MS, idleAfter: "10s" },
];

export type Device = { readonly name: string; readonly source: Source; readonly metrics: readonly string[]; readonly sendings: readonly Sending[] };

/** Weeks in which clocks change, in zones on the hour and off it, at night and at midnight. */
export const WEEKS = [
  { zone: "America/New_York", from: "2025-10-30T00:00:00Z" },
  { zone: "Europe/Oslo", from: "2025-03-27T06:00:00Z" },
  { zone: "Australia/Lord_Howe", from: "2025-04-02T09:00:00Z" },
  { zone: "America/St_Johns", from: "2025-03-05T12:00:00Z" },
  { zone: "Africa/Cairo", from: "2025-04-21T18:00:00Z" },
] as const;

const SIGNALS: Readonly<Record<string, Signal>> = {
  temperature: { base: 4, daily: { amplitude: 3, peakHour: 14 }, wander: { amplitude: 4, periodMs: 6 * HOUR_MS }, noise: 0.4, decimals: 2 },
  humidity: { base: 60, wander: { amplitude: 20, periodMs: 9 * HOUR_MS }, noise: 2, decimals: 0 },
};
/** What a device with many metrics measures. */
const COUNTER: Signal = { base: 500, daily: { amplitude: 400, peakHour: 11 }, noise: 30, decimals: 1 };
const MANY = Array.from({ length: 150 }, (_, index) => `register-${index}`);

/** @param span of event time */
export function drawDevices(draw: Draw, seed: number, count: number, span: { readonly from: number; readonly to: number }): Device[] {
  return Array.from({ length: count }, (_, index) => {
    const source = SOURCES[index % SOURCES.length] as Source;
    const metrics = index % 5 === 4 ? MANY : index % 2 === 0 ? ["temperature", "humidity"] : ["temperature"];
    const speaker = createSpeaker(`dev-${index}`, source, metrics, seed);
    return { name: speaker.name, source, metrics, sendings: drawSendings(draw, speaker, span) };
  });
}

type Speaker = ReturnType<typeof createSpeaker>;

function createSpeaker(name: string, source: Source, metrics: readonly string[], seed: number) {
  const topic = `${source.name}/hall/${name}`;
  const measure = (metric: string, ts: number): number => readSignal(SIGNALS[metric] ?? COUNTER, [], seedOf(seed, `${name} ${metric}`), 0, ts) as number;
  const say = (kind: Message["kind"], ts: number, shift: number): Message => {
    const measured = metrics.map((metric) => [metric, Number((measure(metric, ts) + shift).toFixed(2))] as const);
    return {
      topic,
      payload: JSON.stringify({ ts: kind === "reading" && ts < DAY_MS ? new Date(ts).toISOString() : ts, ...Object.fromEntries(measured) }),
      kind,
      values: measured.map(([metric, value]) => ({ series: `${name} ${metric}`, ts, value })),
    };
  };
  return {
    name,
    source,
    metrics,
    reading: (ts: number, shift = 0): Message => say("reading", ts, shift),
    future: (ts: number): Message => say("future", ts, 0),
    rejected: (payload: string): Message => ({ topic, payload, kind: "rejected", values: [] }),
  };
}

/** The message of a device for an instant that it has not used, for what a test sends beside the week. */
export function readingOf({ name, source, metrics }: Device, seed: number, ts: number): Message {
  return createSpeaker(name, source, metrics, seed).reading(ts);
}

const UNREADABLE = [
  "not json",
  '{"ts":',
  '{"ts":"yesterday","temperature":4}',
  '{"ts":1762000000000,"temperature":null}',
  '{"ts":1762000000000,"temperature":"unavailable"}',
];
const FAR_FUTURE = Date.UTC(2098, 5, 1);

function drawSendings(draw: Draw, speaker: Speaker, span: { from: number; to: number }): Sending[] {
  const chance = (share: number): boolean => draw.between(0, 1) < share;
  const interval = speaker.metrics.length > 2 ? 45 * MINUTE_MS : draw.oneOf([MINUTE_MS, MINUTE_MS, 90_000, 2 * MINUTE_MS]);
  const jitter = draw.oneOf([0, 0, 400]);
  const allowed = speaker.source.outOfOrdernessMs;
  const outages = drawOutages(draw, span);
  const sendings: Sending[] = [];
  const send = (at: number, message: Message): void => void sendings.push({ at, message });
  for (let tick = span.from + draw.whole(0, interval); tick < span.to; tick += interval) {
    const ts = tick + draw.whole(0, jitter);
    const outage = outages.find(({ from, to }) => ts >= from && ts < to);
    if (outage?.kind === "lost") continue;
    let at = ts;
    if (outage !== undefined) at = outage.lagMs === 0 ? outage.to - 1 : outage.to + outage.lagMs + (ts - outage.from) / 60;
    else if (chance(0.08)) at += draw.between(0, allowed);
    else if (chance(0.004)) at += allowed + draw.between(MINUTE_MS, 5 * HOUR_MS);
    const message = speaker.reading(ts);
    send(at, message);
    if (chance(0.006)) send(at + draw.oneOf([0, 30_000, HOUR_MS, 2 * DAY_MS]), message);
    if (chance(0.003)) send(at + draw.oneOf([0, 30_000, 3 * HOUR_MS, 2 * DAY_MS]), speaker.reading(ts, 7));
    // At the watermark, to the millisecond.
    if (chance(0.005)) send(at, speaker.reading(ts - allowed - draw.whole(0, 2)));
    if (chance(0.001)) send(at, speaker.future(FAR_FUTURE + (ts - span.from)));
    // A clock that began at zero when the battery was changed.
    if (chance(0.0005)) send(at, speaker.reading(draw.whole(0, 3 * HOUR_MS)));
    if (chance(0.001)) send(at, speaker.rejected(draw.oneOf(UNREADABLE)));
  }
  return sendings.sort((a, b) => a.at - b.at);
}

/** `lagMs`: how long after its end the device sends what it stored; at once it comes in order, later it comes after what is newer. */
type Outage = { readonly from: number; readonly to: number } & ({ readonly kind: "lost" } | { readonly kind: "stored"; readonly lagMs: number });

function drawOutages(draw: Draw, { from, to }: { from: number; to: number }): Outage[] {
  return Array.from({ length: draw.whole(1, 4) }, () => {
    const start = from + draw.whole(0, to - from - DAY_MS);
    const span = { from: start, to: start + Math.round(draw.oneOf([10 * MINUTE_MS, HOUR_MS, 7 * HOUR_MS, DAY_MS]) * draw.between(0.5, 1)) };
    if (draw.whole(0, 2) === 0) return { ...span, kind: "lost" };
    return { ...span, kind: "stored", lagMs: draw.oneOf([0, 5 * MINUTE_MS, 4 * HOUR_MS, 3 * DAY_MS]) };
  });
}
