// /api/v1/alerts/:id/explain: why an alert stands as it does, and what became of each notification, in plain lines beside the evidence.

import { z } from "zod";
import { explanationOf } from "../../reasons/explanation.ts";
import type { ExplainAnswer, NotificationExplained } from "../../storage/explain-query.ts";
import { refusalNamed } from "../operate.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { alertOfView, alertParams, alertSchema, rfc3339, timeSchema, transitionOfView, transitionSchema } from "../view.ts";

const linesSchema = z.array(z.string()).max(5);

const explainedSchema = z.strictObject({
  id: z.string(),
  ordinal: z.int().meta({ description: "Of the transition that it tells of" }),
  receiver: z.string(),
  channel: z.string(),
  kind: z.string().meta({ description: "What was to be told: transition, or what dispatch says by itself" }),
  state: z.string(),
  disposition: z.string().meta({ description: "waiting, or the one in which it ended: delivered, grouped, silenced, inhibited, muted, shelved, dead" }),
  cause: z.string().nullable().meta({
    description:
      "What hid it or told in its place: notification:ID, storm:ID, flapping:ID, wait, silence:ID, alert:ID, interval:NAME, shelf:KEY, out_of_service:KEY, acknowledged",
  }),
  text: z.string().meta({ description: "The disposition in a plain sentence" }),
  held_until: timeSchema.nullable(),
  attempts: z.int(),
  next_at: timeSchema.nullable(),
  ended_at: timeSchema.nullable(),
});

const answerSchema = z.strictObject({
  alert: alertSchema,
  lines: linesSchema.meta({ description: "Why it stands as it does: the lines of the newest transition" }),
  transitions: z.array(transitionSchema.extend({ lines: linesSchema })).meta({ description: "Oldest first" }),
  notifications: z.array(explainedSchema).meta({ description: "Oldest first; for each receiver and channel its one disposition" }),
});
export type ExplainBody = z.output<typeof answerSchema>;

export const explain = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/alerts/:id/explain",
  summary: "Why an alert fired or resolved, and what became of each notification",
  query: z.strictObject({}),
  params: alertParams,
  takesLabels: false,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps, { params }) {
    const found = await deps.query({ kind: "explain", id: params.id });
    if (found === null) throw refusalNamed("unknown_alert");
    return { body: explainBody(found) };
  },
});

/** The answer as the API gives it, and `highwater explain --json`. */
export function explainBody(found: ExplainAnswer): ExplainBody {
  const { lines, transitions, notifications } = explanationOf(found);
  return {
    alert: alertOfView(found.alert),
    lines: [...lines],
    transitions: found.transitions.map((transition, index) => ({ ...transitionOfView(transition), lines: [...(transitions[index] ?? [])] })),
    notifications: found.notifications.map((told, index) => ({ ...viewOf(told), text: notifications[index] ?? "" })),
  };
}

const timeOrNull = (ts: number | null): string | null => (ts === null ? null : rfc3339(ts));

function viewOf(told: NotificationExplained): Omit<ExplainBody["notifications"][number], "text"> {
  const { id, ordinal, receiver, channel, kind, state, disposition, cause, attempts } = told;
  const isWaiting = disposition === "waiting";
  return {
    ...{ id, ordinal, receiver, channel, kind, state, disposition, cause, attempts },
    held_until: isWaiting ? timeOrNull(told.heldUntil) : null,
    next_at: isWaiting && told.heldUntil === null ? rfc3339(told.nextAt) : null,
    ended_at: timeOrNull(told.endedAt),
  };
}
