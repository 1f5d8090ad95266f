// /api/v1/alerts/:id/in-service: the maintenance is over.

import { defineAlertAct, whyBody } from "../alert-act.ts";

export const alertInService = defineAlertAct({
  act: "in-service",
  summary: "Return an alert to service",
  description: "If it fires, it is announced again. 409: `not_out_of_service`.",
  body: whyBody,
  commandOf: ({ why }, alert) => ({ kind: "return_to_service", alert, why }),
});
