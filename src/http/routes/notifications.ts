// /api/v1/notifications: the outbox, newest first.

import { z } from "zod";
import { dispositions } from "../../storage/query.ts";
import { cursorSchema, limitSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { notificationOfView, notificationSchema } from "../view.ts";

export const notifications = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/notifications",
  summary: "Notifications and what became of them, newest first",
  query: z.strictObject({
    disposition: z
      .enum(dispositions, { error: `must be one of ${dispositions.join(", ")}` })
      .meta({ description: "Only those" })
      .exactOptional(),
    alert: z.string().min(1).meta({ description: "Id of an alert" }).exactOptional(),
    limit: limitSchema,
    cursor: cursorSchema.exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.strictObject({ notifications: z.array(notificationSchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query }) {
    const answer = await deps.query({ kind: "notifications", ...query });
    return { body: { notifications: answer.notifications.map(notificationOfView), cursor: answer.cursor } };
  },
});
