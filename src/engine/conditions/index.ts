// The open list of conditions. To add one: a file beside this, a line here, a page in docs/reference.

import { z } from "zod";
import { absence } from "./absence.ts";
import { createAll } from "./all.ts";
import { createAny } from "./any.ts";
import { compare } from "./compare.ts";
import type { Condition, ConditionType, Expected } from "./condition.ts";
import { consecutive } from "./consecutive.ts";
import { deviation } from "./deviation.ts";
import { flatline } from "./flatline.ts";
import { type ConditionList, partMeta } from "./parts.ts";
import { rate } from "./rate.ts";
import { threshold } from "./threshold.ts";
import { window } from "./window.ts";

/** For the conditions that are made of conditions. */
const list: ConditionList = { schema: z.lazy(() => conditionSchema).meta(partMeta), bind: bindCondition };

export const conditions = [threshold, window, absence, rate, flatline, consecutive, deviation, compare, createAll(list), createAny(list)] as const;

export type ConditionSettings = z.output<(typeof conditions)[number]["schema"]>;
/** The block `condition` of a rule; `type` selects. */
export const conditionSchema: z.ZodType<ConditionSettings> = z
  .discriminatedUnion("type", conditions.map(({ schema }) => schema) as never)
  .meta({ id: "Condition" });

/** Bound conditions of settings that name no limit: they are the same for every series. */
const shared = new WeakMap<ConditionSettings, Condition>();

/** Binds the settings of any condition to a series whose device has these limits. */
export function bindCondition(settings: ConditionSettings, limits: Readonly<Record<string, number>>): Condition | undefined {
  const known = shared.get(settings);
  if (known !== undefined) return known;
  const bound = typeOf(settings)?.bind(settings, limits);
  if (bound !== undefined && !namesLimit(settings)) shared.set(settings, bound);
  return bound;
}

const typeOf = (settings: ConditionSettings) => conditions.find(({ type }) => type === settings.type) as ConditionType<string, ConditionSettings> | undefined;

/** The metrics of one device that a condition compares; undefined: it is about one series, or a group. */
export const metricsOf = (settings: ConditionSettings): readonly string[] | undefined => typeOf(settings)?.metrics?.(settings);

const nothingExpected: Expected = { after: Number.POSITIVE_INFINITY, series: [] };

/** The series that a condition expects, and for how long they may stay away. */
export const expectedOf = (settings: ConditionSettings): Expected => typeOf(settings)?.expected?.(settings) ?? nothingExpected;

/** At any depth: in levels and in parts too. */
const namesLimit = (value: unknown): boolean =>
  typeof value === "object" && value !== null ? Object.values(value).some(namesLimit) : typeof value === "string" && value.startsWith("limit.");
