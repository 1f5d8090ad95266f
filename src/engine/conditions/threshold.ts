// `threshold`: each reading is compared with a limit.

import { z } from "zod";
import { bindLimits, limitsMeta, limitsShape, refineLimits } from "../limits.ts";
import type { ConditionType } from "./condition.ts";

const schema = z
  .strictObject({ type: z.literal("threshold"), ...limitsShape })
  .superRefine(refineLimits)
  .meta(limitsMeta);
export type ThresholdSettings = z.output<typeof schema>;

export const threshold: ConditionType<"threshold", ThresholdSettings> = {
  type: "threshold",
  schema,
  bind(settings, limits) {
    const bound = bindLimits(settings, limits);
    return bound && { on: "reading", ...bound };
  },
};
