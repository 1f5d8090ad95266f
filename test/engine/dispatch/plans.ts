// Short ways to write plans of intervals and schedules in tests, and instants as people read them.

import { localTime, type ZoneTable } from "../../../src/engine/calendar.ts";
import type { IntervalSpan, TimeIntervalPlan, Zones } from "../../../src/engine/dispatch/interval.ts";
import type { LayerPlan, Override, SchedulePlan, World } from "../../../src/engine/dispatch/schedule.ts";
import { zoneTable } from "../../../src/zone.ts";

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

const names = ["UTC", "Europe/Oslo", "Pacific/Apia", "America/Los_Angeles", "America/Santiago", "Australia/Lord_Howe", "America/Nuuk"];
export const zones: Zones = Object.fromEntries(names.map((name) => [name, zoneTable(name) as ZoneTable]));

/** Instants from 2023 on at which a clock of one of the zones is moved, before 2027. */
export const changes: readonly number[] = Object.values(zones).flatMap(({ from }) => from.filter((ts) => ts > Date.UTC(2023, 0) && ts < Date.UTC(2027, 0)));

export const at = (text: string): number => Date.parse(text);
export const iso = (ts: number | undefined): string | undefined => (ts === undefined ? undefined : new Date(ts).toISOString().replace(":00.000Z", "Z"));

/** `"22:00-06:00"`; an end at or before the start is one of the next day. */
export function times(...texts: readonly string[]): IntervalSpan["times"] {
  return texts.map((text) => {
    const [hours = 0, minutes = 0, endHours = 0, endMinutes = 0] = text.split(/[:-]/).map(Number);
    const [from, to] = [hours * 60 + minutes, endHours * 60 + endMinutes];
    return { from, to: to > from ? to : to + 1440 };
  });
}

export const span = (parts: Partial<IntervalSpan>): IntervalSpan => ({
  zone: "UTC",
  times: [],
  weekdays: [],
  daysOfMonth: [],
  months: [],
  years: [],
  ...parts,
});
export const interval = (...parts: readonly Partial<IntervalSpan>[]): TimeIntervalPlan => ({ name: "some", spans: parts.map(span) });

/** A layer that hands over every so many minutes from a local time such as `2026-01-05 09:00` on. */
export function layer(members: readonly string[], everyMinutes: number, start: string, parts: Partial<LayerPlan> = {}): LayerPlan {
  const [date, time] = start.split(" ") as [string, string];
  const [hours, minutes] = time.split(":").map(Number) as [number, number];
  const local = localTime(date, hours * 60 + minutes);
  return { members, rotation: { kind: "local", everyMinutes }, anchor: local, start: local, active: null, ...parts };
}

export const override = (member: string, from: string, to: string): Override => ({ member, from: at(from), to: at(to), why: "away" });

export const schedule = (layers: readonly LayerPlan[], parts: Partial<SchedulePlan> = {}): SchedulePlan => ({
  name: "ops",
  zone: "Europe/Oslo",
  layers,
  overrides: [],
  ...parts,
});

export const world = (parts: Partial<World> = {}): World => ({ zones, intervals: new Map(), overrides: new Map(), ...parts });
