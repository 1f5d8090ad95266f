// What the layers say of a week, against plain sums over its history: chunks, daily summaries, and buckets, whichever layer answers.

import { expect } from "vitest";
import { createChunkReader, rawDays } from "../../src/storage/chunks.ts";
import type { Database } from "../../src/storage/database.ts";
import { noDeadline } from "../../src/storage/deadline.ts";
import { createGrid } from "../../src/storage/grid.ts";
import type { Bucket, Step } from "../../src/storage/query.ts";
import { createRawBudget, gatherRaw, wantAll } from "../../src/storage/raw-readings.ts";
import { createRollupReader } from "../../src/storage/rollups.ts";
import { streamBuckets } from "../../src/storage/stream-buckets.ts";
import { zoneTable } from "../../src/zone.ts";
import type { AlertAnswer, RunningGateway } from "./gateway-process.ts";
import { byDay, createQuickDayOf, type Figures, figuresOf } from "./independent-summary.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./week-devices.ts";
import { type Histories, type Kept, nameOf, seriesNames } from "./week-history.ts";

/** What clocks that began at zero said lies before. */
const CLOCKS_AT_ZERO_MS = 365 * DAY_MS;

type Labels = Readonly<Record<string, string>>;
type Some = { readonly count: number; readonly min: number | null; readonly max: number | null; readonly avg: number | null };
export type ReconciliationAnswer = Record<"late" | "duplicate" | "conflict" | "quarantined" | "unexplained", number> & {
  readonly stream: Some;
  readonly batch: Some;
  readonly alerts: readonly { readonly kind: string; readonly alert: string | null; readonly due: { readonly fired_at: string } | null }[] | null;
};
export type SummaryAnswer = Figures & {
  readonly day: string;
  readonly zone: string;
  readonly labels: Labels;
  readonly late: number;
  readonly alerts: number;
  readonly version: number;
  readonly approximate: boolean;
  readonly reconciliation: ReconciliationAnswer | null;
};
/** What tells one bucket from another. */
type KeyOf = (ts: number) => number | string;
type Sum = { readonly t: number; readonly count: number; readonly min: number; readonly max: number; readonly sum: number };

/** All raw readings by the API, a day at a time. */
export async function expectRawHistory(gateway: RunningGateway, histories: Histories): Promise<void> {
  const days = [...new Set([...histories.values()].flatMap((kept) => kept.map(({ ts }) => Math.floor(ts / DAY_MS))))].sort((a, b) => a - b);
  const found = new Map<string, { ts: number; value: number }[]>();
  for (const day of days) {
    const span = `from=${day * DAY_MS}&to=${(day + 1) * DAY_MS}`;
    for (const { labels, buckets } of await seriesOf(gateway, `step=raw&agg=count,min&${span}`)) {
      const readings = found.get(nameOf(labels)) ?? [];
      found.set(nameOf(labels), readings);
      for (const { t, min, count } of buckets) readings.push({ ts: t, value: count === 1 ? min : Number.NaN });
    }
  }
  expect([...found.keys()].toSorted()).toEqual([...histories.keys()].toSorted());
  for (const [series, kept] of histories) {
    expectSame(
      found.get(series) ?? [],
      kept.map(({ ts, value }) => ({ ts, value })),
      series,
    );
  }
}

/** One series by the API, single readings, hours and days, also while compaction and summaries are under way. */
export async function expectSeries(gateway: RunningGateway, histories: Histories, name: string, zone: string): Promise<void> {
  const [device, metric] = name.split(" ");
  const kept = histories.get(name) ?? [];
  const bucketsBy = async (step: string, from = 0): Promise<Bucket[]> => {
    const given = await seriesOf(gateway, `step=${step}&device=${device}&metric=${metric}&from=${from}`);
    return given.flatMap(({ buckets }) => buckets);
  };
  const raw = await bucketsBy("raw");
  expectSame(
    raw.map(({ t, count, min }) => [t, count, min]),
    kept.map(({ ts, value }) => [ts, 1, value]),
    name,
  );
  expectSums(await bucketsBy("day"), kept, createQuickDayOf(zone), `${name} by day`);
  // The rest of the time since 1970 would be too many hours.
  const recent = kept.filter(({ ts }) => ts > CLOCKS_AT_ZERO_MS);
  if (recent[0] !== undefined) expectSums(await bucketsBy("1h", recent[0].ts), recent, byHour, `${name} by hour`);
}

/** All pages of an answer. */
async function seriesOf(gateway: RunningGateway, query: string): Promise<{ labels: Labels; buckets: Bucket[] }[]> {
  const all: { labels: Labels; buckets: Bucket[] }[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const path = `/api/v1/readings?${query}${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page: { series: typeof all; cursor: string | null } = await gateway.get(path);
    all.push(...page.series);
    cursor = page.cursor;
  }
  return all;
}

/** Long lists: only the first difference is told. */
function expectSame(given: readonly unknown[], wanted: readonly unknown[], about: string): void {
  const length = Math.max(given.length, wanted.length);
  for (let place = 0; place < length; place++) {
    const [a, b] = [JSON.stringify(given[place]), JSON.stringify(wanted[place])];
    if (a === b) continue;
    throw new Error(`${about}: ${given.length} of ${wanted.length}; at ${place} is ${a}, not ${b}, after ${JSON.stringify(wanted[place - 1])}`);
  }
}

/** The history as the store's own readers find it, in chunks and journal, also where a pass of compaction was killed. */
export function expectStored(db: Database, histories: Histories): void {
  const names = seriesNames(db);
  const wants = wantAll(names.keys(), { from: -DAY_MS, to: Date.UTC(2100) });
  gatherRaw(db, wants, noDeadline);
  for (const { id, history } of wants) {
    const [{ ts, value, late }, series] = [history.ordered(), names.get(id) as string];
    expectSame(
      Array.from(ts, (each, index) => [each, value[index], late[index] === 1]),
      (histories.get(series) ?? []).map((kept) => [kept.ts, kept.value, kept.isLate]),
      series,
    );
  }
}

/** After compaction each series has one chunk of each day, which holds the readings of that day with arrival and lateness, each once. */
export function expectChunks(db: Database, histories: Histories, zone: string): void {
  const [chunks, names, dayOf] = [createChunkReader(db), seriesNames(db), createQuickDayOf(zone)];
  const days = rawDays(db);
  let readings = 0;
  for (const [id, series] of names) {
    const kept = histories.get(series) ?? [];
    const parts = [...chunks.read(id, { from: -DAY_MS, to: Date.UTC(2100) }, { at: true })];
    const held = parts.flatMap(({ ts, value, late, at }) =>
      Array.from(ts, (each, index) => ({ ts: each, value: value[index], isLate: late[index] === 1, at: at[index] })),
    );
    expectSame(held, kept, series);
    expect(
      parts.map(({ ts }) => new Set(Array.from(ts, dayOf)).size),
      series,
    ).toEqual(Array.from(byDay(kept, dayOf), () => 1));
    expect(
      days.map(({ day }) => chunks.partsOf(id, day).length),
      series,
    ).toEqual(days.map(({ day, until }) => (kept.some(({ ts }) => ts >= day && ts < until) ? 1 : 0)));
    readings += kept.length;
  }
  expect(days.reduce((sum, day) => sum + day.readings, 0)).toBe(readings);
  const columns = db.prepare<[], { count: number; late: number }>("SELECT sum(count) AS count, sum(late) AS late FROM chunk").get();
  expect(columns).toEqual({ count: readings, late: lateOf([...histories.values()].flat()) });
}

export async function summariesOf(gateway: RunningGateway): Promise<Map<string, SummaryAnswer>> {
  const { summaries } = await gateway.get<{ summaries: SummaryAnswer[] }>("/api/v1/summaries?limit=10000");
  return new Map(summaries.map((summary) => [`${nameOf(summary.labels)} ${summary.day}`, summary]));
}

/** Each day that has readings has a summary; each figure is the one of plain sums, and each alert is counted where it fired. */
export async function expectSummaries(gateway: RunningGateway, histories: Histories, zone: string): Promise<void> {
  const [summaries, dayOf] = [await summariesOf(gateway), createQuickDayOf(zone)];
  const { alerts } = await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?state=firing,recovering,resolved&limit=10000");
  const fired = Map.groupBy(alerts, ({ labels, fired_at }) => `${nameOf(labels)} ${dayOf(Date.parse(fired_at as string))}`);
  const wanted = new Map(
    [...histories].flatMap(([series, kept]) => [...byDay(kept, dayOf)].map(([day, readings]) => [`${series} ${day}`, readings as Kept[]])),
  );
  expect([...summaries.keys()].toSorted()).toEqual([...wanted.keys()].toSorted());
  for (const [key, readings] of wanted) {
    const summary = summaries.get(key) as SummaryAnswer;
    const { avg, stddev, sum, coverage, ...exact } = figuresOf(readings, dayOf);
    expect(summary, key).toMatchObject({ ...exact, zone, approximate: false, late: lateOf(readings), alerts: fired.get(key)?.length ?? 0 });
    const reckoned = { avg, stddev, sum, coverage };
    for (const [name, figure] of Object.entries(reckoned)) expectNear(summary[name as keyof typeof reckoned], figure, `${key} ${name}`);
  }
}

/** Days by the batch; hours, five minutes and minutes by whatever layer the API takes. */
export async function expectBuckets(gateway: RunningGateway, histories: Histories, zone: string): Promise<void> {
  const { from: weekFrom } = spanOf([...histories.values()].flat().filter(({ ts }) => ts > CLOCKS_AT_ZERO_MS));
  const day = Math.floor(weekFrom / DAY_MS) * DAY_MS + 2 * DAY_MS;
  const asked = [
    { step: "day", sources: ["batch"], from: 0, to: Date.UTC(2100) },
    { step: HOUR_MS, sources: ["raw", "stream"], from: Math.floor(weekFrom / HOUR_MS) * HOUR_MS, to: weekFrom + 9 * DAY_MS },
    { step: 5 * MINUTE_MS, sources: ["raw", "stream"], from: day, to: day + DAY_MS },
    { step: MINUTE_MS, sources: ["raw", "stream"], from: day, to: day + DAY_MS },
  ] as const;
  const dayOf = createQuickDayOf(zone);
  for (const { step, sources, from, to } of asked) {
    const keyOf = keyOfStep(step, dayOf);
    const word = step === "day" ? step : `${step / MINUTE_MS}m`;
    const answer = await seriesOf(gateway, `step=${word}&from=${from}&to=${to}`);
    const given = new Map(answer.map(({ labels, buckets }) => [nameOf(labels), buckets]));
    for (const [series, kept] of histories) {
      const buckets = given.get(series) ?? [];
      const within = kept.filter(({ ts }) => ts >= from && ts < to);
      expectSums(buckets, within, keyOf, `${series} by ${word}`);
      for (const { source } of buckets) expect(sources).toContain(source);
      if (step === "day") expect(buckets.filter(({ provisional }) => provisional)).toEqual([]);
    }
  }
}

/**
 * The stream's own buckets, as they stand and with what raw readings may mend: what the API would answer where raw is too much to read.
 * @param db in a transaction: silence closes buckets at any moment
 */
export function expectStream(db: Database, histories: Histories, steps: readonly Step[], zone: string): void {
  const all = spanOf([...histories.values()].flat());
  const table = zoneTable(zone);
  if (table === undefined) throw new Error(`no zone ${zone}`);
  const names = seriesNames(db);
  const dayOf = createQuickDayOf(zone);
  for (const step of steps) {
    const keyOf = keyOfStep(step, dayOf);
    const grid = createGrid(step, table);
    const span = { from: grid.boundsOf(all.from).start, to: grid.boundsOf(all.to).end };
    const given = streamBuckets(db, [...names.keys()], grid, span, { deadline: noDeadline, budget: createRawBudget() });
    for (const [id, series] of names) expectSums(given.get(id) ?? [], histories.get(series) ?? [], keyOf, `${series} by ${step}, of the stream`);
    // Without any raw reading the end that is still open is missing.
    const alone = streamBuckets(db, [...names.keys()], grid, span, { deadline: noDeadline, budget: { rows: 0, readings: 0 } });
    const rollups = createRollupReader(db);
    for (const [id, series] of names) {
      const closed = (histories.get(series) ?? []).filter(({ ts }) => ts < rollups.closedEnd(MINUTE_MS, id));
      expectSums(alone.get(id) ?? [], closed, keyOf, `${series} by ${step}, of the stream alone`);
    }
  }
}

const byHour: KeyOf = (ts) => Math.floor(ts / HOUR_MS);
const keyOfStep = (step: Step, dayOf: KeyOf): KeyOf => (step === "day" ? dayOf : (ts) => Math.floor(ts / (step as number)));

function expectSums(given: readonly Bucket[], kept: readonly Kept[], keyOf: KeyOf, about: string): void {
  const wanted = [...Map.groupBy(kept, ({ ts }) => keyOf(ts)).values()].map(sumOf);
  expectSame(
    given.map(({ t, count, min, max }) => [keyOf(t), count, min, max]),
    wanted.map(({ t, count, min, max }) => [keyOf(t), count, min, max]),
    about,
  );
  const isWhole = ({ t, end }: Bucket): boolean => keyOf(t) === keyOf(end - 1) && keyOf(t - 1) !== keyOf(t) && keyOf(end) !== keyOf(t);
  expect(
    given.filter((bucket) => !isWhole(bucket)),
    about,
  ).toEqual([]);
  for (const [index, { sum, avg }] of given.entries()) {
    const plain = wanted[index] as Sum;
    expectNear(sum, plain.sum, about);
    expectNear(avg, plain.sum / plain.count, about);
  }
}

const lateOf = (readings: readonly Kept[]): number => readings.filter(({ isLate }) => isLate).length;

function spanOf(readings: readonly Kept[]): { from: number; to: number } {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { ts } of readings) [from, to] = [Math.min(from, ts), Math.max(to, ts)];
  return { from, to };
}

function sumOf(readings: readonly Kept[]): Sum {
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const { value } of readings) [min, max, sum] = [Math.min(min, value), Math.max(max, value), sum + value];
  return { t: readings[0]?.ts ?? 0, count: readings.length, min, max, sum };
}

/** To 1e-9 of its size: floats are added in another order. */
export function expectNear(given: number | null, figure: number | null, about: string): void {
  if (given === null || figure === null) return expect(given, about).toBe(figure);
  if (!(Math.abs(given - figure) <= 1e-9 * Math.max(1, Math.abs(figure)))) throw new Error(`${about}: ${given}, not ${figure}`);
}
