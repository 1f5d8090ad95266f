// /api/v1/alerts/:id/reset: what is latched, and has cleared, is over.

import { defineAlertAct, noteBody } from "../alert-act.ts";

export const alertReset = defineAlertAct({
  act: "reset",
  summary: "Reset a latched alert",
  description: "It resolves. 409: `still_active` while its condition holds, `not_active`.",
  body: noteBody,
  commandOf: ({ note }, { id }) => ({ kind: "reset", alert: id, note }),
});
