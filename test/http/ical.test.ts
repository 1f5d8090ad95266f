// The iCalendar text of shifts: as ical.js, which many calendars use, reads it, and the bytes that RFC 5545 asks for.

import ICAL from "ical.js";
import { describe, expect, it } from "vitest";
import type { Shift } from "../../src/engine/dispatch/schedule.ts";
import { wholeShifts } from "../../src/engine/dispatch/schedule.ts";
import { type Feed, toCalendar } from "../../src/http/ical.ts";
import { at, layer, override, schedule, world } from "../engine/dispatch/plans.ts";

const plan = schedule([layer(["anna", "bo"], 10_080, "2026-03-23 09:00")], { overrides: [override("carla", "2026-03-25T08:00Z", "2026-03-26T08:00Z")] });
const march = wholeShifts(plan, world(), at("2026-03-24T00:00Z"), at("2026-04-06T07:00Z"));
const feed = (parts: Partial<Feed> = {}): Feed => ({ gateway: "north", schedule: "ops", shifts: march, stamp: at("2026-03-24T12:34:56.789Z"), ...parts });
const shift = (member: string | null, parts: Partial<Shift> = {}): Shift => ({
  start: at("2026-03-24T00:00Z"),
  end: at("2026-03-25T00:00Z"),
  member,
  by: null,
  ...parts,
});

type Event = { readonly uid: string; readonly from: string; readonly to: string; readonly summary: string; readonly description: string | null };

function eventsOf(text: string): Event[] {
  return new ICAL.Component(ICAL.parse(text)).getAllSubcomponents("vevent").map((component) => {
    const event = new ICAL.Event(component);
    const [from, to] = [event.startDate, event.endDate].map((time) => time.toJSDate().toISOString()) as [string, string];
    return { uid: event.uid, from, to, summary: event.summary, description: event.description };
  });
}
const linesOf = (text: string): string[] => text.split("\r\n");

describe("toCalendar", () => {
  it("has an event for each shift that someone has, in UTC", () => {
    const events = eventsOf(toCalendar(feed({ shifts: [shift(null, { end: at("2026-03-23T08:00Z") }), ...march] })));
    expect(events.map(({ from, to, summary, description }) => [from, to, summary, description])).toEqual([
      ["2026-03-23T08:00:00.000Z", "2026-03-25T08:00:00.000Z", "anna on call: ops", null],
      ["2026-03-25T08:00:00.000Z", "2026-03-26T08:00:00.000Z", "carla on call: ops", "Override: away"],
      ["2026-03-26T08:00:00.000Z", "2026-03-30T07:00:00.000Z", "anna on call: ops", null],
      ["2026-03-30T07:00:00.000Z", "2026-04-06T07:00:00.000Z", "bo on call: ops", null],
    ]);
  });

  it("has the shifts of one member alone, under the same UIDs", () => {
    const [all, own] = [eventsOf(toCalendar(feed())), eventsOf(toCalendar(feed({ member: "anna" })))];
    expect(own).toEqual(all.filter(({ summary }) => summary.startsWith("anna")));
    expect(own).toHaveLength(2);
    expect(linesOf(toCalendar(feed({ member: "anna" })))).toContain("X-WR-CALNAME:On call: ops (anna)");
  });

  it("gives a shift the same UID on another day, whoever has it, and another in another schedule or gateway", () => {
    const uids = (parts: Partial<Feed>): string[] => eventsOf(toCalendar(feed(parts))).map(({ uid }) => uid);
    const known = uids({});
    expect(new Set(known).size).toBe(4);
    const later = wholeShifts(plan, world(), at("2026-03-27T00:00Z"), at("2026-04-20T00:00Z"));
    expect(uids({ shifts: later, stamp: at("2026-03-27T00:00Z") }).slice(0, 2)).toEqual(known.slice(2));
    expect(uids({ shifts: march.map((one) => ({ ...one, member: "dan" })) })).toEqual(known);
    for (const other of [{ schedule: "dev" }, { gateway: "south" }]) expect(uids(other).some((uid) => known.includes(uid))).toBe(false);
  });

  it("is written as RFC 5545 asks: CRLF, one DTSTAMP an event, no line over 75 octets, no character cut in two", () => {
    const name = "Ærlig talt – Þórður Ünïcode 日本語の名前とても長い".repeat(3);
    const text = toCalendar(feed({ shifts: [shift(name)], schedule: `${name} & ops` }));
    expect(text.endsWith("END:VCALENDAR\r\n")).toBe(true);
    expect(text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    const octets = linesOf(text).map((line) => Buffer.byteLength(line));
    expect(Math.max(...octets)).toBeLessThanOrEqual(75);
    // Not needlessly short either: a character that did not fit has at most three octets more.
    expect(Math.max(...octets)).toBeGreaterThan(72);
    expect(text).not.toContain("\uFFFD");
    expect(text.match(/^DTSTAMP:20260324T123456Z\r$/gm)).toHaveLength(1);
    expect(eventsOf(text)[0]?.summary).toBe(`${name} on call: ${name} & ops`);
  });

  it("folds at 75 octets, and not before", () => {
    const lineOf = (length: number) =>
      linesOf(toCalendar(feed({ shifts: [shift("x".repeat(length))], schedule: "s" }))).filter((line) => line.includes("xx") || line.startsWith(" "));
    const rest = Buffer.byteLength("SUMMARY: on call: s");
    expect(lineOf(75 - rest)).toHaveLength(1);
    expect(lineOf(76 - rest).map((line) => Buffer.byteLength(line))).toEqual([75, 2]);
  });

  it("escapes what has a meaning, and leaves out what is not allowed", () => {
    const why = 'semi;colon, comma\\ "quote": two\r\nlines\rand\nmore\u0007\ttab';
    const taken = { member: "o;la, \\n", from: 0, to: 1, why };
    const [event] = eventsOf(toCalendar(feed({ shifts: [shift("o;la, \\n", { by: { kind: "override", override: taken } })] })));
    expect(event?.summary).toBe("o;la, \\n on call: ops");
    expect(event?.description).toBe('Override: semi;colon, comma\\ "quote": two\nlines\nand\nmore\ttab');
    const [silent] = eventsOf(toCalendar(feed({ shifts: [shift("a", { by: { kind: "override", override: { ...taken, why: "" } } })] })));
    expect(silent?.description).toBe("Override");
  });

  it("has no event without a length, and a calendar without events is one", () => {
    const start = at("2026-03-24T00:00Z");
    expect(eventsOf(toCalendar(feed({ shifts: [shift("a", { end: start + 999 })] })))).toEqual([]);
    expect(eventsOf(toCalendar(feed({ shifts: [shift("a", { end: start + 1000 })] })))).toHaveLength(1);
    expect(linesOf(toCalendar(feed({ shifts: [] })))).toEqual([
      "BEGIN:VCALENDAR",
      "VERSION:2.0",
      "PRODID:-//Highwater//On call//EN",
      "CALSCALE:GREGORIAN",
      "METHOD:PUBLISH",
      "NAME:On call: ops",
      "X-WR-CALNAME:On call: ops",
      "END:VCALENDAR",
      "",
    ]);
  });
});
