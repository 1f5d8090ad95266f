// Event time as devices and files write it: numbers, RFC 3339, and local times without offset. Whole milliseconds come out, or a reason.
// Local time needs a zone; without one it is refused, since a guess would be hours off and nobody would see it.

import { epochOf as epochAtLocal, instantsOf, type LocalMs, type ZoneTable } from "./engine/calendar.ts";
import type { EpochMs } from "./engine/units.ts";

export type EventTime =
  | { readonly kind: "time"; readonly ts: EpochMs }
  /** The device says that it does not know (`null`, empty text): the arrival counts. */
  | { readonly kind: "none" }
  | { readonly kind: "bad"; readonly detail: string };

const none: EventTime = { kind: "none" };
/** Below it a number is seconds, else milliseconds: 1e11 s is the year 5138, 1e11 ms is 1973. */
const secondsBelow = 1e11;
/** The year 144683, and as far back: the journal keeps the difference of two times exactly. Dates end at 8.64e15. */
const latest = 2 ** 52;
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
 * arrival, so that live readings are right in both. Of an hour that it skips: as the offset before it reads it.
 * @param local what the device's clock showed, as a clock in UTC would show it, in ms
 */
export function localToEpoch(zone: ZoneTable, local: LocalMs, at: EpochMs): EpochMs {
  const later = instantsOf(zone, local)[1];
  return later !== undefined && later <= at + skewMs ? later : epochAtLocal(zone, local);
}
