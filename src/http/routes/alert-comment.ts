// /api/v1/alerts/:id/comment: a word for whoever looks at it next.

import { z } from "zod";
import { defineAlertAct, noteSchema } from "../alert-act.ts";

export const alertComment = defineAlertAct({
  act: "comment",
  summary: "Comment on an alert",
  description: "It stands in the alert's events. 409: `not_active`.",
  body: z.strictObject({ text: noteSchema.min(1, "says something") }),
  commandOf: ({ text }, { id }) => ({ kind: "comment", alert: id, text }),
});
