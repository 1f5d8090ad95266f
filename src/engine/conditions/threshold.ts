// `threshold`: each reading is compared with a limit; in a group an aggregate over the last values of its members is.

import { z } from "zod";
import { bindLimits, limitsMeta, limitsShape, measuring, refineLimits } from "../limits.ts";
import type { ConditionType } from "./condition.ts";
import { aggregateOf, lastValueAggregates } from "./last-values.ts";

const schema = z
  .strictObject({
    type: z.literal("threshold"),
    aggregate: z.enum(lastValueAggregates).exactOptional().meta({ description: "With group_by: what of the members' last values is compared" }),
    ...limitsShape,
  })
  .superRefine(refineLimits)
  .meta(limitsMeta);
export type ThresholdSettings = z.output<typeof schema>;

export const threshold: ConditionType<"threshold", ThresholdSettings> = {
  type: "threshold",
  schema,
  bind(settings, limits) {
    const bound = bindLimits(settings, limits);
    const { aggregate } = settings;
    if (bound === undefined || aggregate === undefined) return bound && { on: "reading", ...bound };
    const unitOf = (unit: string | null): string | null => (aggregate === "count" ? null : unit);
    return {
      on: "members",
      measure: (members) => aggregateOf(aggregate, members),
      ...measuring(bound, (text) => `${aggregate} of last values ${text}`, unitOf),
    };
  },
};
