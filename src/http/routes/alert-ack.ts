// /api/v1/alerts/:id/ack: somebody attends to it.

import { defineAlertAct, noteBody } from "../alert-act.ts";

export const alertAck = defineAlertAct({
  act: "ack",
  summary: "Acknowledge an alert",
  description: "Its escalation stops, and it is not repeated. 409: `already_acknowledged`, `not_active`.",
  body: noteBody,
  commandOf: ({ note }, { id }) => ({ kind: "acknowledge", alert: id, note }),
});
