// Time intervals: named sets of local times, such as nights or holidays, by which routes are muted and layers of a schedule count.
// Worked out by local days and their bounds, never minute by minute, since it is asked at each notification.
// A span is [epochOf(start), epochOf(end)): a local time that comes twice is the earlier instant, one that is left out is read by the offset
// before the gap, so a span may be longer or shorter than it says, or empty. A whole day is [dayBounds). Does not know the time: `now` is handed in.

import type { ZoneTable } from "../calendar.ts";
import type { EpochMs } from "../units.ts";

/** Zones by name; all that a plan names are there. */
export type Zones = Readonly<Record<string, ZoneTable>>;

/** Both ends belong to it. */
export type NumberRange = readonly [first: number, last: number];

/** Minutes since midnight of the day on which it begins: 0 <= from < 1440, from < to <= from + 1440. */
export type TimesOfDay = { readonly from: number; readonly to: number };

/** Days that agree with each list, an empty list agreeing with all; on these days the times, or the whole day where there are none. */
export type IntervalSpan = {
  readonly zone: string;
  readonly times: readonly TimesOfDay[];
  /** 0 is Sunday. */
  readonly weekdays: readonly number[];
  /** 1 to 31, or from the end of the month: -1 is its last day. */
  readonly daysOfMonth: readonly NumberRange[];
  /** 1 is January. */
  readonly months: readonly number[];
  readonly years: readonly NumberRange[];
};

/** Active where any of its spans is. */
export type TimeIntervalPlan = { readonly name: string; readonly spans: readonly IntervalSpan[] };

/** Whether the interval is active at `now`. */
export function isActive(_interval: TimeIntervalPlan, _zones: Zones, _now: EpochMs): boolean {
  throw new Error("to come");
}

/** The first instant after `now` at which `isActive` differs; undefined when there is none within five years, or before `until`. */
export function nextChange(_interval: TimeIntervalPlan, _zones: Zones, _now: EpochMs, _until?: EpochMs): EpochMs | undefined {
  throw new Error("to come");
}
