// POST /api/v1/silences: nobody is told of alerts with these labels from then until then.

import { z } from "zod";
import { ACT_BYTES_MAX, reasonSchema } from "../alert-act.ts";
import { askingOf, operateOrRefuse } from "../operate.ts";
import { durationSchema, instantSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { matchesEverything, silenceMatchersSchema } from "../silence-matchers.ts";
import { silenceOfId, silenceSchema } from "../silence-view.ts";

const bodySchema = z
  .strictObject({
    matchers: silenceMatchersSchema,
    starts_at: instantSchema.exactOptional().meta({ description: "Default: now" }),
    ends_at: instantSchema.exactOptional(),
    duration: durationSchema.exactOptional().meta({ description: "Instead of `ends_at`, from its start" }),
    why: reasonSchema,
    all: z.literal(true).exactOptional().meta({ description: "It is meant to hide every alert" }),
  })
  .superRefine(({ matchers, ends_at, duration, all }, context) => {
    if ((ends_at === undefined) === (duration === undefined)) context.addIssue({ code: "custom", message: "takes one of ends_at and duration" });
    if (all === undefined && matchesEverything(matchers))
      context.addIssue({ code: "custom", path: ["matchers"], message: "would hide every alert, or nearly; say `all: true` where that is meant" });
  })
  .meta({ description: "`matchers`, one of `ends_at` and `duration`, and why" });

export const silenceMake = defineRoute({
  kind: "answer",
  method: "post",
  path: "/api/v1/silences",
  summary: "Silence the alerts that match",
  description: "What still fires when it ends is announced. 400 also for matchers that match everything without `all`; 409: `span_empty`, `too_many`.",
  query: z.strictObject({}),
  params: z.strictObject({}),
  body: bodySchema,
  bodyBytesMax: ACT_BYTES_MAX,
  takesLabels: false,
  answer: z.strictObject({ silence: silenceSchema }),
  contentType: JSON_TYPE,
  async handle(deps, { body, caller }) {
    if (body === undefined || caller === undefined) throw new Error("the server hands over what was posted");
    const { matchers, duration = 0, why } = body;
    const startsAt = body.starts_at ?? deps.now();
    const endsAt = body.ends_at ?? startsAt + duration;
    const id = await operateOrRefuse(deps, askingOf(caller), { kind: "silence", matchers, startsAt, endsAt, why });
    return { body: { silence: await silenceOfId(deps, id ?? "") } };
  },
});
