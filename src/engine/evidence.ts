// What an alert writes down of itself: the record of an occurrence as it opens, and the evidence of each transition, from which
// alone the judgement can be repeated.

import type { Condition } from "./conditions/condition.ts";
import type { AlertRecord, AlertState, Evidence } from "./effect.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Level, Limits } from "./limits.ts";
import { type Combination, textOf } from "./parts.ts";
import { BREACH } from "./predicate.ts";
import type { Device, Rule } from "./rule.ts";
import type { Severity } from "./severity.ts";
import type { EpochMs, SeriesId } from "./units.ts";
import type { Window } from "./window.ts";

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
  readonly judged: JudgedWindow;
  readonly since: EpochMs;
  readonly from: AlertState;
  readonly trigger: Evidence["trigger"];
  readonly level: Level | undefined;
  readonly watermark: EpochMs;
};

type Judging = { readonly rule: Rule; readonly condition: Condition; readonly parts: Combination | undefined };

export function evidenceOf({ rule, condition, parts }: Judging, judged: Judged): Evidence {
  const { measure, measureTs, since, from, trigger, level, watermark } = judged;
  return {
    rule: rule.name,
    logic: rule.logic,
    predicate: level?.criterion.text ?? textOf(condition),
    measure,
    ts: measureTs,
    ...windowOf(condition, judged.judged),
    ...(parts === undefined ? {} : { parts: partsOf(parts) }),
    since,
    trigger,
    watermark: Number.isFinite(watermark) ? watermark : null,
    from,
  };
}

function windowOf(condition: Condition, { start, end, count }: JudgedWindow): Pick<Evidence, "window"> {
  if (condition.on !== "window" || Number.isNaN(start)) return {};
  return { window: { start, end, aggregate: condition.aggregate, count } };
}

/** JSON has no NaN: a part that was not judged yet has no measure. */
const partsOf = (parts: Combination): NonNullable<Evidence["parts"]> =>
  parts.leaves.map(({ condition, isJudged, judgement, measure }) => ({
    predicate: textOf(condition),
    measure: isJudged ? measure : null,
    holds: judgement === BREACH,
  }));
