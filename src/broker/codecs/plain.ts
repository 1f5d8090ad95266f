// Codec `plain`: one value as text, as Shelly, ESPHome and Homie send it. No time: the arrival counts.

import { z } from "zod";
import { readText } from "../value.ts";
import { accept, type Codec, nothing, refuse, textOf } from "./codec.ts";
import { mapSchema } from "./settings.ts";

const schema = z.strictObject({ map: mapSchema.exactOptional() });

/** Longer payloads are no single value. */
const longestBytes = 400;

export const plain: Codec<z.output<typeof schema>> = {
  name: "plain",
  schema,
  open(settings) {
    const map = new Map(Object.entries(settings.map ?? {}));
    return (payload) => {
      if (payload.length === 0) return nothing;
      if (payload.length > longestBytes) return refuse("undecodable", `${payload.length} bytes are not one value`);
      const value = readText(textOf(payload).trim(), map);
      return typeof value === "number" ? accept({ value }) : { readings: [], rejected: [value] };
    };
  },
};
