// /api/v1/alerts/:id/unack: nobody attends to it any more.

import { defineAlertAct, noteBody } from "../alert-act.ts";

export const alertUnack = defineAlertAct({
  act: "unack",
  summary: "Take an acknowledgement back",
  description: "Escalation and repeats go on. 409: `not_acknowledged`, `not_active`.",
  body: noteBody,
  commandOf: ({ note }, { id }) => ({ kind: "unacknowledge", alert: id, note }),
});
