// /api/v1/shelves: which alerts (a rule on a subject) are shelved or out of service now, newest first.

import { z } from "zod";
import { cursorSchema, limitSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { shelvedOfView, shelvedSchema } from "../silence-view.ts";

export type { Shelved } from "../silence-view.ts";

export const shelves = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/shelves",
  summary: "What is shelved or out of service now, newest first",
  query: z.strictObject({ limit: limitSchema, cursor: cursorSchema.exactOptional() }),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.strictObject({ shelves: z.array(shelvedSchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query }) {
    const { shelves: found, cursor } = await deps.query({ kind: "shelves", ...query });
    return { body: { shelves: found.map(shelvedOfView), cursor } };
  },
});
