// Every change of the clocks from 2024 to 2030 in ten zones: intervals and schedules against a walk by the minute that knows nothing but
// what Intl shows on the wall. The walk finds the changes itself; a local time is the first minute that shows it, or, when none does, as many
// minutes after the jump over it as the wall was short of it.

import { describe, expect, it } from "vitest";
import type { ZoneTable } from "../../../src/engine/calendar.ts";
import { type IntervalSpan, isActive, nextChange, type TimeIntervalPlan } from "../../../src/engine/dispatch/interval.ts";
import { type LayerPlan, onCall, type SchedulePlan, type World } from "../../../src/engine/dispatch/schedule.ts";
import { zoneTable } from "../../../src/zone.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** Zones, and the least number of changes that each has in the seven years; governments change their minds, and data of zones with them. */
const zones: readonly (readonly [string, number])[] = [
  ["Australia/Lord_Howe", 12],
  ["Pacific/Chatham", 12],
  ["America/Los_Angeles", 12],
  ["Europe/Oslo", 12],
  ["Asia/Kathmandu", 0],
  ["Africa/Casablanca", 4],
  ["America/Santiago", 8],
  ["Africa/Cairo", 4],
  ["Asia/Gaza", 8],
  ["Antarctica/Troll", 12],
];

/** What the wall shows, as if it were UTC. */
function createWall(zone: string): (ts: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  return (ts) => {
    const [month, date, year, hours, minutes] = (format.format(ts).match(/\d+/g) ?? []).map(Number) as [number, number, number, number, number];
    return Date.UTC(year, month - 1, date, hours, minutes);
  };
}

/** Noons (UTC) on which the wall is not as far ahead as at the noon before. */
function noonsAfterChanges(wall: (ts: number) => number): number[] {
  const found: number[] = [];
  for (let noon = Date.UTC(2024, 0, 1, 12); noon < Date.UTC(2031, 0, 1); noon += day)
    if (wall(noon) - noon !== wall(noon - day) - (noon - day)) found.push(noon);
  return found;
}

type Walk = { readonly from: number; readonly shown: readonly number[]; readonly changeAt: number };

function walk(wall: (ts: number) => number, noon: number): Walk {
  const from = noon - 66 * hour;
  const shown: number[] = [];
  let changeAt = noon;
  for (let ts = from; ts <= noon + 42 * hour; ts += minute) {
    shown.push(wall(ts));
    if (shown.length > 1 && (shown.at(-1) as number) - (shown.at(-2) as number) !== minute) changeAt = ts;
  }
  return { from, shown, changeAt };
}

/** The minute that a local time means; undefined outside of the walk. */
function instantOf({ from, shown }: Walk, local: number): number | undefined {
  const exact = shown.indexOf(local);
  if (exact >= 0) return from + exact * minute;
  const jump = shown.findIndex((wall, index) => wall < local && (shown[index + 1] ?? wall) > local);
  return jump < 0 ? undefined : from + jump * minute + (local - (shown[jump] as number));
}

/** The local dates of a walk, as midnights. */
const datesOf = ({ shown }: Walk): number[] => [...new Set(shown.map((wall) => wall - (((wall % day) + day) % day)))].sort((a, b) => a - b);

type Case = {
  readonly name: string;
  readonly times: readonly [number, number] | null;
  readonly isOn: (date: Date) => boolean;
  readonly span: Partial<IntervalSpan>;
};

const always = (): boolean => true;
const lastOf = (date: Date): number => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
const cases: readonly Case[] = [
  { name: "nights", times: [22 * 60, 30 * 60], isOn: always, span: {} },
  { name: "small hours", times: [90, 165], isOn: always, span: {} },
  { name: "Saturday nights until 02:30", times: [23 * 60 + 30, 26 * 60 + 30], isOn: (date) => date.getUTCDay() === 6, span: { weekdays: [6] } },
  { name: "Sundays", times: null, isOn: (date) => date.getUTCDay() === 0, span: { weekdays: [0] } },
  { name: "ends of months", times: [0, 120], isOn: (date) => date.getUTCDate() > lastOf(date) - 7, span: { daysOfMonth: [[-7, -1]] } },
  {
    name: "whole days of odd months",
    times: null,
    isOn: (date) => date.getUTCMonth() % 2 === 0,
    span: { months: [1, 3, 5, 7, 9, 11] },
  },
];

const planOf = (zone: string, { name, times, span }: Case): TimeIntervalPlan => ({
  name,
  spans: [{ zone, times: times === null ? [] : [{ from: times[0], to: times[1] }], weekdays: [], daysOfMonth: [], months: [], years: [], ...span }],
});

/** Where a case is active in a walk, as pairs of instants. */
function activeIn(walked: Walk, { times, isOn }: Case): [number, number][] {
  const dates = datesOf(walked);
  if (times === null) {
    // A date begins when it is first shown, and never gives way to one before it.
    const first = (date: number): number => walked.from + walked.shown.findIndex((wall) => wall >= date) * minute;
    return dates.filter((date) => isOn(new Date(date))).map((date) => [first(date), date === dates.at(-1) ? Number.POSITIVE_INFINITY : first(date + day)]);
  }
  // One date before the walk: its night reaches into it. What lies outside of the walk is before it, or, of the last date, after it.
  return [(dates[0] as number) - day, ...dates]
    .filter((date) => isOn(new Date(date)))
    .map((date): [number, number] => {
      const outside = date === dates.at(-1) ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
      return [instantOf(walked, date + times[0] * minute) ?? outside, instantOf(walked, date + times[1] * minute) ?? outside];
    });
}

const start = Date.UTC(2023, 11, 31);
type Rotation = {
  readonly name: string;
  readonly at: readonly number[];
  readonly isDay: (midnight: number) => boolean;
  readonly layer: Omit<LayerPlan, "members" | "active">;
};
const local = (everyMinutes: number, minutes: number): Rotation["layer"] => ({
  rotation: { kind: "local", everyMinutes },
  anchor: start + minutes * minute,
  start: start + minutes * minute,
});
const rotations: readonly Rotation[] = [
  { name: "daily at 02:30", at: [150], isDay: always, layer: local(1440, 150) },
  { name: "daily at midnight", at: [0], isDay: always, layer: local(1440, 0) },
  { name: "Sundays at 01:15", at: [75], isDay: (midnight) => new Date(midnight).getUTCDay() === 0, layer: local(10_080, 75) },
  { name: "12h at 08:00", at: [480, 1200], isDay: always, layer: local(720, 480) },
  { name: "3h at 02:00", at: [120, 300, 480, 660, 840, 1020, 1200, 1380], isDay: always, layer: local(180, 120) },
  { name: "3d at 02:00", at: [120], isDay: (midnight) => ((midnight - start) / day) % 3 === 0, layer: local(4320, 120) },
];
const members = Array.from({ length: 1_000 }, (_, index) => `m${index}`);

/** Beginnings of turns in a walk: the instant, and which turn it is, counted by dates. */
function turnsIn(walked: Walk, { at, isDay, layer }: Rotation): { instant: number; turn: number }[] {
  const every = layer.rotation.kind === "local" ? layer.rotation.everyMinutes * minute : Number.NaN;
  return datesOf(walked)
    .filter(isDay)
    .flatMap((date) => at.map((minutes) => date + minutes * minute))
    .flatMap((when) => {
      const instant = instantOf(walked, when);
      return instant === undefined ? [] : [{ instant, turn: (when - layer.anchor) / every }];
    });
}

/** Minute by minute about the change, and now and then as far as a day away from it. */
function minutesOf({ changeAt }: Walk): number[] {
  const near = Array.from({ length: 8 * 60 }, (_, index) => changeAt - 4 * hour + index * minute);
  const far = Array.from({ length: 70 }, (_, index) => changeAt - 24 * hour + index * 41 * minute);
  return [...near, ...far];
}

const iso = (ts: number): string => new Date(ts).toISOString();

describe.each(zones)("%s", (zone, least) => {
  const tables = { [zone]: zoneTable(zone) as ZoneTable };
  const wall = createWall(zone);
  const noons = noonsAfterChanges(wall);
  const walks = (noons.length === 0 ? [Date.UTC(2026, 2, 29, 12)] : noons).map((noon) => walk(wall, noon));

  it(`has changes, at least ${least}`, () => {
    expect(noons.length).toBeGreaterThanOrEqual(least);
    expect(noons.length > 0).toBe(least > 0);
  });

  it.each(cases)("isActive: $name", (one) => {
    const plan = planOf(zone, one);
    const wrong = walks.flatMap((walked) => {
      const active = activeIn(walked, one);
      const expected = (ts: number): boolean => active.some(([from, to]) => from <= ts && ts < to);
      return minutesOf(walked).flatMap((ts) => (isActive(plan, tables, ts) === expected(ts) ? [] : [`${iso(ts)}: must be ${expected(ts)}`]));
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  });

  it.each(cases)("nextChange: $name", (one) => {
    const plan = planOf(zone, one);
    const wrong = walks.flatMap((walked) => {
      const active = activeIn(walked, one);
      const isOn = (ts: number): boolean => active.some(([from, to]) => from <= ts && ts < to);
      const [first, last] = [walked.changeAt - 4 * hour, walked.changeAt + 4 * hour];
      const expected: number[] = [];
      for (let ts = first + minute; ts < last; ts += minute) if (isOn(ts) !== isOn(ts - minute)) expected.push(ts);
      const found: number[] = [];
      for (let at = nextChange(plan, tables, first, last); at !== undefined; at = nextChange(plan, tables, at, last)) found.push(at);
      return found.join() === expected.join() ? [] : [`${iso(first)}: ${found.map(iso).join(" ")}, not ${expected.map(iso).join(" ")}`];
    });
    expect(wrong).toEqual([]);
  });

  it.each(rotations)("onCall: $name", (rotation) => {
    const schedule: SchedulePlan = { name: "ops", zone, layers: [{ ...rotation.layer, members, active: null }], overrides: [] };
    const world: World = { zones: tables, intervals: new Map(), overrides: new Map() };
    const wrong = walks.flatMap((walked) => {
      const turns = turnsIn(walked, rotation);
      return minutesOf(walked).flatMap((ts) => {
        // Of the turns that have begun the one that the calendar has last; in a week without a handover nothing is known of the turn.
        const begun = turns.filter(({ instant }) => instant <= ts).map(({ turn }) => turn);
        if (begun.length === 0) return [];
        const [expected, found] = [members[Math.max(...begun) % members.length], onCall(schedule, world, ts)?.member];
        return found === expected ? [] : [`${iso(ts)}: ${found}, not ${expected}`];
      });
    });
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});
