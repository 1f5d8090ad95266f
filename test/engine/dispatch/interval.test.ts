// Time intervals: what a span means by its lists, over midnight, at the ends of months, in zones; and when it changes next.
// The changes of clocks have a sweep of their own (schedule-sweep.test.ts).

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IntervalSpan, isActive, nextChange } from "../../../src/engine/dispatch/interval.ts";
import { runs } from "../random-log.ts";
import { at, changes, day, hour, interval, iso, minute, times, zones } from "./plans.ts";

const active = (parts: Partial<IntervalSpan>, when: string): boolean => isActive(interval(parts), zones, at(when));
const next = (parts: Partial<IntervalSpan>, when: string): string | undefined => iso(nextChange(interval(parts), zones, at(when)));

describe("a span is active", () => {
  it.each<[string, Partial<IntervalSpan>, string, boolean]>([
    ["always, without any list", {}, "2026-07-01T12:00Z", true],
    ["from its start on", { times: times("09:00-17:00") }, "2026-07-01T09:00Z", true],
    ["until its end, without it", { times: times("09:00-17:00") }, "2026-07-01T17:00Z", false],
    ["to the last millisecond", { times: times("09:00-17:00") }, "2026-07-01T16:59:59.999Z", true],
    ["up to 24:00", { times: times("22:00-24:00") }, "2026-07-01T23:59:59.999Z", true],
    ["not past 24:00", { times: times("22:00-24:00") }, "2026-07-02T00:00Z", false],
    ["over midnight", { times: times("22:00-06:00") }, "2026-07-02T05:59Z", true],
    ["not in the day between two nights", { times: times("22:00-06:00") }, "2026-07-02T06:00Z", false],
    ["in any of its times", { times: times("01:00-02:00", "09:00-10:00") }, "2026-07-02T09:30Z", true],
    ["for a day, when start and end are one", { times: times("09:00-09:00"), weekdays: [3] }, "2026-07-02T08:59Z", true],
    // 2026-07-03 is a Friday.
    ["in the night of the day on which it begins", { times: times("22:00-06:00"), weekdays: [5] }, "2026-07-04T03:00Z", true],
    ["not in the night that ends on that day", { times: times("22:00-06:00"), weekdays: [5] }, "2026-07-03T03:00Z", false],
    ["on a Sunday, which is 0", { weekdays: [0] }, "2026-07-05T00:00Z", true],
    ["on no other day", { weekdays: [0] }, "2026-07-06T00:00Z", false],
    ["on a Thursday before 1970", { weekdays: [4] }, "1969-12-25T00:00Z", true],
    ["on the last day of February", { daysOfMonth: [[-1, -1]] }, "2026-02-28T12:00Z", true],
    ["on the last day of February in a leap year", { daysOfMonth: [[-1, -1]] }, "2028-02-29T12:00Z", true],
    ["not on the day before it", { daysOfMonth: [[-1, -1]] }, "2028-02-28T12:00Z", false],
    ["in 2100, which is no leap year", { daysOfMonth: [[-1, -1]] }, "2100-02-28T12:00Z", true],
    ["in 2000, which was one", { daysOfMonth: [[-1, -1]] }, "2000-02-29T12:00Z", true],
    ["on the last day of April", { daysOfMonth: [[-1, -1]] }, "2026-04-30T12:00Z", true],
    ["from the second day to the last but one", { daysOfMonth: [[2, -2]] }, "2026-01-30T23:59Z", true],
    ["not on the last", { daysOfMonth: [[2, -2]] }, "2026-01-31T00:00Z", false],
    [
      "in any of its ranges",
      {
        daysOfMonth: [
          [1, 1],
          [15, 16],
        ],
      },
      "2026-01-16T00:00Z",
      true,
    ],
    ["in its months", { months: [12, 1] }, "2026-12-31T23:59Z", true],
    ["in no other month", { months: [12, 1] }, "2027-02-01T00:00Z", false],
    ["in its years", { years: [[2026, 2028]] }, "2028-12-31T23:59Z", true],
    ["not before", { years: [[2026, 2028]] }, "2025-12-31T23:59Z", false],
    ["not after", { years: [[2026, 2028]] }, "2029-01-01T00:00Z", false],
    ["where all lists agree", { months: [7], weekdays: [3], daysOfMonth: [[1, 1]] }, "2026-07-01T00:00Z", true],
    ["not where one does not", { months: [7], weekdays: [4], daysOfMonth: [[1, 1]] }, "2026-07-01T00:00Z", false],
    ["by its own zone", { zone: "America/Los_Angeles", times: times("09:00-17:00") }, "2026-07-01T16:00Z", true],
    ["by local dates", { zone: "America/Los_Angeles", weekdays: [3] }, "2026-07-02T06:59Z", true],
    ["after the date that was left out, when it began before", { zone: "Pacific/Apia", times: times("22:00-06:00") }, "2011-12-30T15:00Z", true],
    ["never on a date that was left out", { zone: "Pacific/Apia", weekdays: [5], daysOfMonth: [[30, 30]] }, "2011-12-30T10:00Z", false],
    ["never on the evening of that date", { zone: "Pacific/Apia", times: times("20:00-22:00"), daysOfMonth: [[30, 30]] }, "2011-12-31T06:30Z", false],
  ])("%s", (_name, parts, when, expected) => {
    expect(active(parts, when)).toBe(expected);
  });

  it("where any span of its interval is, each in its zone", () => {
    const both = interval({ times: times("09:00-10:00") }, { zone: "America/Los_Angeles", times: times("09:00-10:00") });
    const on = ["2026-07-01T09:30Z", "2026-07-01T16:30Z"].map((when) => isActive(both, zones, at(when)));
    expect(on).toEqual([true, true]);
    expect(isActive(both, zones, at("2026-07-01T12:00Z"))).toBe(false);
    expect(isActive(interval(), zones, 0)).toBe(false);
  });
});

describe("the next change", () => {
  it.each<[string, Partial<IntervalSpan>, string, string | undefined]>([
    ["is the start, before it", { times: times("09:00-17:00") }, "2026-07-01T08:00Z", "2026-07-01T09:00Z"],
    ["is the end, at the start", { times: times("09:00-17:00") }, "2026-07-01T09:00Z", "2026-07-01T17:00Z"],
    ["is tomorrow's start, at the end", { times: times("09:00-17:00") }, "2026-07-01T17:00Z", "2026-07-02T09:00Z"],
    ["is the earlier of two starts", { times: times("11:00-12:00", "09:00-10:00") }, "2026-07-01T08:00Z", "2026-07-01T09:00Z"],
    ["passes over times that touch", { times: times("09:00-12:00", "12:00-17:00") }, "2026-07-01T10:00Z", "2026-07-01T17:00Z"],
    ["passes over times that overlap", { times: times("09:00-12:00", "11:00-17:00") }, "2026-07-01T10:00Z", "2026-07-01T17:00Z"],
    ["is at midnight of the days", { weekdays: [6, 0] }, "2026-07-04T12:00Z", "2026-07-06T00:00Z"],
    ["is at the end of the one day that is named", { weekdays: [0] }, "2026-07-05T12:00Z", "2026-07-06T00:00Z"],
    ["is at the end of the month", { months: [7] }, "2026-07-15T12:00Z", "2026-08-01T00:00Z"],
    ["is months away", { months: [7] }, "2026-08-01T00:00Z", "2027-07-01T00:00Z"],
    ["is years away", { years: [[2029, 2029]] }, "2026-08-01T00:00Z", "2029-01-01T00:00Z"],
    ["is the leap day", { months: [2], daysOfMonth: [[29, 29]] }, "2026-08-01T00:00Z", "2028-02-29T00:00Z"],
    ["is never, for what is always active", {}, "2026-07-01T00:00Z", undefined],
    ["is never, for what was long ago", { years: [[2020, 2021]] }, "2026-07-01T00:00Z", undefined],
    ["is never, for a day that no month has", { months: [2], daysOfMonth: [[30, 30]] }, "2026-07-01T00:00Z", undefined],
    // 24:00 became 23:00 of the same day, and 23:30 was shown twice.
    ["is the earlier, where a time comes twice", { zone: "America/Santiago", times: times("23:30-23:45") }, "2026-04-05T00:00Z", "2026-04-05T02:30Z"],
    // 24:00 became 01:00: 00:30 is read as 01:30, before which the day at 01:00 begins.
    ["is an hour later, where a time is left out", { zone: "America/Santiago", times: times("00:30-02:00") }, "2026-09-05T12:00Z", "2026-09-06T04:30Z"],
    ["leaves out what has no length", { zone: "Europe/Oslo", times: times("02:30-03:15") }, "2026-03-28T12:00Z", "2026-03-30T00:30Z"],
    ["leaves out what begins and ends at one instant", { zone: "Europe/Oslo", times: times("02:30-03:30") }, "2026-03-28T12:00Z", "2026-03-30T00:30Z"],
    ["leaves out the date that Apia did", { zone: "Pacific/Apia", daysOfMonth: [[30, 30]] }, "2011-12-01T12:00Z", "2012-01-29T10:00Z"],
  ])("%s", (_name, parts, when, expected) => {
    expect(next(parts, when)).toBe(expected);
  });

  it("is looked for no longer than until when it is asked for, and that instant itself is not in it", () => {
    const nights = interval({ times: times("22:00-06:00") });
    const noon = at("2026-07-01T12:00Z");
    expect(nextChange(nights, zones, noon, noon + 10 * hour)).toBeUndefined();
    expect(nextChange(nights, zones, noon, noon + 10 * hour + 1)).toBe(noon + 10 * hour);
    expect(nextChange(nights, zones, noon + 10 * hour, noon + 18 * hour)).toBeUndefined();
    expect(nextChange(nights, zones, noon + 10 * hour, noon + 18 * hour + 1)).toBe(noon + 18 * hour);
    expect(nextChange(nights, zones, noon, noon - 1)).toBeUndefined();
  });

  it("finds the first of spans in several zones", () => {
    const both = interval(
      { zone: "America/Los_Angeles", times: times("09:00-10:00") },
      { zone: "Europe/Oslo", times: times("09:00-10:00") },
      { years: [[1999, 1999]] },
    );
    expect(iso(nextChange(both, zones, at("2026-07-01T00:00Z")))).toBe("2026-07-01T07:00Z");
  });

  it("finds a start that was moved past midnight with the clock, among those of the next day", () => {
    // Nuuk, 2024-03-30: 23:00 became 24:00, so that 23:15 is read as 00:15 of the next day.
    const late = interval({ zone: "America/Nuuk", times: times("00:05-00:10", "23:15-23:30") });
    const found: (string | undefined)[] = [];
    for (let now: number | undefined = at("2024-03-30T12:00Z"); now !== undefined && found.length < 6; found.push(iso(now))) now = nextChange(late, zones, now);
    expect(found).toEqual(["2024-03-31T01:05Z", "2024-03-31T01:10Z", "2024-03-31T01:15Z", "2024-03-31T01:30Z", "2024-04-01T00:15Z", "2024-04-01T00:30Z"]);
    expect(next({ zone: "America/Nuuk", times: times("23:15-23:30"), weekdays: [6] }, "2024-03-31T01:01Z")).toBe("2024-03-31T01:15Z");
  });

  it("does not take a start of today for the first where one of tomorrow is earlier", () => {
    expect(next({ zone: "America/Nuuk", times: times("00:05-00:10", "23:15-23:30") }, "2024-03-30T02:12Z")).toBe("2024-03-31T01:05Z");
  });
});

const anyTimes = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 95 }), fc.integer({ min: 1, max: 96 })).map(([from, length]) => ({ from: from * 15, to: (from + length) * 15 })),
  { maxLength: 3 },
);
const anyRange = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const anySpan: fc.Arbitrary<IntervalSpan> = fc.record({
  zone: fc.constantFrom(...Object.keys(zones)),
  times: anyTimes,
  weekdays: fc.subarray([0, 1, 2, 3, 4, 5, 6]),
  daysOfMonth: fc.array(fc.oneof(anyRange(1, 31), anyRange(-31, -1), fc.tuple(fc.integer({ min: 1, max: 31 }), fc.constant(-1))), { maxLength: 2 }),
  months: fc.subarray([1, 3, 4, 9, 10, 11, 12], { minLength: 0 }),
  years: fc.array(fc.constantFrom([2023, 2023] as const, [2024, 2030] as const), { maxLength: 1 }),
});

it("agrees with a scan by the quarter of an hour", () => {
  const quarter = 15 * minute;
  const anywhere = fc.integer({ min: at("2023-01-01T00:00Z") / quarter, max: at("2026-01-01T00:00Z") / quarter }).map((count) => count * quarter);
  const nearChange = fc.tuple(fc.constantFrom(...changes), fc.integer({ min: 0, max: 4 * 24 })).map(([change, back]) => change - back * quarter);
  const from = fc.oneof(anywhere, nearChange);
  fc.assert(
    fc.property(fc.array(anySpan, { minLength: 1, maxLength: 3 }), from, (spans, now) => {
      const some = interval(...spans);
      const until = now + 12 * day;
      let expected: number | undefined;
      const first = isActive(some, zones, now);
      for (let ts = now + quarter; ts < until && expected === undefined; ts += quarter) if (isActive(some, zones, ts) !== first) expected = ts;
      expect(nextChange(some, zones, now, until)).toBe(expected);
    }),
    { numRuns: runs(150) },
  );
});
