// Judges a stored transition again, from its evidence and its own time alone: the measure against the test, the delays, the levels,
// the silence, the change of the rules. It knows nothing of the alert that wrote the evidence and nothing of what came of it, so that
// evidence which does not bear its transition out is found.

import type { Evidence, LevelEvidence, Transition, TransitionReason } from "./effect.ts";
import { GATEWAY_LOGIC, gatewayReasonOf } from "./gateway-alerts.ts";
import { BETWEEN, BREACH, bindPredicate, CLEAR, type Judgement, type PlainTest, type Test } from "./predicate.ts";
import type { Severity } from "./severity.ts";
import type { EpochMs } from "./units.ts";

/** `severity`: of an alert whose rule has levels, when it fires or its level changes. */
export type Rejudged = Pick<Transition, "to" | "reason"> & { readonly severity?: Severity };

/** What a test is asked about: the newest measure, or that of each part, and for how long nothing was heard. */
type Facts = Pick<Evidence, "parts" | "silence" | "window"> & { readonly measure: number | null };

/**
 * @param evidence as it was stored
 * @param ts of the transition
 * @returns what follows; undefined: nothing does, the alert would have stayed as it was
 */
export function rejudge(evidence: Evidence, ts: EpochMs): Rejudged | undefined {
  const { change, from } = evidence;
  if (change !== undefined) return from === "firing" || from === "recovering" ? ofChange(change) : undefined;
  const instant = evidence.instant ?? ts;
  const to = moved(evidence, instant);
  if (to === "latched") return { to: "recovering", reason: "latched" };
  if (to !== undefined) {
    const reason = reasonOf(evidence);
    const severity = to === "firing" && from !== "recovering" ? severityOf(evidence, instant) : undefined;
    return { to, reason, ...(severity === undefined ? {} : { severity }) };
  }
  if (from !== "firing" && from !== "recovering") return undefined;
  const severity = severityOf(evidence, instant);
  return severity === undefined || severity === evidence.severity ? undefined : { to: from, reason: "level", severity };
}

function reasonOf({ rule, logic, trigger }: Evidence): TransitionReason {
  if (logic === GATEWAY_LOGIC) return gatewayReasonOf(rule) as TransitionReason;
  return trigger === "input" ? "rule_changed" : "condition";
}

function ofChange(change: NonNullable<Evidence["change"]>): Rejudged | undefined {
  if (change.kind === "removed") return { to: "resolved", reason: "rule_removed" };
  if (change.kind === "reset") return { to: "resolved", reason: "reset" };
  const isStillHeld = change.kind === "anew" && judge(change.test, change) === BREACH;
  return isStillHeld ? undefined : { to: "resolved", reason: "rule_changed" };
}

/** Where the condition moves the alert; undefined: it stays. What falls due before the reading was taken is only borne out by it. */
function moved(evidence: Evidence, instant: EpochMs): Transition["to"] | "latched" | undefined {
  const { from, since, for_ms: forMs = 0, keep_firing_for_ms: keepMs = 0 } = evidence;
  const judgement = evidence.unjudged === true ? undefined : judge(evidence.test, evidence);
  const isOfNow = evidence.trigger === "input" || instant >= evidence.ts;
  const over = evidence.latch === true ? "latched" : "resolved";
  if (from === "resolved") return undefined;
  if (from === "firing") {
    if (judgement !== CLEAR || !isOfNow) return undefined;
    return keepMs === 0 ? over : "recovering";
  }
  if (from === "recovering") {
    if (judgement === BREACH) return isOfNow ? "firing" : undefined;
    return instant >= since + keepMs && evidence.latched !== true ? over : undefined;
  }
  return judgement === BREACH && instant >= since + forMs ? "firing" : undefined;
}

/** Of the gravest level that is on; undefined where there are no levels. */
function severityOf(evidence: Evidence, instant: EpochMs): Severity | undefined {
  const { levels = [] } = evidence;
  return levels.findLast((level, index) => index === 0 || isOn(level, evidence, instant))?.severity;
}

function isOn({ test, was: mark, since }: LevelEvidence, evidence: Evidence, instant: EpochMs): boolean {
  const was = mark === true;
  const isBreached = judge(test, evidence) === BREACH;
  if (evidence.trigger === "input") return isBreached;
  if (since === undefined) return was;
  const delay = (was ? evidence.keep_firing_for_ms : evidence.for_ms) ?? 0;
  return isBreached !== was && instant >= since + delay ? !was : was;
}

/** A test on facts; a window with too few readings judges nothing. */
function judge(test: Test, facts: Facts): Judgement {
  const { window, silence, parts = [] } = facts;
  if (window?.min_count !== undefined && window.count < window.min_count) return BETWEEN;
  if ("silent_for" in test) return silence !== undefined && silence.quiet_ms > test.silent_for ? BREACH : CLEAR;
  if ("all" in test || "any" in test) return combined(test, [...parts]) ?? BETWEEN;
  return facts.measure === null ? BETWEEN : judgePlain(test, facts.measure);
}

/** @param left parts that are still to be judged, in order; @returns undefined where none of it was judged yet */
function combined(test: Test, left: NonNullable<Evidence["parts"]>[number][]): Judgement | undefined {
  if ("all" in test) {
    const judgements = test.all.map((part) => combined(part, left));
    if (judgements.every((each) => each === undefined)) return undefined;
    if (judgements.every((each) => each === BREACH)) return BREACH;
    return judgements.includes(CLEAR) ? CLEAR : BETWEEN;
  }
  if ("any" in test) {
    const judgements = test.any.map((part) => combined(part, left)).filter((each) => each !== undefined);
    if (judgements.length === 0) return undefined;
    if (judgements.includes(BREACH)) return BREACH;
    return judgements.every((each) => each === CLEAR) ? CLEAR : BETWEEN;
  }
  const part = left.shift();
  if (part === undefined || part.measure === null) return undefined;
  if ("silent_for" in test) return (part.quiet_ms ?? 0) > test.silent_for ? BREACH : CLEAR;
  return judgePlain(test, part.measure);
}

function judgePlain(test: PlainTest, measure: number): Judgement {
  if ("at_least" in test) return measure >= test.at_least ? BREACH : CLEAR;
  if ("at_most" in test) return measure <= test.at_most ? BREACH : CLEAR;
  return bindPredicate(test, {})?.judge(measure) ?? BETWEEN;
}
