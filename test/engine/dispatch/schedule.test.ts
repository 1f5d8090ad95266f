// Schedules: whose turn it is, which layer or override says so, and shifts without holes. Properties say what holds for all of them.
// Handovers at the changes of clocks have a sweep of their own (schedule-sweep.test.ts).

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gaps, onCall, type SchedulePlan, shifts, type World, wholeShifts } from "../../../src/engine/dispatch/schedule.ts";
import { runs } from "../random-log.ts";
import { at, changes, day, hour, interval, iso, layer, minute, override, schedule, times, world, zones } from "./plans.ts";

const who = (plan: SchedulePlan, when: string, of: World = world()): string | undefined => onCall(plan, of, at(when))?.member;
const told = (plan: SchedulePlan, from: string, to: string, of: World = world()): string[] =>
  shifts(plan, of, at(from), at(to)).map(({ start, end, member }) => `${iso(start)} ${iso(end)} ${member ?? "nobody"}`);

const daily = schedule([layer(["anna", "bo", "carla"], 1440, "2026-01-05 09:00")]);
// 2026-01-05 is a Monday.
const weekly = schedule([layer(["anna", "bo"], 10_080, "2026-01-05 09:00")]);

describe("on call is", () => {
  it("nobody before the layer starts, then the first member, each for a turn, and round again", () => {
    expect(who(daily, "2026-01-05T07:59Z")).toBeUndefined();
    expect(["2026-01-05T08:00Z", "2026-01-06T07:59Z", "2026-01-06T08:00Z", "2026-01-07T08:00Z", "2026-01-08T08:00Z"].map((when) => who(daily, when))).toEqual([
      "anna",
      "anna",
      "bo",
      "carla",
      "anna",
    ]);
  });

  it("told with the layer and the turn", () => {
    expect(onCall(daily, world(), at("2026-01-09T12:00Z"))).toEqual({ member: "bo", by: { kind: "layer", layer: 0, turn: 4 } });
  });

  it("handed over at the local time, so that a week may have 167 or 169 hours", () => {
    const lengths = ["2026-03-25T12:00Z", "2026-10-21T12:00Z", "2026-06-17T12:00Z"].map((when) => {
      const [one] = wholeShifts(weekly, world(), at(when), at(when) + 1);
      return ((one?.end ?? 0) - (one?.start ?? 0)) / hour;
    });
    expect(lengths).toEqual([167, 169, 168]);
  });

  it("cut short in the first turn, when the layer starts between two handovers", () => {
    const late = schedule([{ ...layer(["anna", "bo"], 10_080, "2026-01-05 09:00"), start: at("2026-01-07T09:00Z") }]);
    expect(told(late, "2026-01-05T08:00Z", "2026-01-13T08:00Z")).toEqual([
      "2026-01-05T08:00Z 2026-01-07T08:00Z nobody",
      "2026-01-07T08:00Z 2026-01-12T08:00Z anna",
      "2026-01-12T08:00Z 2026-01-13T08:00Z bo",
    ]);
  });

  it("handed over twice a day at the same local times, before and after the clocks change", () => {
    const halves = schedule([layer(["anna", "bo"], 720, "2026-03-27 08:00")]);
    expect(told(halves, "2026-03-28T07:00Z", "2026-03-30T06:00Z")).toEqual([
      "2026-03-28T07:00Z 2026-03-28T19:00Z anna",
      "2026-03-28T19:00Z 2026-03-29T06:00Z bo",
      "2026-03-29T06:00Z 2026-03-29T18:00Z anna",
      "2026-03-29T18:00Z 2026-03-30T06:00Z bo",
    ]);
  });

  it("handed over by elapsed time, where turns are neither days nor parts of a day", () => {
    const odd = schedule([layer(["anna", "bo"], 0, "2026-03-28 08:00", { rotation: { kind: "elapsed", everyMs: 36 * hour } })]);
    expect(told(odd, "2026-03-28T07:00Z", "2026-03-31T07:00Z")).toEqual(["2026-03-28T07:00Z 2026-03-29T19:00Z anna", "2026-03-29T19:00Z 2026-03-31T07:00Z bo"]);
    expect(onCall(odd, world(), at("2026-03-31T07:00Z"))).toEqual({ member: "anna", by: { kind: "layer", layer: 0, turn: 2 } });
  });

  it("who has the last turn that has begun, where a handover is left out or comes twice", () => {
    const hourly = schedule([layer(["0", "1", "2", "3", "4", "5"], 60, "2026-03-29 00:00")]);
    // 02:00 became 03:00 in Oslo: the turn of 02:00 has no length.
    expect(told(hourly, "2026-03-29T00:00Z", "2026-03-29T03:00Z")).toEqual([
      "2026-03-29T00:00Z 2026-03-29T01:00Z 1",
      "2026-03-29T01:00Z 2026-03-29T02:00Z 3",
      "2026-03-29T02:00Z 2026-03-29T03:00Z 4",
    ]);
    // 03:00 became 02:00: who came at 02:00 stays for two hours.
    const lengths = shifts(hourly, world(), at("2026-10-24T23:00Z"), at("2026-10-25T03:00Z")).map(({ start, end }) => (end - start) / hour);
    expect(lengths).toEqual([1, 2, 1]);
  });

  it("nobody new on a date that the zone left out", () => {
    const apia = schedule([layer(["anna", "bo", "carla"], 1440, "2011-12-29 09:00")], { zone: "Pacific/Apia" });
    expect(told(apia, "2011-12-29T19:00Z", "2011-12-31T19:00Z")).toEqual([
      "2011-12-29T19:00Z 2011-12-30T19:00Z anna",
      "2011-12-30T19:00Z 2011-12-31T19:00Z carla",
    ]);
  });

  it("who the last layer names that is active", () => {
    const nights = interval({ zone: "Europe/Oslo", times: times("22:00-06:00") });
    const two = schedule([layer(["anna"], 10_080, "2026-01-05 09:00"), layer(["nora"], 1440, "2026-01-08 12:00", { active: "nights" })]);
    const of = world({ intervals: new Map([["nights", nights]]) });
    expect(["2026-01-07T23:00Z", "2026-01-08T12:00Z", "2026-01-08T20:59Z", "2026-01-08T21:00Z", "2026-01-09T05:00Z"].map((when) => who(two, when, of))).toEqual(
      ["anna", "anna", "anna", "nora", "anna"],
    );
    expect(onCall(two, of, at("2026-01-09T02:00Z"))?.by).toEqual({ kind: "layer", layer: 1, turn: 0 });
    expect(told(two, "2026-01-08T08:00Z", "2026-01-09T08:00Z", of)).toEqual([
      "2026-01-08T08:00Z 2026-01-08T21:00Z anna",
      "2026-01-08T21:00Z 2026-01-09T05:00Z nora",
      "2026-01-09T05:00Z 2026-01-09T08:00Z anna",
    ]);
  });

  it("who the newest override names, those of the config being older than those of run time", () => {
    const [old, newer, newest] = [
      override("dan", "2026-01-06T00:00Z", "2026-01-07T00:00Z"),
      override("eva", "2026-01-06T06:00Z", "2026-01-06T12:00Z"),
      override("finn", "2026-01-06T10:00Z", "2026-01-06T11:00Z"),
    ];
    const plan = { ...daily, overrides: [old, newer] };
    const of = world({
      overrides: new Map([
        ["ops", [newest]],
        ["other", [override("gro", "2026-01-01T00:00Z", "2026-02-01T00:00Z")]],
      ]),
    });
    expect(onCall(plan, of, at("2026-01-06T10:30Z"))).toEqual({ member: "finn", by: { kind: "override", override: newest } });
    expect(told(plan, "2026-01-05T20:00Z", "2026-01-07T08:00Z", of)).toEqual([
      "2026-01-05T20:00Z 2026-01-06T00:00Z anna",
      "2026-01-06T00:00Z 2026-01-06T06:00Z dan",
      "2026-01-06T06:00Z 2026-01-06T10:00Z eva",
      "2026-01-06T10:00Z 2026-01-06T11:00Z finn",
      "2026-01-06T11:00Z 2026-01-06T12:00Z eva",
      "2026-01-06T12:00Z 2026-01-07T00:00Z dan",
      "2026-01-07T00:00Z 2026-01-07T08:00Z bo",
    ]);
  });

  it("nobody where there is no layer, but for the overrides", () => {
    const bare = schedule([], { overrides: [override("dan", "2026-01-06T00:00Z", "2026-01-07T00:00Z")] });
    expect(told(bare, "2026-01-05T00:00Z", "2026-01-08T00:00Z")).toEqual([
      "2026-01-05T00:00Z 2026-01-06T00:00Z nobody",
      "2026-01-06T00:00Z 2026-01-07T00:00Z dan",
      "2026-01-07T00:00Z 2026-01-08T00:00Z nobody",
    ]);
  });
});

describe("shifts", () => {
  it("are none of a span of nothing", () => {
    expect(shifts(daily, world(), 5, 5)).toEqual([]);
    expect(shifts(daily, world(), 6, 5)).toEqual([]);
  });

  it("end at each handover, also to the same member, and at nothing else", () => {
    const alone = schedule([layer(["bo"], 60, "2026-01-05 09:00"), layer(["anna"], 10_080, "2026-01-05 09:00")]);
    expect(told(alone, "2026-01-06T00:00Z", "2026-01-20T00:00Z")).toEqual([
      "2026-01-06T00:00Z 2026-01-12T08:00Z anna",
      "2026-01-12T08:00Z 2026-01-19T08:00Z anna",
      "2026-01-19T08:00Z 2026-01-20T00:00Z anna",
    ]);
  });

  it("that nobody has are the gaps", () => {
    const weekdays = interval({ zone: "Europe/Oslo", weekdays: [1, 2, 3, 4, 5] });
    const office = schedule([layer(["anna"], 1440, "2026-01-05 09:00", { active: "weekdays" })]);
    const of = world({ intervals: new Map([["weekdays", weekdays]]) });
    expect(gaps(office, of, at("2026-01-05T00:00Z"), at("2026-01-15T00:00Z"))).toEqual([
      { start: at("2026-01-05T00:00Z"), end: at("2026-01-05T08:00Z"), member: null, by: null },
      { start: at("2026-01-09T23:00Z"), end: at("2026-01-11T23:00Z"), member: null, by: null },
    ]);
  });

  it("are whole for a calendar, wherever it is cut", () => {
    const away = override("dan", "2026-01-07T10:00Z", "2026-01-20T10:00Z");
    const plan = schedule([layer(["anna", "bo"], 10_080, "2026-01-05 09:00"), layer(["nora"], 1440, "2026-06-01 09:00")], { overrides: [away] });
    const whole = (from: string, to: string) =>
      wholeShifts(plan, world(), at(from), at(to)).map(({ start, end, member }) => `${iso(start)} ${iso(end)} ${member ?? "nobody"}`);
    expect(whole("2026-01-06T00:00Z", "2026-01-06T01:00Z")).toEqual(["2026-01-05T08:00Z 2026-01-07T10:00Z anna"]);
    expect(whole("2026-01-08T00:00Z", "2026-01-20T11:00Z")).toEqual(["2026-01-07T10:00Z 2026-01-20T10:00Z dan", "2026-01-20T10:00Z 2026-01-26T08:00Z anna"]);
    expect(whole("2026-01-05T08:00Z", "2026-01-07T10:00Z")).toEqual(["2026-01-05T08:00Z 2026-01-07T10:00Z anna"]);
    expect(whole("2026-01-07T10:00Z", "2026-01-07T11:00Z")).toEqual(["2026-01-07T10:00Z 2026-01-20T10:00Z dan"]);
    expect(whole("2025-01-05T08:00Z", "2026-01-01T00:00Z")).toEqual([]);
    expect(whole("2025-01-05T08:00Z", "2026-01-05T09:00Z")).toEqual(["2026-01-05T08:00Z 2026-01-07T10:00Z anna"]);
  });
});

// In quarters of an hour, about the changes of clocks.
const quarter = 15 * minute;
const anySpan = fc.tuple(fc.integer({ min: -400, max: 400 }), fc.integer({ min: 1, max: 300 }));
const anyLayer = fc.record({
  members: fc.uniqueArray(fc.constantFrom("anna", "bo", "carla", "dan"), { minLength: 1 }),
  every: fc.constantFrom<["local" | "elapsed", number]>(["local", 60], ["local", 480], ["local", 1440], ["local", 10_080], ["elapsed", 2160], ["elapsed", 300]),
  startDays: fc.integer({ min: -9, max: 3 }),
  startQuarter: fc.integer({ min: 0, max: 95 }),
  active: fc.constantFrom(null, "nights", "weekends"),
});
const anything = fc
  .record({
    zone: fc.constantFrom(...Object.keys(zones)),
    change: fc.constantFrom(...changes),
    layers: fc.array(anyLayer, { maxLength: 3 }),
    overrides: fc.array(anySpan, { maxLength: 3 }),
    late: fc.array(anySpan, { maxLength: 2 }),
    range: fc.tuple(fc.integer({ min: -300, max: 100 }), fc.integer({ min: 1, max: 300 })),
  })
  .map(({ zone, change, layers, overrides, late, range }) => {
    const midnight = change - (change % day);
    const overridesOf = (name: string, spans: readonly (readonly [number, number])[]) =>
      spans.map(([from, length], index) => ({ member: `${name}${index}`, from: change + from * quarter, to: change + (from + length) * quarter, why: "" }));
    const plan = schedule(
      layers.map(({ members, every: [kind, everyMinutes], startDays, startQuarter, active }) => {
        const start = midnight + startDays * day + startQuarter * quarter;
        return { members, rotation: kind === "local" ? { kind, everyMinutes } : { kind, everyMs: everyMinutes * minute }, anchor: start, start, active };
      }),
      { zone, overrides: overridesOf("x", overrides) },
    );
    const of = world({
      intervals: new Map([
        ["nights", interval({ zone, times: times("22:00-06:00") })],
        ["weekends", interval({ zone: "Europe/Oslo", weekdays: [0, 6] })],
      ]),
      overrides: new Map([["ops", overridesOf("y", late)]]),
    });
    return { plan, of, from: change + range[0] * quarter, to: change + (range[0] + range[1]) * quarter };
  });

describe("of any schedule", () => {
  it("shifts follow each other without a hole, and say what onCall says at their edges and inside", () => {
    fc.assert(
      fc.property(anything, ({ plan, of, from, to }) => {
        const found = shifts(plan, of, from, to);
        expect(found[0]?.start).toBe(from);
        expect(found.at(-1)?.end).toBe(to);
        for (const [index, { start, end, member, by }] of found.entries()) {
          expect(end).toBeGreaterThan(start);
          if (index > 0) expect(start).toBe(found[index - 1]?.end);
          for (let ts = start; ts < end; ts += quarter) expect(onCall(plan, of, ts) ?? { member: null, by: null }).toEqual({ member, by });
          expect(onCall(plan, of, end - 1) ?? { member: null, by: null }).toEqual({ member, by });
        }
        for (const [index, { by }] of found.entries()) if (index > 0) expect(by).not.toEqual(found[index - 1]?.by);
      }),
      { numRuns: runs(150) },
    );
  });

  it("whole shifts are the same wherever the range is cut, and contain what is cut", () => {
    fc.assert(
      fc.property(anything, fc.double({ min: 0, max: 1, noNaN: true }), ({ plan, of, from, to }, part) => {
        const middle = from + Math.floor((to - from) * part);
        const whole = wholeShifts(plan, of, from, to);
        expect(wholeShifts(plan, of, middle, middle + 1)).toEqual(whole.filter(({ start, end }) => start <= middle && middle < end));
        const cut = whole.map((shift) => ({ ...shift, start: Math.max(shift.start, from), end: Math.min(shift.end, to) }));
        expect(cut).toEqual(shifts(plan, of, from, to).filter(({ member }) => member !== null));
      }),
      { numRuns: runs(150) },
    );
  });

  it("gaps are where nobody is", () => {
    fc.assert(
      fc.property(anything, ({ plan, of, from, to }) => {
        const found = gaps(plan, of, from, to);
        for (let ts = from; ts < to; ts += quarter) expect(found.some(({ start, end }) => start <= ts && ts < end)).toBe(onCall(plan, of, ts) === undefined);
      }),
      { numRuns: runs(100) },
    );
  });
});
