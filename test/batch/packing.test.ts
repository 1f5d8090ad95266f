// Packed rollups over real stores: whatever came late, twice or after a pause, and wherever a run was killed, what is packed of a minute or an
// hour is what its raw readings make of it, and hours are the merge of their minutes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import type { AggregateValues } from "../../src/engine/aggregate.ts";
import { utc } from "../../src/engine/calendar.ts";
import { Sketch } from "../../src/engine/sketch.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS, mergeOf, type Rollup, type Tier } from "../../src/storage/rollups.ts";
import { plan } from "../engine/harness.ts";
import { devices, histories, live, pack, start } from "../storage/histories.ts";
import { oneRecorder } from "../storage/one-recorder.ts";
import { type Kept, type Recorder } from "../storage/recorder.ts";

const DAY_MS = 24 * HOUR_MS;
const ever = 100 * DAY_MS;

const fresh = oneRecorder();
const record = (outOfOrdernessMs = 0): Recorder => fresh(plan([], { maxFutureMs: 1e15, outOfOrdernessMs }), { answersLookups: false });

/** By the book, not by the engine's way of adding. */
function reckon(kept: readonly Kept[]): AggregateValues {
  const values = kept.map(({ value }) => value);
  const [first, last] = [kept[0] as Kept, kept.at(-1) as Kept];
  const sum = values.reduce((total, value) => total + value, 0);
  const mean = sum / values.length;
  return {
    count: values.length,
    sum,
    min: Math.min(...values),
    max: Math.max(...values),
    first: first.value,
    firstTs: first.ts,
    last: last.value,
    lastTs: last.ts,
    mean,
    m2: values.reduce((total, value) => total + (value - mean) ** 2, 0),
    area: kept.slice(1).reduce((total, { ts }, index) => total + (kept[index] as Kept).value * (ts - (kept[index] as Kept).ts), 0),
  };
}

const bucketsOf = (tier: Tier, kept: readonly Kept[]): Map<number, AggregateValues> =>
  new Map([...Map.groupBy(kept, ({ ts }) => Math.floor(ts / tier) * tier)].sort(([a], [b]) => a - b).map(([from, of]) => [from, reckon(of)]));

function expectSame(found: AggregateValues, wanted: AggregateValues): void {
  const { sum, mean, m2, area, ...exact } = found;
  const { sum: sum1, mean: mean1, m2: m21, area: area1, ...exact1 } = wanted;
  expect(exact).toEqual(exact1);
  const size = Math.max(Math.abs(wanted.min), Math.abs(wanted.max));
  const near = (a: number, b: number, scale: number): void => expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * scale + 1e-300);
  near(mean, mean1, size);
  near(sum, sum1, size * wanted.count);
  near(m2, m21, size * size * wanted.count);
  near(area, area1, size * (wanted.lastTs - wanted.firstTs));
}

const tiers = [MINUTE_MS, HOUR_MS] as const;
const stored = (store: Recorder, tier: Tier, device: string): Rollup[] =>
  createRollupReader(store.db).rows(tier, store.idOf(device), -ever, start + ever, { sketches: true });
function sketchOf(kept: readonly Kept[]): Sketch {
  const sketch = new Sketch();
  for (const { value } of kept) sketch.add(value);
  return sketch;
}
const unpacked = (store: Recorder): unknown => store.db.prepare("SELECT count(*) FROM rollup").pluck().get();

describe("packing", () => {
  it("makes of every minute and hour what its raw readings make of it", async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.constantFrom(0, 45_000), async (steps, outOfOrderness) => {
        const store = record(outOfOrderness);
        await live(store, steps);
        store.silence(2 * HOUR_MS);
        await pack(store, 2 * DAY_MS);
        expect(unpacked(store)).toBe(0);
        for (const device of devices) {
          for (const tier of tiers) {
            const [found, wanted] = [stored(store, tier, device), bucketsOf(tier, store.kept(device))];
            expect(found.map((each) => [each.start, each.isDirty, each.isApproximate])).toEqual([...wanted.keys()].map((from) => [from, false, false]));
            for (const { start: from, values } of found) expectSame(values, wanted.get(from) as AggregateValues);
          }
          const minutes = stored(store, MINUTE_MS, device);
          expect(minutes.map(({ sketch }) => sketch)).toEqual(minutes.map(() => undefined));
          for (const { start: from, sketch } of stored(store, HOUR_MS, device)) {
            const within = store.kept(device).filter(({ ts }) => ts >= from && ts < from + HOUR_MS);
            expect(sketch?.equals(sketchOf(within))).toBe(true);
          }
          for (const hour of stored(store, HOUR_MS, device)) {
            const within = minutes.filter(({ start: from }) => from >= hour.start && from < hour.start + HOUR_MS);
            expectSame(mergeOf(within.map(({ values }) => values)), hour.values);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("changes nothing of what readers are told, but for the figures that only raw readings have right", async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const store = record();
        await live(store, steps);
        store.silence(2 * HOUR_MS);
        const told = () => devices.map((device) => tiers.map((tier) => stored(store, tier, device).map(({ start: from }) => from)));
        const before = told();
        await pack(store, 2 * DAY_MS);
        expect(told()).toEqual(before);
        const rows = () => store.db.prepare("SELECT tier, series, unit, body FROM packed_rollup ORDER BY tier, series, unit").all();
        const packed = rows();
        expect((await pack(store, 2 * DAY_MS)).packed).toEqual({ buckets: 0, bytes: 0, recomputed: 0 });
        expect(rows()).toEqual(packed);
      }),
      { numRuns: 30 },
    );
  });

  it("has the area of an hour right whose minutes were closed in silence and then filled out of turn, with no reading late", async () => {
    const store = record(45_000);
    store.receive([{ device: "a", ts: start + 5000, value: 1 }]);
    store.silence(20 * MINUTE_MS);
    store.receive([50, 30].map((seconds) => ({ device: "a", ts: start + seconds * 1000, value: seconds })));
    expect(store.kept("a").some(({ late }) => late)).toBe(false);
    store.silence(2 * HOUR_MS);
    await pack(store, 2 * DAY_MS);
    const [hour] = stored(store, HOUR_MS, "a") as [Rollup];
    expectSame(hour.values, bucketsOf(HOUR_MS, store.kept("a")).get(start) as AggregateValues);
  });

  /** One series, a reading every ten seconds for three hours. */
  function steady(): Recorder {
    const store = record();
    for (let from = 0; from < 3 * HOUR_MS; from += 10 * MINUTE_MS)
      store.receive(
        Array.from({ length: 60 }, (_, index) => ({ device: "a", ts: start + from + index * 10_000, value: index / 10 })),
        10 * MINUTE_MS,
      );
    store.silence(2 * HOUR_MS);
    return store;
  }
  const minuteOf = (store: Recorder, from: number): Rollup | undefined => stored(store, MINUTE_MS, "a").find((each) => each.start === from);

  it("leaves a bucket that is amended between reading and writing to the next run", async () => {
    const store = steady();
    await pack(store);
    store.receive([{ device: "a", ts: start + 5000, value: 7 }]);
    let isAmended = false;
    await pack(store, 0, (rows) => {
      if (!isAmended && rows.some(({ kind }) => kind === "packed-rollups")) {
        store.receive([{ device: "a", ts: start + 6000, value: 8 }]);
        isAmended = true;
      }
      store.finish(rows);
    });
    expect(isAmended).toBe(true);
    expect(minuteOf(store, start)).toMatchObject({ isDirty: true, isApproximate: false, values: { count: 8 } });
    await pack(store);
    expect(minuteOf(store, start)).toMatchObject({ isDirty: false, isApproximate: false });
    expectSame((minuteOf(store, start) as Rollup).values, bucketsOf(MINUTE_MS, store.kept("a")).get(start) as AggregateValues);
  });

  it("merges in what comes for days whose raw readings are gone, and says approximate of that alone", async () => {
    const store = steady();
    await pack(store, 2 * DAY_MS);
    store.db.exec("UPDATE raw_day SET gone = 1; DELETE FROM chunk");
    store.receive([{ device: "a", ts: start + 5000, value: 100 }]);
    await pack(store, 2 * DAY_MS);
    for (const tier of tiers) {
      const [amended, ...others] = stored(store, tier, "a") as [Rollup, ...Rollup[]];
      expect(amended).toMatchObject({ start, isDirty: false, isApproximate: true, values: { max: 100, count: tier / 10_000 + 1 } });
      expect(others.map(({ isApproximate }) => isApproximate)).toEqual(others.map(() => false));
      // Of what came since only sums are known.
      expect(amended.sketch).toBe(undefined);
      expect(others.map(({ sketch }) => sketch?.count)).toEqual(others.map(({ values }) => (tier === HOUR_MS ? values.count : undefined)));
      for (const { start: from, values } of others) expectSame(values, bucketsOf(tier, store.kept("a")).get(from) as AggregateValues);
    }
  });

  it("says approximate of what late readings amended before it was packed, if the raw readings went first", async () => {
    const store = steady();
    store.receive([{ device: "a", ts: start + 5000, value: 100 }]);
    await runCompaction(store.db, { zone: utc, now: store.now() }, store.finish);
    store.db.exec("UPDATE raw_day SET gone = 1; DELETE FROM chunk");
    await pack(store, 2 * DAY_MS);
    expect(minuteOf(store, start)).toMatchObject({ isDirty: false, isApproximate: true, values: { count: 7 } });
    expect(minuteOf(store, start + MINUTE_MS)).toMatchObject({ isDirty: false, isApproximate: false, values: { count: 6 } });
  });
});
