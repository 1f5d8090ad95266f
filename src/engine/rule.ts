// Rules as people write them, and the plan that the engine runs: rules, sources' timing, devices, receivers, the zone.
// A plan is plain JSON: it is journaled by hash, sent between threads and compared.

import { z } from "zod";
import type { ZoneTable } from "./calendar.ts";
import { type ConditionSettings, conditionSchema, metricsOf } from "./conditions/index.ts";
import type { DispatchPlan, RoutePlan } from "./dispatch/plan.ts";
import { durationOrZeroSchema, durationSchema } from "./duration-schema.ts";
import { liftLevels } from "./limits.ts";
import { type LabelMatcher, matchSchema } from "./matcher.ts";
import type { Labels } from "./reading.ts";
import { type Severity, severities } from "./severity.ts";
import type { DurationMs } from "./units.ts";

/** A map of labels as people write it: numbers and true/false become text, nothing else does. */
export const labelsSchema = z.record(
  z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label's name has letters, digits and _, and begins with no digit"),
  z.union([z.string(), z.number(), z.boolean()]).transform(String),
);

const plainRuleSchema = z
  .strictObject({
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    name: z
      .string()
      .min(1)
      .max(100)
      .regex(/^[^/+#\x00-\x1f]*$/, "a rule's name may not hold /, + or #: it becomes an MQTT topic level")
      .meta({ description: "Unique; the alert's `alertname`" }),
    match: matchSchema,
    condition: conditionSchema.meta({ description: "When it is breached; one of the types below" }),
    group_by: z
      .array(z.string().min(1))
      .max(8)
      .exactOptional()
      .meta({ description: "Labels: series that agree in them are evaluated together; [] takes all. Needs a window, or a threshold with an aggregate" }),
    stale_after: durationSchema
      .exactOptional()
      .meta({ description: "How long a member's last value counts in its group; default 5m, or 3 × the device's expected_every if that is longer" }),
    for: durationOrZeroSchema.prefault("0s").meta({ description: "On-delay: how long, in event time, the condition must hold before it fires" }),
    keep_firing_for: durationOrZeroSchema.prefault("0s").meta({ description: "Off-delay: how long it must be clear before it resolves" }),
    latch: z.boolean().exactOptional().meta({ description: "Whether it stands, once clear, until somebody resets it; default: false" }),
    severity: z.enum(severities).default("warning").meta({ description: "How urgent the alert is" }),
    labels: labelsSchema.prefault({}).meta({ description: "Added to the alert's labels; they win over those of the series" }),
    annotations: labelsSchema.prefault({}).meta({ description: "Texts for people; may hold {{device}}, {{value}} and other labels" }),
  })
  .superRefine((rule, context) => {
    const grouping = groupingProblem(rule);
    if (grouping !== undefined) context.addIssue({ code: "custom", ...grouping });
    if (rule.condition.type === "absence" && rule.for > 0)
      context.addIssue({ code: "custom", path: ["for"], message: "absence has its own delay; lengthen `after` instead of `for`" });
  })
  .meta({
    if: { properties: { condition: { properties: { type: { const: "absence" } } } } },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
    then: { properties: { for: { pattern: "^(0+(ms|s|m|h|d|w))+$" } } },
  });
export const ruleSchema = z.preprocess(liftLevels, plainRuleSchema);

type Grouped = { readonly condition: ConditionSettings; readonly group_by?: string[]; readonly stale_after?: DurationMs };

/** What grouping asks of a condition, and a condition of grouping. */
function groupingProblem({ condition, group_by, stale_after }: Grouped): { path: string[]; message: string } | undefined {
  const compares = metricsOf(condition) !== undefined;
  const hasAggregate = condition.type === "threshold" && condition.aggregate !== undefined;
  if (group_by === undefined) {
    if (hasAggregate) return { path: ["condition", "aggregate"], message: "an aggregate over last values needs `group_by`; for one over time use a window" };
    if (stale_after !== undefined && !compares) return { path: ["stale_after"], message: "stale_after belongs to `group_by` and to compare" };
    return undefined;
  }
  if (compares) return { path: ["group_by"], message: "compare takes the metrics of one device together already; take group_by out" };
  if (condition.type === "window" || hasAggregate) return undefined;
  const hint = condition.type === "threshold" ? "add an `aggregate`, such as avg" : "use a window, or a threshold with an aggregate";
  return { path: ["group_by"], message: `group_by has no meaning for this ${condition.type}: ${hint}` };
}

export type RuleSettings = z.output<typeof ruleSchema>;

export type Rule = {
  readonly name: string;
  readonly match: readonly LabelMatcher[];
  readonly condition: ConditionSettings;
  readonly forMs: DurationMs;
  readonly keepFiringForMs: DurationMs;
  /** Labels in which series agree that it evaluates together; null: each by itself. */
  readonly groupBy: readonly string[] | null;
  /** For how long a member's last value counts in its group, in listening time; null: the default. */
  readonly staleAfterMs: DurationMs | null;
  /** It stands until somebody resets it. */
  readonly latch?: boolean;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Hash of match, condition (with its levels), group_by, stale_after, for, keep_firing_for and latch: a change of it judges anew. */
  readonly logic: string;
  /** Hash of all the rest: a change of it touches no state. */
  readonly text: string;
};

export type SourceTiming = {
  readonly outOfOrdernessMs: DurationMs;
  readonly maxFutureMs: DurationMs;
  /** Infinity (null in JSON) when not set. */
  readonly maxPastMs: DurationMs | null;
  readonly idleAfterMs: DurationMs;
};

export type Device = {
  readonly labels: Labels;
  readonly limits: Readonly<Record<string, number>>;
  readonly unit: string | null;
  readonly expectedEveryMs: DurationMs | null;
};

/** A receiver's channels by key, `email:0`, `webhook:0`, in the order of the config. */
export type ReceiverPlan = { readonly name: string; readonly channels: readonly string[] };

export type RulePlan = {
  /** Hash of the rest, made by config.ts. */
  readonly hash: string;
  readonly rules: readonly Rule[];
  /** By topic template. */
  readonly sources: Readonly<Record<string, SourceTiming>>;
  readonly devices: Readonly<Record<string, Device>>;
  readonly zone: ZoneTable;
  readonly receivers: readonly ReceiverPlan[];
  readonly route: RoutePlan;
  /** Absent: nothing of it. */
  readonly dispatch?: DispatchPlan;
};
