// /api/v1/audit: who did what, when and why, newest first.

import { z } from "zod";
import { cursorSchema, limitSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { rfc3339, timeSchema } from "../view.ts";

const entrySchema = z.strictObject({
  id: z.int(),
  at: timeSchema,
  last_at: timeSchema.meta({ description: "Of the last time that it was repeated" }),
  count: z.int().meta({ description: "Refusals that are the same, from the same origin within a minute, are one entry" }),
  who: z.string().meta({ description: "An account, `token:NAME`, `local` or `local:USER` on the gateway's machine, or empty where it is not known" }),
  origin: z.string().meta({ description: "Address, or `cli`" }),
  action: z.string(),
  target: z.string(),
  why: z.string().meta({ description: "As it was given" }),
  outcome: z.string().meta({ description: "`ok`, or in a word what came of it" }),
});
const name = z.string().min(1).max(100);

export const audit = defineRoute({
  kind: "answer",
  fromStore: true,
  needs: "admin",
  path: "/api/v1/audit",
  summary: "Who did what, when and why, newest first",
  query: z.strictObject({
    who: name.meta({ description: "Only theirs" }).exactOptional(),
    action: name.meta({ description: "Only those" }).exactOptional(),
    limit: limitSchema,
    cursor: cursorSchema.exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.strictObject({ audit: z.array(entrySchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query }) {
    const { audit: rows, cursor } = await deps.query({ kind: "audit", ...query });
    return { body: { audit: rows.map(({ at, lastAt, ...row }) => ({ ...row, at: rfc3339(at), last_at: rfc3339(lastAt) })), cursor } };
  },
});
