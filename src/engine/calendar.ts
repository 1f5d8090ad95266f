// Local days without Date or Intl: a zone is a table of its offsets, made by the shell (src/zone.ts) and carried in the plan.
// A day has 23, 23.5, 24, 24.5 or 25 hours; it begins at the first instant whose local date it is, and ends where the next begins.
// So days never overlap, not even where clocks were put back over midnight, and a date that was left out has no length.

import type { DurationMs, EpochMs } from "./units.ts";
import { floorMod } from "./units.ts";

/** `offsets[i]` (ms east of UTC) holds from `from[i]` (inclusive) on; `from[0]` is -Infinity's stand-in, Number.MIN_SAFE_INTEGER. */
export type ZoneTable = { readonly name: string; readonly from: readonly EpochMs[]; readonly offsets: readonly DurationMs[] };

/** A local day as `YYYY-MM-DD`. */
export type Day = string;

/** What a clock on the wall shows, as the milliseconds since the epoch at which a clock in UTC would show it. */
export type LocalMs = number;

export type DayBounds = { /** Inclusive. */ readonly start: EpochMs /** Exclusive. */; readonly end: EpochMs };

const dayMs = 86_400_000;
/** No zone's clock was ever moved by more than a day at once; a day before and after an instant holds every offset that matters. */
const reachMs = 2 * dayMs;

/** UTC as a table, for tests and for readings whose zone does not matter. */
export const utc: ZoneTable = { name: "UTC", from: [Number.MIN_SAFE_INTEGER], offsets: [0] };

/** Milliseconds by which local time is ahead of UTC at `ts`. Outside the years of the table its first or last offset holds. */
export function offsetAt(zone: ZoneTable, ts: EpochMs): DurationMs {
  return zone.offsets[spanAt(zone, ts)] as number;
}

/** The local day that `ts` belongs to: the one whose `dayBounds` hold it. */
export function dayOf(zone: ZoneTable, ts: EpochMs): Day {
  const at = spanAt(zone, ts);
  let number = Math.floor((ts + (zone.offsets[at] as number)) / dayMs);
  // Where clocks were put back over midnight, the repeated end of yesterday belongs to the day that had begun already.
  for (let index = at; index > 0 && (zone.from[index] as number) > ts - reachMs; index -= 1) {
    const before = Math.floor(((zone.from[index] as number) - 1 + (zone.offsets[index - 1] as number)) / dayMs);
    number = Math.max(number, before);
  }
  return dayText(number);
}

/** Start and end of a local day. Equal for a date that the zone left out, such as 2011-12-30 in Apia. */
export function dayBounds(zone: ZoneTable, day: Day): DayBounds {
  const number = dayNumber(day);
  return { start: startOf(zone, number), end: startOf(zone, number + 1) };
}

/** The date after, whether or not the zone has it. */
export function nextDay(day: Day): Day {
  return dayText(dayNumber(day) + 1);
}

/** The date before, whether or not the zone has it. */
export function previousDay(day: Day): Day {
  return dayText(dayNumber(day) - 1);
}

/** Whether a text is a date of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  return /^-?\d{4,6}-\d\d-\d\d$/.test(text) && dayText(dayNumber(text)) === text;
}

/** What the wall clock shows at `ts`. */
export function localOf(zone: ZoneTable, ts: EpochMs): LocalMs {
  return ts + offsetAt(zone, ts);
}

/** Minutes since midnight as the wall clock shows them, 0 to 1439; not the minutes that have passed since the day began. */
export function localMinutes(zone: ZoneTable, ts: EpochMs): number {
  return Math.floor(floorMod(localOf(zone, ts), dayMs) / 60_000);
}

/** Every instant at which the wall clock shows `local`, in order: none in a gap, two in an overlap, else one. */
export function instantsOf(zone: ZoneTable, local: LocalMs): readonly EpochMs[] {
  const instants: EpochMs[] = [];
  const last = spanAt(zone, local + reachMs);
  for (let index = spanAt(zone, local - reachMs); index <= last; index += 1) {
    const ts = local - (zone.offsets[index] as number);
    if (ts >= (zone.from[index] as number) && ts < endOfSpan(zone, index)) instants.push(ts);
  }
  return instants;
}

/**
 * The instant that a local time without an offset means. In an overlap the earlier one; a time in a gap is read by the offset before the gap,
 * so 02:30 on the day that clocks go from 02:00 to 03:00 is 03:30 (as java.time and Temporal's "compatible" read it).
 */
export function epochOf(zone: ZoneTable, local: LocalMs): EpochMs {
  const [first] = instantsOf(zone, local);
  if (first !== undefined) return first;
  const last = spanAt(zone, local + reachMs);
  for (let index = spanAt(zone, local - reachMs); index < last; index += 1) {
    const gapAt = endOfSpan(zone, index);
    const ts = local - (zone.offsets[index] as number);
    if (ts >= gapAt && local - (zone.offsets[index + 1] as number) < gapAt) return ts;
  }
  return local - offsetAt(zone, local);
}

/** Wall-clock time of a date: `localTime("2021-03-14", 150)` is 02:30 of that day. */
export function localTime(day: Day, minutes: number): LocalMs {
  return dayNumber(day) * dayMs + minutes * 60_000;
}

/** Days since 1970-01-01 of a date of the calendar. */
export function dayNumber(day: Day): number {
  const [, sign, year, month, date] = /^(-?)(\d+)-(\d+)-(\d+)$/.exec(day) ?? [];
  return daysFromCivil((sign === "-" ? -1 : 1) * Number(year), Number(month), Number(date));
}

/** The date that lies `number` days after 1970-01-01. */
export function dayText(number: number): Day {
  const { year, month, date } = civilFromDays(number);
  const digits = String(Math.abs(year)).padStart(4, "0");
  return `${year < 0 ? "-" : ""}${digits}-${String(month).padStart(2, "0")}-${String(date).padStart(2, "0")}`;
}

/** The first instant whose local date is the day `number` or a later one. */
function startOf(zone: ZoneTable, number: number): EpochMs {
  const midnight = number * dayMs;
  let index = spanAt(zone, midnight - reachMs);
  for (;;) {
    const ts = Math.max(midnight - (zone.offsets[index] as number), zone.from[index] as number);
    if (ts < endOfSpan(zone, index)) return ts;
    index += 1;
  }
}

/** Index of the span of constant offset that holds `ts`. */
function spanAt(zone: ZoneTable, ts: EpochMs): number {
  let low = 0;
  let high = zone.from.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((zone.from[middle] as number) <= ts) low = middle;
    else high = middle - 1;
  }
  return low;
}

function endOfSpan(zone: ZoneTable, index: number): EpochMs {
  return zone.from[index + 1] ?? Number.POSITIVE_INFINITY;
}

// The proleptic Gregorian calendar, by Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms": years begin in March, eras have 400 years.

function daysFromCivil(year: number, month: number, date: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + date - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function civilFromDays(days: number): { year: number; month: number; date: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const date = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date };
}
