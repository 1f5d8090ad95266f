// Two real recordings through engine, store, batch and serving query, against figures reckoned here from the files alone.

import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { systemClock } from "../../src/clock.ts";
import { utc, type ZoneTable } from "../../src/engine/calendar.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Step, SummaryView } from "../../src/storage/query.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder, type Sent } from "../storage/recorder.ts";

const folder = new URL("../../../shared/data/", import.meta.url);
const files = { machine: "machine_temperature_system_failure.csv", ambient: "ambient_temperature_system_failure.csv" } as const;
type Device = keyof typeof files;
const isThere = Object.values(files).every((file) => existsSync(new URL(file, folder)));

const read = (device: Device): Sent[] =>
  readFileSync(new URL(files[device], folder), "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [timestamp = "", value] = line.split(",");
      return { device, ts: Date.parse(`${timestamp.replace(" ", "T")}Z`), value: Number(value) };
    });

type Plain = { day: string; values: number[]; times: number[] };

/** Days by what Intl calls them; of a repeated instant the first line stays. */
function plainDays(sent: readonly Sent[], zone: string): Plain[] {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone });
  const seen = new Set<number>();
  const days = new Map<string, Plain>();
  for (const { ts, value } of sent) {
    if (seen.has(ts)) continue;
    seen.add(ts);
    const day = format.format(ts);
    const plain = days.get(day) ?? { day, values: [], times: [] };
    plain.values.push(value);
    plain.times.push(ts);
    days.set(day, plain);
  }
  return [...days.values()];
}

function expectDay(found: SummaryView | undefined, { values, times }: Plain, hours: number): void {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (percent: number) => sorted.find((_, index) => (index + 1) / values.length >= percent / 100);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const order = times.map((_, index) => index).sort((a, b) => (times[a] as number) - (times[b] as number));
  expect(found).toMatchObject({
    count: values.length,
    min: sorted[0],
    max: sorted.at(-1),
    p50: rank(50),
    p95: rank(95),
    p99: rank(99),
    first: values[order[0] as number],
    last: values[order.at(-1) as number],
    day_ms: hours * 3_600_000,
    approximate: false,
    version: 1,
  });
  expect(Math.abs((found?.avg ?? Number.NaN) - mean)).toBeLessThan(1e-9 * Math.abs(mean));
  if (values.length > 1) {
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
    expect(Math.abs((found?.stddev ?? Number.NaN) - deviation)).toBeLessThan(1e-9 * Math.max(1, deviation));
  }
}

if (!isThere) console.log("The recordings in ../shared/data are not there; the tests that need them are skipped.");

describe.skipIf(!isThere)("the recordings", () => {
  let store: Recorder;
  const sent = {} as Record<Device, Sent[]>;
  beforeAll(() => {
    for (const device of Object.keys(files) as Device[]) sent[device] = read(device);
    store = createRecorder(plan([]));
    const all = [...sent.machine, ...sent.ambient];
    for (let index = 0; index < all.length; index += 500) store.receive(all.slice(index, index + 500));
  });
  afterAll(() => store.close());
  const summaries = (zone: ZoneTable, device: Device): Map<string, SummaryView> => {
    const context = { devices: {}, zone, clock: systemClock, timeMs: 60_000 };
    const { summaries: found } = answerQuery(store.db, { kind: "summaries", labels: { device: [device] } }, context);
    return new Map(found.map((each) => [each.day, each]));
  };

  it.each(["UTC", "America/Los_Angeles"])("have every day summarised as the files say, in %s", async (name) => {
    const zone = name === "UTC" ? utc : (zoneTable(name) as ZoneTable);
    const days = { from: "2013-07-01", to: "2014-06-01" };
    const report = await runDailySummary(store.db, { zone, now: Date.UTC(2026, 0), devices: {}, days }, store.finish);
    expect(report.readings).toBe(22_683 + 7267);
    for (const device of Object.keys(files) as Device[]) {
      const found = summaries(zone, device);
      const plain = plainDays(sent[device], name);
      expect([...found.keys()].sort()).toEqual(plain.map(({ day }) => day).sort());
      for (const each of plain) {
        const hours = name === "UTC" ? 24 : ({ "2014-03-09": 23, "2013-11-03": 25 }[each.day] ?? 24);
        expectDay(found.get(each.day), each, hours);
      }
    }
  });

  it("find a full day covered and the days at their ends as far as they go", () => {
    const found = summaries(utc, "machine");
    expect(found.get("2013-12-03")).toMatchObject({ count: 288, coverage: 1, largest_gap_ms: 0, median_interval_ms: 300_000 });
    expect(found.get("2013-12-02")).toMatchObject({ count: 33, largest_gap_ms: 21.25 * 3_600_000, gaps: 1, coverage: 2.75 / 24 });
  });

  it.each<Step | undefined>([undefined, 300_000, 3_600_000, "day"])("give every reading once in buckets of %s", (step) => {
    const context = { devices: {}, zone: utc, clock: systemClock, timeMs: 60_000 };
    const { series } = answerQuery(store.db, { kind: "readings", ...(step !== undefined && { step }) }, context);
    const counts = series.map(({ labels, buckets }) => [labels["device"], buckets.reduce((sum, { count }) => sum + count, 0)]);
    expect(Object.fromEntries(counts)).toEqual({ machine: 22_683, ambient: 7267 });
  });
});
