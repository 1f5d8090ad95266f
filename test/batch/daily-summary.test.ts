// The nightly batch over real stores: equal to brute force, idempotent, resumable wherever it is killed, and it finds by itself
// what was touched since.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { createSummaryComparison } from "../../src/batch/jobs/derived-summaries.ts";
import type { Emit } from "../../src/batch/jobs/emitter.ts";
import { defaultTargets } from "../../src/engine/alarm-targets.ts";
import { type Day, dayBounds, dayOf, utc, type ZoneTable } from "../../src/engine/calendar.ts";
import { type DaySummary, summarizeDay } from "../../src/engine/summary.ts";
import type { FinishedRow } from "../../src/storage/finished.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan, rule } from "../engine/harness.ts";
import { createImportStore } from "../history/import-store.ts";
import { oneRecorder } from "../storage/one-recorder.ts";
import { type Recorder, type Sent } from "../storage/recorder.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const oslo = zoneTable("Europe/Oslo") as ZoneTable;
const devices = ["a", "b", "c"];

const fresh = oneRecorder();
const record = (rules = [] as ReturnType<typeof rule>[], answersLookups = true): Recorder => fresh(plan(rules, { maxFutureMs: 1e15 }), { answersLookups });

type Row = { zone: string; day: Day; series: number; version: number; approximate: number; body: string };
const stored = (store: Recorder): Row[] =>
  store.db.prepare<[], Row>("SELECT zone, day, series, version, approximate, body FROM daily_summary ORDER BY zone, day, series").all();
const opened = (store: Recorder): unknown[] => store.db.prepare("SELECT day, series FROM summary_open ORDER BY day, series").all();
const bodyOf = (row: Row | undefined): DaySummary => JSON.parse(row?.body ?? "{}") as DaySummary;

/** What the rows must be: the kept readings of each device cut into local days. */
function expected(store: Recorder, zone: ZoneTable, now: number): { day: Day; series: number; summary: DaySummary }[] {
  return devices
    .filter((device) => store.idOf(device) >= 0)
    .flatMap((device) => {
      const byDay = Map.groupBy(store.kept(device), ({ ts }) => dayOf(zone, ts));
      return [...byDay].flatMap(([each, kept]) => {
        const bounds = dayBounds(zone, each);
        if (bounds.end > now) return [];
        const columns = [Float64Array.from(kept, ({ ts }) => ts), Float64Array.from(kept, ({ value }) => value)] as const;
        return [
          { day: each, series: store.idOf(device), summary: summarizeDay(...columns, bounds, { late: kept.filter(({ late }) => late).length, alerts: 0 }) },
        ];
      });
    })
    .sort((a, b) => (a.day === b.day ? a.series - b.series : a.day < b.day ? -1 : 1));
}

const expectStored = (store: Recorder, zone: ZoneTable, now: number): void => {
  expect(stored(store).map((row) => ({ day: row.day, series: row.series, summary: bodyOf(row) }))).toEqual(expected(store, zone, now));
};

const start = Date.UTC(2024, 2, 29, 20);
const arrivals = fc.array(
  fc.record({
    device: fc.constantFrom(...devices),
    hop: fc.oneof(fc.integer({ min: 0, max: 2 * hour }), fc.integer({ min: -20 * hour, max: 30 * hour })),
    // JSON has no -0.
    value: fc.double({ min: -100, max: 100, noNaN: true }).map((value) => value + 0),
    cut: fc.boolean(),
  }),
  { minLength: 1, maxLength: 80 },
);
type Arrivals = typeof arrivals extends fc.Arbitrary<infer List> ? List : never;

/** @returns the newest event time */
function fill(store: Recorder, list: Arrivals, from = start): number {
  let ts = from;
  let newest = from;
  let batch: Sent[] = [];
  for (const { device, hop, value, cut } of list) {
    ts += hop;
    newest = Math.max(newest, ts);
    batch.push({ device, ts, value });
    if (!cut) continue;
    store.receive(batch);
    batch = [];
  }
  if (batch.length > 0) store.receive(batch);
  return newest;
}

describe("the daily summary", () => {
  it("equals brute force, whatever the order of arrival, and a second run changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, fc.boolean(), fc.constantFrom(utc, oslo), fc.constantFrom(undefined, 1, 7), async (list, answersLookups, zone, heldMax) => {
        const store = record([], answersLookups);
        const now = fill(store, list);
        const options = { zone, now, devices: {}, ...(heldMax !== undefined && { heldMax }) };
        const report = await runDailySummary(store.db, options, store.finish);
        expectStored(store, zone, now);
        expect(report.isWhole).toBe(true);
        expect(report.readings).toBe(expected(store, zone, now).reduce((sum, { summary }) => sum + summary.count, 0));
        const [before, openBefore] = [stored(store), opened(store)];
        const again = await runDailySummary(store.db, options, store.finish);
        expect(again.days).toEqual([]);
        expect([stored(store), opened(store)]).toEqual([before, openBefore]);
        const anew = await runDailySummary(store.db, { ...options, days: { from: "2024-03-01", to: "2024-06-01" } }, store.finish);
        expect(anew.readings).toBe(report.readings);
        expect(stored(store)).toEqual(before);
      }),
      { numRuns: 30 },
    );
  });

  it("goes on where it was killed, without doing finished days again", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, arrivals, fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }), async (list, more, firstKill, secondKill) => {
        const store = record();
        let now = fill(store, list);
        for (const kill of [firstKill, secondKill]) {
          let calls = 0;
          const emit: Emit = (rows) => {
            calls += 1;
            if (calls > kill) throw new Error("killed");
            store.finish(rows);
          };
          await runDailySummary(store.db, { zone: oslo, now, devices: {} }, emit).catch((error: Error) => expect(error.message).toBe("killed"));
          now = Math.max(now, fill(store, more, now));
        }
        await runDailySummary(store.db, { zone: oslo, now, devices: {} }, store.finish);
        expectStored(store, oslo, now);
      }),
      { numRuns: 30 },
    );
    const store = record();
    for (let index = 0; index < 5; index += 1) store.receive([{ device: "a", ts: index * day, value: 1 }]);
    const emitted: FinishedRow[] = [];
    const run = (kill: number) => {
      let summaries = 0;
      return runDailySummary(store.db, { zone: utc, now: 4 * day, devices: {} }, (rows) => {
        summaries += rows[0]?.kind === "summary" ? 1 : 0;
        if (summaries > kill) throw new Error("killed");
        emitted.push(...rows);
        store.finish(rows);
      });
    };
    await expect(run(2)).rejects.toThrow("killed");
    await run(9);
    expect(emitted.filter(({ kind }) => kind === "summary").map((row) => (row.kind === "summary" ? row.day : ""))).toEqual([
      "1970-01-01",
      "1970-01-02",
      "1970-01-03",
      "1970-01-04",
    ]);
  });

  it("works out again only what a late reading touched, and counts it as late", async () => {
    const store = record();
    for (let index = 0; index < 72; index += 1)
      store.receive([
        { device: "a", ts: index * hour, value: index },
        { device: "b", ts: index * hour + 1, value: index },
      ]);
    const run = (now: number) => runDailySummary(store.db, { zone: utc, now, devices: {} }, store.finish);
    expect((await run(72 * hour)).days.map((each) => each.day)).toEqual(["1970-01-01", "1970-01-02", "1970-01-03"]);
    store.receive([{ device: "a", ts: 25.5 * hour, value: 1000 }]);
    const report = await run(73 * hour);
    expect(report.days).toMatchObject([{ day: "1970-01-02", series: 1, readings: 25, late: 1 }]);
    const rows = stored(store).filter((row) => row.day === "1970-01-02");
    expect(rows.map(({ version }) => version)).toEqual([2, 1]);
    expect(bodyOf(rows[0])).toMatchObject({ max: 1000, count: 25, late: 1 });
  });

  it("gives midnight to the day that begins with it", async () => {
    const store = record();
    store.receive([
      { device: "a", ts: day - 1, value: 1 },
      { device: "a", ts: day, value: 2 },
    ]);
    await runDailySummary(store.db, { zone: utc, now: 2 * day, devices: {} }, store.finish);
    expect(stored(store).map((row) => [row.day, bodyOf(row).count, bodyOf(row).first])).toEqual([
      ["1970-01-01", 1, 1],
      ["1970-01-02", 1, 2],
    ]);
  });

  it("leaves a day that is not over open, and does it when it is", async () => {
    const store = record();
    store.receive([{ device: "a", ts: 23 * hour, value: 1 }]);
    const run = (now: number) => runDailySummary(store.db, { zone: utc, now, devices: {} }, store.finish);
    expect((await run(24 * hour - 1)).days).toEqual([]);
    expect(opened(store)).toEqual([{ day: "1970-01-01", series: 0 }]);
    expect((await run(24 * hour)).days).toHaveLength(1);
    expect(opened(store)).toEqual([]);
  });

  it("catches up with what came while another zone was in force, and does nothing twice", async () => {
    const store = record();
    const live = (from: number, until: number): void => {
      for (let ts = from; ts < until; ts += hour) store.receive([{ device: "a", ts, value: 1 }], hour);
    };
    const night = (zone: ZoneTable) => runDailySummary(store.db, { zone, now: store.now(), devices: {} }, store.finish);
    live(0, 2 * day);
    await night(utc);
    live(2 * day, 4 * day);
    await night(oslo);
    // This one has no night in Oslo, and an import needs no row of the journal.
    live(4 * day, 5 * day + 3 * hour);
    await runCompaction(store.db, { zone: oslo, now: store.now() }, store.finish);
    const told = (): Row[] => stored(store).filter(({ zone }) => zone === "UTC");
    expect(told()).toHaveLength(2);
    const missing = createSummaryComparison(store.db, utc, []);
    expect([missing("1970-01-03", 0), missing("1970-01-05", 0)]).toEqual([{ kind: "open" }, { kind: "open" }]);
    await night(utc);
    expect(told().map((row) => [row.day, row.version, bodyOf(row).count])).toEqual([1, 2, 3, 4, 5].map((each) => [`1970-01-0${each}`, 1, 24]));
    const imports = createImportStore(store, oslo);
    await imports.import(imports.file("timestamp,device,metric,value\n1969-12-30T12:00:00Z,a,temperature,7\n"), { now: store.now() });
    expect((await night(utc)).days.map((each) => each.day)).toEqual(["1969-12-30"]);
    expect((await night(utc)).days).toEqual([]);
    store.db.exec("DELETE FROM daily_summary WHERE zone = 'UTC' AND day = '1970-01-03'");
    expect(createSummaryComparison(store.db, utc, [])("1970-01-03", 0)).toMatchObject({ kind: "differs" });
  });

  it("has 23, 24.5 and 25 hours where the zone has them", async () => {
    for (const [name, each, hours] of [
      ["America/Los_Angeles", "2021-03-14", 23],
      ["America/Los_Angeles", "2021-11-07", 25],
      ["Australia/Lord_Howe", "2024-04-07", 24.5],
    ] as const) {
      const zone = zoneTable(name) as ZoneTable;
      const store = record();
      const { start: from, end } = dayBounds(zone, each);
      for (let ts = from - hour; ts < end + hour; ts += 30 * minute) store.receive([{ device: "a", ts, value: 1 }]);
      await runDailySummary(store.db, { zone, now: end + hour, devices: {} }, store.finish);
      const row = stored(store).find((found) => found.day === each);
      expect(bodyOf(row)).toMatchObject({ count: 2 * hours, day_ms: hours * hour, coverage: 1, first_ts: from });
    }
  });

  it("counts the alerts of each series' day, and one that fired after the day was summarised", async () => {
    const warm = rule({ name: "warm", condition: { type: "threshold", above: 30 } });
    const silent = rule({ name: "silent", condition: { type: "absence", after: "30m" } });
    const store = record([warm, silent]);
    for (const value of [20, 40, 20, 40, 20]) store.receive([{ device: "a", ts: 22 * hour + store.seq() * minute, value }]);
    store.receive([{ device: "b", ts: 23 * hour, value: 50 }]);
    const run = (now: number) => runDailySummary(store.db, { zone: utc, now, devices: {} }, store.finish);
    await run(day + hour);
    const alerts = () => stored(store).map((row) => bodyOf(row).alerts);
    expect(alerts()).toEqual([2, 1]);
    // The day is over and summarised; only now does the gateway hear the silence, and dates it into that day.
    store.silence(2 * hour);
    await run(day + 2 * hour);
    expect(alerts()).toEqual([3, 2]);
    expect((await run(day + 2 * hour)).days).toEqual([]);
  });

  it("reports how alarms performed on the newest of its days, by local time and by the targets it is given", async () => {
    const store = record([rule({ name: "warm", condition: { type: "threshold", above: 5 } })]);
    const first = Date.UTC(2024, 0, 9, 23);
    const warm = [first + hour, first + day + hour, first + day + 2 * hour, first + day + 23 * hour];
    for (const at of warm) {
      store.receive([{ device: "a", ts: at, value: 9 }], 1);
      store.receive([{ device: "a", ts: at + minute, value: 1 }], 1);
    }
    const options = { zone: oslo, devices: {}, now: first + 3 * day };
    const { performance } = await runDailySummary(store.db, options, (rows) => store.finish(rows));
    expect(performance).toMatchObject({ day: "2024-01-11", figures: { alerts: 3, span: { from: first + day, to: first + 2 * day } } });
    expect(performance?.figures?.verdicts.find(({ name }) => name === "per_hour")).toMatchObject({ value: 3 / 24, target: 5, met: true });
    const strict = { ...options, days: { from: "2024-01-10", to: "2024-01-10" }, alarmTargets: { ...defaultTargets, perHour: 0 } };
    const again = await runDailySummary(store.db, strict, (rows) => store.finish(rows));
    expect(again.performance).toMatchObject({ day: "2024-01-10", figures: { alerts: 1 } });
    expect(again.performance?.figures?.verdicts.find(({ name }) => name === "per_hour")).toMatchObject({ target: 0, met: false });
    const nothing = await runDailySummary(store.db, options, (rows) => store.finish(rows));
    expect(nothing.performance).toBeUndefined();
  });

  it("ends early by its signal, between days, and says so", async () => {
    const store = record();
    for (let index = 0; index < 10; index += 1) store.receive([{ device: "a", ts: index * day, value: 1 }]);
    const stop = new AbortController();
    const progress = ({ done }: { done: number }) => (done === 3 ? stop.abort() : undefined);
    const report = await runDailySummary(store.db, { zone: utc, now: 10 * day, devices: {}, signal: stop.signal, progress }, store.finish);
    expect(report.isWhole).toBe(false);
    expect(stored(store)).toHaveLength(3);
    expect(opened(store)).toHaveLength(7);
  });

  it("reports the worst series first, with the labels of the device", async () => {
    const store = record([rule({ name: "warm", condition: { type: "threshold", above: 30 } })]);
    for (let index = 0; index < 24; index += 1)
      store.receive([
        { device: "a", ts: index * hour, value: 20 },
        ...(index < 12 ? [{ device: "b", ts: index * hour, value: 20 }] : []),
        { device: "c", ts: index * hour, value: index === 3 ? 31 : 20 },
      ]);
    const entry = { labels: { room: "B2" }, limits: {}, unit: "°C", expectedEveryMs: null };
    const report = await runDailySummary(store.db, { zone: utc, now: day, devices: { b: entry } }, store.finish);
    expect(report.worst.map(({ labels, alerts, coverage }) => [labels["device"], alerts, coverage])).toEqual([
      ["c", 1, 1],
      ["b", 0, 11 / 24],
      ["a", 0, 1],
    ]);
    expect(report.worst[1]).toMatchObject({ labels: { device: "b", metric: "temperature", room: "B2" }, unit: "°C" });
  });

  it("goes on with all others where the readings of one sensor are damaged, says so, and works them out once they are mended", async () => {
    const store = record();
    for (let index = 0; index < 48; index += 1)
      store.receive([
        { device: "a", ts: index * hour, value: index },
        { device: "b", ts: index * hour + 1, value: index },
      ]);
    const run = (now: number) => runDailySummary(store.db, { zone: utc, now, devices: {} }, store.finish);
    await run(day);
    store.receive([{ device: "a", ts: 30 * minute, value: 7 }]);
    const [id, whole] = store.db.prepare<[], [number, Uint8Array]>("SELECT id, body FROM chunk WHERE series = 0 ORDER BY id LIMIT 1").raw().get() as [
      number,
      Uint8Array,
    ];
    const spoilt = Uint8Array.from(whole);
    spoilt[7] = (spoilt[7] as number) ^ 1;
    store.db.prepare("UPDATE chunk SET body = ? WHERE id = ?").run(spoilt, id);
    const report = await run(2 * day);
    expect([report.isWhole, report.damaged]).toEqual([true, 1]);
    expect(stored(store).map((row) => [row.day, row.series])).toEqual([
      ["1970-01-01", 0],
      ["1970-01-01", 1],
      ["1970-01-02", 0],
      ["1970-01-02", 1],
    ]);
    expect(opened(store)).toContainEqual({ day: "1970-01-01", series: 0 });
    store.db.prepare("UPDATE chunk SET body = ? WHERE id = ?").run(whole, id);
    expect((await run(2 * day)).damaged).toBe(0);
    expectStored(store, utc, 2 * day);
  });
});
