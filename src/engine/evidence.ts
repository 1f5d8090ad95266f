// What an alert writes down of itself: the record of an occurrence as it opens, and the evidence of each transition, from which
// alone the judgement can be repeated.

import type { Condition } from "./conditions/condition.ts";
import type { AlertRecord, AlertState, Evidence, RuleChange } from "./effect.ts";
import { fingerprint } from "./fingerprint.ts";
import type { LevelDelay } from "./level-delay.ts";
import type { Level, Limits } from "./limits.ts";
import { type Combination, testOf, textOf } from "./parts.ts";
import { BREACH } from "./predicate.ts";
import type { Device, Rule } from "./rule.ts";
import type { Severity } from "./severity.ts";
import type { DurationMs, EpochMs, SeriesId } from "./units.ts";
import type { Window } from "./window.ts";

/**
 * Of an absence. `through`: readings accepted up to this ordinal do not resolve it. `last`: event time of the last reading, NaN where none
 * was ever heard. `quiet`: for how long nothing had been heard when it was judged.
 */
export type Unheard = { readonly through: number; readonly last: EpochMs; readonly quiet: DurationMs };

export type JudgedWindow = { readonly start: EpochMs; readonly end: EpochMs; readonly count: number };
export const NOT_JUDGED: JudgedWindow = { start: Number.NaN, end: Number.NaN, count: 0 };

export function judgedBy(window: Window | undefined): JudgedWindow {
  const result = window?.result;
  return result === undefined ? NOT_JUDGED : { start: result.start, end: result.end, count: result.aggregate.count };
}

type Opening = {
  readonly firedAt: EpochMs;
  readonly severity: Severity;
  readonly value: number;
  readonly peak: number;
  readonly limit: number | null;
  readonly unit: string | null;
};
type Subject = { readonly id: SeriesId; readonly key: string; readonly labels: Readonly<Record<string, string>>; readonly device: Device | undefined };

/** The record of an occurrence as it fires. */
export function openRecord(rule: Rule, subject: Subject, { firedAt, severity, value, peak, limit, unit }: Opening): AlertRecord {
  return {
    id: `${fingerprint(rule.name + subject.key)}-${firedAt.toString(36)}`,
    rule: rule.name,
    series: subject.id,
    subject: subject.key,
    severity,
    labels: { ...subject.labels, ...rule.labels, alertname: rule.name, severity },
    annotations: rule.annotations,
    state: "firing",
    since: firedAt,
    firedAt,
    resolvedAt: null,
    latchedAt: null,
    value,
    peak,
    limit,
    unit,
  };
}

/** The unit of a condition's measure, given that of the readings; of a combination the one that its parts agree in. */
export function unitOf(condition: Condition, unit: string | null): string | null {
  if (condition.on === "silence") return unit;
  if (condition.on === "window" && condition.aggregate === "count") return null;
  if (condition.on === "window" && (condition.aggregate === "rate" || condition.aggregate === "slope")) return `${unit ?? ""} per second`.trim();
  if (condition.on !== "parts") {
    const { criterion }: Limits = condition;
    return criterion.unitOf === undefined ? unit : criterion.unitOf(unit);
  }
  const [first = null, ...others] = condition.parts.map((part) => unitOf(part, unit));
  return others.every((other) => other === first) ? first : null;
}

/** The one limit that a condition has, or the level that is on. */
export function limitOf(condition: Condition, level: Level | undefined): number | null {
  if (condition.on === "silence" || condition.on === "parts") return null;
  return (level ?? condition).criterion.limit;
}

type Judged = {
  readonly measure: number;
  readonly measureTs: EpochMs;
  readonly isUnjudged: boolean;
  readonly judged: JudgedWindow;
  readonly unheard: Unheard;
  readonly since: EpochMs;
  /** When it is so, and the date of the transition before, which may be later. */
  readonly instant: EpochMs;
  readonly dated: EpochMs;
  readonly from: AlertState;
  readonly trigger: Evidence["trigger"];
  readonly change: RuleChange | undefined;
  readonly level: Level | undefined;
  readonly levels: readonly LevelDelay[];
  readonly record: AlertRecord | undefined;
  readonly watermark: EpochMs;
};

type Judging = { readonly rule: Rule; readonly condition: Condition; readonly parts: Combination | undefined };

export function evidenceOf(judging: Judging, judged: Judged): Evidence {
  const { rule, condition, parts } = judging;
  const { measure, measureTs, since, from, trigger, level, watermark, instant, dated, change, record } = judged;
  return {
    rule: rule.name,
    logic: rule.logic,
    predicate: level?.criterion.text ?? textOf(condition),
    test: testOf(condition),
    ...(rule.forMs > 0 && { for_ms: rule.forMs }),
    ...(rule.keepFiringForMs > 0 && { keep_firing_for_ms: rule.keepFiringForMs }),
    measure,
    ts: measureTs,
    ...windowOf(condition, judged.judged),
    ...(parts === undefined ? {} : { parts: partsOf(parts) }),
    ...(condition.on === "silence" && { silence: silenceOf(judged.unheard) }),
    ...(change === undefined && levelsOf(judging, judged)),
    ...(judged.isUnjudged && { unjudged: true }),
    ...(rule.latch === true && { latch: true }),
    ...((record?.latchedAt ?? null) !== null && { latched: true }),
    ...(change !== undefined && { change }),
    ...(instant < dated && { instant }),
    since,
    trigger,
    watermark: Number.isFinite(watermark) ? watermark : null,
    from,
  };
}

/** What the rule as it is now makes of what is known; the evidence of an alert that ends because of it. */
export function changeOf({ rule, condition, parts }: Judging, measure: number, unheard: Unheard): RuleChange {
  return {
    kind: "anew",
    logic: rule.logic,
    predicate: textOf(condition),
    test: testOf(condition),
    measure: Number.isNaN(measure) ? null : measure,
    ...(parts === undefined ? {} : { parts: partsOf(parts) }),
    ...(condition.on === "silence" && { silence: silenceOf(unheard) }),
  };
}

function windowOf(condition: Condition, { start, end, count }: JudgedWindow): Pick<Evidence, "window"> {
  if (condition.on !== "window" || Number.isNaN(start)) return {};
  const { aggregate, minCount } = condition;
  return { window: { start, end, aggregate, count, ...(minCount > 1 && { min_count: minCount }) } };
}

/** JSON has no NaN. */
const silenceOf = ({ last, quiet }: Unheard): NonNullable<Evidence["silence"]> => ({ last: Number.isFinite(last) ? last : null, quiet_ms: quiet });

/** JSON has no NaN: a part that was not judged yet has no measure. */
const partsOf = (parts: Combination): NonNullable<Evidence["parts"]> =>
  parts.leaves.map(({ condition, isJudged, judgement, measure, quiet }) => ({
    predicate: textOf(condition),
    measure: isJudged ? measure : null,
    holds: judgement === BREACH,
    ...(condition.on === "silence" && { quiet_ms: quiet }),
  }));

function levelsOf({ rule, condition }: Judging, { levels, instant, record }: Judged): Pick<Evidence, "levels" | "severity"> {
  if (!("levels" in condition) || condition.levels.length === 0) return {};
  const told = condition.levels.map(({ severity, criterion }, index) => {
    const delay = levels[index - 1];
    const hasTurned = delay?.turnedAt === instant;
    const since = delay?.isOn === true ? instant - rule.forMs : instant - rule.keepFiringForMs;
    return { severity, test: criterion.test, ...((delay?.isOn ?? false) !== hasTurned && { was: true as const }), ...(hasTurned && { since }) };
  });
  return { levels: told, ...(record !== undefined && { severity: record.severity }) };
}
