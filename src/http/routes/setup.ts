// /api/v1/setup: the one-time link, which makes the first administrator while there is no account.

import { z } from "zod";
import { accountName, PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../accounts/administer.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { sessionAnswer, sessionSchema } from "./login.ts";

export const setup = defineRoute({
  kind: "answer",
  method: "post",
  needs: "public",
  path: "/api/v1/setup",
  summary: "Make the first administrator",
  description:
    "`token` is what stands behind `#` in the link that the gateway logs when it starts without an account: it holds for 24 hours, until it is used or until the next start. 410: there is an account already.",
  query: z.strictObject({}),
  params: z.strictObject({}),
  body: z.strictObject({
    token: z.string().min(1).max(100),
    name: z.string().regex(accountName, "takes 1 to 64 small letters, digits, . _ @ or -, and begins with a letter or digit"),
    password: z.string().min(PASSWORD_LENGTH_MIN, `takes at least ${PASSWORD_LENGTH_MIN} characters`).max(PASSWORD_LENGTH_MAX),
  }),
  takesLabels: false,
  answer: sessionSchema,
  contentType: JSON_TYPE,
  async handle(deps, { body, caller, session }) {
    if (body === undefined || caller === undefined) throw new Error("the server hands over what was posted");
    const outcome = await deps.accounts.setup({ ...body, origin: caller.origin, ...(session === undefined ? {} : { session }) });
    if (outcome.kind === "over") throw new Refusal(410, "setup_over", "there is an account already, or no link was offered", "log in at /login");
    const stale = "start the gateway again: it logs a new one; or run `highwater user add NAME --role admin`";
    return sessionAnswer(deps, outcome, new Refusal(401, "wrong_link", "the link is not the newest one, or its time is over", stale));
  },
});
