// `threshold`: each reading is compared with a limit.

import { z } from "zod";
import { bindPredicate, predicateMeta, predicateShape, refinePredicate } from "../predicate.ts";
import type { ConditionType } from "./condition.ts";

const schema = z
  .strictObject({ type: z.literal("threshold"), ...predicateShape })
  .superRefine(refinePredicate)
  .meta(predicateMeta);
export type ThresholdSettings = z.output<typeof schema>;

export const threshold: ConditionType<"threshold", ThresholdSettings> = {
  type: "threshold",
  schema,
  bind(settings, limits) {
    const predicate = bindPredicate(settings, limits);
    return predicate && { on: "reading", predicate };
  },
};
