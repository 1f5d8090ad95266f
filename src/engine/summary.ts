// The figures of one series' local day, exactly, from its readings. What each figure means: docs/reference/daily-summary.md.
// Sums are compensated (Neumaier; the error of an addition by Knuth's TwoSum, which has no branch), the deviation is found in a second
// pass around the mean, percentiles are by nearest rank.
// It does not choose the readings: they come in order of time, each instant once, all of the day.

import type { DayBounds } from "./calendar.ts";
import { rankOf } from "./select.ts";
import { selectPlace } from "./selection.ts";
import type { DurationMs, EpochMs } from "./units.ts";

/** From the reading before it, or the start of the day, to the reading after it, or the day's end. */
export type Gap = readonly [start: EpochMs, end: EpochMs];

/** The keys are those of the API and of the stored JSON; all figures but the times are in the series' unit. */
export type DaySummary = {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** When it was read first. */
  readonly min_ts: EpochMs;
  readonly max_ts: EpochMs;
  readonly avg: number;
  /** Of the sample (n - 1); null for a single reading. */
  readonly stddev: number | null;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly first: number;
  readonly first_ts: EpochMs;
  readonly last: number;
  readonly last_ts: EpochMs;
  /** Null when it is beyond what a double holds. */
  readonly sum: number | null;
  /** Share of the day that lies not in gaps, 0 to 1. */
  readonly coverage: number;
  /** Length of the longest gap; 0 when there is none. */
  readonly largest_gap_ms: DurationMs;
  readonly gaps: number;
  /** The longest of the gaps, at most GAPS_LISTED, in order of time: `[start, end]` each. Of several as long the earlier. */
  readonly longest_gaps: readonly Gap[];
  /** Between one reading and the next, by nearest rank; null for a single reading. */
  readonly median_interval_ms: DurationMs | null;
  readonly day_ms: DurationMs;
  /** How many of the readings came late. */
  readonly late: number;
  /** Alerts of the series that fired in the day. */
  readonly alerts: number;
};

/** A gap is longer than this many times the day's median interval. */
export const GAP_INTERVALS = 3;
/** Gaps of a day that are told one by one. */
export const GAPS_LISTED = 20;

/** Beyond these sizes squares leave the range of a double; such days are reckoned on a smaller or larger scale. */
const HUGE = 1e145;
const TINY = 1e-145;
const SCALE = 2 ** 600;

/**
 * @param ts ascending, each instant once, within `bounds`; at least one
 * @param value of equal length, finite
 * @param counted what the readings alone do not tell
 */
export function summarizeDay(ts: Float64Array, value: Float64Array, bounds: DayBounds, counted: { late: number; alerts: number }): DaySummary {
  const count = ts.length;
  const { min, minAt, max, maxAt } = extremesOf(value);
  const silence = gapsOf(ts, bounds);
  return {
    count,
    min,
    max,
    min_ts: ts[minAt] as number,
    max_ts: ts[maxAt] as number,
    ...moments(value, Math.max(Math.abs(min), Math.abs(max))),
    ...percentilesOf(value),
    first: value[0] as number,
    first_ts: ts[0] as number,
    last: value[count - 1] as number,
    last_ts: ts[count - 1] as number,
    ...silence,
    ...counted,
  };
}

/** Where the percentile by nearest rank stands among so many sorted values: the smallest value that at least `percent` of all are not above. */
const placeOf = (count: number, percent: number): number => rankOf(count, percent) - 1;

function percentilesOf(value: Float64Array): Pick<DaySummary, "p50" | "p95" | "p99"> {
  const moved = value.slice();
  const places = [50, 95, 99].map((percent) => placeOf(value.length, percent)) as [number, number, number];
  const p50 = selectPlace(moved, 0, places[0]);
  const p95 = selectPlace(moved, places[0], places[1]);
  return { p50, p95, p99: selectPlace(moved, places[1], places[2]) };
}

/** The first of each. */
function extremesOf(value: Float64Array): { min: number; minAt: number; max: number; maxAt: number } {
  let [minAt, maxAt] = [0, 0];
  let [min, max] = [value[0] as number, value[0] as number];
  for (let index = 1; index < value.length; index += 1) {
    const each = value[index] as number;
    if (each < min) [min, minAt] = [each, index];
    if (each > max) [max, maxAt] = [each, index];
  }
  return { min, minAt, max, maxAt };
}

function moments(value: Float64Array, size: number): Pick<DaySummary, "sum" | "avg" | "stddev"> {
  const scale = scaleOf(size);
  const count = value.length;
  const scaled = scale === 1 ? value : value.map((each) => each * scale);
  const total = sumOf(scaled);
  const mean = total / count;
  const sum = total / scale;
  if (count === 1) return { sum, avg: mean / scale, stddev: null };
  const stddev = Math.sqrt(squaresOf(scaled, mean) / (count - 1)) / scale;
  return { sum: Number.isFinite(sum) ? sum : null, avg: mean / scale, stddev: Number.isFinite(stddev) ? stddev : null };
}

function scaleOf(size: number): number {
  if (size > HUGE) return 1 / SCALE;
  return size > 0 && size < TINY ? SCALE : 1;
}

function sumOf(value: Float64Array): number {
  let sum = 0;
  let compensation = 0;
  for (let index = 0; index < value.length; index += 1) {
    const each = value[index] as number;
    const next = sum + each;
    const added = next - sum;
    compensation += sum - (next - added) + (each - added);
    sum = next;
  }
  return sum + compensation;
}

/** Sum of the squares of what the values are off the mean; in a loop of its own, since columns to hold them cost more than the sums. */
function squaresOf(value: Float64Array, mean: number): number {
  let sum = 0;
  let compensation = 0;
  for (let index = 0; index < value.length; index += 1) {
    const off = (value[index] as number) - mean;
    const each = off * off;
    const next = sum + each;
    const added = next - sum;
    compensation += sum - (next - added) + (each - added);
    sum = next;
  }
  return sum + compensation;
}

type Silence = Pick<DaySummary, "coverage" | "largest_gap_ms" | "gaps" | "longest_gaps" | "median_interval_ms" | "day_ms">;

/** A single reading tells of no interval, so nothing says how long it holds: the day before it and the day after it are gaps. */
function gapsOf(ts: Float64Array, { start, end }: DayBounds): Silence {
  const count = ts.length;
  const intervals = new Float64Array(count - 1);
  for (let index = 1; index < count; index += 1) intervals[index - 1] = (ts[index] as number) - (ts[index - 1] as number);
  const median = count > 1 ? selectPlace(intervals, 0, placeOf(count - 1, 50)) : null;
  const longest = median === null ? 0 : GAP_INTERVALS * median;
  let [silent, gaps, largest] = [0, 0, 0];
  const look = (length: DurationMs): void => {
    if (length <= longest) return;
    silent += length;
    gaps += 1;
    largest = Math.max(largest, length);
  };
  look((ts[0] as number) - start);
  look(end - (ts[count - 1] as number));
  for (let index = 0; index < intervals.length; index += 1) if ((intervals[index] as number) > longest) look(intervals[index] as number);
  const day = end - start;
  const longest_gaps = gaps === 0 ? [] : longestGaps(ts, { start, end }, longest);
  return { coverage: (day - silent) / day, largest_gap_ms: largest, gaps, longest_gaps, median_interval_ms: median, day_ms: day };
}

/** @param longest what is not longer is no gap */
function longestGaps(ts: Float64Array, { start, end }: DayBounds, longest: DurationMs): Gap[] {
  const found: Gap[] = [];
  let before = start;
  const look = (at: EpochMs): void => {
    if (at - before > longest) found.push([before, at]);
    before = at;
  };
  ts.forEach(look);
  look(end);
  if (found.length <= GAPS_LISTED) return found;
  const kept = found.sort((a, b) => lengthOf(b) - lengthOf(a)).slice(0, GAPS_LISTED);
  return kept.sort(([a], [b]) => a - b);
}

const lengthOf = ([start, end]: Gap): DurationMs => end - start;
