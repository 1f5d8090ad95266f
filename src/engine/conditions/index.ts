// The open list of conditions. To add one: a file beside this, a line here, a page in docs/reference.

import { z } from "zod";
import { absence } from "./absence.ts";
import type { Condition } from "./condition.ts";
import { threshold } from "./threshold.ts";
import { window } from "./window.ts";

export const conditions = [threshold, window, absence] as const;

export type ConditionSettings = z.output<(typeof conditions)[number]["schema"]>;
/** The block `condition` of a rule; `type` selects. */
export const conditionSchema: z.ZodType<ConditionSettings> = z.discriminatedUnion("type", conditions.map(({ schema }) => schema) as never);

/** Bound conditions of settings that name no limit: they are the same for every series. */
const shared = new WeakMap<ConditionSettings, Condition>();

/** Binds the settings of any condition to a series whose device has these limits. */
export function bindCondition(settings: ConditionSettings, limits: Readonly<Record<string, number>>): Condition | undefined {
  const known = shared.get(settings);
  if (known !== undefined) return known;
  const found = conditions.find((condition) => condition.type === settings.type);
  const bound = found?.bind(settings as never, limits);
  if (bound !== undefined && !namesLimit(settings)) shared.set(settings, bound);
  return bound;
}

const namesLimit = (settings: ConditionSettings): boolean =>
  Object.values(settings)
    .flat()
    .some((value) => typeof value === "string" && value.startsWith("limit."));
