// /api/v1/login: name and password for a session. Failures slow down whoever goes on guessing.

import { z } from "zod";
import type { LoginOutcome } from "../accounts/accounts.ts";
import { PASSWORD_LENGTH_MAX } from "../accounts/administer.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE, type RouteAnswer, type RouteDeps } from "../route.ts";

export const sessionSchema = z.strictObject({ name: z.string().meta({ description: "Of the account" }) });

export const login = defineRoute({
  kind: "answer",
  method: "post",
  needs: "public",
  path: "/api/v1/login",
  summary: "Log in",
  description:
    "Gives the browser the cookie `highwater_session` (HttpOnly, SameSite=Strict): twelve hours without use, seven days at most. 401: name or password is wrong. 429: too many failures; `Retry-After` says how long to wait.",
  query: z.strictObject({}),
  params: z.strictObject({}),
  body: z.strictObject({ name: z.string().min(1).max(64), password: z.string().min(1).max(PASSWORD_LENGTH_MAX) }),
  takesLabels: false,
  answer: sessionSchema,
  contentType: JSON_TYPE,
  async handle(deps, { body, caller, session }) {
    if (body === undefined || caller === undefined) throw new Error("the server hands over what was posted");
    const outcome = await deps.accounts.login({ ...body, origin: caller.origin, ...(session === undefined ? {} : { session }) });
    return sessionAnswer(deps, outcome, new Refusal(401, "wrong_login", "name or password is wrong", "try again; an administrator can set a new password"));
  },
});

/** @throws Refusal `failed`, or what else stood against it */
export function sessionAnswer({ cookie }: RouteDeps, outcome: LoginOutcome, failed: Refusal): RouteAnswer<{ name: string }> {
  switch (outcome.kind) {
    case "ok":
      return { body: { name: outcome.name }, cookie: cookie(outcome.secret, outcome.maxAgeS) };
    case "failed":
      throw failed;
    case "throttled": {
      const { retryAfterS } = outcome;
      throw new Refusal(429, "too_many_failures", "too many attempts have failed", `wait ${retryAfterS} seconds`, { retryAfterS });
    }
    case "busy":
      throw new Refusal(503, "busy", "too many log in at once", "try again in a second or two");
    default: {
      const never: never = outcome;
      return never;
    }
  }
}
