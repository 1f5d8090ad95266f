// `absence`: a series that has reported is not heard for longer than `after`, in time during which the gateway listened. One that is
// expected counts from the load of the rule until it is heard for the first time.

import { z } from "zod";
import { durationSchema } from "../duration-schema.ts";
import type { ConditionType } from "./condition.ts";

const EXPECTED_MAX = 1000;

const schema = z.strictObject({
  type: z.literal("absence"),
  after: durationSchema.meta({ description: "How long a series may be silent" }),
  expect: z
    .array(z.strictObject({ device: z.string().min(1), metric: z.string().min(1) }))
    .max(EXPECTED_MAX)
    .exactOptional()
    .meta({ description: "Series that must be there: [{ device: fz-7, metric: temperature }]; never heard counts from the load of the rule" }),
});
export type AbsenceSettings = z.output<typeof schema>;

export const absence: ConditionType<"absence", AbsenceSettings> = {
  type: "absence",
  schema,
  bind: (settings) => ({ on: "silence", after: settings.after }),
  expected: ({ after, expect = [] }) => ({ after, series: expect }),
};
