// How one series went through one local day, in slots of equal length: what the small charts of the mail are drawn from. Its size does
// not grow with the readings.

import type { Day, DayBounds } from "../../engine/calendar.ts";
import type { Gap } from "../../engine/summary.ts";
import type { ChartPoint } from "../../reports/chart.ts";

/** Half an hour of most days. */
export const COURSE_SLOTS = 48;

export type DayCourse = DayBounds & {
  readonly day: Day;
  /** Of the slots that hold readings, in order of time; `at` is the middle of the slot, as a share of the day. */
  readonly points: readonly ChartPoint[];
  readonly gaps: readonly Gap[];
};

/** @param ts in order, within the day @param value of equal length, finite */
export function courseOf(
  day: Day,
  bounds: DayBounds,
  { ts, value }: { readonly ts: Float64Array; readonly value: Float64Array },
  gaps: readonly Gap[],
): DayCourse {
  const slotMs = (bounds.end - bounds.start) / COURSE_SLOTS;
  const points: ChartPoint[] = [];
  for (let from = 0; from < ts.length; ) {
    const slot = Math.floor(((ts[from] as number) - bounds.start) / slotMs);
    let [min, max, avg, count, next] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, from];
    for (; next < ts.length && Math.floor(((ts[next] as number) - bounds.start) / slotMs) === slot; next += 1) {
      const each = value[next] as number;
      count += 1;
      min = Math.min(min, each);
      max = Math.max(max, each);
      // Each part is taken by itself, as the difference of two doubles need not be one.
      avg += each / count - avg / count;
    }
    points.push({ at: (slot + 0.5) / COURSE_SLOTS, min, max, avg });
    from = next;
  }
  return { day, ...bounds, points, gaps };
}
