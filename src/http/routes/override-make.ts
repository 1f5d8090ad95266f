// POST /api/v1/overrides: somebody is on call by a schedule from then until then, whoever its layers name.

import { z } from "zod";
import { ACT_BYTES_MAX, reasonSchema } from "../alert-act.ts";
import { overridesFrom } from "../oncall-asking.ts";
import { OVERRIDE_MS_MAX, overrideOf, overrideSchema } from "../oncall-view.ts";
import { askingOf, operateOrRefuse } from "../operate.ts";
import { durationSchema, instantSchema } from "../parameter.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";

const bodySchema = z
  .strictObject({
    schedule: z.string().min(1).max(200),
    member: z.string().min(1).max(200).meta({ description: "A receiver" }),
    from: instantSchema.exactOptional().meta({ description: "Default: now" }),
    to: instantSchema.exactOptional(),
    duration: durationSchema.exactOptional().meta({ description: "Instead of `to`" }),
    why: reasonSchema,
  })
  .superRefine(({ to, duration }, context) => {
    if ((to === undefined) === (duration === undefined)) context.addIssue({ code: "custom", message: "takes one of to and duration" });
  })
  .meta({ description: "Who, by which schedule, one of `to` and `duration`, and why" });

export const overrideMake = defineRoute({
  kind: "answer",
  method: "post",
  path: "/api/v1/overrides",
  summary: "Put somebody on call for a while",
  description: "Of overrides that overlap the one made last counts. 404: `unknown_schedule`, `unknown_member`; 409: `span_empty`, `too_many`.",
  query: z.strictObject({}),
  params: z.strictObject({}),
  body: bodySchema,
  bodyBytesMax: ACT_BYTES_MAX,
  takesLabels: false,
  answer: z.strictObject({ override: overrideSchema }),
  contentType: JSON_TYPE,
  async handle(deps, { body, caller }) {
    if (body === undefined || caller === undefined) throw new Error("the server hands over what was posted");
    const { schedule, member, duration = 0, why } = body;
    const from = body.from ?? deps.now();
    const to = body.to ?? from + duration;
    if (to - from > OVERRIDE_MS_MAX) throw new Refusal(400, "bad_body", "the override lasts more than 366 days", "make it several, or change the schedule");
    const id = await operateOrRefuse(deps, askingOf(caller), { kind: "override", schedule, member, from, to, why });
    const made = (await overridesFrom(deps, from)).find((override) => override.id === id);
    if (made === undefined) throw new Error("what was committed is in the store");
    return { body: { override: overrideOf(made) } };
  },
});
