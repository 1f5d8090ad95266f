// /api/v1/me: who asks, as the gateway sees it.

import { z } from "zod";
import { roles } from "../../storage/accounts.ts";
import { allRights } from "../accounts/rights.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";

export const meSchema = z.strictObject({
  kind: z.enum(["account", "token", "local", "stranger"]).meta({
    description: "`local`: on the gateway's machine, while there is no account; `stranger`: nobody that is known",
  }),
  name: z.string().meta({ description: "Of the account or the token" }),
  role: z.enum(roles).nullable(),
  rights: z.array(z.enum(allRights as [string, ...string[]])).meta({ description: "What this caller may do" }),
});
export type MeAnswer = z.output<typeof meSchema>;

export const me = defineRoute({
  kind: "answer",
  needs: "public",
  path: "/api/v1/me",
  summary: "Who asks, and what they may do",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: meSchema,
  contentType: JSON_TYPE,
  async handle(_deps, { caller }) {
    if (caller === undefined) throw new Error("the server says who asks");
    const { kind, name, role, rights } = caller;
    return { body: { kind, name, role, rights: [...rights] } };
  },
});
