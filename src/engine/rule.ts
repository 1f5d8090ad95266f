// Rules as people write them, and the plan that the engine runs: rules, sources' timing, devices, receivers, the zone.
// A plan is plain JSON: it is journaled by hash, sent between threads and compared.

import { z } from "zod";
import type { ZoneTable } from "./calendar.ts";
import { type ConditionSettings, conditionSchema } from "./conditions/index.ts";
import { durationOrZeroSchema } from "./duration-schema.ts";
import { type LabelMatcher, matchSchema } from "./matcher.ts";
import type { Labels } from "./reading.ts";
import { type Severity, severities } from "./severity.ts";
import type { DurationMs } from "./units.ts";

/** A map of labels as people write it: numbers and true/false become text, nothing else does. */
export const labelsSchema = z.record(
  z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a label's name has letters, digits and _, and begins with no digit"),
  z.union([z.string(), z.number(), z.boolean()]).transform(String),
);

export const ruleSchema = z
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
    for: durationOrZeroSchema.prefault("0s").meta({ description: "On-delay: how long, in event time, the condition must hold before it fires" }),
    keep_firing_for: durationOrZeroSchema.prefault("0s").meta({ description: "Off-delay: how long it must be clear before it resolves" }),
    severity: z.enum(severities).default("warning").meta({ description: "How urgent the alert is" }),
    labels: labelsSchema.prefault({}).meta({ description: "Added to the alert's labels; they win over those of the series" }),
    annotations: labelsSchema.prefault({}).meta({ description: "Texts for people; may hold {{device}}, {{value}} and other labels" }),
  })
  .superRefine((rule, context) => {
    if (rule.condition.type === "absence" && rule.for > 0)
      context.addIssue({ code: "custom", path: ["for"], message: "absence has its own delay; lengthen `after` instead of `for`" });
  })
  .meta({
    if: { properties: { condition: { properties: { type: { const: "absence" } } } } },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
    then: { properties: { for: { pattern: "^(0+(ms|s|m|h|d|w))+$" } } },
  });
export type RuleSettings = z.output<typeof ruleSchema>;

export type Rule = {
  readonly name: string;
  readonly match: readonly LabelMatcher[];
  readonly condition: ConditionSettings;
  readonly forMs: DurationMs;
  readonly keepFiringForMs: DurationMs;
  readonly severity: Severity;
  readonly labels: Labels;
  readonly annotations: Labels;
  /** Hash of match, condition, for and keep_firing_for: a change of it judges anew. */
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
  readonly route: { readonly receiver: string };
};
