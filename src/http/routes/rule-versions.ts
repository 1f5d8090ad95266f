// /api/v1/rules/:name/versions: what a rule said, and when it was in force.

import { z } from "zod";
import { writtenRule } from "../../engine/rule-settings.ts";
import type { RuleVersion } from "../../storage/rule-versions-query.ts";
import { Refusal } from "../problem.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { rfc3339, timeSchema } from "../view.ts";

const versionSchema = z.strictObject({
  version: z.int().min(1).meta({ description: "1, 2, … in the order in which they first came into force" }),
  logic: z.string().meta({ description: "Hash of what judges; messages name the rule as `rule@logic`" }),
  text: z.string().meta({ description: "Hash of all the rest" }),
  in_force: z
    .array(
      z.strictObject({
        from: timeSchema,
        until: timeSchema.nullable().meta({ description: "null while it is in force" }),
        plan: z.string().meta({ description: "Hash of all that was in force when it began" }),
      }),
    )
    .meta({ description: "Oldest first; several where it came again" }),
  rule: z.record(z.string(), z.unknown()).meta({ description: "As it is written in YAML, without defaults" }),
});
const answerSchema = z.strictObject({ name: z.string(), versions: z.array(versionSchema).meta({ description: "Oldest first" }) });
export type RuleVersionsAnswer = z.output<typeof answerSchema>;

export const ruleVersions = defineRoute({
  kind: "answer",
  fromStore: true,
  path: "/api/v1/rules/:name/versions",
  summary: "The versions of a rule, and when each was in force",
  query: z.strictObject({}),
  params: z.strictObject({ name: z.string().meta({ description: "Of the rule; it may be gone" }) }),
  takesLabels: false,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps, { params: { name } }) {
    const { versions } = await deps.query({ kind: "rule_versions", rule: name });
    if (versions.length === 0) throw unknownRule(name);
    return { body: { name, versions: versions.map(versionView) } };
  },
});

export const unknownRule = (name: string): Refusal =>
  new Refusal(404, "unknown_rule", `there was never a rule ${name}`, "names of the rules in force are listed at /api/v1/rules");

export const versionView = ({ number, rule, inForce }: RuleVersion): z.output<typeof versionSchema> => ({
  version: number,
  logic: rule.logic,
  text: rule.text,
  in_force: inForce.map(({ from, until, plan }) => ({ from: rfc3339(from), until: until === null ? null : rfc3339(until), plan })),
  rule: { ...writtenRule(rule) },
});
