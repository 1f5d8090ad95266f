// Time intervals: named sets of local times, such as nights or holidays, by which routes are muted and layers of a schedule count.
// Worked out by local days and their bounds, never minute by minute, since it is asked at each notification.
// A span is [epochOf(start), epochOf(end)): a local time that comes twice is the earlier instant, one that is left out is read by the offset
// before the gap, so a span may be longer or shorter than it says, or empty. A whole day is [dayBounds). Does not know the time: `now` is handed in.

import { type DayBounds, dayBounds, dayNumber, dayOf, dayText, epochOf, type ZoneTable } from "../calendar.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import { floorMod } from "../units.ts";

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

/** How far ahead a change is looked for, in ms: five years. */
const horizonMs: DurationMs = 5 * 366 * 86_400_000;

/** A date of the calendar; `number` counts days since 1970-01-01, `length` the days of its month. */
type CivilDate = { readonly number: number; readonly year: number; readonly month: number; readonly date: number; readonly length: number };

/** Whether the interval is active at `now`. */
export function isActive({ spans }: TimeIntervalPlan, zones: Zones, now: EpochMs): boolean {
  return spans.some((span) => endAt(span, zones[span.zone] as ZoneTable, now) > now);
}

/**
 * The first instant after `now` at which `isActive` differs. Some microseconds where that is a day or a month away; where spans of single days
 * or times follow each other without a hole for five years, some milliseconds.
 * @param until where the search ends
 * @returns undefined when nothing changes before `until`
 */
export function nextChange(interval: TimeIntervalPlan, zones: Zones, now: EpochMs, until: EpochMs = now + horizonMs): EpochMs | undefined {
  const { spans } = interval;
  const change = isActive(interval, zones, now) ? endOfAll(spans, zones, now, until) : firstStart(spans, zones, now, until);
  return change < until ? change : undefined;
}

/** Spans that touch or overlap are one: the first instant at which none of them goes on. */
function endOfAll(spans: readonly IntervalSpan[], zones: Zones, now: EpochMs, until: EpochMs): EpochMs {
  let at = now;
  while (at < until) {
    const end = Math.max(...spans.map((span) => endAt(span, zones[span.zone] as ZoneTable, at)));
    if (end <= at) return at;
    at = end;
  }
  return until;
}

function firstStart(spans: readonly IntervalSpan[], zones: Zones, now: EpochMs, until: EpochMs): EpochMs {
  let first = until;
  for (const span of spans) first = Math.min(first, startAfter(span, zones[span.zone] as ZoneTable, now, first));
  return first;
}

/** The latest end of the span's windows that hold `at`; `at` itself when none does. */
function endAt(span: IntervalSpan, zone: ZoneTable, at: EpochMs): EpochMs {
  const today = dayNumber(dayOf(zone, at));
  let end = at;
  // What began the day before yesterday may last until today where a date was left out in between.
  for (let number = span.times.length === 0 ? today : today - 2; number <= today; number += 1)
    for (const window of windowsOf(span, zone, number)) if (window.start <= at) end = Math.max(end, window.end);
  return end;
}

/** The first start of a window after `now`; `until` when there is none before it. */
function startAfter(span: IntervalSpan, zone: ZoneTable, now: EpochMs, until: EpochMs): EpochMs {
  const last = dayNumber(dayOf(zone, until));
  const startOn = (number: number): EpochMs =>
    windowsOf(span, zone, number).reduce((least, { start, end }) => (start > now && start < end ? Math.min(least, start) : least), until);
  // From yesterday on: a time that was left out at its end is read as one of today.
  let number = dayNumber(dayOf(zone, now)) - 1;
  while (number <= last) {
    const jump = nextOfMonth(span, dateOf(number));
    const start = jump === number ? startOn(number) : until;
    // For the same reason a window of the next day may begin before it.
    if (start < until) return Math.min(start, startOn(number + 1));
    number = Math.max(jump, number + 1);
  }
  return until;
}

/** The windows that begin on a day: none where the date does not agree, or where the zone left it out. */
function windowsOf(span: IntervalSpan, zone: ZoneTable, number: number): readonly DayBounds[] {
  const date = dateOf(number);
  if (!agrees(span, date)) return [];
  const day = dayBounds(zone, dayText(number));
  if (day.start === day.end) return [];
  if (span.times.length > 0) {
    const midnight = number * 86_400_000;
    return span.times.map(({ from, to }) => ({ start: epochOf(zone, midnight + from * 60_000), end: epochOf(zone, midnight + to * 60_000) }));
  }
  if (span.weekdays.length + span.daysOfMonth.length > 0) return [day];
  // Nothing but months and years: a window lasts until the month ends, which saves going by days.
  return [{ start: day.start, end: dayBounds(zone, dayText(number + date.length - date.date)).end }];
}

function agrees({ weekdays, daysOfMonth, months, years }: IntervalSpan, { number, year, month, date, length }: CivilDate): boolean {
  const dayInMonth = (day: number): number => (day < 0 ? length + 1 + day : day);
  return (
    isIn(years, year) &&
    (months.length === 0 || months.includes(month)) &&
    (daysOfMonth.length === 0 || daysOfMonth.some(([first, last]) => dayInMonth(first) <= date && date <= dayInMonth(last))) &&
    // 1970-01-01 was a Thursday.
    (weekdays.length === 0 || weekdays.includes(floorMod(number + 4, 7)))
  );
}

/** The day itself where month and year agree, else the first of the next month or year. */
function nextOfMonth({ months, years }: IntervalSpan, { number, year, month, date, length }: CivilDate): number {
  if (!isIn(years, year)) return dayNumber(`${year + 1}-01-01`);
  return months.length === 0 || months.includes(month) ? number : number + length + 1 - date;
}

const isIn = (ranges: readonly NumberRange[], value: number): boolean => ranges.length === 0 || ranges.some(([first, last]) => first <= value && value <= last);

function dateOf(number: number): CivilDate {
  const text = dayText(number);
  const year = Number(text.slice(0, -6));
  const month = Number(text.slice(-5, -3));
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const length = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return { number, year, month, date: Number(text.slice(-2)), length };
}
