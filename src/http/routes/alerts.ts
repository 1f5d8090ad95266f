// /api/v1/alerts: pending ones first (their id is null), then occurrences, newest first.

import { z } from "zod";
import { cursorSchema, instantSchema, limitSchema, wordsSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { alertOfView, alertSchema, alertStates } from "../view.ts";

export type { Alert } from "../view.ts";

export const alerts = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/alerts",
  summary: "Alerts, pending ones first, then newest first",
  query: z.strictObject({
    state: wordsSchema(alertStates, "States; without it all").exactOptional(),
    rule: z.string().min(1).meta({ description: "Name of the rule" }).exactOptional(),
    from: instantSchema.exactOptional(),
    to: instantSchema.exactOptional(),
    limit: limitSchema,
    cursor: cursorSchema.exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: true,
  answer: z.strictObject({ alerts: z.array(alertSchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query: { state, ...query }, labels }) {
    const answer = await deps.query({ kind: "alerts", labels, ...query, ...(state === undefined ? {} : { states: state }) });
    return { body: { alerts: answer.alerts.map(alertOfView), cursor: answer.cursor } };
  },
});
