// Event time as devices write it.

import { describe, expect, it } from "vitest";
import { readEventTime } from "../src/event-time.ts";
import { zoneTable } from "../src/zone.ts";

const oslo = zoneTable("Europe/Oslo");
const lordHowe = zoneTable("Australia/Lord_Howe");
const at = Date.UTC(2030, 0, 1);
const iso = (text: string) => Date.parse(text);

describe("event time", () => {
  it.each<[unknown, string]>([
    [1763800000000, "2025-11-22T08:26:40Z"],
    [1763800000, "2025-11-22T08:26:40Z"],
    [1680962879.62, "2023-04-08T14:07:59.620Z"],
    [1486144502122, "2017-02-03T17:55:02.122Z"],
    ["1763800000", "2025-11-22T08:26:40Z"],
    ["1763800000000", "2025-11-22T08:26:40Z"],
    [99_999_999_999, "5138-11-16T09:46:39Z"],
    [100_000_000_000, "1973-03-03T09:46:40Z"],
    [0, "1970-01-01T00:00:00Z"],
    [-1, "1969-12-31T23:59:59Z"],
    ["2026-09-28T08:00:00Z", "2026-09-28T08:00:00Z"],
    ["2026-03-23T07:45:04.526398Z", "2026-03-23T07:45:04.526Z"],
    ["2024-12-17T09:16:55.911+00:00", "2024-12-17T09:16:55.911Z"],
    ["2024-12-17T09:16:55.911-05:30", "2024-12-17T14:46:55.911Z"],
    ["2024-12-17 09:16:55+0100", "2024-12-17T08:16:55Z"],
    ["2024-12-17T09:16:55+01", "2024-12-17T08:16:55Z"],
    ["2024-12-17t09:16z", "2024-12-17T09:16:00Z"],
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"],
  ])("%j is %s", (value, expected) => {
    expect(readEventTime(value, undefined, at)).toEqual({ kind: "time", ts: iso(expected) });
  });

  it.each([null, undefined, ""])("%j: the arrival counts", (value) => {
    expect(readEventTime(value, oslo, at)).toEqual({ kind: "none" });
  });

  it.each<[unknown, RegExp]>([
    ["2017-02-16T10:13:52", /no offset: give the source a timezone/],
    ["2023-02-29T00:00:00Z", /no date/],
    ["2023-13-01T00:00:00Z", /no date/],
    ["2023-01-01T24:00:00Z", /no date/],
    ["2023-01-01T00:00:00+25:00", /no such offset/],
    ["2023-01-01", /not a time/],
    ["yesterday", /not a time/],
    ["x".repeat(100_000), /not a time/],
    [1e300, /no date/],
    [Number.POSITIVE_INFINITY, /no date/],
    [true, /boolean/],
    [{}, /object/],
    [[], /array/],
  ])("%j is refused", (value, detail) => {
    expect(readEventTime(value, undefined, at)).toEqual({ kind: "bad", detail: expect.stringMatching(detail) });
  });
});

describe("local time", () => {
  it.each<[string, typeof oslo, string]>([
    ["2017-02-16T10:13:52", oslo, "2017-02-16T09:13:52Z"],
    ["2017-07-16T10:13:52", oslo, "2017-07-16T08:13:52Z"],
    // 02:30 does not exist on the day that summer time begins.
    ["2024-03-31T02:30:00", oslo, "2024-03-31T01:30:00Z"],
    ["2024-03-31T01:59:59", oslo, "2024-03-31T00:59:59Z"],
    ["2024-03-31T03:00:00", oslo, "2024-03-31T01:00:00Z"],
    ["2024-04-07T02:15:00", lordHowe, "2024-04-06T15:45:00Z"],
    ["2024-12-17T09:16:55Z", oslo, "2024-12-17T09:16:55Z"],
  ])("%s", (text, zone, expected) => {
    expect(readEventTime(text, zone, at)).toEqual({ kind: "time", ts: iso(expected) });
  });

  it("takes the pass of a doubled hour in which the reading arrived", () => {
    const text = "2024-10-27T02:30:00";
    expect(readEventTime(text, oslo, iso("2024-10-27T00:30:01Z"))).toEqual({ kind: "time", ts: iso("2024-10-27T00:30:00Z") });
    expect(readEventTime(text, oslo, iso("2024-10-27T01:30:01Z"))).toEqual({ kind: "time", ts: iso("2024-10-27T01:30:00Z") });
  });
});
