// The serving query against brute force: whichever layer answers, the buckets must be those of the accepted and late readings.

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { systemClock } from "../../src/clock.ts";
import { dayBounds, dayOf, utc, type ZoneTable } from "../../src/engine/calendar.ts";
import { RELATIVE_ERROR } from "../../src/engine/sketch.ts";
import { floorMod } from "../../src/engine/units.ts";
import { createDeadline } from "../../src/storage/deadline.ts";
import { createGrid } from "../../src/storage/grid.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import { type Bucket, percentiles, type QueryContext, type QueryRequest, type Step } from "../../src/storage/query.ts";
import { rankBuckets } from "../../src/storage/ranked-buckets.ts";
import { createRawBudget, type RawBudget } from "../../src/storage/raw-readings.ts";
import { createRollupReader } from "../../src/storage/rollups.ts";
import { streamBuckets } from "../../src/storage/stream-buckets.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Kept, type Recorder, type Sent } from "./recorder.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const oslo = zoneTable("Europe/Oslo") as ZoneTable;
const context = (zone: ZoneTable = utc): QueryContext => ({ devices: {}, zone, clock: systemClock, timeMs: 60_000 });

let open: Recorder | undefined;
afterEach(() => {
  open?.close();
  open = undefined;
});
const record = (options: { answersLookups?: boolean; outOfOrdernessMs?: number } = {}): Recorder => {
  open?.close();
  open = createRecorder(plan([], { outOfOrdernessMs: options.outOfOrdernessMs ?? 0, maxFutureMs: 1e15 }), options);
  return open;
};

type Plain = Pick<Bucket, "t" | "end" | "count" | "min" | "max"> & { sum: number };

/** The buckets that the readings make, by the definition. */
function bruteForce(kept: readonly Kept[], step: Step, zone: ZoneTable): Plain[] {
  const bounds = (ts: number) => {
    if (step === "day") return dayBounds(zone, dayOf(zone, ts));
    const size = step === "raw" ? 1 : step;
    return { start: ts - floorMod(ts, size), end: ts - floorMod(ts, size) + size };
  };
  const buckets = new Map<number, Plain>();
  for (const { ts, value } of kept) {
    const { start, end } = bounds(ts);
    const bucket = buckets.get(start) ?? { t: start, end, count: 0, min: Infinity, max: -Infinity, sum: 0 };
    buckets.set(start, { ...bucket, count: bucket.count + 1, min: Math.min(bucket.min, value), max: Math.max(bucket.max, value), sum: bucket.sum + value });
  }
  return [...buckets.values()].sort((a, b) => a.t - b.t);
}

function expectSame(found: readonly Bucket[], expected: readonly Plain[]): void {
  expect(found.map(({ t, end, count, min, max }) => ({ t, end, count, min, max }))).toEqual(
    expected.map(({ t, end, count, min, max }) => ({ t, end, count, min, max })),
  );
  found.forEach((bucket, index) => {
    const { sum, count } = expected[index] as Plain;
    expect(bucket.sum).toBeCloseTo(sum, 6);
    expect(bucket.avg).toBeCloseTo(sum / count, 6);
  });
}

const ask = (store: Recorder, request: Omit<Extract<QueryRequest, { kind: "readings" }>, "kind">, zone = utc) => {
  const db = store.reader();
  try {
    return answerQuery(db, { kind: "readings", ...request }, context(zone));
  } finally {
    db.close();
  }
};

/** Two devices over some days around a change to summer time, with jumps back, repetitions and silences. */
const summerTime = Date.UTC(2024, 2, 30, 12);
const arrivals = fc.array(
  fc.record({
    device: fc.constantFrom("a", "b"),
    hop: fc.oneof(fc.integer({ min: 0, max: 20 * minute }), fc.integer({ min: -30 * minute, max: 3 * hour })),
    value: fc.integer({ min: -1000, max: 1000 }).map((value) => value / 8),
    cut: fc.boolean(),
    silence: fc.option(fc.integer({ min: 1000, max: 20 * minute }), { freq: 10 }),
    /** What a job does then; packing takes all that is older than so much before `now`. */
    job: fc.option(fc.record({ settles: fc.boolean(), packs: fc.boolean(), ahead: fc.constantFrom(0, 3 * day) }), { freq: 12 }),
  }),
  { minLength: 1, maxLength: 150 },
);
type Arrival = typeof arrivals extends fc.Arbitrary<(infer Item)[]> ? Item : never;

async function fill(store: Recorder, list: readonly Arrival[]): Promise<void> {
  let ts = summerTime;
  let batch: Sent[] = [];
  for (const { device, hop, value, cut, silence, job } of list) {
    if (job !== null) await runCompaction(store.db, { zone: oslo, now: store.now() + job.ahead, settles: job.settles, packs: job.packs }, store.finish);
    ts += hop;
    batch.push({ device, ts, value });
    if (!cut && silence === null) continue;
    store.receive(batch, 50);
    batch = [];
    if (silence !== null) store.silence(silence);
  }
  if (batch.length > 0) store.receive(batch, 50);
}

const steps = fc.constantFrom<Step>("raw", 10_000, minute, 5 * minute, 30 * minute, hour, 3 * hour, 12 * hour, "day");

describe("readings", () => {
  it("are exact for every step, late and repeated readings counted once", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, steps, fc.boolean(), async (list, step, answersLookups) => {
        const store = record({ answersLookups });
        await fill(store, list);
        for (const { id, buckets, step_ms } of ask(store, { step }, oslo).series) {
          expect(step_ms).toBe(step === "raw" ? 1 : step === "day" ? day : step);
          expectSame(buckets, bruteForce(store.kept(id === store.idOf("a") ? "a" : "b"), step, oslo));
          if (step === "raw" || step === 10_000) expect(buckets.every(({ source }) => source === "raw")).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  /** What the stream layer alone gives, and what it must give; `closedOnly`: without the minutes that are still open. */
  async function checkStream(
    list: readonly Arrival[],
    step: Step,
    zone: ZoneTable,
    options: { outOfOrdernessMs: number; budget: RawBudget; closedOnly?: boolean },
  ): Promise<void> {
    const store = record({ outOfOrdernessMs: options.outOfOrdernessMs });
    await fill(store, list);
    const grid = createGrid(step, zone);
    const ids = ["a", "b"].filter((device) => store.idOf(device) >= 0);
    const all = ids.flatMap((device) => store.kept(device).map(({ ts }) => ts));
    const span = { from: grid.boundsOf(Math.min(...all)).start, to: grid.boundsOf(Math.max(...all)).end };
    const found = streamBuckets(store.db, ids.map(store.idOf), grid, span, { deadline: createDeadline(systemClock, 60_000), budget: options.budget });
    for (const device of ids) {
      const closedEnd = createRollupReader(store.db).closedEnd(minute, store.idOf(device));
      const kept = store.kept(device).filter(({ ts }) => !options.closedOnly || ts < closedEnd);
      expectSame(found.get(store.idOf(device)) ?? [], bruteForce(kept, step, zone));
    }
  }
  const streamSteps = fc.constantFrom<Step>(minute, 5 * minute, hour, 3 * hour, 12 * hour, "day");
  const kathmandu = zoneTable("Asia/Kathmandu") as ZoneTable;

  it("from the stream are the same, dirty minutes, the open end and days off the UTC hour included", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, streamSteps, fc.constantFrom(oslo, kathmandu), fc.constantFrom(0, 5 * minute), async (list, step, zone, outOfOrdernessMs) => {
        await checkStream(list, step, zone, { outOfOrdernessMs, budget: createRawBudget() });
      }),
      { numRuns: 100 },
    );
  });

  it("from the stream parts an hour between two days where the day begins within it", () => {
    const sent = [18 * 60 + 10, 18 * 60 + 20, 20 * 60, 23 * 60].map((minutes) => ({ device: "a", ts: Date.UTC(2024, 0, 1) + minutes * minute }));
    const store = record();
    for (const { device, ts } of sent) store.receive([{ device, ts, value: 1 }]);
    const grid = createGrid("day", kathmandu);
    const span = { from: grid.boundsOf(sent[0]?.ts as number).start, to: grid.boundsOf(sent[3]?.ts as number).end };
    const found = streamBuckets(store.db, [0], grid, span, { deadline: createDeadline(systemClock, 60_000), budget: createRawBudget() });
    expect(found.get(0)?.map(({ count }) => count)).toEqual([1, 3]);
  });

  it("from the stream lack but what is still open when nothing may be read from raw", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, streamSteps, async (list, step) => {
        await checkStream(list, step, kathmandu, { outOfOrdernessMs: 0, budget: { rows: 0, readings: 0 }, closedOnly: true });
      }),
      { numRuns: 40 },
    );
  });

  /** By nearest rank. */
  const ranked = (values: readonly number[], percent: number): number =>
    [...values].sort((a, b) => a - b)[Math.ceil((values.length * percent) / 100) - 1] as number;
  const percents = { p50: 50, p95: 95, p99: 99 } as const;

  /** @returns how many are known */
  function expectRanked(found: readonly Bucket[], kept: readonly Kept[]): number {
    let known = 0;
    for (const bucket of found) {
      const values = kept.filter(({ ts }) => ts >= bucket.t && ts < bucket.end).map(({ value }) => value);
      for (const name of percentiles) {
        const [figure, exact] = [bucket[name], ranked(values, percents[name])];
        if (figure === null) continue;
        known += 1;
        const error = bucket.source === "batch" ? 0 : RELATIVE_ERROR * Math.abs(exact) * (1 + 1e-9);
        expect([bucket, exact, Math.abs((figure as number) - exact) <= error]).toEqual([bucket, exact, true]);
      }
    }
    return known;
  }

  it("have percentiles, exact from readings and from the batch, near from sketches, in every step and zone", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, steps, fc.constantFrom(oslo, kathmandu), fc.boolean(), async (list, step, zone, isSummarised) => {
        const store = record();
        await fill(store, list);
        if (isSummarised) await runDailySummary(store.db, { zone, devices: {}, now: store.now() + 2 * day }, store.finish);
        for (const { id, buckets } of ask(store, { step, percentiles }, zone).series) {
          const kept = store.kept(id === store.idOf("a") ? "a" : "b");
          expectSame(buckets, bruteForce(kept, step, zone));
          // All readings are there.
          expect(expectRanked(buckets, kept)).toBe(3 * buckets.length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("have percentiles from the sketches of hours alone where nothing may be read from raw, or none", async () => {
    let known = 0;
    await fc.assert(
      fc.asyncProperty(arrivals, fc.constantFrom<Step>(hour, 3 * hour, "day"), async (list, step) => {
        const store = record();
        await fill(store, list);
        await runCompaction(store.db, { zone: oslo, now: store.now() + 3 * day, packs: true }, store.finish);
        const [grid, device] = [createGrid(step, oslo), store.idOf("a") >= 0 ? "a" : "b"];
        const kept = store.kept(device);
        const span = { from: grid.boundsOf(kept[0]?.ts as number).start, to: grid.boundsOf(kept.at(-1)?.ts as number).end };
        const deadline = createDeadline(systemClock, 60_000);
        const found = streamBuckets(store.db, [store.idOf(device)], grid, span, { deadline, budget: createRawBudget() });
        const ranked = rankBuckets(store.db, found, { grid, percentiles, deadline, budget: { rows: 0, readings: 0 } });
        known += expectRanked(ranked.get(store.idOf(device)) ?? [], kept);
      }),
      { numRuns: 40 },
    );
    expect(known).toBeGreaterThan(20);
  });

  it("say null for a percentile of which only sums are kept", async () => {
    const store = record();
    for (let index = 0; index < 4 * 360; index += 1) store.receive([{ device: "a", ts: index * 10_000, value: 1 + (index % 360) }]);
    await runCompaction(store.db, { zone: utc, now: store.now() + 3 * day, packs: true }, store.finish);
    store.db.exec("UPDATE raw_day SET gone = 1; DELETE FROM chunk");
    store.receive([{ device: "a", ts: 5000, value: 9999 }]);
    await runCompaction(store.db, { zone: utc, now: store.now() + 3 * day, packs: true }, store.finish);
    const [hours] = ask(store, { step: hour, to: 3 * hour, percentiles: ["p95"] }).series;
    const [first, ...others] = hours?.buckets ?? [];
    expect(first).toMatchObject({ max: 9999, p95: null });
    expect(others.length).toBe(2);
    for (const bucket of others) {
      expect(Math.abs((bucket.p95 as number) - 342)).toBeLessThan(3.43);
      expect([bucket.source, "p50" in bucket]).toEqual(["stream", false]);
    }
    expect(ask(store, { step: 3 * hour, to: 3 * hour, percentiles: ["p95"] }).series[0]?.buckets[0]?.p95).toBe(null);
    expect(ask(store, { step: minute, to: minute, percentiles: ["p95"] }).series[0]?.buckets[0]?.p95).toBe(null);
  });

  it("holds whole buckets at the edges of the time asked for, and single readings exactly within it", () => {
    const store = record();
    for (let index = 0; index < 120; index += 1) store.receive([{ device: "a", ts: index * 10_000, value: index }]);
    const [whole] = ask(store, { step: minute, from: 90_000, to: 150_001 }).series;
    expect(whole?.buckets.map(({ t, count }) => [t, count])).toEqual([
      [60_000, 6],
      [120_000, 6],
    ]);
    const [raw] = ask(store, { step: "raw", from: 90_000, to: 150_000 }).series;
    expect(raw?.buckets.map(({ t }) => t)).toEqual([90_000, 100_000, 110_000, 120_000, 130_000, 140_000]);
  });

  it("chooses the finest step that fits a thousand buckets", () => {
    const store = record();
    const send = (from: number, count: number, every: number) =>
      store.receive(
        Array.from({ length: count }, (_, index) => ({ device: "a", ts: from + index * every, value: index })),
        1000,
      );
    send(0, 1000, minute);
    expect(ask(store, {}).series[0]).toMatchObject({ step_ms: 1 });
    send(1000 * minute, 1, minute);
    expect(ask(store, {}).series[0]).toMatchObject({ step_ms: 5 * minute });
    expect(ask(store, { from: minute }).series[0]).toMatchObject({ step_ms: 1 });
    send(2000 * minute, 3000, minute);
    expect(ask(store, {}).series[0]).toMatchObject({ step_ms: 5 * minute });
    send(5000 * minute, 1, minute);
    expect(ask(store, {}).series[0]).toMatchObject({ step_ms: 10 * minute });
    send(2000 * day, 1, minute);
    expect(ask(store, {}).series[0]).toMatchObject({ step_ms: day });
    const counts = ask(store, {}).series[0]?.buckets.map(({ count }) => count) ?? [];
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4003);
  });

  it("says provisional of what the stream has not closed", () => {
    const store = record();
    for (let index = 0; index < 10; index += 1) store.receive([{ device: "a", ts: index * 30_000, value: index }]);
    const flags = () => ask(store, { step: minute }).series[0]?.buckets.map(({ provisional }) => provisional);
    expect(flags()).toEqual([false, false, false, false, true]);
    store.silence(5 * minute);
    expect(flags()).toEqual([false, false, false, false, false]);
  });

  it("takes days from the batch once it ran, and prefers what knows of more readings", async () => {
    const store = record();
    const send = (ts: number, value: number) => store.receive([{ device: "a", ts, value }]);
    for (let index = 0; index < 60; index += 1) send(index * hour, index);
    const days = () => ask(store, { step: "day" }).series[0]?.buckets.map(({ count, source, provisional }) => [count, source, provisional]);
    expect(days()).toEqual([
      [24, "stream", true],
      [24, "stream", true],
      [12, "stream", true],
    ]);
    const summarize = () => runDailySummary(store.db, { zone: utc, now: 60 * hour, devices: {} }, store.finish);
    await summarize();
    expect(days()).toEqual([
      [24, "batch", false],
      [24, "batch", false],
      [12, "stream", true],
    ]);
    send(90 * minute, 0);
    expect(days()?.[0]).toEqual([25, "stream", true]);
    await summarize();
    expect(days()?.[0]).toEqual([25, "batch", false]);
  });

  it("answers by day, within its time, where wrong clocks left readings decades before the others", async () => {
    const store = record();
    const devices = Array.from({ length: 400 }, (_, index) => `d-${index}`);
    for (const ts of [5, 20_000 * day, 20_001 * day]) store.receive(devices.map((device, index) => ({ device, ts, value: index })));
    await runDailySummary(store.db, { zone: utc, now: 20_001 * day, devices: {} }, store.finish);
    const { series } = answerQuery(store.db, { kind: "readings", step: "day" }, { ...context(), timeMs: 300 }) as ReturnType<typeof ask>;
    expect(series.length).toBeGreaterThan(10);
    for (const { buckets } of series) {
      expect(buckets.map(({ t, count, source, provisional }) => [t / day, count, source, provisional])).toEqual([
        [0, 1, "batch", false],
        [20_000, 1, "batch", false],
        [20_001, 1, "raw", true],
      ]);
    }
  });

  it("answers in hours though a wrong clock once said 1970", () => {
    const store = record();
    store.receive([{ device: "a", ts: 5, value: 1 }]);
    for (let index = 0; index < 10; index += 1) store.receive([{ device: "a", ts: summerTime + index * 10 * minute, value: index }]);
    expect(ask(store, { step: hour }).series[0]?.buckets.map(({ count }) => count)).toEqual([1, 6, 4]);
    expect(ask(store, { step: minute, from: 0 }).series[0]?.buckets.length).toBe(11);
  });

  it("refuses what is beyond its limits, with a hint", () => {
    const store = record();
    store.receive(Array.from({ length: 100_001 }, (_, index) => ({ device: "a", ts: index, value: index })));
    expect(() => ask(store, { step: "raw" })).toThrow(expect.objectContaining({ code: "query_too_large", hint: expect.any(String) }));
    expect(() => ask(store, { limit: 0 })).toThrow(expect.objectContaining({ code: "query_invalid" }));
    expect(() => ask(store, { cursor: "1 OR 1" })).toThrow(expect.objectContaining({ code: "query_invalid" }));
    expect(() => answerQuery(store.db, { kind: "readings" }, { ...context(), timeMs: -1 })).toThrow(expect.objectContaining({ code: "query_too_long" }));
  });

  it("pages by series", () => {
    const store = record();
    const devices = ["a", "b", "c", "d", "e"];
    store.receive(devices.map((device, ts) => ({ device, ts, value: ts })));
    const seen: (string | undefined)[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: ReturnType<typeof ask> = ask(store, { limit: 2, ...(cursor !== undefined && { cursor }) });
      seen.push(...page.series.map(({ labels }) => labels["device"]));
      cursor = page.cursor;
    }
    expect(seen).toEqual(devices);
  });
});
