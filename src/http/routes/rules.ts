// /api/v1/rules: the rules in force, how many series each watches, and how many of its alerts stand.

import { z } from "zod";
import { severities } from "../../engine/severity.ts";
import { defineRoute, JSON_TYPE } from "../route.ts";
import { labelsSchema } from "../view.ts";

const count = z.int().min(0);
const ruleSchema = z.strictObject({
  name: z.string(),
  match: z.record(z.string(), z.array(z.string())).meta({ description: "By label: patterns, of which one must match" }),
  condition: z.looseObject({ type: z.string() }).meta({ description: "As it was written; durations in milliseconds" }),
  for_ms: count,
  keep_firing_for_ms: count,
  group_by: z.array(z.string()).nullable().meta({ description: "Labels in which series agree that are judged together; null: each by itself" }),
  severity: z.enum(severities),
  labels: labelsSchema,
  annotations: labelsSchema.meta({ description: "Templates" }),
  logic: z.string().meta({ description: "Hash of what judges; a change of it judges anew" }),
  text: z.string().meta({ description: "Hash of all the rest; a change of it touches no state" }),
  series: count.meta({ description: "Series or groups that it watches" }),
  pending: count,
  firing: count,
  recovering: count,
});
const answerSchema = z.strictObject({
  plan: z.string().nullable().meta({ description: "Hash of all that is in force; null before the first rules" }),
  rules: z.array(ruleSchema),
});

export type RulesAnswer = z.output<typeof answerSchema>;

export const rules = defineRoute({
  kind: "answer",
  path: "/api/v1/rules",
  summary: "The rules in force, and how their alerts stand",
  query: z.strictObject({}),
  params: z.strictObject({}),
  takesLabels: false,
  answer: answerSchema,
  contentType: JSON_TYPE,
  async handle(deps) {
    const { plan, rules: found } = await deps.rules();
    const body = found.map(({ rule, series, pending, firing, recovering }) => ({
      name: rule.name,
      match: Object.fromEntries(rule.match.map(({ label, patterns }) => [label, [...patterns]])),
      condition: rule.condition,
      for_ms: rule.forMs,
      keep_firing_for_ms: rule.keepFiringForMs,
      group_by: rule.groupBy === null ? null : [...rule.groupBy],
      severity: rule.severity,
      labels: rule.labels,
      annotations: rule.annotations,
      logic: rule.logic,
      text: rule.text,
      ...{ series, pending, firing, recovering },
    }));
    return { body: { plan: plan ?? null, rules: body } };
  },
});
