// /api/v1/rules/reload: reads the config again, as SIGHUP does. A file with a mistake changes nothing.

import { z } from "zod";
import { whoIs } from "../accounts/rights.ts";
import { whySchema } from "../parameter.ts";
import { placedProblemSchema, Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";

const count = z.int().min(0);

export const reload = defineRoute({
  kind: "answer",
  method: "post",
  needs: "admin",
  path: "/api/v1/rules/reload",
  summary: "Read the config again: rules, devices, sources, receivers and routes",
  description:
    "As SIGHUP does. 200: what is in force now, from the next reading on. 422: the config has mistakes, and what was in force stays. Listeners and paths stay as they were at the start.",
  query: z.strictObject({}),
  params: z.strictObject({}),
  body: z.strictObject({ why: whySchema.exactOptional() }).prefault({}),
  takesLabels: false,
  answer: z.strictObject({
    plan: z.string().meta({ description: "Hash of all that is in force" }),
    changed: z.boolean().meta({ description: "Whether it is another than before" }),
    rules: count,
    sources: count,
    devices: count,
    receivers: count,
    notes: z.array(placedProblemSchema).meta({ description: "What is allowed but does nothing" }),
  }),
  contentType: JSON_TYPE,
  async handle(deps, { body: given, caller }) {
    const audit = (outcome: string): Promise<void> =>
      deps.accounts.audit({
        who: caller === undefined ? "" : whoIs(caller),
        origin: caller?.origin ?? "",
        action: "reload",
        target: "",
        why: given?.why ?? "",
        outcome,
      });
    const outcome = await deps.reload();
    void audit(outcome.kind === "ok" ? "ok" : "failed");
    if (outcome.kind === "ok") {
      const { kind: _, ...body } = outcome;
      return { body: { ...body, notes: [...body.notes] } };
    }
    const [first] = outcome.problems;
    const place = first === undefined ? "" : `${first.file}:${first.line}:${first.column}: ${first.message}`;
    throw new Refusal(422, "config_invalid", `the config is not valid; what was in force stays: ${place}`, "mend what `problems` names, then try again", {
      problems: outcome.problems,
    });
  },
});
