// The report's question to a store that the real writer and the real batch filled: against figures reckoned here from the readings alone, and its limits.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { dayBounds, dayOf, utc } from "../../src/engine/calendar.ts";
import type { DeviceReport, ReportTime } from "../../src/reports/device-report.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import { daysOfReport, EXCURSIONS_MAX } from "../../src/storage/report-query.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, keyOf, type Recorder } from "./recorder.ts";
import { devices, end, FREEZER, hour, NEIGHBOUR, oct, oslo, recordOctober, start, summarize } from "./report-store.ts";

const clockAt = (now: number) => ({ now: () => now, monotonic: () => 0 });
const contextAt = (now: number) => ({ devices, zone: oslo, clock: clockAt(now), gateway: { name: "cold-chain", version: "1.2.3" } });
const october = { month: "2026-10" };
let store: Recorder;
const ask = (device = FREEZER, time: ReportTime = october, now = oct(35)): DeviceReport => {
  const report = answerQuery(store.db, { kind: "report", device, time }, contextAt(now));
  if (report === null) throw new Error("there is such a device");
  return report;
};

describe("the report of a month", () => {
  beforeAll(async () => {
    store = await recordOctober();
  });
  afterAll(() => store.close());

  it("says of what it is, and by whom", () => {
    expect(ask()).toMatchObject({
      ...{ device: FREEZER, labels: { room: "B2 <cold>" }, limits: { high: -15 }, from: "2026-10-01", to: "2026-10-31", start, end },
      ...{ gateway: "cold-chain", version: "1.2.3", madeAt: oct(35) },
    });
    expect(
      ask()
        .series.map(({ name }) => name)
        .sort(),
    ).toEqual(["humidity", "temperature"]);
  });

  it("merges the days of each metric to what all readings together give", () => {
    for (const { name, figures, coverage, days } of ask().series) {
      const kept = store.kept(keyOf({ device: FREEZER, metric: name })).filter(({ ts }) => ts >= start && ts < end);
      const values = kept.map(({ value }) => value);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
      const [min, max] = [Math.min(...values), Math.max(...values)];
      expect(figures).toMatchObject({ readings: kept.length, min, max, late: 0 });
      expect(figures?.minTs).toBe(kept.find(({ value }) => value === min)?.ts);
      expect(figures?.maxTs).toBe(kept.find(({ value }) => value === max)?.ts);
      expect(figures?.maxDay).toBe(dayOf(oslo, figures?.maxTs ?? 0));
      expect(figures?.avg).toBeCloseTo(mean, 10);
      expect(figures?.stddev).toBeCloseTo(deviation, 10);
      expect(days.reduce((sum, day) => sum + (day.end - day.start), 0)).toBe((31 * 24 + 1) * hour);
      expect(days.find(({ day }) => day === "2026-10-25")?.figures?.day_ms).toBe(25 * hour);
      const silent = gapsOf(kept.map(({ ts }) => ts)).reduce((sum, [from, to]) => sum + to - from, 0);
      expect(coverage).toBeCloseTo(1 - silent / (end - start), 10);
    }
  });

  /** Longer than three intervals, whole days and the edges of the month included. */
  function gapsOf(times: readonly number[]): [number, number][] {
    const interval = (times[1] as number) - (times[0] as number);
    const edges = [start, ...times, end];
    return edges.slice(1).flatMap((to, index): [number, number][] => (to - (edges[index] as number) > 3 * interval ? [[edges[index] as number, to]] : []));
  }

  it("joins gaps over midnight and over days without a reading", () => {
    for (const { name, gaps } of ask().series) {
      const times = store.kept(keyOf({ device: FREEZER, metric: name })).flatMap(({ ts }) => (ts >= start && ts < end ? [ts] : []));
      expect(gaps).toEqual(gapsOf(times));
    }
    expect(ask().series.find(({ name }) => name === "temperature")?.gaps).toHaveLength(2);
    expect(ask().series.find(({ name }) => name === "humidity")?.gaps).toEqual([[start, oct(3)]]);
  });

  it("marks days without a reading, days to come, and days to be made anew", () => {
    const stateOf = (report: DeviceReport, day: string) =>
      report.series.find(({ name }) => name === "temperature")?.days.find((each) => each.day === day)?.state;
    const report = ask();
    expect(["2026-10-14", "2026-10-15", "2026-10-16", "2026-10-17", "2026-10-18"].map((day) => stateOf(report, day))).toEqual([
      ...["exact", "silent", "silent", "silent", "exact"],
    ]);
    const now = oct(33, 12);
    const beyond = ask(FREEZER, { from: "2026-10-30", to: "2026-11-20" }, now);
    expect([beyond.to, stateOf(beyond, "2026-10-31"), stateOf(beyond, "2026-11-01"), stateOf(beyond, "2026-11-02")]).toEqual([
      ...["2026-11-02", "exact", "waiting", "waiting"],
    ]);
    const series = store.idOf(FREEZER);
    store.finish([{ kind: "summary-open", zone: "Europe/Oslo", day: "2026-10-05", series }]);
    store.finish([{ kind: "summary-open", zone: "Europe/Oslo", day: "2026-10-16", series }]);
    expect(["2026-10-05", "2026-10-16", "2026-10-17"].map((day) => stateOf(ask(), day))).toEqual(["open", "waiting", "silent"]);
    // What is not known is no gap.
    expect(
      ask()
        .series.find(({ name }) => name === "temperature")
        ?.gaps.map(([, to]) => to),
    ).toEqual([oct(10, 4), oct(16), oct(18, 6)]);
    store.db.exec("DELETE FROM summary_open WHERE day < '2026-10-31'");
    store.db.exec("UPDATE daily_summary SET approximate = 1 WHERE day = '2026-10-06'");
    expect(stateOf(ask(), "2026-10-06")).toBe("approximate");
    store.db.exec("UPDATE daily_summary SET approximate = 0");
  });

  it("knows of days only as far as the batch has looked", () => {
    const now = oct(36);
    store.receive([{ device: NEIGHBOUR, ts: oct(35, 2), value: -20 }], 1);
    const { knownUntil } = ask(FREEZER, october, now);
    expect(knownUntil).toBe(oct(35, 2));
    const [temperature] = ask(FREEZER, { from: "2026-11-02", to: "2026-11-04" }, now).series;
    // The third of November was over before that reading came, the fourth was not.
    expect(temperature?.days.map(({ day, state }) => [day, state])).toEqual([
      ["2026-11-02", "silent"],
      ["2026-11-03", "silent"],
      ["2026-11-04", "waiting"],
    ]);
  });

  it("does not call a day silent that only another zone has summarised", () => {
    const time = { from: "2026-10-16", to: "2026-10-19" };
    const statesOf = (): string[] =>
      ask(FREEZER, time, oct(34))
        .series.find(({ name }) => name === "temperature")
        ?.days.map(({ state }) => state) ?? [];
    const gone = store.db.prepare("SELECT * FROM daily_summary WHERE day = '2026-10-19'").all() as Record<string, unknown>[];
    store.db.exec("DELETE FROM daily_summary WHERE day = '2026-10-19'");
    expect(statesOf()).toEqual(["silent", "silent", "exact", "waiting"]);
    const back = store.db.prepare("INSERT INTO daily_summary VALUES (@zone, @day, @series, @version, @approximate, @body, @computed_at)");
    for (const row of gone) back.run(row);
    expect(statesOf()).toEqual(["silent", "silent", "exact", "exact"]);
  });

  it("has the alerts that stood in the month, of its series and of groups that are of it alone, and what was done with them", () => {
    const { excursions } = ask();
    const temperature = store.idOf(FREEZER);
    expect(excursions.map(({ rule, series, firedAt, resolvedAt, peak, limit }) => [rule, series, firedAt, resolvedAt, peak, limit])).toEqual([
      ["too-warm", temperature, oct(0, 23), oct(1, 2), -12, -15],
      ["device-worry", null, oct(12, 14), oct(12, 16), -9.5, -11],
      ["too-warm", temperature, oct(12, 14), oct(12, 16), -9.5, -15],
      ["too-dry", store.idOf(keyOf({ device: FREEZER, metric: "humidity" })), oct(20, 4), oct(20, 6), 25, 30],
      ["too-warm", temperature, oct(31, 23), null, -13, -15],
    ]);
    const attended = excursions[2];
    expect(attended?.ack).toMatchObject({ by: "user:ada", note: '=HYPERLINK("http://x")' });
    expect(attended?.events.map(({ kind, by }) => [kind, by])).toEqual([
      ["acknowledged", "user:ada"],
      ["commented", "user:bo"],
    ]);
  });

  it("tells of one that is over by then when it ended, also after the month", () => {
    for (let ts = end + 1 * hour; ts < end + 5 * hour; ts += 20 * 60_000) store.receive([{ device: FREEZER, ts, value: ts < oct(32, 3) ? -13 : -20 }], 1);
    expect(ask().excursions.at(-1)).toMatchObject({ firedAt: oct(31, 23), resolvedAt: oct(32, 3) });
    expect(ask(FREEZER, { from: "2026-11-01", to: "2026-11-01" }).excursions.map(({ firedAt }) => firedAt)).toEqual([oct(31, 23)]);
    expect(ask(FREEZER, { from: "2026-11-02", to: "2026-11-02" }).excursions).toEqual([]);
  });

  it("says where summaries know of more gaps than they list, and knows no instants of extremes from before", () => {
    const overMidnight = ask().series.find(({ name }) => name === "temperature")?.gaps;
    store.db.exec("UPDATE daily_summary SET body = json_remove(body, '$.longest_gaps', '$.min_ts', '$.max_ts')");
    const temperature = ask().series.find(({ name }) => name === "temperature");
    // Both go on over midnight, so that the first and the last readings of the days tell of them. Of one within a day only the number is known.
    expect([temperature?.gapsUnlisted, temperature?.gaps]).toEqual([0, overMidnight]);
    store.db.exec("UPDATE daily_summary SET body = json_set(body, '$.gaps', 3) WHERE day IN ('2026-10-07', '2026-10-09')");
    // One of those of the ninth is the evening's.
    expect(ask().series.find(({ name }) => name === "temperature")?.gapsUnlisted).toBe(5);
    expect(temperature?.figures).toMatchObject({ max: -9.5, maxTs: null, maxDay: "2026-10-12" });
  });
});

describe("the report", () => {
  afterEach(() => store.close());
  const day = 86_400_000;

  it("is of no device that nobody knows, and empty of one that only the config knows", () => {
    store = createRecorder(plan([]));
    expect(answerQuery(store.db, { kind: "report", device: "fz-9", time: october }, contextAt(oct(35)))).toBeNull();
    expect(answerQuery(store.db, { kind: "report", device: "constructor", time: october }, contextAt(oct(35)))).toBeNull();
    expect(ask()).toMatchObject({ series: [], excursions: [], labels: { room: "B2 <cold>" } });
  });

  it("does not join a gap to the one before it when a reading came at midnight itself", async () => {
    store = createRecorder(plan([], { maxFutureMs: 1e15 }));
    const midnight = oct(2);
    const times = [0, 1, 2, 3, 4].map((index) => midnight - 10 * hour + index * 60_000);
    const after = [0, 5 * hour, ...[1, 2, 3, 4].map((index) => 5 * hour + index * 60_000)].map((at) => midnight + at);
    for (const ts of [...times, ...after]) store.receive([{ device: "fz-1", ts, value: 1 }], 1);
    await summarize(store, oct(4));
    expect(ask("fz-1", { from: "2026-10-01", to: "2026-10-02" }).series[0]?.gaps).toEqual([
      [start, midnight - 10 * hour],
      [midnight - 10 * hour + 4 * 60_000, midnight],
      [midnight, midnight + 5 * hour],
      [midnight + 5 * hour + 4 * 60_000, oct(3)],
    ]);
  });

  it("refuses what is too much and what makes no sense, and says what mends it", () => {
    store = createRecorder(plan([], { maxFutureMs: 1e15 }));
    const refused = (time: ReportTime, code: string, message: RegExp): void =>
      expect(() => ask(FREEZER, time)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) }));
    refused({ from: "2025-10-01", to: "2026-10-02" }, "query_too_large", /366 days/);
    refused({ from: "2026-10-02", to: "2026-10-01" }, "query_invalid", /before/);
    refused({ month: "2026-12" }, "query_invalid", /2026-12-01 has not begun/);
    refused({ month: "2026-10", to: "2026-10-01" }, "query_invalid", /two answers/);
    refused({ to: "2026-10-01" }, "query_invalid", /needs/);
    refused({ month: "2026-13" }, "query_invalid", /no month/);
    store.receive(Array.from({ length: 201 }, (_, index) => ({ device: "wide", metric: `m${index}`, ts: oct(1), value: 1 })));
    expect(() => ask("wide")).toThrow(expect.objectContaining({ code: "query_too_large" }));
    store.receive(Array.from({ length: 100 }, (_, index) => ({ device: "broad", metric: `m${index}`, ts: oct(1), value: 1 })));
    expect(() => ask("broad", { from: "2026-01-01" })).toThrow(expect.objectContaining({ hint: "ask for at most 200 days at a time" }));
    expect(ask("broad").series).toHaveLength(100);
    const late = { ...contextAt(oct(35)), timeMs: -1 };
    expect(() => answerQuery(store.db, { kind: "report", device: "broad", time: october }, late)).toThrow(expect.objectContaining({ code: "query_too_long" }));
  });

  it("lists the first alerts where there are too many, and counts the rest", () => {
    store = createRecorder(plan([]));
    store.receive([{ device: "fz-1", ts: oct(1), value: 1 }]);
    const insert = store.db.prepare(
      `INSERT INTO alert (id, rule, series, severity, labels, annotations, state, since, fired_at, resolved_at, value, peak, changed_seq, subject)
       VALUES (?, ?, 0, 'info', '{}', '{}', 'resolved', 0, ?, ?, 1, 1, 1, '{device="fz-1",metric="temperature"}')`,
    );
    for (let index = 0; index < 1500; index += 1)
      for (const name of ["b", "a"]) insert.run(`${name}${index}`, name, start + index * 1000, start + index * 1000 + 500);
    const { excursions, excursionsLeftOut } = ask("fz-1");
    expect([excursions.length, excursionsLeftOut]).toEqual([EXCURSIONS_MAX, 1000]);
    expect(excursions.at(-1)?.firedAt).toBe(start + 999_000);
  });

  it("is of local days, none of which the zone left out", () => {
    store = createRecorder(plan([]));
    expect(daysOfReport(october, oslo, oct(40)).map(({ day: each }) => each)).toHaveLength(31);
    expect(daysOfReport({}, utc, 40 * day + 5).map((each) => each.day)).toEqual(
      Array.from({ length: 10 }, (_, index) => `1970-02-${String(index + 1).padStart(2, "0")}`),
    );
    expect(daysOfReport({ from: "2026-10-24", to: "2026-10-26" }, oslo, oct(40))).toEqual(
      ["2026-10-24", "2026-10-25", "2026-10-26"].map((each) => ({ day: each, ...dayBounds(oslo, each) })),
    );
  });
});
