// /api/v1/alerts/:id: one occurrence with its transitions, the evidence of each, and whom it was told to.

import { z } from "zod";
import { refusalNamed } from "../operate.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import {
  alertEventOfView,
  alertEventSchema,
  alertOfView,
  alertParams,
  alertSchema,
  notificationOfView,
  notificationSchema,
  transitionOfView,
  transitionSchema,
} from "../view.ts";

const answerSchema = z.strictObject({
  alert: alertSchema,
  transitions: z.array(transitionSchema).meta({ description: "Oldest first" }),
  notifications: z.array(notificationSchema).meta({ description: "Oldest first" }),
  events: z.array(alertEventSchema).meta({ description: "What people and time did beside, oldest first" }),
});
export type AlertAnswer = z.output<typeof answerSchema>;

export const alert = defineRoute({
  kind: "answer",
  path: "/api/v1/alerts/:id",
  summary: "One alert with its history and evidence",
  query: z.strictObject({}),
  params: alertParams,
  takesLabels: false,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps, { params }) {
    const history = await deps.query({ kind: "alert", id: params.id });
    if (history === null) throw refusalNamed("unknown_alert");
    return {
      body: {
        alert: alertOfView(history.alert),
        transitions: history.transitions.map(transitionOfView),
        notifications: history.notifications.map(notificationOfView),
        events: history.events.map(alertEventOfView),
      },
    };
  },
});
