// What receivers, time intervals, schedules and escalations say of each other: names that must be unique or exist, overrides that end
// before they begin; and for `highwater check` the times at which nobody is on call. The time is handed in: the config reads no clock.

import { dayText, localMinutes, localOf, type ZoneTable } from "../engine/calendar.ts";
import { gaps, type SchedulePlan, type Shift, type World } from "../engine/dispatch/schedule.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Checked, Findings } from "./crosscheck.ts";
import type { Path } from "./document.ts";
import { toOncallPlan, toSchedule } from "./oncall-plan.ts";
import { dayMs, longestMs } from "./oncall-schema.ts";
import { type Problem, problem } from "./problem.ts";
import { nearest } from "./suggest.ts";

/** Who can be told, by name: what `receiver` of a route may name. */
export type Named = {
  readonly receivers: readonly string[];
  readonly schedules: readonly string[];
  readonly escalations: readonly string[];
};

const namesOf = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name);

export function namedIn(notify: NonNullable<Checked["blocks"]["notify"]>): Named {
  return { receivers: namesOf(notify.receivers), schedules: namesOf(notify.schedules), escalations: namesOf(notify.escalations) };
}

/** What is said of a name that nothing has. */
export function unknownName(what: string, name: string, known: readonly string[], add: string): { message: string; hint: string } {
  const near = nearest(name, known);
  const all = what.replace(" or ", "s and ");
  const hint = near !== undefined ? `did you mean ${near}?` : known.length > 0 ? `${all}s there are: ${listed(known)}` : `add it to ${add}`;
  return { message: `there is no ${what} ${name}`, hint };
}

const listed = (names: readonly string[]): string => (names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`);

export function checkOncall(checked: Checked, findings: Findings): void {
  if (checked.blocks.notify === undefined) return;
  checkNames(checked, findings);
  checkSchedules(checked, findings);
  checkEscalations(checked, findings);
}

/** Receivers, schedules and escalations share their names; time intervals have their own. */
function checkNames({ document, blocks }: Checked, { problems }: Findings): void {
  const { receivers = [], schedules = [], escalations = [], time_intervals = [] } = blocks.notify ?? {};
  const taken = new Map<string, string>();
  const take = (what: string, key: string, entries: readonly { readonly name: string }[], names: Map<string, string>): void => {
    for (const [index, { name }] of entries.entries()) {
      const other = names.get(name);
      const hint =
        other === undefined || other === what ? "give each its own name" : "receivers, schedules and escalations share their names: give each its own";
      const place = document.placeOf(["notify", key, index, "name"]);
      if (other !== undefined) problems.push(problem(document.file, place, `a ${other} ${name} is there already`, hint));
      names.set(name, other ?? what);
    }
  };
  take("receiver", "receivers", receivers, taken);
  take("schedule", "schedules", schedules, taken);
  take("escalation", "escalations", escalations, taken);
  take("time interval", "time_intervals", time_intervals, new Map());
}

function checkSchedules({ document, blocks }: Checked, { problems }: Findings): void {
  const { receivers = [], schedules = [], time_intervals = [] } = blocks.notify ?? {};
  const [people, intervals] = [namesOf(receivers), namesOf(time_intervals)];
  const member = (name: string, path: Path): void => {
    if (people.includes(name)) return;
    const { message, hint } = unknownName("receiver", name, people, "notify.receivers");
    problems.push(problem(document.file, document.placeOf(path), message, hint));
  };
  for (const [index, { layers, overrides, ...schedule }] of schedules.entries()) {
    const path: Path = ["notify", "schedules", index];
    for (const [at, { members, active }] of layers.entries()) {
      for (const [place, name] of members.entries()) member(name, [...path, "layers", at, "members", place]);
      if (active === undefined || intervals.includes(active)) continue;
      const { message, hint } = unknownName("time interval", active, intervals, "notify.time_intervals");
      problems.push(problem(document.file, document.placeOf([...path, "layers", at, "active"]), message, hint));
    }
    // Which of two local times is the earlier is a matter of the zone; without a block gateway it is not judged.
    const plan = blocks.gateway === undefined ? undefined : toSchedule({ ...schedule, layers, overrides }, blocks.gateway.timezone);
    for (const [at, override] of overrides.entries()) {
      member(override.member, [...path, "overrides", at, "member"]);
      const { from = 0, to = 1 } = plan?.overrides[at] ?? {};
      if (from < to && to - from <= longestMs) continue;
      const [what, mend] =
        from < to ? ["the override lasts more than 366 days", "make it several"] : ["the override ends before it begins", "to must be later than from"];
      problems.push(problem(document.file, document.placeOf([...path, "overrides", at, "to"]), what, mend));
    }
  }
}

function checkEscalations({ document, blocks }: Checked, { problems }: Findings): void {
  const { receivers = [], schedules = [], escalations = [] } = blocks.notify ?? {};
  const [targets, others] = [[...namesOf(receivers), ...namesOf(schedules)], namesOf(escalations)];
  for (const [index, { steps }] of escalations.entries())
    for (const [at, { notify }] of steps.entries())
      for (const [place, name] of notify.entries()) {
        if (targets.includes(name)) continue;
        const { message, hint } = others.includes(name)
          ? { message: `${name} is an escalation, and a step cannot start one`, hint: "name receivers and schedules" }
          : unknownName("receiver or schedule", name, targets, "notify.receivers or notify.schedules");
        problems.push(problem(document.file, document.placeOf(["notify", "escalations", index, "steps", at, "notify", place]), message, hint));
      }
}

/** How far ahead `highwater check` looks for gaps. */
const COVERED_DAYS = 30;

/** Of each schedule that leaves times without anybody on call: the first in the next days, and how many more there are. */
export function noteGaps({ document, blocks }: Checked, notes: Problem[], now: EpochMs): void {
  const { notify, gateway } = blocks;
  if (notify === undefined || gateway === undefined) return;
  const plan = toOncallPlan(notify, gateway.timezone);
  const world = { zones: plan.zones, intervals: new Map(plan.intervals.map((interval) => [interval.name, interval])), overrides: new Map() };
  for (const [index, schedule] of plan.schedules.entries()) {
    const [first, ...more] = coverageGaps(schedule, world, now, COVERED_DAYS);
    if (first === undefined) continue;
    const others = more.length === 0 ? "" : `, and ${more.length === 1 ? "once" : `${more.length} times`} more within ${COVERED_DAYS} days`;
    const place = document.placeOf(["notify", "schedules", index, "name"]);
    const hint = "a layer without `active`, put first, covers what the others leave";
    notes.push(problem(document.file, place, `${gapText(schedule, world, first)}${others}`, hint));
  }
}

/** The times in the next days, of 24 hours each, in which nobody is on call. */
export function coverageGaps(schedule: SchedulePlan, world: World, from: EpochMs, days: number): readonly Shift[] {
  return gaps(schedule, world, from, from + days * dayMs);
}

/** A gap in words, with local times: `nobody is on call in ops from 2026-12-24 08:00 to 2026-12-24 16:00 Europe/Oslo`. */
export function gapText(schedule: SchedulePlan, world: World, { start, end }: Pick<Shift, "start" | "end">): string {
  const zone = world.zones[schedule.zone] as ZoneTable;
  return `nobody is on call in ${schedule.name} from ${localText(zone, start)} to ${localText(zone, end)} ${zone.name}`;
}

function localText(zone: ZoneTable, ts: EpochMs): string {
  const minutes = localMinutes(zone, ts);
  const digits = (value: number): string => String(value).padStart(2, "0");
  return `${dayText(Math.floor(localOf(zone, ts) / dayMs))} ${digits(Math.floor(minutes / 60))}:${digits(minutes % 60)}`;
}
