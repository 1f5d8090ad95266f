// /api/v1/status: the books, topics that nobody reads, and how each part of the gateway is.

import { z } from "zod";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { statusAnswerSchema } from "../status.ts";

export type { StatusAnswer } from "../status.ts";

export const status = defineRoute({
  kind: "answer",
  path: "/api/v1/status",
  summary: "The books, unmatched topics, and how the gateway is",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: statusAnswerSchema,
  contentType: JSON_TYPE,
  handle: async (deps) => ({ body: await deps.status() }),
});
