// The figures of a local day once more, in the plainest way: sort, add, divide. Days are found by Intl, not by the product's calendar.

import type { Recorded } from "./independent-evaluator.ts";

const HOUR_MS = 3_600_000;

export type Figures = {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly min_ts: string;
  readonly max_ts: string;
  readonly avg: number;
  readonly stddev: number | null;
  readonly sum: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly first: number;
  readonly last: number;
  readonly first_ts: string;
  readonly last_ts: string;
  readonly coverage: number;
  readonly largest_gap_ms: number;
  readonly longest_gaps: readonly (readonly [string, string])[];
  readonly gaps: number;
  readonly median_interval_ms: number | null;
  readonly day_ms: number;
};

/** `2013-12-02` at an instant, in a zone. */
export function createDayOf(zone: string): (ts: number) => string {
  const format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  return (ts) => format.format(ts);
}

/** The same, asked of Intl once for each quarter of an hour: no zone changes within one. */
export function createQuickDayOf(zone: string): (ts: number) => string {
  const [dayOf, known] = [createDayOf(zone), new Map<number, string>()];
  return (ts) => {
    const quarter = Math.floor(ts / (HOUR_MS / 4));
    const day = known.get(quarter) ?? dayOf(ts);
    known.set(quarter, day);
    return day;
  };
}

/** Readings by local day. */
export function byDay(readings: readonly Recorded[], dayOf: (ts: number) => string): Map<string, Recorded[]> {
  return Map.groupBy(readings, ({ ts }) => dayOf(ts));
}

/** @param readings of one day, in order of time, at least one */
export function figuresOf(readings: readonly Recorded[], dayOf: (ts: number) => string): Figures {
  const values = readings.map(({ value }) => value);
  const sorted = values.toSorted((a, b) => a - b);
  const [first, last] = [readings[0] as Recorded, readings.at(-1) as Recorded];
  const sum = values.reduce((total, value) => total + value, 0);
  const avg = sum / values.length;
  const squares = values.reduce((total, value) => total + (value - avg) ** 2, 0);
  const { start, end } = boundsAround(first.ts, dayOf);
  const instants = readings.map(({ ts }) => ts);
  const intervals = instants.slice(1).map((ts, index) => ts - (instants[index] as number));
  const median =
    intervals.length === 0
      ? null
      : rank(
          intervals.toSorted((a, b) => a - b),
          50,
        );
  const gaps = [first.ts - start, ...intervals, end - last.ts].filter((length) => length > 3 * (median ?? 0));
  return {
    count: values.length,
    min: sorted[0] as number,
    max: sorted.at(-1) as number,
    min_ts: isoOf(readings.find(({ value }) => value === sorted[0])),
    max_ts: isoOf(readings.find(({ value }) => value === sorted.at(-1))),
    avg,
    stddev: values.length < 2 ? null : Math.sqrt(squares / (values.length - 1)),
    sum,
    p50: rank(sorted, 50),
    p95: rank(sorted, 95),
    p99: rank(sorted, 99),
    first: first.value,
    last: last.value,
    first_ts: new Date(first.ts).toISOString(),
    last_ts: new Date(last.ts).toISOString(),
    coverage: 1 - gaps.reduce((total, length) => total + length, 0) / (end - start),
    largest_gap_ms: Math.max(0, ...gaps),
    longest_gaps: longestOf([start, ...instants, end], 3 * (median ?? 0)),
    gaps: gaps.length,
    median_interval_ms: median,
    day_ms: end - start,
  };
}

const isoOf = (reading: Recorded | undefined): string => new Date(reading?.ts ?? Number.NaN).toISOString();

/** Of each pause how many are before it in rank: those longer, and those as long that came earlier. The first twenty stay where they are. */
function longestOf(edges: readonly number[], most: number): (readonly [string, string])[] {
  const pauses = edges
    .slice(1)
    .map((to, index) => ({ from: edges[index] as number, to, length: to - (edges[index] as number) }))
    .filter(({ length }) => length > most);
  return pauses
    .filter(({ length, from }) => pauses.filter((other) => other.length > length || (other.length === length && other.from < from)).length < 20)
    .map(({ from, to }) => [new Date(from).toISOString(), new Date(to).toISOString()]);
}

/** The smallest value that at least `percent` of all are not above. */
const rank = (sorted: readonly number[], percent: number): number => sorted.find((_, index) => (index + 1) * 100 >= percent * sorted.length) as number;

/** Zones change by whole quarters of an hour: the first and the last quarter of the same day. */
function boundsAround(ts: number, dayOf: (ts: number) => string): { start: number; end: number } {
  const quarter = HOUR_MS / 4;
  let start = Math.floor(ts / quarter) * quarter;
  let end = start;
  while (dayOf(start - quarter) === dayOf(ts)) start -= quarter;
  while (dayOf(end) === dayOf(ts)) end += quarter;
  return { start, end };
}
