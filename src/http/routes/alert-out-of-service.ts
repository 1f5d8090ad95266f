// /api/v1/alerts/:id/out-of-service: for maintenance, until somebody returns it.

import { z } from "zod";
import { defineAlertAct, reasonSchema } from "../alert-act.ts";

export const alertOutOfService = defineAlertAct({
  act: "out-of-service",
  summary: "Take an alert out of service",
  description: "Nobody is told of the rule on this subject until it is returned to service. 409: `already_out_of_service`.",
  body: z.strictObject({ why: reasonSchema }),
  commandOf: ({ why }, alert) => ({ kind: "take_out_of_service", alert, why }),
});
