// `absence`: a series that has reported is not heard for longer than `after`, in time during which the gateway listened.

import { z } from "zod";
import { durationSchema } from "../duration-schema.ts";
import type { ConditionType } from "./condition.ts";

const schema = z.strictObject({ type: z.literal("absence"), after: durationSchema.meta({ description: "How long a series may be silent" }) });
export type AbsenceSettings = z.output<typeof schema>;

export const absence: ConditionType<"absence", AbsenceSettings> = {
  type: "absence",
  schema,
  bind: (settings) => ({ on: "silence", after: settings.after }),
};
