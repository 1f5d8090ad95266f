// The stream held against the batch over real stores: every difference is counted, and which alerts would have come otherwise is found
// by the same engine, with everything in its place.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { dayOf, utc, type ZoneTable } from "../../src/engine/calendar.ts";
import { QUARANTINED } from "../../src/engine/reading.ts";
import { readJournal } from "../../src/storage/journal.ts";
import { decodePacked, encodePacked } from "../../src/storage/packed-rollups.ts";
import type { Reconciliation } from "../../src/storage/reconciliation.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan, rule } from "../engine/harness.ts";
import { createImportStore, type Row as Imported, Killed } from "../history/import-store.ts";
import { oneRecorder } from "../storage/one-recorder.ts";
import { type Recorder, type Sent } from "../storage/recorder.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const fresh = oneRecorder();
const record = (rules: ReturnType<typeof rule>[] = [], answersLookups = true): Recorder => fresh(plan(rules, { maxFutureMs: 1e15 }), { answersLookups });

const run = (store: Recorder, now = store.now()) => runDailySummary(store.db, { zone: utc, now, devices: {} }, store.finish);
type Row = { day: string; series: number; body: string };
const found = (store: Recorder): (Reconciliation & { day: string; series: number })[] =>
  store.db
    .prepare<[], Row>("SELECT day, series, body FROM reconciliation ORDER BY day, series")
    .all()
    .map(({ body, ...key }) => ({ ...key, ...(JSON.parse(body) as Reconciliation) }));

/** A reading a minute of 5 °C, from 00:00, of so many hours. */
function calm(store: Recorder, hours: number, except: (at: number) => boolean = () => false): void {
  for (let at = 0; at < hours * hour; at += minute) if (!except(at)) store.receive([{ device: "a", ts: at, value: 5 }], minute);
}

/** Takes away the packed bucket that begins so. */
function loseMinute(store: Recorder, start: number): void {
  type Packed = { id: number; unit: number; body: Uint8Array };
  const rows = store.db.prepare<[number], Packed>("SELECT id, unit, body FROM packed_rollup WHERE tier = ?").all(minute);
  for (const { id, unit, body } of rows) {
    const buckets = decodePacked(body, unit, minute).filter((bucket) => bucket.start !== start);
    store.db.prepare("UPDATE packed_rollup SET body = ? WHERE id = ?").run(encodePacked(buckets, unit, minute), id);
  }
}

const tooWarm = rule({ name: "too-warm", condition: { type: "threshold", above: 10 } });
const gone = rule({ name: "gone", condition: { type: "absence", after: "10m" } });

it("refused readings of a day are a row or two, however many passes of compaction found some", async () => {
  const store = record();
  calm(store, 1);
  for (let pass = 0; pass < 5; pass += 1) {
    store.receive([{ device: "a", ts: pass * minute, value: 5 }], minute);
    store.receive([{ device: "a", ts: pass * minute, value: 6 }], minute);
    await runCompaction(store.db, { zone: utc, now: store.now() }, store.finish);
  }
  expect(store.db.prepare("SELECT count(*) FROM refused_day").pluck().get()).toBe(2);
  await run(store, day);
  expect(found(store)).toMatchObject([{ duplicate: 5, conflict: 5, unexplained: 0 }]);
});

describe("alerts", () => {
  it("that a late reading would have fired are missed", async () => {
    const store = record([tooWarm]);
    calm(store, 6);
    store.receive([{ device: "a", ts: 2 * hour + 1000, value: 30 }]);
    store.receive([{ device: "a", ts: day + hour, value: 5 }], 19 * hour);
    const report = await run(store);
    expect(found(store)).toEqual([
      {
        ...{ day: "1970-01-01", series: 0, late: 1, duplicate: 0, conflict: 0, quarantined: 0, unexplained: 0 },
        stream: { count: 360, min: 5, max: 5, avg: 5 },
        batch: expect.objectContaining({ count: 361, min: 5, max: 30 }),
        alerts: [
          {
            ...{ kind: "missed", rule: "too-warm", alert: null, fired_at: null, resolved_at: null, because: "late" },
            due: { fired_at: 2 * hour + 1000, resolved_at: 2 * hour + minute },
          },
        ],
      },
    ]);
    expect(report.reconciliation).toMatchObject({ left: 0, unjudged: 0, series: [{ series: 0, late: 1, missed: 1, mistaken: 0, moved: 0 }] });
  });

  it("that late readings would have kept from firing are mistaken", async () => {
    const store = record([gone]);
    const isAway = (at: number): boolean => at >= 2 * hour && at < 3 * hour;
    calm(store, 2);
    store.silence(hour);
    for (let at = 3 * hour; at < 5 * hour; at += minute) store.receive([{ device: "a", ts: at, value: 5 }], minute);
    // What was stored meanwhile comes afterwards.
    store.receive(Array.from({ length: 60 }, (_, index): Sent => ({ device: "a", ts: 2 * hour + index * minute, value: 5 })));
    store.silence(19 * hour + 1);
    await run(store);
    const [first] = found(store);
    expect(isAway(first?.alerts?.[0]?.fired_at as number)).toBe(true);
    expect(first).toMatchObject({ late: 60, alerts: [{ kind: "mistaken", rule: "gone", because: "late", due: null, alert: expect.any(String) }] });
  });

  it("that would have fired earlier have moved; what is the same is not told", async () => {
    const store = record([tooWarm]);
    calm(store, 2);
    const hot = (at: number): void => store.receive([{ device: "a", ts: at, value: 20 }], minute);
    hot(2 * hour + 5 * minute);
    hot(2 * hour + 6 * minute);
    store.receive([{ device: "a", ts: 2 * hour + 7 * minute, value: 5 }], minute);
    // Late, and hot since five minutes before.
    for (let each = 0; each < 5; each += 1) hot(2 * hour + each * minute);
    // An alert with nothing late about it.
    hot(4 * hour);
    store.receive([{ device: "a", ts: 4 * hour + minute, value: 5 }], minute);
    store.silence(21 * hour);
    await run(store);
    expect(found(store)[0]?.alerts).toEqual([
      {
        ...{ kind: "moved", rule: "too-warm", alert: expect.any(String), fired_at: 2 * hour + 5 * minute, resolved_at: 2 * hour + 7 * minute },
        ...{ due: { fired_at: 2 * hour, resolved_at: 2 * hour + 7 * minute }, because: "late" },
      },
    ]);
  });

  it("of a day with too many readings are not judged again, which is said", async () => {
    const { createReconciler } = await import("../../src/batch/jobs/reconcile.ts");
    const store = record([tooWarm]);
    calm(store, 6);
    store.receive([{ device: "a", ts: 1, value: 30 }]);
    store.silence(day);
    await run(store);
    const reconciler = createReconciler(store.db, { zone: utc, day: "1970-01-01", bounds: { start: 0, end: day }, readingsMax: 100 });
    const kept = store.kept("a").filter(({ ts }) => ts < day);
    const columns = { ts: Float64Array.from(kept, ({ ts }) => ts), value: Float64Array.from(kept, ({ value }) => value), at: new Float64Array(kept.length) };
    const { body } = store.db.prepare<[], { body: string }>("SELECT body FROM daily_summary").get() as { body: string };
    reconciler.take(0, { ...columns, late: Uint8Array.from(kept, ({ late }) => (late ? 1 : 0)) }, JSON.parse(body));
    expect([...reconciler.finish().values()].map(({ alerts }) => alerts)).toEqual([null]);
  });
});

describe("what an import brought", () => {
  const bring = (store: Recorder, rows: readonly Imported[]) => {
    const imports = createImportStore(store);
    const lines = rows.map(({ device, ts, value }) => `${new Date(ts).toISOString()},${device},temperature,${value}\n`);
    const file = imports.file(`timestamp,device,metric,value\n${lines.join("")}`);
    return (options: { now?: number; blockReadings?: number } = {}, rowsMax?: number) => imports.import(file, { now: store.now() + 1, ...options }, rowsMax);
  };
  const alertsOf = (store: Recorder) => Object.fromEntries(found(store).map(({ series, alerts }) => [series, alerts?.map(({ rule: name }) => name) ?? null]));

  it("is not judged, and hides nothing of other series", async () => {
    const store = record([tooWarm]);
    calm(store, 6);
    store.receive([{ device: "a", ts: 2 * hour + 1000, value: 30 }]);
    await bring(store, [{ device: "other", ts: hour, value: 30 }])();
    const report = await run(store, day + hour);
    expect(alertsOf(store)).toEqual({ 0: ["too-warm"], 1: null });
    expect(report.reconciliation).toMatchObject({
      unjudged: 1,
      series: [
        { series: 0, missed: 1 },
        { series: 1, missed: 0 },
      ],
    });
  });

  it("is known when it lies alone, and when it was cut short again and again", async () => {
    const store = record([tooWarm]);
    calm(store, 6);
    const devices = ["b", "c", "d"];
    const again = bring(
      store,
      devices.map((device, index) => ({ device, ts: hour + index, value: 30 })),
    );
    const began = store.now() + 1;
    // Each run is killed after a chunk of one reading more than the one before.
    for (const [index] of devices.entries()) await expect(again({ now: began + index }, 2)).rejects.toThrow(Killed);
    await run(store, day + hour);
    expect(alertsOf(store)).toEqual({ 1: null, 2: null, 3: null });
  });

  it("is not judged of a group that holds it, while its others are by their own rules", async () => {
    const inAll = rule({ name: "warmest-of-all", group_by: ["metric"], condition: { type: "threshold", aggregate: "max", above: 10 } });
    const store = record([tooWarm, inAll]);
    calm(store, 6);
    store.receive([{ device: "a", ts: 2 * hour + 1000, value: 30 }]);
    await bring(store, [{ device: "other", ts: hour, value: 30 }])();
    await run(store, day + hour);
    expect(alertsOf(store)).toEqual({ 0: ["too-warm"], 1: null });
  });
});

it("what packing has still to reckon of an import is no fault, and a fault beside it is one", async () => {
  const store = record();
  calm(store, 47);
  store.receive([{ device: "a", ts: 47 * hour + minute, value: 5 }], minute);
  const imports = createImportStore(store);
  // Less than an hour before the night: too young to be packed by it.
  const lines = Array.from({ length: 10 }, (_, index) => `${new Date(46.5 * hour + index * minute + 1000).toISOString()},a,temperature,7\n`);
  await imports.import(imports.file(`timestamp,device,metric,value\n${lines.join("")}`), { now: store.now() });
  // Its days are of two UTC days, of which only the second waits.
  const options = { zone: zoneTable("Europe/Oslo") as ZoneTable, now: store.now() + 5 * minute, devices: {} };
  await runDailySummary(store.db, options, store.finish);
  expect(store.db.prepare("SELECT day FROM rollup_open WHERE tier = ?").pluck().all(minute)).toEqual([day]);
  expect(found(store)).toMatchObject([{ day: "1970-01-02", late: 10, unexplained: 0 }]);
  loseMinute(store, 23.5 * hour);
  await runDailySummary(store.db, { ...options, days: { from: "1970-01-02", to: "1970-01-02" } }, store.finish);
  expect(found(store)).toMatchObject([{ late: 10, unexplained: -1 }]);
});

const arrivals = fc.array(
  fc.record({
    device: fc.constantFrom("a", "b"),
    hop: fc.oneof(fc.integer({ min: 0, max: 20 * minute }), fc.integer({ min: -12 * hour, max: 20 * hour })),
    value: fc.integer({ min: -10, max: 20 }),
    again: fc.integer({ min: 0, max: 9 }),
    cut: fc.boolean(),
  }),
  { minLength: 1, maxLength: 120 },
);

describe("every difference is counted", () => {
  it("stream and late make the batch, refused readings are those of the journal, and nothing is unexplained", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, fc.boolean(), async (list, answersLookups) => {
        const store = record([tooWarm], answersLookups);
        let ts = day / 2;
        let batch: Sent[] = [];
        for (const { device, hop, value, again, cut } of list) {
          ts += hop;
          batch.push({ device, ts, value });
          if (again === 0) batch.push({ device, ts, value: value + 1 });
          if (again === 1) batch.push({ device, ts, value });
          if (!cut) continue;
          store.receive(batch, 50);
          batch = [];
        }
        store.receive(batch, 50);
        store.silence(minute);
        const now = store.now() + 2 * day;
        await run(store, now);
        const rows = found(store);
        for (const { series, day: name, stream, batch: all, late, unexplained, alerts } of rows) {
          const kept = store.kept(series === store.idOf("a") ? "a" : "b").filter((each) => dayOf(utc, each.ts) === name);
          expect([stream.count, all.count, late]).toEqual([kept.filter((each) => !each.late).length, kept.length, kept.filter((each) => each.late).length]);
          expect(unexplained).toBe(0);
          expect(alerts).not.toBeNull();
        }
        const wanted = { duplicate: 0, conflict: 0, quarantined: 0 };
        for (const { verdict } of readJournal(store.db, {})) {
          for (const each of verdict) {
            if (each === 2) wanted.duplicate += 1;
            if (each === 3) wanted.conflict += 1;
            if (each === QUARANTINED) wanted.quarantined += 1;
          }
        }
        const told = rows.reduce(
          (sum, row) => ({ duplicate: sum.duplicate + row.duplicate, conflict: sum.conflict + row.conflict, quarantined: sum.quarantined + row.quarantined }),
          {
            duplicate: 0,
            conflict: 0,
            quarantined: 0,
          },
        );
        expect(told).toEqual(wanted);
        // Said again, it is the same.
        await run(store, now);
        expect(found(store)).toEqual(rows);
      }),
      { numRuns: 40 },
    );
  });

  it("a rollup that lost a reading is a fault, and is said to be one", async () => {
    const store = record();
    calm(store, 6);
    store.silence(20 * hour);
    await run(store);
    expect(found(store)).toEqual([]);
    loseMinute(store, 7 * minute);
    const days = { from: "1970-01-01", to: "1970-01-01" };
    const report = await runDailySummary(store.db, { zone: utc, now: store.now(), devices: {}, days }, store.finish);
    expect(found(store)).toMatchObject([{ unexplained: -1, late: 0 }]);
    expect(report.reconciliation.series).toMatchObject([{ unexplained: 1 }]);
  });

  it("readings of the day that come between compaction and the summary are no fault", async () => {
    const store = record();
    calm(store, 6);
    store.receive([{ device: "b", ts: 30 * hour, value: 5 }], 24 * hour);
    let isCompacted = false;
    await runDailySummary(store.db, { zone: utc, now: store.now(), devices: {} }, (rows) => {
      store.finish(rows);
      if (isCompacted || !rows.some((row) => row.kind === "compaction" && row.through === row.begun)) return;
      isCompacted = true;
      for (let at = 6 * hour; at < 9 * hour; at += minute) store.receive([{ device: "a", ts: at, value: 5 }], minute);
    });
    expect(isCompacted).toBe(true);
    expect(found(store)).toEqual([]);
    await run(store);
    expect(found(store)).toEqual([]);
    expect(store.db.prepare("SELECT json_extract(body, '$.count') FROM daily_summary WHERE series = 0").pluck().get()).toBe(9 * 60);
  });
});
