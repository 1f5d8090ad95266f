// What the routes about on-call ask of the store and of the plan in force: overrides, schedules by name, and the labels of an alert.

import { noDispatch } from "../engine/dispatch/plan.ts";
import type { SchedulePlan } from "../engine/dispatch/schedule.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import { LIMIT_MAX, type OverrideView } from "../storage/query.ts";
import { refusalNamed } from "./operate.ts";
import type { LabelFilter } from "./parameter.ts";
import { Refusal } from "./problem.ts";
import type { RouteDeps } from "./route.ts";

export const schedulesOf = ({ plan }: Pick<RouteDeps, "plan">): readonly SchedulePlan[] => (plan().dispatch ?? noDispatch).schedules;

/** @throws Refusal `unknown_schedule` */
export function scheduleNamed(deps: Pick<RouteDeps, "plan">, name: string): SchedulePlan {
  const schedule = schedulesOf(deps).find((each) => each.name === name);
  if (schedule === undefined) throw refusalNamed("unknown_schedule");
  return schedule;
}

/** Those that are not over at an instant and were not taken away. */
export const overridesFrom = async ({ query }: Pick<RouteDeps, "query">, now: EpochMs): Promise<readonly OverrideView[]> =>
  (await query({ kind: "overrides", now, limit: LIMIT_MAX })).overrides;

/** One value for each: an alert has no two. @throws Refusal `bad_parameter` */
export function labelsGiven(filter: LabelFilter): Labels {
  const doubled = Object.keys(filter).find((name) => filter[name]?.length !== 1);
  if (doubled !== undefined)
    throw new Refusal(400, "bad_parameter", `${doubled}: has several values`, "an alert has one value for each label; ask for each by itself");
  return Object.fromEntries(Object.entries(filter).map(([name, [value = ""]]) => [name, value]));
}
