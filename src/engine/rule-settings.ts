// A stored rule as people write it in YAML, the inverse of reading one: durations are text again, windows have their own keys, and what
// is a default is left out. Reading the settings gives the rule back, with the same hashes. Pure; it writes no text.

import type { ConditionSettings } from "./conditions/index.ts";
import type { Rule } from "./rule.ts";
import { formatDuration } from "./units.ts";
import type { WindowSpec } from "./window.ts";

/** In the order in which rules are written; plain JSON. */
export type WrittenRule = Readonly<Record<string, unknown>>;

export function writtenRule(rule: Rule): WrittenRule {
  const { groupBy, staleAfterMs, forMs, keepFiringForMs, severity } = rule;
  return {
    name: rule.name,
    match: Object.fromEntries(rule.match.map(({ label, patterns }) => [label, patterns.length === 1 ? patterns[0] : [...patterns]])),
    condition: writtenCondition(rule.condition),
    ...(groupBy !== null && { group_by: [...groupBy] }),
    ...(staleAfterMs !== null && { stale_after: formatDuration(staleAfterMs) }),
    ...(forMs > 0 && { for: formatDuration(forMs) }),
    ...(keepFiringForMs > 0 && { keep_firing_for: formatDuration(keepFiringForMs) }),
    ...(rule.latch === true && { latch: true }),
    ...(severity !== "warning" && { severity }),
    ...(Object.keys(rule.labels).length > 0 && { labels: rule.labels }),
    ...(Object.keys(rule.annotations).length > 0 && { annotations: rule.annotations }),
  };
}

/** Keys that hold milliseconds, in any condition. */
const durations = new Set(["after", "over", "per"]);
/** What a key has when it is not written. */
const defaults: Readonly<Record<string, unknown>> = { min_count: 1, counter: false, tolerance: 0, per: 1000 };

function writtenCondition(condition: ConditionSettings): WrittenRule {
  const entries = Object.entries(condition).flatMap(([key, value]: [string, unknown]): [string, unknown][] => {
    if (value === undefined || (Object.hasOwn(defaults, key) && defaults[key] === value)) return [];
    if (durations.has(key)) return [[key, formatDuration(value as number)]];
    if (key === "window" && condition.type === "window") return [[key, writtenWindow(condition.window)]];
    if (key === "conditions") return [[key, (value as readonly ConditionSettings[]).map(writtenCondition)]];
    return [[key, value]];
  });
  // `type` first, as it says what the other keys mean.
  return { type: condition.type, ...Object.fromEntries(entries) };
}

function writtenWindow(spec: WindowSpec): WrittenRule {
  switch (spec.kind) {
    case "day":
      return { tumbling: "day" };
    case "hopping":
      return spec.size === spec.slide ? { tumbling: formatDuration(spec.size) } : { hopping: formatDuration(spec.size), slide: formatDuration(spec.slide) };
    case "session":
      return { session: formatDuration(spec.gap) };
    case "count":
      return { count: spec.count, ...(spec.slide !== spec.count && { slide: spec.slide }) };
  }
}

/** `path` with dots: `condition.above`, `condition.conditions.0.after`; what is on one side only is undefined on the other. */
export type RuleChangeLine = { readonly path: string; readonly before?: unknown; readonly after?: unknown };

/** What differs between two rules as they are written, in the order of the keys of the first, then of the second. */
export function differences(before: unknown, after: unknown, path = ""): RuleChangeLine[] {
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  // Lists of maps, as levels and conditions are, differ entry by entry; others as wholes.
  if (isMapList(before) && isMapList(after)) {
    const indexes = Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index);
    return indexes.flatMap((index) => differences(before[index], after[index], `${path}.${index}`));
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

/** `- for: 5m` and `+ for: 10m`: a line each for what was and what is. */
export function differenceLines(changes: readonly RuleChangeLine[]): string[] {
  return changes.flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [`- ${path}: ${shown(before)}`]),
    ...(after === undefined ? [] : [`+ ${path}: ${shown(after)}`]),
  ]);
}

const shown = (value: unknown): string => (typeof value === "string" && /^[\w.*-]+$/.test(value) ? value : JSON.stringify(value));

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value);
const isMapList = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > 0 && value.every(isMap);
