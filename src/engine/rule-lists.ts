// Which rules match a series, each by itself. Series that the same rules match share one list, so that it is bound once.

import { isGrouped } from "./grouping.ts";
import { compileMatchers } from "./matcher.ts";
import type { Labels } from "./reading.ts";
import type { Rule } from "./rule.ts";

type CompiledRule = { readonly number: number; readonly rule: Rule; readonly matches: (labels: Labels) => boolean };

export class RuleLists {
  #rules: readonly CompiledRule[] = [];
  /** By the numbers of the rules in them. */
  #lists = new Map<string, readonly Rule[]>();

  usePlan(rules: readonly Rule[]): void {
    this.#rules = rules.filter((rule) => !isGrouped(rule)).map((rule, number) => ({ number, rule, matches: compileMatchers(rule.match) }));
    this.#lists = new Map();
  }

  /** Those that match, in their order. */
  for(labels: Labels): readonly Rule[] {
    const matching = this.#rules.filter(({ matches }) => matches(labels));
    const key = matching.map(({ number }) => number).join();
    let rules = this.#lists.get(key);
    if (rules === undefined) this.#lists.set(key, (rules = matching.map(({ rule }) => rule)));
    return rules;
  }
}
