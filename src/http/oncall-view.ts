// The API's words for who is on call and who would be paged; the command line prints the same. Layers, steps and rounds are counted from 1 here.

import { z } from "zod";
import { noDispatch } from "../engine/dispatch/plan.ts";
import type { OverrideRecord } from "../engine/dispatch/record.ts";
import { gaps, type OnCallBy, type SchedulePlan, type Shift, shifts, type World } from "../engine/dispatch/schedule.ts";
import { worldOf } from "../engine/dispatch/targets.ts";
import type { RulePlan } from "../engine/rule.ts";
import type { DurationMs, EpochMs } from "../engine/units.ts";
import { rfc3339, timeSchema } from "./view.ts";

const dayMs: DurationMs = 86_400_000;
/** How far ahead it is looked for who is next and for gaps. */
export const AHEAD_MS: DurationMs = 30 * dayMs;
/** The longest override. */
export const OVERRIDE_MS_MAX: DurationMs = 366 * dayMs;
/** Gaps of a schedule that are shown. */
const GAPS_MAX = 20;

export const bySchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("layer"), layer: z.int().min(1), turn: z.int() }),
    z.strictObject({ kind: z.literal("override"), why: z.string() }),
  ])
  .meta({ description: "What says so: a layer by its place in the config, from 1, with its turn, from 0; or an override" });

export const byOf = (by: OnCallBy): z.output<typeof bySchema> =>
  by.kind === "layer" ? { kind: "layer", layer: by.layer + 1, turn: by.turn } : { kind: "override", why: by.override.why };

const spanSchema = z.strictObject({ start: timeSchema, end: timeSchema });
const spanOf = ({ start, end }: Pick<Shift, "start" | "end">): z.output<typeof spanSchema> => ({ start: rfc3339(start), end: rfc3339(end) });

export const shiftSchema = z.strictObject({
  ...spanSchema.shape,
  member: z.string().nullable().meta({ description: "null: nobody is on call" }),
  by: bySchema.nullable(),
});
export const shiftOf = ({ start, end, member, by }: Shift): z.output<typeof shiftSchema> => ({
  ...spanOf({ start, end }),
  member,
  by: by === null ? null : byOf(by),
});

export const dutySchema = z.strictObject({
  schedule: z.string(),
  timezone: z.string(),
  member: z.string().nullable().meta({ description: "Who is on call; null: nobody" }),
  by: bySchema.nullable(),
  until: timeSchema.nullable().meta({ description: "When somebody else takes over, or nobody does; null: not within 30 days" }),
  next: z.strictObject({ member: z.string().nullable(), by: bySchema.nullable() }).nullable().meta({ description: "From `until` on" }),
  gaps: z.array(spanSchema).meta({ description: `When nobody is on call within 30 days, the first ${GAPS_MAX}` }),
});
export type Duty = z.output<typeof dutySchema>;

/** Who is on call by a schedule at an instant, until when, and who is next. */
export function dutyOf(schedule: SchedulePlan, world: World, at: EpochMs): Duty {
  const found = shifts(schedule, world, at, at + AHEAD_MS);
  const [now] = found as [Shift];
  const next = found.find(({ member }) => member !== now.member);
  return {
    schedule: schedule.name,
    timezone: schedule.zone,
    member: now.member,
    by: now.by === null ? null : byOf(now.by),
    until: next === undefined ? null : rfc3339(next.start),
    next: next === undefined ? null : { member: next.member, by: next.by === null ? null : byOf(next.by) },
    gaps: found
      .filter(({ member }) => member === null)
      .slice(0, GAPS_MAX)
      .map(spanOf),
  };
}

export const scheduleSchema = z.strictObject({
  schedule: z.string(),
  timezone: z.string(),
  shifts: z.array(shiftSchema).meta({ description: "In order and without holes; the first and the last are cut to size" }),
  gaps: z.array(spanSchema).meta({ description: "Those in which nobody is on call" }),
});

export const scheduleOf = (schedule: SchedulePlan, world: World, from: EpochMs, to: EpochMs): z.output<typeof scheduleSchema> => ({
  schedule: schedule.name,
  timezone: schedule.zone,
  shifts: shifts(schedule, world, from, to).map(shiftOf),
  gaps: gaps(schedule, world, from, to).map(spanOf),
});

export const overrideSchema = z.strictObject({
  id: z.string(),
  schedule: z.string(),
  member: z.string().meta({ description: "Who is on call instead" }),
  from: timeSchema,
  to: timeSchema,
  by: z.string(),
  why: z.string(),
  created_at: timeSchema,
  removed_by: z.string().nullable().meta({ description: "Who took it away before its end" }),
});
export type Override = z.output<typeof overrideSchema>;

export const overrideOf = ({ id, schedule, member, from, to, by, why, createdAt, removedBy }: OverrideRecord): Override => ({
  id,
  schedule,
  member,
  from: rfc3339(from),
  to: rfc3339(to),
  by,
  why,
  created_at: rfc3339(createdAt),
  removed_by: removedBy,
});

/** What schedules are asked with. @param overrides in any order; of two that overlap the one made later counts, as in the engine */
export function worldBy({ dispatch = noDispatch }: RulePlan, overrides: readonly OverrideRecord[]): World {
  return worldOf(
    dispatch,
    [...overrides].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
  );
}
