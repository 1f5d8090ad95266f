// `time_intervals` as zod reads them: words of the calendar in, numbers out (engine/dispatch/interval.ts). The form is Alertmanager's,
// but that a time may run over midnight, and that ranges of weekdays and months may run over the end of the week and the year.

import { z } from "zod";
import type { NumberRange, TimesOfDay } from "../engine/dispatch/interval.ts";
import { zoneTable } from "../zone.ts";
import { nameText } from "./name-schema.ts";

const weekdayNames = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const monthNames = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/** A word of the calendar: whole or its first three letters, and it may begin with a capital. */
const patternOf = (names: readonly string[]): string =>
  names.map((name) => `[${name.charAt(0).toUpperCase()}${name.charAt(0)}]${name.slice(1, 3)}${name.length > 3 ? `(?:${name.slice(3)})?` : ""}`).join("|");

/** No two of the names have the same first three letters. */
const placeOf = (names: readonly string[], word: string): number => names.findIndex((name) => name.slice(0, 3) === word.slice(0, 3).toLowerCase());

/** A weekday's number, 0 being Sunday; the word is one that `weekdayPattern` takes. */
export const weekdayOf = (word: string): number => placeOf(weekdayNames, word);
export const weekdayPattern: string = patternOf(weekdayNames);

/** An IANA name, as it was written. */
export const zoneText = z
  .string()
  .refine((name) => zoneTable(name) !== undefined, { error: "no such time zone", params: { hint: "an IANA name such as Europe/Oslo, or UTC" } });

const timeWords = 'write a time of day in quotes, such as "22:00"';
export const timePattern = "(?:[01]\\d|2[0-3]):[0-5]\\d";
/** Minutes since midnight of a text that `timePattern` takes, or of `24:00`. */
export const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

const times = z
  .strictObject({
    start_time: z
      .string(timeWords)
      .regex(new RegExp(`^${timePattern}$`), timeWords)
      .meta({ description: "Local time of day at which it begins" }),
    end_time: z
      .string(timeWords)
      .regex(new RegExp(`^(?:${timePattern}|24:00)$`), `${timeWords}, at most "24:00"`)
      .meta({ description: "Local time before which it ends, up to 24:00; at or before start_time it is one of the next day" }),
  })
  .transform(({ start_time, end_time }): TimesOfDay => {
    const [from, end] = [minutesOf(start_time), minutesOf(end_time)];
    return { from, to: end > from ? end : end + 1440 };
  });

/** `a` or `a:b` of words or numbers, as the first and the last. */
function rangeSchema(one: string, numbers: readonly [min: number, max: number] | null, words: string, read: (text: string) => number) {
  const text = z.string().regex(new RegExp(`^(?:${one})(?::(?:${one}))?$`), words);
  const written = numbers === null ? text : z.union([z.int().min(numbers[0]).max(numbers[1]).transform(String), text], words);
  return written.transform((range): NumberRange => {
    const [first = "", last = first] = range.split(":");
    return [read(first), read(last)];
  });
}

/** All numbers of ranges, those that run over the end (friday:monday) too. */
const listed = (ranges: readonly NumberRange[], min: number, max: number): number[] => {
  const all = Array.from({ length: max - min + 1 }, (_, index) => min + index);
  return all.filter((value) => ranges.some(([first, last]) => (first <= last ? first <= value && value <= last : value >= first || value <= last)));
};

const weekdays = rangeSchema(weekdayPattern, null, "write a weekday such as monday, or a range such as monday:friday", weekdayOf);

const months = rangeSchema(
  `${patternOf(monthNames)}|[1-9]|1[0-2]`,
  [1, 12],
  'write a month such as december or 12, or a range such as "1:3"',
  (text) => Number(text) || placeOf(monthNames, text) + 1,
);

const dayWords = 'write a day such as 15 or -1 (the last), or a range such as "1:5" or "-3:-1"';
const dayNumbers = "-?(?:[1-9]|[12]\\d|3[01])";
const daysOfMonth = rangeSchema(dayNumbers, [-31, 31], dayWords, Number)
  .refine(([first]) => first !== 0, dayWords)
  .refine(([first, last]) => (first < 0 === last < 0 ? first <= last : first > 0), {
    error: "a range of days that ends before it begins",
    params: { hint: "write the earlier day first; -1 is the last of the month" },
  });

const years = rangeSchema("\\d{4}", [1970, 2100], 'write a year such as 2026, or a range such as "2026:2028"', Number).refine(
  ([first, last]) => first <= last,
  {
    error: "a range of years that ends before it begins",
    params: { hint: "write the earlier year first" },
  },
);

const span = z.strictObject({
  times: z.array(times).max(24).prefault([]).meta({ description: "Times of day; none is the whole day" }),
  weekdays: z
    .array(weekdays)
    .max(20)
    .prefault([])
    .transform((ranges) => listed(ranges, 0, 6))
    .meta({ description: "Weekdays or ranges of them, such as saturday or monday:friday; none is all" }),
  days_of_month: z.array(daysOfMonth).max(40).prefault([]).meta({ description: "Days or ranges of them; -1 is the last of the month; none is all" }),
  months: z
    .array(months)
    .max(20)
    .prefault([])
    .transform((ranges) => listed(ranges, 1, 12))
    .meta({ description: "Months by name or number, or ranges of them; none is all" }),
  years: z.array(years).max(40).prefault([]).meta({ description: "Years or ranges of them; none is all" }),
  location: zoneText.exactOptional().meta({ description: "IANA zone of its times and dates; default: gateway.timezone" }),
});

const timeInterval = z.strictObject({
  name: nameText.meta({ description: "Unique among the time intervals" }),
  time_intervals: z.array(span).min(1).max(100).meta({ description: "It is active where any of these is, each where all its lists agree" }),
});

export const timeIntervals = z
  .array(timeInterval)
  .max(1_000)
  .prefault([])
  .meta({ description: "Named times, such as nights or holidays; a time over midnight belongs to the day on which it begins" });

export type TimeIntervalSettings = z.output<typeof timeInterval>;
