// What a measure is compared with: one predicate, or levels of rising severity, each with a predicate of its own.
// The mildest level is the alert's own predicate; the others only change its severity.

import { z } from "zod";
import { bindPredicate, type Criterion, type Predicate, type PredicateSettings, predicateMeta, predicateShape, refinePredicate } from "./predicate.ts";
import { type Severity, severities } from "./severity.ts";

export type Level<Judge extends Criterion = Criterion> = { readonly criterion: Judge; readonly severity: Severity };

/** `levels`: from the mildest to the most severe, the mildest being `criterion`; empty where the rule has one severity. */
export type Limits<Judge extends Criterion = Criterion> = { readonly criterion: Judge; readonly levels: readonly Level<Judge>[] };

const LEVELS_MAX = 8;

const levelSchema = z
  .strictObject({ ...predicateShape, severity: z.enum(severities).meta({ description: "Of the alert while this level is breached" }) })
  .superRefine(refinePredicate)
  .meta(predicateMeta);

/** The keys that a condition with a measure adds to its own; spread into the condition's object schema. */
export const limitsShape = {
  ...predicateShape,
  levels: z
    .array(levelSchema)
    .min(1)
    .max(LEVELS_MAX)
    .exactOptional()
    .meta({ description: "In place of a predicate and of the rule's severity: from the mildest to the most severe" }),
} as const;

/** `levels` belong to the condition; beside it, in the rule, they are taken too. For `z.preprocess`. */
export function liftLevels(rule: unknown): unknown {
  if (!hasLevels(rule) || typeof rule.condition !== "object" || rule.condition === null || "levels" in rule.condition) return rule;
  const { levels, ...rest } = rule;
  return { ...rest, condition: { ...rule.condition, levels } };
}

const hasLevels = (rule: unknown): rule is { levels: unknown; condition?: unknown } => typeof rule === "object" && rule !== null && "levels" in rule;

/** Where a mistake in a rule stands, given where `liftLevels` has put it. */
export function unliftedPath(path: readonly PropertyKey[], rule: unknown): PropertyKey[] {
  const [first, second, ...rest] = path;
  return first === "condition" && second === "levels" && hasLevels(rule) ? ["levels", ...rest] : [...path];
}

export type LimitsSettings = PredicateSettings & { levels?: (PredicateSettings & { severity: Severity })[] };

/** What `refineLimits` checks, for editors: goes into `.meta` beside it. */
export const limitsMeta = { ...predicateMeta, oneOf: [...predicateMeta.oneOf, { required: ["levels"] }] };

/** What the shape alone cannot say: one predicate or levels, and levels of which each breaches only where the one before does. For `superRefine`. */
export function refineLimits(settings: LimitsSettings, context: z.RefinementCtx): void {
  const { levels } = settings;
  if (levels === undefined) return refinePredicate(settings, context);
  const beside = Object.keys(predicateShape).find((key) => key in settings);
  if (beside !== undefined) context.addIssue({ code: "custom", path: [beside], message: `${beside} stands beside levels; put it into one of them` });
  for (let index = 1; index < levels.length; index++) {
    const problem = nestingProblem(levels[index - 1] as PredicateSettings, levels[index] as PredicateSettings);
    if (problem !== undefined) context.addIssue({ code: "custom", path: ["levels", index], message: problem });
  }
}

function nestingProblem(milder: PredicateSettings, graver: PredicateSettings): string | undefined {
  const kind = (["above", "below", "outside", "inside"] as const).find((name) => milder[name] !== undefined);
  if (kind === undefined) return undefined;
  const [mild, grave] = [milder[kind], graver[kind]];
  if (grave === undefined) return `all levels need the same predicate; the one before has ${kind}`;
  const isNested = [mild].flat().every((limit, index) => isGraver(kind, index, limit, [grave].flat()[index]));
  return isNested ? undefined : "levels go from the mildest to the most severe; this one is breached where the one before is not";
}

/** Named limits are not known here, and may do as they please: a level counts only while those before it do. */
function isGraver(kind: "above" | "below" | "outside" | "inside", index: number, mild: unknown, grave: unknown): boolean {
  if (typeof mild !== "number" || typeof grave !== "number") return true;
  const rises = kind === "above" || (kind === "outside" && index === 1) || (kind === "inside" && index === 0);
  return rises ? grave >= mild : grave <= mild;
}

/**
 * Binds settings to numbers.
 * @param limits the device's named limits
 * @returns undefined when the device lacks a limit that is named: the rule does not apply to it
 */
export function bindLimits(settings: LimitsSettings, limits: Readonly<Record<string, number>>): Limits<Predicate> | undefined {
  if (settings.levels === undefined) {
    const criterion = bindPredicate(settings, limits);
    return criterion && { criterion, levels: [] };
  }
  const levels = settings.levels.flatMap((level): Level<Predicate>[] => {
    const criterion = bindPredicate(level, limits);
    return criterion === undefined ? [] : [{ criterion, severity: level.severity }];
  });
  const [mildest] = levels;
  return mildest !== undefined && levels.length === settings.levels.length ? { criterion: mildest.criterion, levels } : undefined;
}

/**
 * Limits of a measure that is not the reading's own value: the same judgements, in words that say of what.
 * @param words the predicate's words with what is measured: `score above 0.5`
 * @param unitOf the unit of the measure, given that of the readings
 */
export function measuring(limits: Limits, words: (text: string) => string, unitOf: (unit: string | null) => string | null): Limits {
  const measure = (criterion: Criterion): Criterion => ({
    text: words(criterion.text),
    limit: criterion.limit,
    test: criterion.test,
    judge: (value) => criterion.judge(value),
    depth: (value) => criterion.depth(value),
    unitOf,
  });
  const levels = limits.levels.map((level) => ({ ...level, criterion: measure(level.criterion) }));
  return { criterion: levels[0]?.criterion ?? measure(limits.criterion), levels };
}
