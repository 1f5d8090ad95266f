// /api/v1/alerts/:id/shelve: nobody is told of it for a while.

import { z } from "zod";
import { defineAlertAct, reasonSchema } from "../alert-act.ts";
import { durationSchema, instantSchema } from "../parameter.ts";

const bodySchema = z
  .strictObject({
    duration: durationSchema.exactOptional(),
    until: instantSchema.exactOptional(),
    until_clear: z.literal(true).exactOptional(),
    why: reasonSchema,
  })
  .superRefine(({ duration, until, until_clear }, context) => {
    const given = [duration, until, until_clear].filter((each) => each !== undefined).length;
    if (given !== 1) context.addIssue({ code: "custom", message: "takes one of duration, until and until_clear" });
  })
  .meta({ description: "One of `duration`, `until` and `until_clear`, and why" });

export const alertShelve = defineAlertAct({
  act: "shelve",
  summary: "Shelve an alert for a time, or until it clears",
  description:
    "Nobody is told of the rule on this subject meanwhile; if it still fires when the time is over, it is announced again. At most `notify.shelve_max`. 409: `already_shelved`, `already_out_of_service`, `shelved_too_long`, `span_empty`; `not_active` with `until_clear`.",
  body: bodySchema,
  commandOf: ({ duration, until, why }, alert, now) => ({ kind: "shelve", alert, until: until ?? (duration === undefined ? null : now + duration), why }),
});
