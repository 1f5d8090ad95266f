// Imports over real stores: what a file holds is in, once, whatever was there, however often it was cut short; rollups and summaries follow,
// and no rule hears of it.

import { utimesSync } from "node:fs";
import { basename } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { runRetention } from "../../src/batch/jobs/retention.ts";
import { verifyStore } from "../../src/batch/verify.ts";
import { utc } from "../../src/engine/calendar.ts";
import type { ReadingBatch } from "../../src/engine/reading.ts";
import type { DaySummary } from "../../src/engine/summary.ts";
import { createLog } from "../../src/log.ts";
import { createMetrics } from "../../src/metrics.ts";
import { createPipeline } from "../../src/pipeline.ts";
import { createFinishedStore } from "../../src/storage/finished.ts";
import { readImport } from "../../src/storage/imports.ts";
import { usedBytes } from "../../src/storage/retention.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS } from "../../src/storage/rollups.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan, rule, SOURCE } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";
import { createImportStore, csvOf, firstOf, type ImportStore, Killed, NOW } from "./import-store.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const t0 = Date.UTC(2026, 2, 28, 20);
const oslo = zoneTable("Europe/Oslo") as NonNullable<ReturnType<typeof zoneTable>>;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close();
});
const kept = <Thing extends { close(): void }>(thing: Thing): Thing => {
  open.push(thing);
  return thing;
};
const makeStore = (...args: Parameters<typeof createImportStore>): ImportStore => kept(createImportStore(...args));
/** A store that a gateway fills, imported into. */
function makeLive(): { live: Recorder; store: ImportStore } {
  const live = createRecorder(
    plan([rule({ name: "hot", condition: { type: "threshold", above: 50 } }), rule({ name: "quiet", condition: { type: "absence", after: "10m" } })]),
  );
  open.push(live);
  return { live, store: createImportStore({ dir: live.dir, db: live.db }) };
}

/** Over the night on which summer time begins in Oslo, mostly at a few instants, so that many are equal. */
const rows = fc.array(
  fc.record({
    device: fc.constantFrom("a", "b", "c"),
    ts: fc.oneof(
      fc.integer({ min: 0, max: 40 }).map((step) => t0 + step * 17 * minute),
      fc.integer({ min: t0 - 40 * day, max: t0 + 3 * day }),
    ),
    value: fc.oneof(fc.constantFrom(0, -0, 21.5, 1e300), fc.integer({ min: -100, max: 100 })),
  }),
  { maxLength: 60 },
);

describe("an import", () => {
  it("brings in each reading once, the first of equal instants, whatever the blocks are", async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 20 }), async (list, blockReadings) => {
        const store = createImportStore(undefined, oslo);
        try {
          const report = await store.import(store.file(csvOf(list)), { blockReadings, blockBytes: 90 });
          expect(store.stored()).toEqual(firstOf(list));
          const first = Object.values(firstOf(list)).reduce((sum, each) => sum + each.length, 0);
          expect(report.progress.readings).toBe(first);
          expect(report.progress.duplicates + report.progress.conflicts).toBe(list.length - first);
        } finally {
          store.close();
        }
      }),
      { numRuns: 30 },
    );
  });

  it("goes on where it was killed, after whichever row, with nothing twice and nothing missing", async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }), async (list, kills) => {
        const store = createImportStore(undefined, oslo);
        try {
          const file = store.file(csvOf(list));
          for (const rowsMax of kills)
            await store.import(file, { blockReadings: 7, blockBytes: 90 }, rowsMax).catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
          const last = await store.import(file, { blockReadings: 7, blockBytes: 90 });
          expect(["done", "there"]).toContain(last.outcome);
          expect(store.stored()).toEqual(firstOf(list));
          await store.pack();
          expectRollups(store, firstOf(list));
        } finally {
          store.close();
        }
      }),
      { numRuns: 30 },
    );
  });

  it("leaves what live readings brought, compacted or not, and counts what it leaves out", async () => {
    const { live, store } = makeLive();
    live.receive(Array.from({ length: 10 }, (_, index) => ({ device: "a", ts: t0 + index * minute, value: index })));
    await store.pack(t0 + hour);
    live.receive([{ device: "a", ts: t0 + 10 * minute, value: 10 }]);
    const file = store.file(csvOf([0, 5, 10, 11, 12].map((index) => ({ device: "a", ts: t0 + index * minute, value: index === 5 ? 99 : index }))));
    const report = await store.import(file, { now: t0 + hour });
    expect(report.progress).toMatchObject({ readings: 2, duplicates: 2, conflicts: 1 });
    expect(store.stored()["a"]).toEqual(Array.from({ length: 13 }, (_, index) => [t0 + index * minute, index]));
  });

  it("that is given again says that it is there; --again reads it and finds all of it there", async () => {
    const store = makeStore();
    const file = store.file(csvOf([{ device: "a", ts: t0, value: 1 }]));
    expect((await store.import(file)).outcome).toBe("done");
    expect(await store.import(file)).toMatchObject({ outcome: "there", progress: { readings: 1 } });
    expect(await store.import(file, { isAgain: true })).toMatchObject({ outcome: "done", progress: { readings: 0, duplicates: 1 } });
    expect(await store.import(file, { settings: { device: "b" } })).toMatchObject({ outcome: "done", progress: { duplicates: 1 } });
  });

  it("knows a file that was changed by its end, and by the time at which it was written", async () => {
    const store = makeStore();
    const rowsOf = (changed: number, value: string) =>
      csvOf(Array.from({ length: 9000 }, (_, index) => ({ device: "a", ts: t0 + index, value: 1 }))).replace(
        `${t0 + changed},a,temperature,1`,
        `${t0 + changed},a,temperature,${value}`,
      );
    const at = new Date(NOW);
    const file = store.file(rowsOf(8999, "x"));
    utimesSync(file, at, at);
    expect((await store.import(file)).progress).toMatchObject({ readings: 8999, problems: { value: 1 } });
    expect((await store.import(file)).outcome).toBe("there");
    store.file(rowsOf(8999, "2"), basename(file));
    utimesSync(file, at, at);
    expect(await store.import(file)).toMatchObject({ outcome: "done", progress: { readings: 1, duplicates: 8999, problems: {} } });
    store.file(rowsOf(4500, "3").replace(/1\n$/, "2\n"), basename(file));
    expect(await store.import(file)).toMatchObject({ outcome: "done", progress: { readings: 0, conflicts: 1 } });
    expect(store.stored()["a"]?.length).toBe(9000);
  });

  it("does not go on in a file that was changed since it was cut short", async () => {
    const store = makeStore();
    const rowsOf = (device: string) => csvOf(Array.from({ length: 6000 }, (_, index) => ({ device: index < 2500 ? "a" : device, ts: t0 + index, value: 1 })));
    const file = store.file(rowsOf("b"));
    expect((await store.import(file, { blockReadings: 4000, blockBytes: 20_000, blocksMax: 1 })).outcome).toBe("goes-on");
    store.file(rowsOf("c"), basename(file));
    expect(await store.import(file)).toMatchObject({ outcome: "done", resumedAfter: 0, progress: { readings: 3500, duplicates: 2500 } });
    expect(store.stored()["c"]?.length).toBe(3500);
  });

  it("ends after some blocks when it is asked to, and after the one that an interruption comes in", async () => {
    const store = makeStore();
    const list = Array.from({ length: 100_000 }, (_, index) => ({ device: "a", ts: t0 + index * 1000, value: index }));
    const file = store.file(csvOf(list));
    expect(await store.import(file, { blockReadings: 10, blocksMax: 1 })).toMatchObject({ outcome: "goes-on", mayGoOn: true });
    const before = store.stored()["a"]?.length ?? 0;
    expect(before).toBeGreaterThan(0);
    const interrupted = await store.import(file, { blockReadings: 10, signal: AbortSignal.abort() });
    expect(interrupted).toMatchObject({ outcome: "interrupted", mayGoOn: true, resumedAfter: before + 1 });
    expect((await store.import(file)).progress).toMatchObject({ readings: list.length, lines: list.length + 1, duplicates: 0 });
    expect(store.stored()).toEqual(firstOf(list));
  });

  it("refuses readings of the future by their lines, takes the others, and counts both", async () => {
    const store = makeStore();
    const file = store.file(csvOf([60_000, 60_001, 0].map((ahead) => ({ device: "a", ts: NOW + ahead, value: 1 }))));
    const report = await store.import(file);
    expect(report.progress).toMatchObject({ readings: 2, problems: { future: 1 } });
    expect(report.problems).toMatchObject([{ line: 3, column: 1, message: "2026-06-01T00:01:00.001Z is in the future" }]);
  });

  it("writes nothing when it is dry, and tells the same", async () => {
    const { live, store } = makeLive();
    live.receive([{ device: "a", ts: t0, value: 1 }]);
    const file = store.file(
      csvOf(
        [1, 2].flatMap((value) => [
          { device: "a", ts: t0, value },
          { device: "b", ts: t0, value },
        ]),
      ),
    );
    const before = store.db.prepare("SELECT total_changes()").pluck().get();
    const dry = await store.import(file, { isDry: true });
    expect(dry).toMatchObject({ outcome: "dry", series: 2, seriesNew: 1, progress: { readings: 1, duplicates: 1, conflicts: 2 } });
    expect(store.db.prepare("SELECT total_changes()").pluck().get()).toBe(before);
  });

  it("ends before the store would be beyond its limit, and goes on where it was with a larger one", async () => {
    const store = makeStore();
    const list = Array.from({ length: 6000 }, (_, index) => ({ device: "a", ts: t0 - 10 * day + index * minute, value: Math.sin(index) }));
    const file = store.file(csvOf(list));
    const limit = usedBytes(store.db) + 80_000;
    const options = { blockReadings: 1000, blockBytes: 10_000 };
    await expect(store.import(file, { ...options, diskLimit: limit })).rejects.toMatchObject({
      code: "no_room",
      message: expect.stringMatching(/the next \d+ readings of .* may take \d+, and storage.disk_limit is \d+$/),
    });
    expect(usedBytes(store.db)).toBeLessThanOrEqual(limit);
    const before = store.stored()["a"]?.length ?? 0;
    expect(before).toBeGreaterThan(900);
    expect(before).toBeLessThan(6000);
    const report = await store.import(file, { ...options, diskLimit: 1e9 });
    expect(report).toMatchObject({ outcome: "done", resumedAfter: before + 1, progress: { readings: 6000, duplicates: 0 } });
    expect(store.stored()["a"]).toEqual(list.map(({ ts, value }) => [ts, value]));
  });

  it("takes no more series than there may be, and says so before a row of them is in", async () => {
    const store = makeStore(undefined, undefined, 2);
    const list = ["a", "b", "c"].map((device) => ({ device, ts: t0, value: 1 }));
    await expect(store.import(store.file(csvOf(list)))).rejects.toMatchObject({
      code: "series_limit",
      message: "the file brings 3 series that are new, and there are 0 of at most 2",
    });
    expect(store.db.prepare("SELECT count(*) FROM series").pluck().get()).toBe(0);
  });
});

describe("after an import", () => {
  it("rollups of both tiers are those of all readings, live ones and imported ones", async () => {
    const { live, store } = makeLive();
    const own = Array.from({ length: 300 }, (_, index) => ({ device: "a", ts: t0 + index * 20 * minute, value: index % 7 }));
    for (const each of own) live.receive([each], 20 * minute);
    await store.pack(live.now());
    const brought = Array.from({ length: 900 }, (_, index) => ({ device: index % 3 === 0 ? "b" : "a", ts: t0 - day + index * 7 * minute, value: index % 11 }));
    await store.import(store.file(csvOf(brought)), { now: live.now(), blockReadings: 100, blockBytes: 1000 });
    const all = firstOf([...own, ...brought]);
    // Before they are packed, whoever asks is answered from the raw readings.
    expectBuckets(store, all, [10 * minute, hour]);
    expectVerified(store);
    await store.pack(live.now() + 2 * day);
    expectVerified(store);
    expect(store.db.prepare("SELECT count(*) FROM rollup_open").pluck().get()).toBe(0);
    expectRollups(store, all);
  });

  it("what is too young to be packed waits, and is answered from the raw readings", async () => {
    const store = makeStore();
    const list = Array.from({ length: 200 }, (_, index) => ({ device: "a", ts: NOW - index * minute, value: index }));
    await store.import(store.file(csvOf(list)));
    await store.pack();
    expect(store.db.prepare("SELECT count(*) FROM rollup_open").pluck().get()).toBeGreaterThan(0);
    expectBuckets(store, firstOf(list), [hour]);
    await store.pack(NOW + 2 * day);
    expectRollups(store, firstOf(list));
  });

  it("a bucket that the stream closes later holds both", async () => {
    const { live, store } = makeLive();
    live.receive([{ device: "a", ts: t0, value: 1 }]);
    const brought = Array.from({ length: 20 }, (_, index) => ({ device: "a", ts: t0 + 1000 + index * minute, value: 5 }));
    await store.import(store.file(csvOf(brought)), { now: t0 + 3 * day });
    await store.pack(t0 + 3 * day);
    live.receive([{ device: "a", ts: t0 + 2 * minute + 500, value: 9 }]);
    live.receive([{ device: "a", ts: t0 + 3 * hour, value: 9 }]);
    const all = firstOf([
      { device: "a", ts: t0, value: 1 },
      ...brought,
      { device: "a", ts: t0 + 2 * minute + 500, value: 9 },
      { device: "a", ts: t0 + 3 * hour, value: 9 },
    ]);
    expectBuckets(store, all, [hour]);
    expectVerified(store);
    await store.pack(t0 + 5 * day);
    expectVerified(store);
    // The newest is in a bucket that is open.
    expectRollups(store, { a: (all["a"] ?? []).slice(0, -1) });
  });

  it("the night summarises the days that it touched, by their own clock", async () => {
    const store = makeStore(undefined, oslo);
    const list = Array.from({ length: 60 }, (_, index) => ({ device: "a", ts: t0 + index * hour, value: index }));
    await store.import(store.file(csvOf(list)));
    await runDailySummary(store.db, { zone: oslo, now: NOW, devices: {} }, (each) => createFinishedStore(store.db)(each));
    const found = store.db.prepare<[], { day: string; body: string }>("SELECT day, body FROM daily_summary ORDER BY day").all();
    expect(found.map((each) => [each.day, (JSON.parse(each.body) as DaySummary).count])).toEqual([
      ["2026-03-28", 3],
      ["2026-03-29", 23],
      ["2026-03-30", 24],
      ["2026-03-31", 10],
    ]);
  });

  it("days whose readings went by retention are merged and approximate", async () => {
    const store = makeStore();
    const forever = { timeMs: 1e15, bytes: null };
    const list = Array.from({ length: 48 }, (_, index) => ({ device: "a", ts: t0 + 4 * hour + index * hour, value: index }));
    await store.import(store.file(csvOf(list)), { now: t0 + 3 * day });
    const write = createFinishedStore(store.db);
    const zone = { name: "UTC", from: [Number.MIN_SAFE_INTEGER], offsets: [0] };
    await runDailySummary(store.db, { zone, now: t0 + 4 * day, devices: {} }, write);
    await runRetention(
      store.db,
      { zone, now: t0 + 40 * day, retention: { journal: forever, raw: { timeMs: day, bytes: null }, minutes: forever, hours: forever } },
      write,
    );
    expect(store.stored()).toEqual({});
    const more = list.map(({ ts, ...each }) => ({ ...each, ts: ts + minute }));
    await store.import(store.file(csvOf(more)), { now: t0 + 41 * day });
    await store.pack(t0 + 45 * day);
    const hours = createRollupReader(store.db).rows(HOUR_MS, 0, t0, t0 + 4 * day);
    expect(hours.map(({ isApproximate, values }) => [isApproximate, values.count])).toEqual(list.map(() => [true, 2]));
    await runDailySummary(store.db, { zone, now: t0 + 45 * day, devices: {} }, write);
    const found = store.db.prepare<[], { approximate: number; body: string }>("SELECT approximate, body FROM daily_summary ORDER BY day").all();
    expect(found.map(({ approximate, body }) => [approximate, (JSON.parse(body) as DaySummary).count])).toEqual([
      [1, 48],
      [1, 48],
    ]);
  });

  it("no rule has heard of it, and the first live reading of a series takes it over", async () => {
    const { live, store } = makeLive();
    live.receive([{ device: "a", ts: t0, value: 1 }]);
    const { db } = store;
    const notified = (): unknown => db.prepare("SELECT count(*) FROM notification").pluck().get();
    const file = store.file(csvOf([1, 2, 3].map((index) => ({ device: "b", ts: t0 - index * hour, value: 99 }))));
    await store.import(file, { now: live.now() });
    expect(db.prepare("SELECT labels, source FROM series WHERE id = 1").get()).toEqual({ labels: '{"device":"b","metric":"temperature"}', source: "import" });
    const deps = { monotonic: () => 0, sleep: () => undefined, holding: () => undefined, log: createLog({ level: "silent", name: "test" }) };
    const pipeline = createPipeline({ db, ...deps, metrics: createMetrics() });
    const step = (input: { kind: "clock" } | { kind: "readings"; batch: ReadingBatch }, ms: number) =>
      pipeline.turn({ inputs: [{ ...input, at: live.now() + ms, up: pipeline.recovered.up + ms }], finished: [] }).effects;
    expect(pipeline.engine.series().map(({ source }) => source)).toEqual([SOURCE, "import"]);
    // Long silence: only the series that was heard is missed.
    expect(step({ kind: "clock" }, 5 * day)?.transitions.map(({ alert }) => alert.length > 0)).toEqual([true]);
    expect(notified()).toBe(1);
    const labels = { device: "b", metric: "temperature" };
    const columns = { series: Uint32Array.of(1), ts: Float64Array.of(live.now() + 5 * day), value: Float64Array.of(60) };
    const effects = step({ kind: "readings", batch: { ...columns, defined: [{ id: 1, labels, source: SOURCE }], rejected: {} } }, 5 * day);
    expect(effects?.transitions.map(({ to, evidence }) => [to, evidence.rule])).toEqual([["firing", "hot"]]);
    expect(pipeline.engine.series().map(({ source }) => source)).toEqual([SOURCE, SOURCE]);
  });

  it("no time has passed for the engine: what falls due is done when the gateway starts", async () => {
    const { live, store } = makeLive();
    live.receive([{ device: "a", ts: t0, value: 60 }]);
    const { db } = store;
    const before = db.prepare("SELECT count(*) FROM notification").pluck().get();
    expect(before).toBe(1);
    await store.import(store.file(csvOf([{ device: "b", ts: t0 - hour, value: 1 }])));
    expect(db.prepare("SELECT count(*) FROM notification").pluck().get()).toBe(before);
    expect(db.prepare("SELECT at, count FROM journal ORDER BY seq DESC LIMIT 1").get()).toEqual({ at: live.now(), count: 0 });
  });

  it("is remembered by its file, as far as it is taken", async () => {
    const store = makeStore();
    const file = store.file(csvOf([{ device: "a", ts: t0, value: 1 }]));
    await store.import(file);
    const key = store.db.prepare<[], string>("SELECT key FROM import").pluck().get() as string;
    expect(readImport(store.db, key)).toMatchObject({ file, beganAt: NOW, endedAt: NOW, span: { from: t0, to: t0 + 1 }, progress: { lines: 2 } });
  });
});

/** `highwater verify` finds nothing. */
function expectVerified({ db }: ImportStore): void {
  const problems: unknown[] = [];
  const keptSince = { [MINUTE_MS]: Number.NEGATIVE_INFINITY, [HOUR_MS]: Number.NEGATIVE_INFINITY };
  verifyStore(db, { zone: utc, keptSince, isQuick: false }, { found: (problem) => void problems.push(problem), progress: () => undefined });
  expect(problems).toEqual([]);
}

type All = Record<string, [number, number][]>;

function expectRollups(store: ImportStore, all: All): void {
  const reader = createRollupReader(store.db);
  const ids = store.db.prepare<[], { id: number; labels: string }>("SELECT id, labels FROM series").all();
  for (const { id, labels } of ids) {
    const readings = all[(JSON.parse(labels) as { device: string }).device] ?? [];
    for (const tier of [MINUTE_MS, HOUR_MS] as const) {
      const found = reader.rows(tier, id, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      const buckets = found.map(({ start, values: { count, min, max, first, last } }) => ({ start, count, min, max, first, last }));
      expect(buckets).toEqual(bucketsOf(readings, tier));
    }
  }
}

function expectBuckets(store: ImportStore, all: All, steps: readonly number[]): void {
  for (const step of steps) {
    const found = store.buckets(step);
    for (const [device, readings] of Object.entries(all)) {
      const plain = found[device]?.map(({ t, count, min, max }) => ({ start: t, count, min, max }));
      expect(plain).toEqual(bucketsOf(readings, step).map(({ start, count, min, max }) => ({ start, count, min, max })));
    }
  }
}

function bucketsOf(readings: readonly (readonly [number, number])[], step: number) {
  const groups = Map.groupBy(readings, ([ts]) => Math.floor(ts / step) * step);
  return [...groups].map(([start, group]) => {
    const values = group.map(([, value]) => value);
    return { start, count: values.length, min: Math.min(...values), max: Math.max(...values), first: values[0], last: values.at(-1) };
  });
}
