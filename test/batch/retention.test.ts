// Retention over real stores: what goes, when it may, and that what is asked of history afterwards is answered by what stays.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkOf } from "../../src/batch/jobs/compaction.ts";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { type RetentionOptions, runRetention } from "../../src/batch/jobs/retention.ts";
import { systemClock } from "../../src/clock.ts";
import { utc, type ZoneTable } from "../../src/engine/calendar.ts";
import type { DaySummary } from "../../src/engine/summary.ts";
import { rawDays } from "../../src/storage/chunks.ts";
import { newestSeq } from "../../src/storage/journal.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Step } from "../../src/storage/query.ts";
import { type Retention, usedBytes } from "../../src/storage/retention.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan } from "../engine/harness.ts";
import { oneRecorder } from "../storage/one-recorder.ts";
import { type Recorder } from "../storage/recorder.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const forever = { timeMs: 1e15, bytes: null };
const keepAll: Retention = { journal: forever, raw: forever, minutes: forever, hours: forever };

const fresh = oneRecorder();
const record = (): Recorder => fresh(plan([], { maxFutureMs: 1e15 }));

/** A reading every ten minutes, of so many days from 1970 on. */
function days(store: Recorder, count: number, from = 0): void {
  for (let index = from * 144; index < (from + count) * 144; index += 1)
    store.receive([{ device: "a", ts: index * 10 * minute, value: index % 144 }], 10 * minute);
}

const summarize = (store: Recorder, now = store.now()) => runDailySummary(store.db, { zone: utc, now, devices: {} }, store.finish);
const retain = (store: Recorder, retention: Partial<Retention>, more: Partial<RetentionOptions> = {}) =>
  runRetention(store.db, { zone: utc, now: store.now(), retention: { ...keepAll, ...retention }, ...more }, store.finish);
const kept = (store: Recorder): [number, number, number][] => rawDays(store.db).map(({ day: start, readings, gone }) => [start / day, readings, gone]);
const snapshotNow = (store: Recorder): unknown =>
  store.db.prepare("INSERT INTO snapshot (seq, parts, at) VALUES (?, '[]', ?)").run(newestSeq(store.db), store.now());
const buckets = (store: Recorder, step: Step) => {
  const answer = answerQuery(store.db, { kind: "readings", step }, { devices: {}, zone: utc, clock: systemClock, timeMs: 60_000 });
  return answer.series[0]?.buckets.map(({ t, count, min, max, sum, source }) => ({ t, count, min, max, sum, source })) ?? [];
};
/** Whichever layer answers. */
const plain = (list: ReturnType<typeof buckets>) => list.map(({ t, count, min, max, sum }) => ({ t, count, min, max, sum }));
const summaries = (store: Recorder) =>
  store.db
    .prepare<[], { day: string; approximate: number; version: number; body: string }>("SELECT day, approximate, version, body FROM daily_summary ORDER BY day")
    .all();

describe("single readings", () => {
  it("go by whole days once they are old by their arrival, and only when they are summarised", async () => {
    const store = record();
    days(store, 5);
    expect((await retain(store, { raw: { timeMs: 2 * day, bytes: null } })).days).toBe(0);
    await summarize(store);
    const before = { hours: buckets(store, hour), days: buckets(store, "day") };
    const report = await retain(store, { raw: { timeMs: 2 * day, bytes: null } });
    expect(report).toMatchObject({ isWhole: true, days: 2, readings: 288 });
    expect(kept(store)).toEqual([
      [0, 0, 1],
      [1, 0, 1],
      [2, 144, 0],
      [3, 144, 0],
      [4, 144, 0],
    ]);
    expect(plain(buckets(store, hour))).toEqual(plain(before.hours));
    expect(buckets(store, "day")).toEqual(before.days);
    expect(buckets(store, "raw").length).toBe(3 * 144);
  });

  it("stay after a change of the zone until its night was there, also when it is changed back", async () => {
    const store = record();
    const other = zoneTable("Europe/Oslo") as ZoneTable;
    const old = { raw: { timeMs: day, bytes: null } };
    const night = (zone: ZoneTable) => runDailySummary(store.db, { zone, now: store.now(), devices: {} }, store.finish);
    days(store, 5);
    await summarize(store);
    expect((await retain(store, old, { zone: other })).days).toBe(0);
    // Short of room, it says what would help.
    expect(await retain(store, {}, { zone: other, room: 1 })).toMatchObject({ days: 0, lacks: "summaries" });
    await night(other);
    expect((await retain(store, old, { zone: other })).days).toBe(3);
    days(store, 3, 5);
    await night(other);
    // Those of the first five days that were left; of the others it knows nothing yet.
    expect((await retain(store, old)).days).toBe(2);
    expect((await retain(store, old)).days).toBe(0);
    await summarize(store);
    expect((await retain(store, old)).days).toBeGreaterThan(0);
    expect(store.db.prepare("SELECT day FROM daily_summary WHERE zone = 'UTC' AND approximate = 0 ORDER BY day").pluck().all()).toEqual(
      Array.from({ length: 8 }, (_, index) => `1970-01-0${index + 1}`),
    );
  });

  it("that came late are kept from their arrival on, though they are of an old day", async () => {
    const store = record();
    days(store, 5);
    store.receive([{ device: "a", ts: 7 * minute, value: 5 }]);
    await summarize(store);
    await retain(store, { raw: { timeMs: 2 * day + minute, bytes: null } });
    expect(kept(store).map(([, readings]) => readings)).toEqual([145, 0, 144, 144, 144]);
  });

  it("go oldest first when they take more bytes than they may", async () => {
    const store = record();
    days(store, 6);
    await summarize(store);
    const bytes = rawDays(store.db).map((each) => each.bytes);
    const room = (bytes[3] as number) + (bytes[4] as number) + (bytes[5] as number);
    await retain(store, { raw: { timeMs: 1e15, bytes: room } });
    expect(kept(store).map(([, readings]) => readings)).toEqual([0, 0, 0, 144, 144, 144]);
  });

  it("that are late for a day that is gone are merged into its summary and its rollups, once, which are approximate then", async () => {
    const store = record();
    days(store, 4);
    await summarize(store);
    await retain(store, { raw: { timeMs: 2 * day, bytes: null } });
    const [first] = summaries(store);
    const old = JSON.parse(first?.body ?? "{}") as DaySummary;
    store.receive([{ device: "a", ts: 90 * minute + 1, value: 1000 }]);
    store.receive([{ device: "a", ts: 90 * minute + 2, value: -1000 }]);
    for (let run = 0; run < 3; run += 1) await summarize(store, store.now() + run * hour);
    const [merged, second] = summaries(store);
    const figures = JSON.parse(merged?.body ?? "{}") as DaySummary;
    expect([merged?.approximate, merged?.version, second?.approximate, second?.version]).toEqual([1, 2, 0, 1]);
    expect(figures).toMatchObject({ count: 146, min: -1000, max: 1000, late: 2, p50: old.p50, coverage: old.coverage, first: old.first, last: old.last });
    expect(figures.avg).toBeCloseTo((old.avg * 144) / 146, 9);
    const all = [...Array.from({ length: 144 }, (_, index) => index), 1000, -1000];
    const mean = all.reduce((sum, each) => sum + each, 0) / all.length;
    expect(figures.stddev).toBeCloseTo(Math.sqrt(all.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (all.length - 1)), 9);
    expect(buckets(store, hour)[1]).toMatchObject({ count: 8, min: -1000, max: 1000, source: "stream" });
    store.receive([{ device: "a", ts: 3, value: 7 }]);
    await summarize(store, store.now() + 5 * hour);
    expect(JSON.parse(summaries(store)[0]?.body ?? "{}")).toMatchObject({ count: 147, late: 3 });
  });
});

it("a day whose readings were half gone when retention was killed counts none of them again with a late reading", async () => {
  const store = record();
  const devices = Array.from({ length: 25 }, (_, index) => `d${index}`);
  for (let index = 0; index < 48; index += 1)
    store.receive(
      devices.map((device) => ({ device, ts: index * hour, value: index })),
      hour,
    );
  await summarize(store, 2 * day);
  const killed = runRetention(store.db, { zone: utc, now: 2 * day, retention: { ...keepAll, raw: { timeMs: 1, bytes: null } } }, (rows) => {
    store.finish(rows.slice(0, 2));
    throw new Error("killed");
  });
  await expect(killed).rejects.toThrow("killed");
  expect(kept(store)[0]?.[1]).toBe(5 * 24);
  // What an import brings before compaction runs again stays.
  const bounds = { start: 0, end: day };
  const columns = { ts: Float64Array.of(5), value: Float64Array.of(1), late: Uint8Array.of(0), at: Float64Array.of(2 * day) };
  const place = { series: 24, zone: "UTC", name: "1970-01-01", bounds, fromSeq: store.seq(), part: 1, throughSeq: store.seq(), level: 0 };
  store.finish([chunkOf(columns, place, [])]);
  for (const device of devices) store.receive([{ device, ts: 90 * minute, value: 1 }]);
  await summarize(store, 2 * day);
  const counts = summaries(store).filter((each) => each.day === "1970-01-01");
  expect(new Set(counts.map(({ body }) => (JSON.parse(body) as DaySummary).count))).toEqual(new Set([25, 26]));
});

it("a day that is gone by another zone's cut takes nothing of its neighbour along, and counts it once", async () => {
  const store = record();
  days(store, 6);
  const oslo = zoneTable("Europe/Oslo") as ZoneTable;
  await runDailySummary(store.db, { zone: oslo, now: store.now() + hour, devices: {} }, store.finish);
  await runRetention(store.db, { zone: oslo, now: store.now(), retention: { ...keepAll, raw: { timeMs: 4 * day, bytes: null } } }, store.finish);
  const left = rawDays(store.db).map(({ readings }) => readings);
  expect(left.slice(0, 3)).toEqual([0, 0, 144]);
  const counts = async (): Promise<number[]> => {
    await summarize(store, store.now() + hour);
    const rows = store.db.prepare<[], { body: string }>("SELECT body FROM daily_summary WHERE zone = 'UTC' ORDER BY day").all();
    return rows.map(({ body }) => (JSON.parse(body) as DaySummary).count);
  };
  expect(await counts()).toEqual([6, 144, 144, 144, 144]);
  expect(rawDays(store.db).map(({ readings }) => readings)).toEqual(left);
  // What comes late lies in the part that is gone: only that is added.
  store.receive([{ device: "a", ts: 30 * hour + 1, value: 5 }]);
  expect(await counts()).toEqual([7, 144, 144, 144, 144]);
});

describe("the journal", () => {
  it("goes when it is old, in chunks, and a newer snapshot stands", async () => {
    const store = record();
    days(store, 4);
    const rows = (): number => store.db.prepare("SELECT count(*) FROM journal").pluck().get() as number;
    const all = rows();
    const journal = { timeMs: day, bytes: null };
    expect((await retain(store, { journal })).journalRows).toBe(0);
    await summarize(store);
    expect((await retain(store, { journal })).journalRows).toBe(0);
    snapshotNow(store);
    const before = buckets(store, "raw");
    const { journalRows } = await retain(store, { journal });
    expect([journalRows, rows()]).toEqual([all - rows(), 145]);
    expect(store.db.prepare("SELECT count(*) FROM journal_span").pluck().get()).toBe(145);
    expect(buckets(store, "raw")).toEqual(before);
    // Not what came after compaction.
    days(store, 3, 4);
    await retain(store, { journal });
    expect(rows()).toBe(3 * 144);
  });

  it("keeps to its bytes", async () => {
    const store = record();
    days(store, 4);
    await summarize(store);
    snapshotNow(store);
    await retain(store, { journal: { timeMs: 1e15, bytes: 5000 } });
    const left = store.db.prepare("SELECT sum(length(body) + length(series) + 40) FROM journal").pluck().get() as number;
    expect(left).toBeGreaterThan(3500);
    expect(left).toBeLessThanOrEqual(6000);
  });
});

describe("rollups", () => {
  it("go tier by tier, from when they were packed on", async () => {
    const store = record();
    days(store, 40);
    await summarize(store);
    const now = store.now() + 20 * day;
    await retain(store, { minutes: { timeMs: 10 * day, bytes: null } }, { now });
    expect(buckets(store, hour).length).toBe(40 * 24);
    expect(store.db.prepare("SELECT tier, count(*) FROM packed_rollup GROUP BY tier").raw().all()).toEqual([[hour, 2]]);
    const bytes = store.db.prepare("SELECT sum(length(body)) FROM packed_rollup").pluck().get() as number;
    await retain(store, { hours: { timeMs: 1e15, bytes: bytes - 1 } }, { now });
    expect(store.db.prepare("SELECT count(*) FROM packed_rollup").pluck().get()).toBe(1);
  });
});

it("an hour whose readings and minutes are gone keeps what it had when a late reading comes, before it is packed anew and after", async () => {
  const store = record();
  days(store, 40);
  await summarize(store);
  const old = { timeMs: day, bytes: null };
  await retain(store, { raw: old, minutes: old }, { now: store.now() + 20 * day });
  const [before] = buckets(store, hour);
  store.receive([{ device: "a", ts: 7 * minute, value: 1000 }]);
  const wanted = { ...before, count: 7, max: 1000, sum: (before?.sum ?? 0) + 1000 };
  expect(buckets(store, hour)[0]).toEqual(wanted);
  await summarize(store, store.now() + 2 * hour);
  expect(buckets(store, hour)[0]).toEqual(wanted);
});

it("hours and days count each reading once where the minutes of a silent series are gone and its readings are not", async () => {
  const store = record();
  days(store, 2);
  store.silence(2 * day);
  await summarize(store);
  const steps: Step[] = [hour, "day"];
  const before = steps.map((step) => plain(buckets(store, step)));
  await retain(store, { minutes: { timeMs: day, bytes: null } }, { now: store.now() + 20 * day });
  expect(store.db.prepare("SELECT count(*) FROM packed_rollup WHERE tier = ?").pluck().get(minute)).toBe(0);
  expect(steps.map((step) => plain(buckets(store, step)))).toEqual(before);
});

describe("room", () => {
  it("is made of the oldest summarised days, and says what it would have needed", async () => {
    const store = record();
    days(store, 6);
    expect(await retain(store, {}, { room: 0 })).toMatchObject({ lacks: "days", days: 0 });
    await runDailySummary(store.db, { zone: utc, now: 3 * day, devices: {} }, store.finish);
    expect(await retain(store, {}, { room: 0 })).toMatchObject({ lacks: "summaries", days: 3 });
    expect(kept(store).map(([, readings]) => readings)).toEqual([0, 0, 0, 144, 144, 144]);
    await summarize(store, 6 * day);
    snapshotNow(store);
    const before = usedBytes(store.db);
    // Of days that are gone the journal is left.
    const report = await retain(store, {}, { room: before - 1, now: 6 * day });
    expect(report).toMatchObject({ lacks: "nothing", days: 0 });
    expect(report.journalRows).toBeGreaterThan(0);
    expect(report.used).toBeLessThan(before);
    const more = await retain(store, {}, { room: Math.floor(before * 0.8), now: 6 * day });
    expect(more).toMatchObject({ lacks: "nothing" });
    expect(more.used).toBeLessThanOrEqual(Math.floor(before * 0.8));
    expect(more.days).toBeGreaterThan(0);
    expect(await retain(store, {}, { room: usedBytes(store.db), now: 6 * day })).toMatchObject({ lacks: "nothing", days: 0 });
    // A day that is not over stays.
    expect(await retain(store, {}, { room: 0, now: 6 * day - 1 })).toMatchObject({ lacks: "days" });
    expect(kept(store).at(-1)).toEqual([5, 144, 0]);
  });
});

it("a retention that is killed anywhere leaves a store that answers as before, and the next run ends it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(30), fc.nat(30), async (first, second) => {
      const store = record();
      days(store, 4);
      await summarize(store);
      snapshotNow(store);
      const before = plain(buckets(store, hour));
      for (const kill of [first, second]) {
        let rows = 0;
        await runRetention(
          store.db,
          { zone: utc, now: store.now(), retention: { ...keepAll, journal: { timeMs: hour, bytes: null }, raw: { timeMs: hour, bytes: null } } },
          (emitted) => {
            const taken = emitted.slice(0, Math.max(0, kill - rows));
            store.finish(taken);
            rows += emitted.length;
            if (taken.length < emitted.length) throw new Error("killed");
          },
        ).catch((error: Error) => expect(error.message).toBe("killed"));
        expect(plain(buckets(store, hour))).toEqual(before);
      }
      await retain(store, { journal: { timeMs: hour, bytes: null }, raw: { timeMs: hour, bytes: null } });
      expect(store.db.prepare("SELECT count(*) FROM chunk").pluck().get()).toBe(1);
    }),
    { numRuns: 15 },
  );
});
