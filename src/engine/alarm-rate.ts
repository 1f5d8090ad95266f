// How often alerts come: the busiest time, and floods. Instants are ascending and are those at which alerts were told.
// A flood is a state with two thresholds on n(t), the alerts of the ten minutes (t - 10 min, t]: it begins when n exceeds the one
// and ends when n falls below the other, so that it does not end and begin with each alert.

import type { DurationMs, EpochMs } from "./units.ts";

export const TEN_MINUTES_MS = 600_000;
export const HOUR_MS = 3_600_000;

/** From inclusive, to exclusive. */
export type Span = { readonly from: EpochMs; readonly to: EpochMs };
/** `start` is null when there were none. */
export type Peak = { readonly count: number; readonly start: EpochMs | null };

export type Flood = {
  /** When the threshold was exceeded; may lie before the span. */
  readonly start: EpochMs;
  /** Null while it goes on at the end of the span. */
  readonly end: EpochMs | null;
  /** Alerts from the ten minutes that began it on, of no flood before. */
  readonly count: number;
};

/** The most alerts in any [start, start + width), wherever it begins; the first of equal ones. */
export function slidingPeak(told: readonly EpochMs[], width: DurationMs): Peak {
  let peak: Peak = { count: 0, start: null };
  let first = 0;
  for (const [index, at] of told.entries()) {
    while (at - (told[first] as number) >= width) first += 1;
    const count = index - first + 1;
    if (count > peak.count) peak = { count, start: told[first] as number };
  }
  return peak;
}

/** The most alerts in one of the buckets of a width that lie on the epoch, UTC; the first of equal ones. */
export function fixedPeak(told: readonly EpochMs[], width: DurationMs): Peak {
  let peak: Peak = { count: 0, start: null };
  let [start, count] = [Number.NEGATIVE_INFINITY, 0];
  for (const at of told) {
    const own = Math.floor(at / width) * width;
    count = own === start ? count + 1 : 1;
    start = own;
    if (count > peak.count) peak = { count, start };
  }
  return peak;
}

/**
 * The floods that touch a span, in order.
 * @param told may begin before the span: what came then is what a flood at its begin is known by
 */
export function floodsOf(told: readonly EpochMs[], { over, endBelow }: { over: number; endBelow: number }, { from, to }: Span): Flood[] {
  const floods: Flood[] = [];
  let open: { start: EpochMs; first: number } | undefined;
  let [came, left, counted] = [0, 0, 0];
  for (;;) {
    const at = Math.min(told[came] ?? Number.POSITIVE_INFINITY, (told[left] ?? Number.POSITIVE_INFINITY) + TEN_MINUTES_MS);
    if (at >= to) break;
    while (told[came] === at) came += 1;
    while (left < came && (told[left] as number) + TEN_MINUTES_MS === at) left += 1;
    if (open === undefined && came - left > over) open = { start: at, first: Math.max(left, counted) };
    else if (open !== undefined && came - left < endBelow) {
      floods.push({ start: open.start, end: at, count: came - open.first });
      [open, counted] = [undefined, came];
    }
  }
  if (open !== undefined) floods.push({ start: open.start, end: null, count: came - open.first });
  return floods.filter(({ end }) => end === null || end > from);
}

/** Time of a span that lies in floods. */
export const timeInFloods = (floods: readonly Flood[], { from, to }: Span): DurationMs =>
  floods.reduce((sum, { start, end }) => sum + (end ?? to) - Math.max(start, from), 0);
