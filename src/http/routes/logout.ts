// /api/v1/logout: ends the session that comes along. A token stays what it is.

import { z } from "zod";
import { defineRoute, JSON_TYPE } from "../route.ts";

export const logout = defineRoute({
  kind: "answer",
  method: "post",
  needs: "any",
  path: "/api/v1/logout",
  summary: "Log out",
  query: z.strictObject({}),
  params: z.strictObject({}),
  body: z.strictObject({}).prefault({}),
  takesLabels: false,
  answer: z.strictObject({}),
  contentType: JSON_TYPE,
  async handle({ accounts, cookie }, { caller, session }) {
    if (caller !== undefined) accounts.logout(session, caller);
    return { body: {}, cookie: cookie(undefined, 0) };
  },
});
