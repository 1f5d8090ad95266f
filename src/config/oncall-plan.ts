// Checked settings of time intervals, schedules and escalations as the plans that the engine runs: zones by their names, local times as
// numbers, overrides as instants. Plain JSON; the same settings give the same plans, however they were written.

import { dayNumber, epochOf, localTime, type ZoneTable } from "../engine/calendar.ts";
import type { EscalationPlan } from "../engine/dispatch/escalation-plan.ts";
import type { IntervalSpan, TimeIntervalPlan, Zones } from "../engine/dispatch/interval.ts";
import type { LayerPlan, Rotation, SchedulePlan } from "../engine/dispatch/schedule.ts";
import { type EpochMs, floorMod } from "../engine/units.ts";
import { zoneTable } from "../zone.ts";
import type { TimeIntervalSettings } from "./interval-schema.ts";
import { dayMs, type EscalationSettings, type LayerSettings, type Moment, type OncallSettings, type ScheduleSettings } from "./oncall-schema.ts";

const defaultHandover = { weekday: 1, minutes: 9 * 60 };

export type OncallPlan = {
  readonly intervals: readonly TimeIntervalPlan[];
  readonly schedules: readonly SchedulePlan[];
  readonly escalations: readonly EscalationPlan[];
  /** All that intervals and schedules name. */
  readonly zones: Zones;
};

/** @param zone the gateway's, for what names none */
export function toOncallPlan(notify: OncallSettings, zone: string): OncallPlan {
  const intervals = notify.time_intervals.map((settings) => toTimeInterval(settings, zone));
  const schedules = notify.schedules.map((settings) => toSchedule(settings, zone));
  const names = new Set([...intervals.flatMap(({ spans }) => spans.map((span) => span.zone)), ...schedules.map((schedule) => schedule.zone)]);
  const zones = Object.fromEntries([...names].sort().map((name) => [name, tableOf(name)]));
  return { intervals, schedules, escalations: notify.escalations.map(toEscalation), zones };
}

/** @param zone the gateway's, where a span names none */
export function toTimeInterval({ name, time_intervals }: TimeIntervalSettings, zone: string): TimeIntervalPlan {
  const spans = time_intervals.map(
    ({ times, weekdays, days_of_month, months, years, location }): IntervalSpan => ({
      zone: tableOf(location ?? zone).name,
      // The whole day by its bounds, which a change of the clocks at midnight moves.
      times: times.some(({ from, to }) => from === 0 && to === 1440) ? [] : times,
      weekdays: weekdays.length === 7 ? [] : weekdays,
      daysOfMonth: days_of_month.some(([first, last]) => first === 1 && (last === 31 || last === -1)) ? [] : days_of_month,
      months: months.length === 12 ? [] : months,
      years,
    }),
  );
  return { name, spans };
}

/** @param zone the gateway's, where the schedule names none */
export function toSchedule({ name, timezone, layers, overrides }: ScheduleSettings, zone: string): SchedulePlan {
  const table = tableOf(timezone ?? zone);
  return {
    name,
    zone: table.name,
    layers: layers.map(toLayer),
    overrides: overrides.map(({ member, from, to, why = "" }) => ({ member, from: instantOf(from, table), to: instantOf(to, table), why })),
  };
}

export function toEscalation({ name, steps, repeat }: EscalationSettings): EscalationPlan {
  return { name, steps: steps.map(({ notify, wait }) => ({ targets: notify, waitMs: wait })), repeat };
}

function toLayer({ members, rotation, handover = defaultHandover, start, active }: LayerSettings): LayerPlan {
  const from = localTime(start, handover.minutes);
  // 1970-01-01 was a Thursday.
  const sinceHandover = rotation === "weekly" ? floorMod(dayNumber(start) + 4 - (handover.weekday as number), 7) : 0;
  return { members, rotation: toRotation(rotation), anchor: from - sinceHandover * dayMs, start: from, active: active ?? null };
}

function toRotation(rotation: LayerSettings["rotation"]): Rotation {
  const everyMs = rotation === "daily" ? dayMs : rotation === "weekly" ? 7 * dayMs : rotation;
  return everyMs % dayMs === 0 || dayMs % everyMs === 0 ? { kind: "local", everyMinutes: everyMs / 60_000 } : { kind: "elapsed", everyMs };
}

function instantOf({ local, eastMs }: Moment, zone: ZoneTable): EpochMs {
  return eastMs === null ? epochOf(zone, local) : local - eastMs;
}

/** The schema has refused names without a table. */
const tableOf = (name: string): ZoneTable => zoneTable(name) as ZoneTable;
