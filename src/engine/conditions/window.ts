// `window`: an aggregate over a window of time or of readings is compared with a limit when the window closes.

import { z } from "zod";
import { aggregateNames } from "../aggregate.ts";
import { durationSchema } from "../duration-schema.ts";
import { bindLimits, limitsMeta, limitsShape, refineLimits } from "../limits.ts";
import type { WindowSpec } from "../window.ts";
import { greatestCommonDivisor } from "../windows/pane-window.ts";
import type { ConditionType } from "./condition.ts";

/** Panes that a window may be cut into; bounds the memory of each series. */
const PANES_MAX = 1440;
/** Readings of a count window; they are kept one by one. */
const COUNT_MAX = 10_000;

const tumbling = z
  .strictObject({
    tumbling: z
      .union([z.literal("day"), durationSchema])
      .meta({ description: "Length of windows that follow each other; or `day`, the calendar day in the gateway's time zone (1d is 24 hours on UTC)" }),
  })
  .transform(({ tumbling: size }): WindowSpec => (size === "day" ? { kind: "day" } : { kind: "hopping", size, slide: size }));
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
  .transform(({ hopping: size, slide }): WindowSpec => ({ kind: "hopping", size, slide }));
const session = z
  .strictObject({ session: durationSchema.meta({ description: "Silence that ends the window; a reading that comes sooner, or just then, prolongs it" }) })
  .transform(({ session: gap }): WindowSpec => ({ kind: "session", gap }));
const count = z
  .strictObject({
    count: z.int().min(1).max(COUNT_MAX).meta({ description: "How many readings a window holds: the last ones, in order of their own times" }),
    slide: z.int().min(1).exactOptional().meta({ description: "From one window to the next: readings, or for `hopping` a duration" }),
  })
  .refine(({ count: size, slide = size }) => slide <= size, {
    path: ["slide"],
    error: "slide is more than the window holds: readings would fall between two windows; make it at most count",
  })
  .transform(({ count: size, slide = size }): WindowSpec => ({ kind: "count", count: size, slide }));

const schema = z
  .strictObject({
    type: z.literal("window"),
    window: z
      .union([tumbling, hopping, session, count])
      .meta({ description: "{ tumbling: 1m }, { tumbling: day }, { hopping: 10m, slide: 1m }, { session: 5m } or { count: 20, slide: 5 }" }),
    aggregate: z.enum(aggregateNames).meta({ description: "What of the readings in the window is compared" }),
    min_count: z.int().min(1).default(1).meta({ description: "Readings that a window must hold to be judged" }),
    ...limitsShape,
  })
  .superRefine((settings, context) => {
    refineLimits(settings, context);
    const { window, min_count: least } = settings;
    if (window.kind === "count" && least > window.count)
      context.addIssue({
        code: "custom",
        path: ["min_count"],
        message: `min_count is more than the window holds: it would never be judged; make it at most ${window.count}`,
      });
  })
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
