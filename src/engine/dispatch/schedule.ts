// On-call schedules: who is on call at an instant, and in which shifts. Later layers win over earlier ones where they are active,
// overrides win over all layers, and of the overrides the one that was listed last.
// Handovers are at local times of the schedule's zone: a week with a change of the clocks has 167 or 169 hours.

import { epochOf, type LocalMs, offsetAt, type ZoneTable } from "../calendar.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import { isActive, nextChange, type TimeIntervalPlan, type Zones } from "./interval.ts";

const dayMs: DurationMs = 86_400_000;

/** Someone in place of whoever the layers name, in [from, to). */
export type Override = { readonly member: string; readonly from: EpochMs; readonly to: EpochMs; readonly why: string };

/**
 * `local`: turn n begins at the local time `anchor` + n * everyMinutes; for whole days (daily, weekly, 3d) and for parts of a day (12h, 8h).
 * `elapsed`: turn n begins n * everyMs after the instant that `anchor` means, whatever the clocks do; for all else, such as 36h.
 */
export type Rotation = { readonly kind: "local"; readonly everyMinutes: number } | { readonly kind: "elapsed"; readonly everyMs: DurationMs };

export type LayerPlan = {
  /** Names of receivers, at least one; turn n is that of member n modulo their number. */
  readonly members: readonly string[];
  readonly rotation: Rotation;
  /** Local time at which turn 0 begins, at or before `start`. */
  readonly anchor: LocalMs;
  /** Local time from which on the layer counts. */
  readonly start: LocalMs;
  /** Name of the time interval in which alone the layer counts. */
  readonly active: string | null;
};

/** `overrides` are those of the config; those of the world come after them. */
export type SchedulePlan = { readonly name: string; readonly zone: string; readonly layers: readonly LayerPlan[]; readonly overrides: readonly Override[] };

export type World = {
  readonly zones: Zones;
  /** By name; all that a layer names are there. */
  readonly intervals: ReadonlyMap<string, TimeIntervalPlan>;
  /** Given at run time, by the schedule's name, newest last. */
  readonly overrides: ReadonlyMap<string, readonly Override[]>;
};

/** What says so: a layer by its place in the config, from 0, with the turn; or an override. */
export type OnCallBy = { readonly kind: "layer"; readonly layer: number; readonly turn: number } | { readonly kind: "override"; readonly override: Override };
export type OnCall = { readonly member: string; readonly by: OnCallBy };

/** [start, end); nobody is on call when `member` and `by` are null. Each handover ends a shift, also one to the same member. */
export type Shift = { readonly start: EpochMs; readonly end: EpochMs; readonly member: string | null; readonly by: OnCallBy | null };

/** Who is on call at `now`; undefined when nobody is. */
export function onCall(schedule: SchedulePlan, world: World, now: EpochMs): OnCall | undefined {
  const override = overridesOf(schedule, world).findLast(({ from, to }) => from <= now && now < to);
  if (override !== undefined) return { member: override.member, by: { kind: "override", override } };
  const zone = zoneOf(schedule, world);
  for (const [index, layer] of [...schedule.layers.entries()].reverse()) {
    const turn = turnAt(layer, zone, now);
    const interval = intervalOf(layer, world);
    if (turn === undefined || (interval !== undefined && !isActive(interval, world.zones, now))) continue;
    return { member: layer.members[turn % layer.members.length] as string, by: { kind: "layer", layer: index, turn } };
  }
  return undefined;
}

/** The shifts of [from, to): in order, without holes between them, the first and the last cut to size. */
export function shifts(schedule: SchedulePlan, world: World, from: EpochMs, to: EpochMs): readonly Shift[] {
  if (from >= to) return [];
  const starts = [from, ...new Set(bounds(schedule, world, from, to))].sort((a, b) => a - b);
  const found: Shift[] = [];
  for (const [index, start] of starts.entries()) {
    const { member = null, by = null } = onCall(schedule, world, start) ?? {};
    const end = starts[index + 1] ?? to;
    const before = found.at(-1);
    if (before !== undefined && isSame(before.by, by)) found[found.length - 1] = { ...before, end };
    else found.push({ start, end, member, by });
  }
  return found;
}

/** The shifts that someone has and that touch [from, to), each from its true beginning to its true end: for calendars, where an event must not move. */
export function wholeShifts(schedule: SchedulePlan, world: World, from: EpochMs, to: EpochMs): readonly Shift[] {
  const zone = zoneOf(schedule, world);
  let [first, last] = [from, to];
  for (const layer of schedule.layers) {
    const [begun, running] = [turnAt(layer, zone, from), turnAt(layer, zone, to)];
    if (begun !== undefined) first = Math.min(first, beginOf(layer, zone, begun));
    if (running !== undefined) last = Math.max(last, beginOf(layer, zone, running + 1));
  }
  for (const override of overridesOf(schedule, world)) {
    if (override.from < to && override.to > from) [first, last] = [Math.min(first, override.from), Math.max(last, override.to)];
  }
  return shifts(schedule, world, first, last).filter(({ start, end, member }) => member !== null && start < to && end > from);
}

/** The spans of [from, to) in which nobody is on call. */
export function gaps(schedule: SchedulePlan, world: World, from: EpochMs, to: EpochMs): readonly Shift[] {
  return shifts(schedule, world, from, to).filter(({ member }) => member === null);
}

/** Every instant inside (from, to) at which something may change; some twice, in no order. */
function bounds(schedule: SchedulePlan, world: World, from: EpochMs, to: EpochMs): EpochMs[] {
  const zone = zoneOf(schedule, world);
  const found = overridesOf(schedule, world).flatMap((override) => [override.from, override.to]);
  for (const layer of schedule.layers) {
    const last = turnAt(layer, zone, to) ?? -1;
    for (let turn = (turnAt(layer, zone, from) ?? -1) + 1; turn <= last; turn += 1) found.push(beginOf(layer, zone, turn));
    const interval = intervalOf(layer, world);
    if (interval === undefined) continue;
    for (let at = nextChange(interval, world.zones, from, to); at !== undefined; at = nextChange(interval, world.zones, at, to)) found.push(at);
  }
  return found.filter((at) => from < at && at < to);
}

/**
 * The turn that the layer is in: of those that have begun the latest. So turns that would begin while clocks go forward over them have no length,
 * and what is shown twice when they go back belongs to the turn that had begun by then.
 * @returns undefined before the layer's start
 */
function turnAt(layer: LayerPlan, zone: ZoneTable, now: EpochMs): number | undefined {
  const { rotation, anchor, start } = layer;
  if (now < epochOf(zone, start)) return undefined;
  if (rotation.kind === "elapsed") return Math.floor((now - epochOf(zone, anchor)) / rotation.everyMs);
  // Where clocks were put back since yesterday they have shown later times than now.
  const latest = now + Math.max(offsetAt(zone, now), offsetAt(zone, now - dayMs));
  let turn = Math.floor((latest - anchor) / (rotation.everyMinutes * 60_000));
  while (beginOf(layer, zone, turn) > now) turn -= 1;
  return turn;
}

/** The instant at which a turn begins: the first with the layer's start, even where its handover was before. */
function beginOf({ rotation, anchor, start }: LayerPlan, zone: ZoneTable, turn: number): EpochMs {
  if (turn === 0) return epochOf(zone, start);
  return rotation.kind === "elapsed" ? epochOf(zone, anchor) + turn * rotation.everyMs : epochOf(zone, anchor + turn * rotation.everyMinutes * 60_000);
}

function isSame(one: OnCallBy | null, other: OnCallBy | null): boolean {
  if (one?.kind === "layer" && other?.kind === "layer") return one.layer === other.layer && one.turn === other.turn;
  if (one?.kind === "override" && other?.kind === "override") return one.override === other.override;
  return one === other;
}

const overridesOf = ({ name, overrides }: SchedulePlan, world: World): readonly Override[] => [...overrides, ...(world.overrides.get(name) ?? [])];
const zoneOf = ({ zone }: SchedulePlan, { zones }: World): ZoneTable => zones[zone] as ZoneTable;
const intervalOf = ({ active }: LayerPlan, { intervals }: World): TimeIntervalPlan | undefined =>
  active === null ? undefined : (intervals.get(active) as TimeIntervalPlan);
