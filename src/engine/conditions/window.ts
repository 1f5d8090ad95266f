// `window`: an aggregate over a tumbling or hopping window is compared with a limit when the window closes.

import { z } from "zod";
import { aggregateNames } from "../aggregate.ts";
import { durationSchema } from "../duration-schema.ts";
import { bindLimits, limitsMeta, limitsShape, refineLimits } from "../limits.ts";
import { greatestCommonDivisor } from "../windows/pane-window.ts";
import type { ConditionType } from "./condition.ts";

/** Panes that a window may be cut into; bounds the work at each close and the memory of each series. */
export const PANES_MAX = 1440;

const tumbling = z
  .strictObject({ tumbling: durationSchema.meta({ description: "Length of windows that follow each other" }) })
  .transform(({ tumbling: size }) => ({ kind: "hopping" as const, size, slide: size }));
const hopping = z
  .strictObject({
    hopping: durationSchema.meta({ description: "Length of windows that overlap" }),
    slide: durationSchema.meta({ description: "From the start of one to the start of the next; at most the length" }),
  })
  .refine(({ hopping: size, slide }) => slide <= size, {
    path: ["slide"],
    error: "slide is longer than the window: readings would fall between two windows; make it at most the window's length",
  })
  .refine(({ hopping: size, slide }) => size / greatestCommonDivisor(size, slide) <= PANES_MAX, {
    path: ["slide"],
    error: `the window would be cut into more than ${PANES_MAX} panes; choose a longer slide that divides it`,
  })
  .transform(({ hopping: size, slide }) => ({ kind: "hopping" as const, size, slide }));

const schema = z
  .strictObject({
    type: z.literal("window"),
    window: z.union([tumbling, hopping]).meta({ description: "{ tumbling: 1m } or { hopping: 10m, slide: 1m }" }),
    aggregate: z.enum(aggregateNames).meta({ description: "What of the readings in the window is compared" }),
    min_count: z.int().min(1).default(1).meta({ description: "Readings that a window must hold to be judged" }),
    ...limitsShape,
  })
  .superRefine(refineLimits)
  .meta(limitsMeta);
export type WindowSettings = z.output<typeof schema>;

export const window: ConditionType<"window", WindowSettings> = {
  type: "window",
  schema,
  bind(settings, limits) {
    const bound = bindLimits(settings, limits);
    return bound && { on: "window", window: settings.window, aggregate: settings.aggregate, minCount: settings.min_count, ...bound };
  },
};
