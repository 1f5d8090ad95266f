// Tuning over a real database whose readings have a known effect: a noisy sine, spikes, a signal that is clean. What it says of each
// change is held against a live run of the changed rule over the same readings, with an engine and a store of its own.

import { afterEach, describe, expect, it } from "vitest";
import type { Rule } from "../../src/engine/rule.ts";
import { noiseOf, tune } from "../../src/replay/tuning.ts";
import { plan, rule } from "../engine/harness.ts";
import { createRecorder, type Recorder, type Sent } from "../storage/recorder.ts";

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const start = Date.UTC(2026, 0, 30);
const end = start + 24 * HOUR;
const PERIOD = 6 * HOUR;

const open: Recorder[] = [];
afterEach(() => {
  for (const store of open.splice(0)) store.close();
});
function live(of: Rule, sent: readonly Sent[]): Recorder {
  const store = createRecorder(plan([of], { maxFutureMs: 1e15 }));
  open.push(store);
  for (let from = 0; from < sent.length; from += 60) store.receive(sent.slice(from, from + 60), 1);
  store.silence(HOUR);
  return store;
}
const every10s = (valueAt: (ts: number, index: number) => number, device = "fz-1"): Sent[] =>
  Array.from({ length: (24 * HOUR) / (10 * SECOND) }, (_, index) => {
    const ts = start + index * 10 * SECOND;
    return { device, ts, value: valueAt(ts - start, index) };
  });
/** Four periods a day, and noise that alternates: from one reading to the next it jumps by one, so a deadband of one ends all chattering. */
const noisySine = every10s((ms, index) => 10 * Math.sin((2 * Math.PI * ms) / PERIOD) + (index % 2 === 0 ? 0.5 : -0.5));
const warm = rule({ name: "warm", condition: { type: "threshold", above: 5 } });
const tuned = (store: Recorder, of: Rule, more: Partial<Parameters<typeof tune>[1]> = {}) =>
  tune(store.db, { config: { plan: plan([of]) }, rule: of, labels: {}, from: start, to: end, ...more });
const count = (store: Recorder) => store.db.prepare("SELECT count(*) FROM alert").pluck().get();

describe("tune", () => {
  it("finds the deadband that ends the chattering of a noisy sine: one alert a period, at the same time as now", () => {
    const store = live(warm, noisySine);
    const { alerts, episodes, noise, stored, readings, suggestion, tried } = tuned(store, warm);
    expect([alerts, episodes, readings]).toEqual([stored, 4, noisySine.length]);
    expect(alerts).toBeGreaterThan(100);
    expect(noise).toBeCloseTo(1, 1);
    expect(suggestion?.candidate.kind).toBe("deadband");
    expect(suggestion?.candidate.amount).toBeGreaterThanOrEqual(1);
    expect(suggestion?.candidate.amount).toBeLessThan(1.2);
    expect(suggestion?.effect).toMatchObject({ alerts: 4, laterMaxMs: 0, missed: 0 });
    expect(tried).toHaveLength(14);
  });

  it("says of each change what a live run of the changed rule does", () => {
    const store = live(warm, noisySine);
    const { tried } = tuned(store, warm);
    expect(tried.map(({ candidate, effect }) => [candidate.text, effect.alerts])).toEqual(
      tried.map(({ candidate }) => [candidate.text, count(live({ ...candidate.rule, logic: candidate.text }, noisySine))]),
    );
  });

  it("finds the on-delay that passes over spikes, and says what it costs", () => {
    const spikes = every10s((ms) => (ms % (30 * MINUTE) === 0 || ms >= 23 * HOUR ? 9 : 1));
    const { alerts, suggestion } = tuned(live(warm, spikes), warm);
    expect(alerts).toBe(47);
    expect(suggestion?.candidate.text).toBe("for: 30s");
    // The one that was true is told half a minute later.
    expect(suggestion?.effect).toMatchObject({ alerts: 1, laterMaxMs: 30 * SECOND, missed: 46, longestMissedMs: 10 * SECOND });
  });

  it("suggests nothing where the alerts are true", () => {
    const clean = every10s((ms) => 10 * Math.sin((2 * Math.PI * ms) / PERIOD));
    expect(tuned(live(warm, clean), warm)).toMatchObject({ alerts: 4, episodes: 4, suggestion: undefined });
  });

  it("takes the series that alarms most, or the one that is named", () => {
    const quiet = every10s((ms) => 10 * Math.sin((2 * Math.PI * ms) / PERIOD), "fz-2");
    const store = live(
      warm,
      noisySine.flatMap((one, index) => [one, quiet[index] as Sent]),
    );
    expect(tuned(store, warm)).toMatchObject({ series: 0, labels: { device: "fz-1" } });
    expect(tuned(store, warm, { labels: { device: ["fz-2"] } })).toMatchObject({ series: 1, labels: { device: "fz-2" }, alerts: 4, stored: 4 });
    expect(() => tuned(store, warm, { labels: { device: ["fz-3"] } })).toThrow(expect.objectContaining({ code: "nothing_to_tune" }));
    expect(() => tuned(store, warm, { from: start - HOUR, to: start })).toThrow(expect.objectContaining({ code: "nothing_to_tune" }));
  });

  it("counts what fired in its time, and hears what came before", () => {
    const slow = rule({ name: "slow", condition: { type: "window", window: { tumbling: "1h" }, aggregate: "avg", above: 5 } });
    const store = live(slow, noisySine);
    const { alerts, readings, tried } = tuned(store, slow, { from: start + 8 * HOUR, to: start + 20 * HOUR });
    // The windows that end at 2, 8, 14 and 20 h breach; that which is cut by the begin of what is heard must not fire before its time.
    expect(alerts).toBe(2);
    expect(readings).toBe((12 * HOUR) / (10 * SECOND));
    expect(tried.every(({ candidate }) => candidate.kind !== "deadband")).toBe(true);
  });

  it("leaves out what fired before its time", () => {
    const store = live(warm, noisySine);
    const fired = store.db.prepare<number[], number>("SELECT count(*) FROM alert WHERE fired_at >= ? AND fired_at < ?").pluck();
    const [from, to] = [start + 8 * HOUR, start + 14.5 * HOUR];
    expect(tuned(store, warm, { from, to }).alerts).toBe(fired.get(from, to));
    expect(fired.get(start + 5 * HOUR, from)).toBeGreaterThan(0);
  });

  it("lets time go on to its end: a delay falls due after the last reading too", () => {
    const sent = noisySine
      .map(({ device, ts }) => ({ device, ts, value: ts >= start + 23 * HOUR - MINUTE ? 9 : 1 }))
      .filter(({ ts }) => ts < start + 23 * HOUR);
    const { tried } = tuned(live(warm, sent), warm);
    expect(tried.find(({ candidate }) => candidate.text === "for: 10m")?.effect).toMatchObject({ alerts: 1, laterMaxMs: 10 * MINUTE, missed: 0 });
  });

  it("refuses rules of which nothing can be said", () => {
    const gone = rule({ name: "gone", condition: { type: "absence", after: "5m" } });
    expect(() => tuned(live(gone, []), gone)).toThrow(expect.objectContaining({ code: "not_tunable", message: expect.stringContaining("longer `after`") }));
  });
});

describe("noise", () => {
  it("is the median step, of those that differ from zero where most do not", () => {
    expect(noiseOf(Float64Array.of(1, 2, 4, 7))).toBe(2);
    expect(noiseOf(Float64Array.of(1, 1, 1, 1, 3, 3, 3, 2))).toBe(2);
    expect(noiseOf(Float64Array.of(5, 5, 5))).toBe(0);
    expect(noiseOf(Float64Array.of(5))).toBe(0);
    expect(noiseOf(new Float64Array(0))).toBe(0);
  });
});
