// Shifts of a schedule as an iCalendar text that calendars subscribe to [RFC 5545]: times in UTC, lines of at most 75 octets, an event for each
// shift that someone has. The same shift keeps its UID, whoever has it and whenever it is asked for, if the shifts are whole (`wholeShifts`).
// Reads no clock: the time that events are stamped with is handed in.

import type { Shift } from "../engine/dispatch/schedule.ts";
import { fingerprint } from "../engine/fingerprint.ts";
import type { EpochMs } from "../engine/units.ts";

export type Feed = {
  /** Name of the gateway: with it the events of two gateways are not one. */
  readonly gateway: string;
  readonly schedule: string;
  /** Only the shifts of this one. */
  readonly member?: string;
  readonly shifts: readonly Shift[];
  /** When the feed is made: DTSTAMP. */
  readonly stamp: EpochMs;
};

/** Days around now of which a calendar has the shifts. */
export const CALENDAR_DAYS = { before: 30, after: 90 } as const;
export const ICAL_TYPE = "text/calendar; charset=utf-8";

/** Octets of a line, without its end [RFC 5545 §3.1]. */
const LINE_MAX = 75;

/** The whole calendar, each line ended by CRLF. */
export function toCalendar({ gateway, schedule, member, shifts, stamp }: Feed): string {
  const title = member === undefined ? `On call: ${schedule}` : `On call: ${schedule} (${member})`;
  const events = shifts.filter((shift) => shift.member !== null && (member === undefined || shift.member === member));
  return [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Highwater//On call//EN",
    "CALSCALE:GREGORIAN",
    "METHOD:PUBLISH",
    // NAME is RFC 7986's, the other is what most calendars read.
    `NAME:${escaped(title)}`,
    `X-WR-CALNAME:${escaped(title)}`,
    ...events.flatMap((shift) => eventOf(shift, schedule, gateway, stamp)),
    "END:VCALENDAR",
  ]
    .map((line) => `${folded(line)}\r\n`)
    .join("");
}

function eventOf({ start, end, member, by }: Shift, schedule: string, gateway: string, stamp: EpochMs): string[] {
  // Shifts of a schedule never begin together, so its start says which one it is.
  const uid = `${fingerprint(JSON.stringify([gateway, schedule, start]))}@highwater`;
  const from = instant(start);
  const to = instant(end);
  // An event must have a length, and iCalendar knows no parts of a second.
  if (from === to) return [];
  const why = by?.kind === "override" ? `Override${by.override.why === "" ? "" : `: ${by.override.why}`}` : undefined;
  return [
    "BEGIN:VEVENT",
    `UID:${uid}`,
    `DTSTAMP:${instant(stamp)}`,
    `DTSTART:${from}`,
    `DTEND:${to}`,
    `SUMMARY:${escaped(`${member} on call: ${schedule}`)}`,
    ...(why === undefined ? [] : [`DESCRIPTION:${escaped(why)}`]),
    // Who is on call is not busy by that.
    "TRANSP:TRANSPARENT",
    "END:VEVENT",
  ];
}

/** `20260105T080000Z` [RFC 5545 §3.3.5]. */
function instant(ts: EpochMs): string {
  return `${new Date(ts).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}

/** A value of the type TEXT [RFC 5545 §3.3.11]; other control characters than line breaks are not allowed, and left out. */
function escaped(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "")
    .replace(/[\\;,]/g, "\\$&")
    .replaceAll("\n", "\\n");
}

/** Long lines go on after CRLF and a space, which counts; no character is cut in two. */
function folded(line: string): string {
  const lines: string[] = [];
  let part = "";
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > LINE_MAX) {
      lines.push(part);
      part = "";
      octets = 1;
    }
    part += character;
    octets += size;
  }
  return [...lines, part].join("\r\n ");
}
