// On-call schedules: who is on call at an instant, and in which shifts. Later layers win over earlier ones where they are active,
// overrides win over all layers, and of the overrides the one that was listed last.
// Handovers are at local times of the schedule's zone: a week with a change of the clocks has 167 or 169 hours.

import type { LocalMs } from "../calendar.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import type { TimeIntervalPlan, Zones } from "./interval.ts";

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
export function onCall(_schedule: SchedulePlan, _world: World, _now: EpochMs): OnCall | undefined {
  throw new Error("to come");
}

/** The shifts of [from, to): in order, without holes between them, the first and the last cut to size. */
export function shifts(_schedule: SchedulePlan, _world: World, _from: EpochMs, _to: EpochMs): readonly Shift[] {
  throw new Error("to come");
}

/** The shifts that someone has and that touch [from, to), each from its true beginning to its true end: for calendars, where an event must not move. */
export function wholeShifts(_schedule: SchedulePlan, _world: World, _from: EpochMs, _to: EpochMs): readonly Shift[] {
  throw new Error("to come");
}

/** The spans of [from, to) in which nobody is on call. */
export function gaps(_schedule: SchedulePlan, _world: World, _from: EpochMs, _to: EpochMs): readonly Shift[] {
  throw new Error("to come");
}
