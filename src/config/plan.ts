// The plan that the engine runs, made of checked settings: hashes, the zone as a table, timing by topic template.
// Plain JSON. The same settings give the same plan, byte for byte, however they were written (60s or 1m, keys in any order).

import { createHash } from "node:crypto";
import type { ZoneTable } from "../engine/calendar.ts";
import type { DispatchPlan } from "../engine/dispatch/plan.ts";
import type { Device, ReceiverPlan, Rule, RulePlan, RuleSettings, SourceTiming } from "../engine/rule.ts";

/** Characters of the hashes of a rule; 48 bits tell the versions of one rule apart. */
const RULE_HASH_LENGTH = 12;

/** JSON with the keys of each map in order; undefined is left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : item,
  );
}

const hashOf = (value: unknown): string => createHash("sha256").update(canonicalJson(value)).digest("hex");

/** A rule as the engine runs it. */
export function toRule(settings: RuleSettings): Rule {
  const { name, match, condition, severity, labels, annotations } = settings;
  const { group_by, stale_after, latch } = settings;
  // What is left out leaves the hash as it was before there was a latch.
  const latching = latch === true ? { latch } : {};
  const logic = { match, condition, group_by, stale_after, for: settings.for, keep_firing_for: settings.keep_firing_for, ...latching };
  return {
    name,
    match,
    condition,
    forMs: settings.for,
    keepFiringForMs: settings.keep_firing_for,
    groupBy: group_by ?? null,
    staleAfterMs: stale_after ?? null,
    ...latching,
    severity,
    labels,
    annotations,
    logic: hashOf(logic).slice(0, RULE_HASH_LENGTH),
    text: hashOf({ severity, labels, annotations }).slice(0, RULE_HASH_LENGTH),
  };
}

export type PlanParts = {
  readonly rules: readonly Rule[];
  readonly sources: Readonly<Record<string, SourceTiming>>;
  readonly devices: Readonly<Record<string, Device>>;
  readonly zone: ZoneTable;
  readonly receivers: readonly ReceiverPlan[];
  readonly route: RulePlan["route"];
  readonly dispatch?: DispatchPlan;
};

/** Adds the hash of the whole, 64 characters. */
export function createPlan(parts: PlanParts): RulePlan {
  const { rules, sources, devices, zone, receivers, route, dispatch } = parts;
  const plan = { rules, sources, devices, zone, receivers, route, ...(dispatch === undefined ? {} : { dispatch }) };
  return { hash: hashOf(plan), ...plan };
}
