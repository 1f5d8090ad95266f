// Keys of the block `notify` about which alerts go to whom and which are held back: the route tree, inhibition, storms, flapping, and how
// long alerts may be shelved or left alone. Names that must exist are checked in crosscheck.ts.

import { z } from "zod";
import { durationOrZeroSchema, durationSchema } from "../engine/duration-schema.ts";
import { matchSchema } from "../engine/matcher.ts";
import { nameText } from "./name-schema.ts";

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label's name has letters, digits and _");
const grouping = {
  group_by: z.array(labelName).default([]).meta({ description: "Labels whose alerts share a notification; [] none, each alert on its own; [all] one group" }),
  group_wait: durationOrZeroSchema.prefault("30s").meta({ description: "How long a new group waits for more alerts" }),
  group_interval: durationSchema.prefault("5m").meta({ description: "Least time between notifications of a group" }),
  repeat_interval: durationSchema.prefault("4h").meta({ description: "How often an alert that fires and that nobody acknowledged is told again" }),
};
const intervals = {
  mute_time_intervals: z
    .array(nameText)
    .max(100)
    .default([])
    .meta({ description: "Time intervals in which nobody is told; what still fires is told at their end" }),
  active_time_intervals: z.array(nameText).max(100).default([]).meta({ description: "Time intervals outside of which nobody is told" }),
};
const inherited = { description: "Default: that of the route above" };
const subroute = z
  .strictObject({
    receiver: nameText.meta(inherited).exactOptional(),
    matchers: matchSchema.prefault({}).meta({ description: "Which alerts it takes: label: glob, list of globs, or /regex/ (anchored); all when empty" }),
    continue: z.boolean().default(false).meta({ description: "Also try the routes after this one" }),
    group_by: grouping.group_by.unwrap().meta(inherited).exactOptional(),
    group_wait: grouping.group_wait.unwrap().meta(inherited).exactOptional(),
    group_interval: grouping.group_interval.unwrap().meta(inherited).exactOptional(),
    repeat_interval: grouping.repeat_interval.unwrap().meta(inherited).exactOptional(),
    ...intervals,
    get routes(): z.ZodExactOptional<z.ZodArray<z.ZodType>> {
      return z
        .array(subroute as z.ZodType)
        .meta({ description: "Routes below this one; first match wins" })
        .exactOptional();
    },
  })
  .meta({ id: "Route" });

const route = z
  .strictObject({
    receiver: nameText.exactOptional().meta({ description: "Receiver, schedule or escalation of what no route below takes; default: the first receiver" }),
    ...grouping,
    ...intervals,
    routes: z.array(subroute).prefault([]).meta({ description: "First match wins" }),
  })
  .prefault({})
  .meta({ description: "Which alerts go to whom" });

const inhibitRule = z.strictObject({
  source: matchSchema.meta({ description: "Alerts that, while they stand, keep others from being told" }),
  target: matchSchema.meta({ description: "Alerts that are not told meanwhile" }),
  equal: z.array(labelName).max(20).default([]).meta({ description: "Labels in which both must agree" }),
  wait: durationOrZeroSchema
    .prefault("30s")
    .meta({ description: "How long a target waits for its source before it is told, and for its own end once the source is over" }),
});

const storm = z
  .strictObject({
    above: z.int().min(1).max(10_000).default(10).meta({ description: "So many alerts for a receiver are not a storm yet" }),
    per: durationSchema.prefault("10m").meta({ description: "Within this time" }),
    until: z.int().min(1).max(10_000).default(5).meta({ description: "It is over when there are fewer" }),
    wait: durationOrZeroSchema.prefault("5s").meta({ description: "How long after its begin it is told first, so that it lists what came" }),
    interval: durationSchema.prefault("5m").meta({ description: "How often what came meanwhile is told" }),
  })
  .refine(({ above, until }) => until <= above, { error: "until is larger than above: the storm would be over as it begins", path: ["until"] });

const flapping = z.strictObject({
  firings: z.int().min(2).max(1_000).default(6).meta({ description: "An alert that fires so often" }),
  within: durationSchema.prefault("10m").meta({ description: "within this time flaps: one notification says so, the rest is held back" }),
  calm: durationSchema.prefault("10m").meta({ description: "until it has not fired for so long" }),
});

export const dispatchShape = {
  route,
  inhibit_rules: z.array(inhibitRule).max(1_000).prefault([]).meta({ description: "What makes other alerts needless, such as a gateway that is offline" }),
  storm: storm.exactOptional().meta({ description: "When many alerts are told together instead of one by one; default: never" }),
  flapping: z
    .union([z.literal(false), flapping], { error: "write false, or { firings, within, calm }" })
    .prefault({})
    .meta({ description: "When an alert fires so often that only one notification says so; false: never" }),
  reannounce_after: durationSchema
    .exactOptional()
    .meta({ description: "An alert that was acknowledged so long ago and still fires counts as unattended: announced again; default: never" }),
  shelve_max: durationSchema.prefault("8h").meta({ description: "The longest that an alert may be shelved" }),
};

export type RouteSettings = z.output<typeof route>;
const settings = z.strictObject(dispatchShape);
export type DispatchSettings = z.output<typeof settings>;
