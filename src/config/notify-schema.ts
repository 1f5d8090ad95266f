// The block `notify`: who is told, by which channels, and which alerts go to whom. Channels bring their own settings
// (notify/channels). Names that must exist are checked in crosscheck.ts.

import { z } from "zod";
import { channels } from "../notify/channels/index.ts";
import { dispatchShape } from "./dispatch-schema.ts";
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

export const notify = z
  .strictObject({
    receivers: z.array(receiver).max(1_000).prefault([]).meta({ description: "Who is told, and by which channels" }),
    ...dispatchShape,
    ...oncallShape,
  })
  .prefault({})
  .meta({ description: "Notifications" });
