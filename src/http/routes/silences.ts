// GET /api/v1/silences: alerts that nobody is told of, by their labels, for a time; latest end first.

import { z } from "zod";
import { silenceStates } from "../../storage/query.ts";
import { cursorSchema, limitSchema, wordsSchema } from "../parameter.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { silenceOfView, silenceSchema } from "../silence-view.ts";

export type { Silence } from "../silence-view.ts";

export const silences = defineRoute({
  kind: "answer",
  path: "/api/v1/silences",
  summary: "Silences, latest end first",
  query: z.strictObject({
    state: wordsSchema(silenceStates, "States; without it all").exactOptional(),
    limit: limitSchema,
    cursor: cursorSchema.exactOptional(),
  }),
  params: z.strictObject({}),
  takesLabels: false,
  answer: z.strictObject({ silences: z.array(silenceSchema), cursor: z.string().nullable() }),
  contentType: JSON_TYPE,
  async handle(deps, { query: { state, ...page } }) {
    const { silences: found, cursor } = await deps.query({ kind: "silences", now: deps.now(), ...page, ...(state === undefined ? {} : { states: state }) });
    return { body: { silences: found.map(silenceOfView), cursor } };
  },
});
