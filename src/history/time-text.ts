// Times as history files write them, read without making substrings: `2013-12-02 21:15:00`, RFC 3339, whole numbers. What is unusual goes
// to src/event-time.ts, which also says what is wrong. Of a local hour that a zone has twice the first is taken: a file has no arrival to decide by.
// One that it skips is none: its readings would stand where those of the next hour belong.

import { localOf, offsetAt, utc, type ZoneTable } from "../engine/calendar.ts";
import type { EpochMs } from "../engine/units.ts";
import { epochOf, readEventTime } from "../event-time.ts";
import type { Flaw } from "./format.ts";

export type TimeReader = {
  /** Reads `text` from `start` to `end`. @returns NaN where `flaw` says why */
  read(text: string, start: number, end: number): EpochMs;
  flaw(text: string): Flaw;
};

const forms = "write RFC 3339 (2013-12-02T21:15:00Z), or a number of seconds, or of milliseconds from 10^11 on";
/** With its four digits a year is at most 9999, but readEventTime also takes years below 100 for a mistake. */
const firstYear = 100;
const DAY_MS = 86_400_000;
const serial = /^\d{5}(?:\.\d+)?$/;

/** Times of readings mostly lie between. A number that is no such time as it is read, but is one in another unit, was meant in that unit. */
const likelyFrom = Date.UTC(1990, 0, 1);
const likelyTo = Date.UTC(2100, 0, 1);
/** Day 0 of spreadsheets. */
const serialFrom = Date.UTC(1899, 11, 30);

/** Of an instant that a wrong unit gives: data so old is written as text, or has another number. */
export const isUnlikely = (ts: EpochMs): boolean => ts < likelyFrom;
export const isLikely = (ts: EpochMs): boolean => ts >= likelyFrom && ts < likelyTo;

/** Whether a number is a date as spreadsheets keep it, in days since 1899-12-30; as seconds it would be within the first day of 1970. */
export const isDaySerial = (value: number): boolean => isLikely(serialFrom + value * DAY_MS);

function serialFlaw(text: string): Flaw {
  const day = new Date(serialFrom + Math.floor(Number(text)) * DAY_MS).toISOString().slice(0, 10);
  const hint = "have the spreadsheet write its times as text: the cell format yyyy-mm-dd hh:mm:ss";
  return { what: `${text} looks like a spreadsheet's date serial, of ${day}`, hint };
}

/** @param zone of times without offset; undefined: they are refused */
export function createTimeReader(zone: ZoneTable | undefined): TimeReader {
  const isUtc = zone !== undefined && zone.offsets.length === 1 && zone.offsets[0] === 0;
  let knownDay = -1;
  let knownMs = 0;

  /** Midnight of a date in UTC; readings of a day stand together mostly. NaN: no date. */
  function midnight(text: string, start: number): number {
    const year = two(text, start) * 100 + two(text, start + 2);
    const month = two(text, start + 5);
    const day = two(text, start + 8);
    const key = year * 10_000 + month * 100 + day;
    if (key === knownDay) return knownMs;
    const ms = Date.UTC(year, month - 1, day);
    const date = new Date(ms);
    if (!(year >= firstYear) || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN;
    knownDay = key;
    knownMs = ms;
    return ms;
  }

  /** `YYYY-MM-DD[T ]HH:MM:SS[.f…][Z]` whose time is UTC; NaN for all else, also for what is right but rare. */
  function dateTime(text: string, start: number, end: number): EpochMs {
    const length = end - start;
    if (length < 19 || text.charCodeAt(start + 7) !== 45) return Number.NaN;
    const between = text.charCodeAt(start + 10);
    if ((between !== 84 && between !== 32) || text.charCodeAt(start + 13) !== 58 || text.charCodeAt(start + 16) !== 58) return Number.NaN;
    const isZulu = text.charCodeAt(end - 1) === 90;
    if (!isZulu && !isUtc) return Number.NaN;
    const [hour, minute, second] = [two(text, start + 11), two(text, start + 14), two(text, start + 17)];
    if (!(hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN;
    const fraction = fractionMs(text, start + 19, isZulu ? end - 1 : end);
    return midnight(text, start) + hour * 3_600_000 + minute * 60_000 + second * 1000 + fraction;
  }

  const slow = (text: string): EpochMs => {
    if (serial.test(text) && isDaySerial(Number(text))) return Number.NaN;
    const time = readEventTime(text, zone, Number.NEGATIVE_INFINITY);
    return time.kind === "time" && !isSkipped(text, zone, time.ts) ? time.ts : Number.NaN;
  };

  return {
    read(text, start, end) {
      const quick = text.charCodeAt(start + 4) === 45 ? dateTime(text, start, end) : wholeNumber(text, start, end);
      return Number.isNaN(quick) ? slow(text.slice(start, end)) : quick;
    },
    flaw(text) {
      if (serial.test(text) && isDaySerial(Number(text))) return serialFlaw(text);
      const time = readEventTime(text, zone, Number.NEGATIVE_INFINITY);
      if (time.kind === "time" && zone !== undefined) return skippedFlaw(text, zone, time.ts);
      if (time.kind !== "bad") return { what: "there is no time", hint: forms };
      if (zone === undefined && readEventTime(text, utc, Number.NEGATIVE_INFINITY).kind === "time")
        return { what: `${JSON.stringify(text)} is a local time without offset`, hint: "say which with --timezone, such as --timezone UTC" };
      return { what: time.detail.replace(/: RFC 3339 or a number is$/, ""), hint: forms };
    },
  };
}

/** Whether a text is a local time that clocks of the zone never showed, such as 02:30 when they go from 02:00 to 03:00. @param ts as it is read nevertheless */
function isSkipped(text: string, zone: ZoneTable | undefined, ts: EpochMs): boolean {
  // Few times are of a day on which clocks were put forward; only those are read once more.
  if (zone === undefined || offsetAt(zone, ts) <= offsetAt(zone, ts - DAY_MS)) return false;
  if (readEventTime(text, undefined, Number.NEGATIVE_INFINITY).kind === "time") return false;
  const local = readEventTime(text, utc, Number.NEGATIVE_INFINITY);
  return local.kind === "time" && local.ts !== localOf(zone, ts);
}

function skippedFlaw(text: string, zone: ZoneTable, ts: EpochMs): Flaw {
  const hours = offsetAt(zone, ts - DAY_MS) / 3_600_000;
  const steady = hours === 0 ? ", such as UTC" : Number.isInteger(hours) ? `, such as Etc/GMT${hours > 0 ? "-" : "+"}${Math.abs(hours)}` : "";
  const hint = `if its clock was not put forward, say which time it kept with --timezone${steady}; else write offsets`;
  return { what: `${JSON.stringify(text)} does not exist in ${zone.name}: clocks skip this time on that day`, hint };
}

/** Seconds or milliseconds of 9 to 15 digits. */
function wholeNumber(text: string, start: number, end: number): number {
  if (end - start < 9 || end - start > 15) return Number.NaN;
  let whole = 0;
  for (let at = start; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    whole = whole * 10 + digit;
  }
  return epochOf(whole);
}

/** Two digits as a number; NaN where one is none. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** `.25` as 250; what is below a millisecond is cut off; 0 for nothing; NaN for anything else. */
function fractionMs(text: string, start: number, end: number): number {
  if (start === end) return 0;
  const digits = end - start - 1;
  if (text.charCodeAt(start) !== 46 || digits < 1 || digits > 12) return Number.NaN;
  let ms = 0;
  for (let at = 0; at < Math.max(3, digits); at += 1) {
    const digit = at < digits ? text.charCodeAt(start + 1 + at) - 48 : 0;
    if (digit < 0 || digit > 9) return Number.NaN;
    if (at < 3) ms = ms * 10 + digit;
  }
  return ms;
}

/** As files get it: RFC 3339 in UTC with milliseconds; milliseconds as a number outside of the years that it has, which read back as such. */
export function timeText(ts: EpochMs): string {
  const date = new Date(ts);
  const year = date.getUTCFullYear();
  return year >= firstYear && year <= 9999 ? date.toISOString() : String(ts);
}
