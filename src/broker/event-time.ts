// Event time as devices write it: numbers, RFC 3339, and local times without offset. Whole milliseconds come out, or a reason.
// Local time needs a zone; without one it is refused, since a guess would be hours off and nobody would see it.

import type { ZoneTable } from "../engine/calendar.ts";
import type { EpochMs } from "../engine/units.ts";

export type EventTime =
  | { readonly kind: "time"; readonly ts: EpochMs }
  /** The device says that it does not know (`null`, empty text): the arrival counts. */
  | { readonly kind: "none" }
  | { readonly kind: "bad"; readonly detail: string };

const none: EventTime = { kind: "none" };
/** Below it a number is seconds, else milliseconds: 1e11 s is the year 5138, 1e11 ms is 1973. */
const secondsBelow = 1e11;
/** ECMA-262 §21.4.1.1: beyond it there is no date. */
const latest = 8.64e15;
/** How far in the future of its arrival a local time may lie and still be taken for the later of two. */
const skewMs = 60_000;

const dateTime = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?(?: ?([Zz]|[+-]\d\d(?::?\d\d)?))?$/;
const plainNumber = /^-?\d{1,17}(?:\.\d{1,9})?$/;

/**
 * @param at arrival; decides only between the two instants of an hour that a zone has twice
 */
export function readEventTime(value: unknown, zone: ZoneTable | undefined, at: EpochMs): EventTime {
  if (typeof value === "number") return ofNumber(value);
  if (value === null || value === undefined || value === "") return none;
  if (typeof value !== "string") return { kind: "bad", detail: `the time is ${Array.isArray(value) ? "an array" : `of type ${typeof value}`}` };
  return plainNumber.test(value) ? ofNumber(Number(value)) : ofText(value, zone, at);
}

/** A number of seconds or milliseconds as whole milliseconds; NaN when there is no such date. */
export function epochOf(value: number): EpochMs {
  const ts = Math.round(Math.abs(value) < secondsBelow ? value * 1000 : value);
  return Math.abs(ts) <= latest ? ts : Number.NaN;
}

function ofNumber(value: number): EventTime {
  const ts = epochOf(value);
  return Number.isNaN(ts) ? { kind: "bad", detail: `${value} is no date` } : { kind: "time", ts };
}

function ofText(text: string, zone: ZoneTable | undefined, at: EpochMs): EventTime {
  const match = dateTime.exec(text);
  if (match === null) return bad(text, "is not a time: RFC 3339 or a number is");
  const [, year, month, day, hour, minute, second = "0", fraction = "", offset] = match;
  const local = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, "0").slice(0, 3)),
  );
  if (Number(year) < 100 || !isDate(Number(month), Number(day), Number(hour), Number(minute), Number(second), Number(year))) return bad(text, "is no date");
  if (offset !== undefined) {
    const east = offsetMs(offset);
    return Number.isNaN(east) ? bad(text, "has no such offset") : { kind: "time", ts: local - east };
  }
  if (zone === undefined) return bad(text, "has no offset: give the source a timezone");
  return { kind: "time", ts: localToEpoch(zone, local, at) };
}

function bad(text: string, what: string): EventTime {
  return { kind: "bad", detail: `${JSON.stringify(text.slice(0, 40))} ${what}` };
}

/** Second 60 is a leap second and counts as the next second [RFC 3339 §5.6]. */
function isDate(month: number, day: number, hour: number, minute: number, second: number, year: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate() && hour <= 23 && minute <= 59 && second <= 60;
}

function offsetMs(offset: string): number {
  if (offset === "Z" || offset === "z") return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(-2));
  const length = (hours * 60 + (offset.length > 3 ? minutes : 0)) * 60_000;
  if (hours > 23 || minutes > 59) return Number.NaN;
  return offset.startsWith("-") ? -length : length;
}

/**
 * The instant of a local time. Of an hour that the zone has twice: the later instant, unless that would lie in the future of the
 * arrival. Of an hour that it skips: as many milliseconds after the change as the clock says.
 * @param local the local time as if it were UTC, in ms
 */
export function localToEpoch(zone: ZoneTable, local: number, at: EpochMs): EpochMs {
  const candidates: EpochMs[] = [];
  const middle = lastIndexAt(zone, local);
  // Offsets are less than a day, so only the stretches around `local` can hold the instant.
  for (let index = Math.max(0, middle - 2); index <= Math.min(zone.from.length - 1, middle + 2); index++) {
    const ts = local - (zone.offsets[index] as number);
    if (ts >= (zone.from[index] as number) && ts < (zone.from[index + 1] ?? Number.POSITIVE_INFINITY)) candidates.push(ts);
  }
  const [first, second] = candidates;
  if (first === undefined) return local - offsetBeforeGap(zone, local, middle);
  return second !== undefined && second <= at + skewMs ? second : first;
}

/** Index of the stretch that holds at `ts`. */
function lastIndexAt(zone: ZoneTable, ts: EpochMs): number {
  let low = 0;
  let high = zone.from.length - 1;
  while (low < high) {
    const half = (low + high + 1) >> 1;
    if ((zone.from[half] as number) <= ts) low = half;
    else high = half - 1;
  }
  return low;
}

function offsetBeforeGap(zone: ZoneTable, local: number, middle: number): number {
  for (let index = Math.max(1, middle - 2); index <= Math.min(zone.from.length - 1, middle + 2); index++) {
    const before = zone.offsets[index - 1] as number;
    const change = zone.from[index] as number;
    if (local - before >= change && local - (zone.offsets[index] as number) < change) return before;
  }
  return zone.offsets[middle] as number;
}
