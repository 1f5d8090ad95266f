// The block `notify`: who is told, by which channels, and which alerts go to whom. Channels bring their own settings
// (notify/channels). Names that must exist are checked in crosscheck.ts.

import { z } from "zod";
import { durationOrZeroSchema, durationSchema } from "../engine/duration-schema.ts";
import { matchSchema } from "../engine/matcher.ts";
import { channels } from "../notify/channels/index.ts";
import { nameText } from "./name-schema.ts";
import { oncallShape } from "./oncall-schema.ts";

const receiverName = nameText.meta({ description: "Unique; routes name it" });
const channelShape = Object.fromEntries(
  channels.map(({ type, schema }) => {
    const settings = schema as z.ZodType;
    return [
      type,
      z
        .union([settings, z.array(settings).min(1).max(100)])
        .meta({ description: `One ${type} channel, or a list of them` })
        .exactOptional(),
    ];
  }),
);
const receiver = z.strictObject({ name: receiverName, ...channelShape });

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label's name has letters, digits and _");
const routeShape = {
  group_by: z.array(labelName).default([]).meta({ description: "Labels whose alerts share a notification; [] none, each alert on its own; [all] one group" }),
  group_wait: durationOrZeroSchema.prefault("30s").meta({ description: "How long a new group waits for more alerts" }),
  group_interval: durationSchema.prefault("5m").meta({ description: "Least time between notifications of a group" }),
  repeat_interval: durationSchema.prefault("4h").meta({ description: "How often a firing alert is told again" }),
};
const inherited = { description: "Default: that of the route above" };
const subroute = z
  .strictObject({
    receiver: nameText.meta(inherited).exactOptional(),
    matchers: matchSchema.prefault({}).meta({ description: "Which alerts it takes: label: glob, list of globs, or /regex/ (anchored); all when empty" }),
    continue: z.boolean().default(false).meta({ description: "Also try the routes after this one" }),
    group_by: routeShape.group_by.unwrap().meta(inherited).exactOptional(),
    group_wait: routeShape.group_wait.unwrap().meta(inherited).exactOptional(),
    group_interval: routeShape.group_interval.unwrap().meta(inherited).exactOptional(),
    repeat_interval: routeShape.repeat_interval.unwrap().meta(inherited).exactOptional(),
    get routes(): z.ZodExactOptional<z.ZodArray<z.ZodType>> {
      return z
        .array(subroute as z.ZodType)
        .meta({ description: "Routes below this one; first match wins" })
        .exactOptional();
    },
  })
  .meta({ id: "Route" });

export const notify = z
  .strictObject({
    receivers: z.array(receiver).max(1_000).prefault([]).meta({ description: "Who is told, and by which channels" }),
    route: z
      .strictObject({
        receiver: nameText.exactOptional().meta({ description: "Who gets what no route below takes; default: the first receiver" }),
        ...routeShape,
        routes: z.array(subroute).prefault([]).meta({ description: "First match wins" }),
      })
      .prefault({})
      .meta({ description: "Which alerts go to whom" }),
    ...oncallShape,
  })
  .prefault({})
  .meta({ description: "Notifications" });
