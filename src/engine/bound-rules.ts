// Rules bound to the limits of a device. What follows from them alone is worked out once and shared by all series that the same rules match,
// of one device in the config or of devices that are not in it: a subject keeps only what it has heard.

import type { Condition } from "./conditions/condition.ts";
import { bindCondition } from "./conditions/index.ts";
import { textOf } from "./parts.ts";
import type { Predicate } from "./predicate.ts";
import type { Rule } from "./rule.ts";
import type { DurationMs } from "./units.ts";

export type BoundRule = {
  /** Its place among them. */
  readonly index: number;
  readonly rule: Rule;
  readonly condition: Condition;
  /** The condition in words, with the device's limits as numbers, those of all levels too. */
  readonly text: string;
  /** Whether each reading is judged as it is, or just by its being there: there is nothing to be kept until it breaches. */
  readonly isDirect: boolean;
};

/** A rule that compares each reading. */
export type SimpleRule = { readonly bound: BoundRule; readonly predicate: Predicate };

/** An absence: a condition of its own, or a part of one, by its number among the leaves. */
export type Silence = { readonly bound: BoundRule; readonly leaf: number | undefined; readonly after: DurationMs };

export type BoundRules = {
  /** In the order of the rules. */
  readonly all: readonly BoundRule[];
  readonly simple: readonly SimpleRule[];
  readonly silences: readonly Silence[];
  /** The least time after a reading at which an absence can fall due; Infinity where there is none. */
  readonly quietMin: DurationMs;
};

type Limits = Readonly<Record<string, number>>;

const NO_LIMITS: Limits = {};
const known = new WeakMap<readonly Rule[], WeakMap<Limits, BoundRules>>();

/**
 * @param rules those that match, in their order; the same list each time, so that it is bound once
 * @param limits the device's
 */
export function bindRules(rules: readonly Rule[], limits = NO_LIMITS): BoundRules {
  let byLimits = known.get(rules);
  if (byLimits === undefined) known.set(rules, (byLimits = new WeakMap()));
  let bound = byLimits.get(limits);
  if (bound === undefined) byLimits.set(limits, (bound = bind(rules, limits)));
  return bound;
}

function bind(rules: readonly Rule[], limits: Limits): BoundRules {
  const all: BoundRule[] = [];
  for (const rule of rules) {
    const condition = bindCondition(rule.condition, limits);
    if (condition === undefined) continue;
    const isDirect = condition.on === "reading" || condition.on === "silence";
    all.push({ index: all.length, rule, condition, text: boundTextOf(condition), isDirect });
  }
  const silences = all.flatMap(silencesOf);
  return {
    all,
    simple: all.flatMap((bound) => (bound.condition.on === "reading" ? [{ bound, predicate: bound.condition.criterion }] : [])),
    silences,
    quietMin: Math.min(Number.POSITIVE_INFINITY, ...silences.map(({ after }) => after + 1)),
  };
}

function silencesOf(bound: BoundRule): Silence[] {
  const { condition } = bound;
  if (condition.on === "silence") return [{ bound, leaf: undefined, after: condition.after }];
  if (condition.on !== "parts") return [];
  return leavesOf(condition).flatMap((leaf, index) => (leaf.on === "silence" ? [{ bound, leaf: index, after: leaf.after }] : []));
}

/** In the order of a Combination's leaves. */
const leavesOf = (condition: Condition): Condition[] => (condition.on === "parts" ? condition.parts.flatMap(leavesOf) : [condition]);

const boundTextOf = (condition: Condition): string => {
  const levels = "levels" in condition ? condition.levels.map(({ criterion }) => criterion.text) : [];
  return [textOf(condition), ...levels].join("; ");
};
