// The versions of one rule: what it said, under which hashes, and when it was in force. From the plans that were kept; a plan is
// read once, and only the rule that is asked for is taken out of it.

import type { Rule, RulePlan } from "../engine/rule.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";
import { createDeadline } from "./deadline.ts";
import { type Answer, QUERY_TIME_MS, type QueryContext, type QueryRequest } from "./query.ts";

/** `until`: null while it is. `plan`: hash of all that was in force when it began. */
export type InForce = { readonly from: EpochMs; readonly until: EpochMs | null; readonly plan: string };

export type RuleVersion = {
  /** 1, 2, … in the order in which they first came into force. */
  readonly number: number;
  readonly rule: Rule;
  /** Oldest first; a version that was rolled back to has several. */
  readonly inForce: readonly InForce[];
};

/** Changes of all rules that one answer looks through; older ones are left out. */
const CHANGES_MAX = 10_000;

type Request = Extract<QueryRequest, { kind: "rule_versions" }>;

/** Oldest first; none: there never was such a rule. */
export function answerRuleVersions(db: Database, { rule: name }: Request, context: Pick<QueryContext, "clock" | "timeMs">): Answer<Request> {
  const deadline = createDeadline(context.clock, context.timeMs ?? QUERY_TIME_MS);
  const read = db
    .prepare<[string, string], string>(
      "SELECT each.value FROM rule_version, json_each(rule_version.plan, '$.rules') AS each WHERE hash = ? AND json_extract(each.value, '$.name') = ?",
    )
    .pluck();
  const changes = db
    .prepare<[number], { at: EpochMs; plan: string }>("SELECT at, plan FROM rules_in_force ORDER BY number DESC LIMIT ?")
    .all(CHANGES_MAX)
    .reverse();
  const rules = new Map<string, Rule | undefined>();
  const ruleOf = (plan: string): Rule | undefined => {
    if (!rules.has(plan)) {
      deadline.check();
      const found = read.get(plan, name);
      rules.set(plan, found === undefined ? undefined : (JSON.parse(found) as Rule));
    }
    return rules.get(plan);
  };
  const versions = new Map<string, { number: number; rule: Rule; inForce: InForce[] }>();
  let last: string | undefined;
  for (const { at, plan } of changes) {
    const rule = ruleOf(plan);
    const key = rule && `${rule.logic}.${rule.text}`;
    if (key === last) continue;
    const ended = last === undefined ? undefined : versions.get(last)?.inForce;
    if (ended !== undefined) ended.push({ ...(ended.pop() as InForce), until: at });
    if (key !== undefined && rule !== undefined) {
      const version = versions.get(key) ?? { number: versions.size + 1, rule, inForce: [] };
      version.inForce.push({ from: at, until: null, plan });
      versions.set(key, version);
    }
    last = key;
  }
  return { versions: [...versions.values()] };
}

/** The rules that came into force last, in their order; none before the first. */
export function readRulesInForce(db: Database): readonly Rule[] {
  const plan = db
    .prepare<[], string>("SELECT plan FROM rule_version WHERE hash = (SELECT plan FROM rules_in_force ORDER BY number DESC LIMIT 1)")
    .pluck()
    .get();
  return plan === undefined ? [] : (JSON.parse(plan) as RulePlan).rules;
}

/**
 * The version that a text names: its number, or the beginning (4 characters or more) of its `logic`, or of `logic.text`.
 * @returns undefined when it names none; of several of one logic the newest
 */
export function findVersion(versions: readonly RuleVersion[], text: string): RuleVersion | undefined {
  const byNumber = /^\d{1,5}$/.test(text) ? versions.find(({ number }) => number === Number(text)) : undefined;
  if (byNumber !== undefined || text.length < 4) return byNumber;
  return versions.findLast(({ rule }) => `${rule.logic}.${rule.text}`.startsWith(text));
}
