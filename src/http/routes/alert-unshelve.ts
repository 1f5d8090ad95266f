// /api/v1/alerts/:id/unshelve: before its time is over.

import { defineAlertAct, whyBody } from "../alert-act.ts";

export const alertUnshelve = defineAlertAct({
  act: "unshelve",
  summary: "Take an alert from the shelf",
  description: "If it fires, it is announced again. 409: `not_shelved`.",
  body: whyBody,
  commandOf: ({ why }, alert) => ({ kind: "unshelve", alert, why }),
});
