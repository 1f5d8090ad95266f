// How a report writes instants: by the clock on the wall of its zone, in a form that sorts and that spreadsheets take for a time. Where clocks
// were put back and the same time came twice, the offset says which it was.

import { type Day, dayNumber, dayText, instantsOf, localOf, offsetAt, type ZoneTable } from "../engine/calendar.ts";
import type { EpochMs } from "../engine/units.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"] as const;

/** `2026-11-12 14:26:07`, in whole seconds. */
export function localStamp(zone: ZoneTable, ts: EpochMs): string {
  const local = Math.floor(localOf(zone, ts) / 1000) * 1000;
  const day = Math.floor(local / dayMs);
  const seconds = Math.round((local - day * dayMs) / 1000);
  const digits = (value: number): string => String(value).padStart(2, "0");
  return `${dayText(day)} ${digits(Math.floor(seconds / 3600))}:${digits(Math.floor(seconds / 60) % 60)}:${digits(seconds % 60)}`;
}

/** The same for people: with the offset where the time alone could be either of two instants. */
export function stampText(zone: ZoneTable, ts: EpochMs): string {
  const text = localStamp(zone, ts);
  return instantsOf(zone, localOf(zone, ts)).length > 1 ? `${text} ${offsetText(zone, ts)}` : text;
}

/** `UTC+02:00`. */
function offsetText(zone: ZoneTable, ts: EpochMs): string {
  const minutes = Math.round(offsetAt(zone, ts) / minuteMs);
  const digits = (value: number): string => String(value).padStart(2, "0");
  return `UTC${minutes < 0 ? "−" : "+"}${digits(Math.floor(Math.abs(minutes) / 60))}:${digits(Math.abs(minutes) % 60)}`;
}

/** `November 2026` of a whole month, else `2026-11-03 to 2026-11-09`, or the one day. */
export function periodText(from: Day, to: Day): string {
  const isWholeMonth = from.endsWith("-01") && from.slice(0, -3) === to.slice(0, -3) && dayText(dayNumber(to) + 1).endsWith("-01");
  if (isWholeMonth) return `${months[Number(from.slice(-5, -3)) - 1]} ${from.slice(0, -6)}`;
  return from === to ? from : `${from} to ${to}`;
}

/** `12 Nov`. */
export const dayShort = (day: Day): string => `${Number(day.slice(-2))} ${months[Number(day.slice(-5, -3)) - 1]?.slice(0, 3)}`;
