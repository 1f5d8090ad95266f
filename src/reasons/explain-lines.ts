// At most five plain lines that say why an alert stands where it does, from the evidence of a transition alone: which reading or
// aggregate against which limit, since when, by which rule. Messages and the API say the same. What the evidence does not hold is not said.

import type { AlertRecord, Evidence, PartEvidence, RuleChange, Transition } from "../engine/effect.ts";
import type { DurationMs, EpochMs } from "../engine/units.ts";
import { formatInstant, formatNumber, formatQuantity, formatSpan } from "./format.ts";

/** Lines of one transition. */
export const LINES_MAX = 5;

/** What the lines are made from; of a notification a view of the outbox row. */
export type Told = {
  readonly state: Transition["to"];
  readonly transition: Transition & { readonly at: EpochMs };
  readonly metric: string;
  readonly device: string;
  readonly unit: string | null;
  readonly severity: string;
  readonly firedAt: EpochMs;
  readonly timezone: string;
};

/** A decision later than this after its event is worth a line: the readings came late. */
const LATE_MS: DurationMs = 60_000;

/** What an alert is about: a figure against a limit, a series that is silent, or the gateway itself. */
export type Subject = "figure" | "silence" | "gateway";

export function subjectOf({ reason, evidence }: Pick<Transition, "reason" | "evidence">): Subject {
  if (reason === "dead_letter") return "gateway";
  return silenceMs(evidence) === undefined ? "figure" : "silence";
}

/** What an alert is about, in words: the device, the labels that its group agrees in, or the channel of a dead letter. */
export function deviceName({ labels, rule, subject }: Pick<AlertRecord, "labels" | "rule" | "subject">, of: Pick<Transition, "reason" | "evidence">): string {
  if (subjectOf(of) === "gateway") return `${labels["receiver"] ?? ""} ${labels["channel"] ?? ""}`.trim() || rule;
  return labels["device"] ?? (subjectWords(subject) || rule);
}

/** The labels that a group agrees in: `{room="B2",site="oslo"}` is `room B2, site oslo`. */
export function subjectWords(subject: string): string {
  return [...subject.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map(([, name, value]) => `${name} ${JSON.parse(value as string)}`).join(", ");
}

/** How long an absence lets a series be silent; undefined for other conditions. The engine writes `no reading for 600000 ms`. */
export function silenceMs(evidence: Evidence): DurationMs | undefined {
  const [, digits] = /^no reading for (\d+) ms/.exec(evidence.predicate) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

/** What was compared, in words: `temperature of freezer-7`, `avg of vibration_rms of pump-3 over 10 min`. */
export function measureName(metric: string, device: string, evidence: Evidence): string {
  const reading = metric === "" ? device : `${metric} of ${device}`;
  const name = `${ofWhat(evidence)}${reading}`;
  const { window } = evidence;
  return window === undefined ? name : `${window.aggregate} of ${name} over ${formatSpan(window.end - window.start)}`;
}

/** What conditions that look at more than the value measure, by the words of their predicates; of several the one that decided. */
const measured: readonly (readonly [RegExp, string])[] = [
  [/ per \w+(?:,|$)/, "rate of "],
  [/^flat within /, "range of "],
  [/^\d+ of \d+ readings /, "number of breaching readings of "],
  [/^score /, "anomaly score of "],
];

/** `inlet - outlet` of a condition that compares two metrics, `avg of last values` of a group. */
const compared = /^(\S+ [-/] \S+|\w+ of last values) (?:above|below|outside|inside) /;

function ofWhat({ predicate, parts, measure }: Evidence): string {
  const text = parts?.find((part) => part.measure === measure)?.predicate ?? predicate;
  const [, two] = compared.exec(text) ?? [];
  return two === undefined ? (measured.find(([pattern]) => pattern.test(text))?.[1] ?? "") : `${two} of `;
}

/** The predicate with units, without its deadband: `above −15 °C`, `outside 2 to 8 °C`. */
export function limitText(evidence: Evidence, unit: string | null): string {
  return predicateText(evidence.predicate.split(", clears ", 1)[0] ?? "", evidence, unit);
}

/** 1 to LINES_MAX sentences. */
export function explainLines(told: Told): string[] {
  const { evidence, reason } = told.transition;
  const { parts } = evidence;
  const lines = reason === "condition" || reason === "latched" ? conditionLines(told) : [reasonLine(told)];
  if (told.state === "resolved") lines.push(...durationLines(told));
  const delay = told.transition.at - told.transition.ts;
  if (delay > LATE_MS)
    lines.push(`The gateway knew of it ${formatSpan(delay)} after the event, at ${formatInstant(told.transition.at, told.timezone)}: its readings came late.`);
  lines.push(`Rule ${versionName(evidence.rule, evidence.logic)}: ${predicateText(evidence.predicate, evidence, told.unit)}${delayText(evidence)}.`);
  if (parts !== undefined && lines.length < LINES_MAX) lines.splice(1, 0, partsLine(parts, evidence, told.unit));
  return lines;
}

/** `freezer-too-warm@9f86d081884c`: a rule and the hash of its logic. */
export const versionName = (rule: string, logic: string): string => `${rule}@${logic.slice(0, 12)}`;

function delayText({ for_ms: forMs, keep_firing_for_ms: keepMs }: Evidence): string {
  return `${forMs === undefined ? "" : `, for ${formatSpan(forMs)}`}${keepMs === undefined ? "" : `, and clear for ${formatSpan(keepMs)} before it resolves`}`;
}

function partsLine(parts: readonly PartEvidence[], evidence: Evidence, unit: string | null): string {
  const words = parts.map(({ predicate, measure, holds, quiet_ms: quiet }) => {
    const text = predicateText(predicate, { ...evidence, predicate }, unit);
    if (measure === null) return `${text} (not judged yet)`;
    const found = quiet === undefined ? formatNumber(measure) : quiet === 0 ? "heard" : `silent for ${formatSpan(quiet)}`;
    return `${text} (${found}: ${holds ? "holds" : "does not hold"})`;
  });
  return `Its parts: ${words.join("; ")}.`;
}

function conditionLines(told: Told): string[] {
  const { evidence } = told.transition;
  const after = silenceMs(evidence);
  if (after !== undefined) return [silenceLine(told, after)];
  const name = measureName(told.metric, told.device, evidence);
  const figure = formatQuantity(evidence.measure, told.unit);
  const instant = (ts: EpochMs) => formatInstant(ts, told.timezone);
  const when =
    evidence.window === undefined
      ? `at ${instant(evidence.ts)}`
      : `in the window ending ${instant(evidence.window.end)}, of ${evidence.window.count} reading${evidence.window.count === 1 ? "" : "s"}`;
  const limit = limitText(evidence, told.unit);
  const verdict = told.state === "firing" ? limit : evidence.unjudged === true ? "as the rule was judged before it changed" : `no longer ${limit}`;
  const lines = [`The ${name} was ${figure} ${when}: ${verdict}.`];
  const held = told.transition.ts - evidence.since;
  if (told.transition.reason === "latched") lines.push("It is over, and stands until somebody resets it.");
  else if (told.state === "recovering" && evidence.keep_firing_for_ms !== undefined)
    lines.push(`It resolves when it stays so for ${formatSpan(evidence.keep_firing_for_ms)}, until ${instant(evidence.since + evidence.keep_firing_for_ms)}.`);
  else if (held > 0)
    lines.push(`It had been so since ${instant(evidence.since)}, for ${formatSpan(held)}, when the rule ${told.state === "firing" ? "fired" : "resolved"}.`);
  return lines;
}

/** An absence fires `after` its series' last reading; the measure is that reading's value, or the one that was heard again. */
function silenceLine({ state, transition, metric, device, unit, timezone }: Told, after: DurationMs): string {
  const value = formatQuantity(transition.evidence.measure, unit);
  const { silence, ts } = transition.evidence;
  if (state !== "firing") return `The ${metric} of ${device} is heard again: ${value} at ${formatInstant(transition.ts, timezone)}.`;
  if (silence?.last === null)
    return `No reading of ${metric} from ${device} was ever heard: the rule expects it since ${formatInstant(ts - after, timezone)}, ${formatSpan(silence.quiet_ms)} of listening before it fired.`;
  return `The last reading of ${metric} from ${device} was ${value}, at ${formatInstant(transition.evidence.ts - after, timezone)}; none came in the ${formatSpan(after)} after it.`;
}

function reasonLine(told: Told): string {
  const { reason, ts, evidence } = told.transition;
  const when = formatInstant(ts, told.timezone);
  switch (reason) {
    case "rule_changed":
      if (evidence.change?.kind === "anew") return anewLine(evidence.rule, evidence.change, told, when);
      if (told.state === "firing") return `The rule was changed in the config, and by its new limits ${told.device} has not recovered (${when}).`;
      return `The rule was changed in the config, and ${told.device} is within its new limits or is no longer judged by it (${when}). The sensor did not have to recover for this.`;
    case "rule_removed":
      return `The rule was removed from the config (${when}). Nothing says that the sensor has recovered.`;
    case "dead_letter":
      return told.state === "firing"
        ? `A notification could not be delivered and was given up (${when}). What it should have told, this channel has not.`
        : `The gateway was started anew (${when}); what was given up is not sent again.`;
    case "clock_step":
      return told.state === "firing"
        ? `The wall clock of the gateway was set (${when}). Look whether it is right now.`
        : `The gateway was started anew (${when}), and takes the wall clock as it is.`;
    case "disk_limit":
      return told.state === "firing"
        ? `The store grew beyond its limit (${when}); the oldest days of single readings are dropped before their time.`
        : `The store is within its limit again (${when}).`;
    case "disk_held":
      return told.state === "firing"
        ? `The store is beyond its limit and nothing in it may go (${when}): no reading is acknowledged until there is room. Raise storage.disk_limit, or make room.`
        : `There is room again (${when}); readings are acknowledged.`;
    case "reset":
      return `Somebody reset the alert (${when}); it had waited for that.`;
    case "condition":
    case "latched":
      return "";
    case "level":
      return `The severity changed to ${told.severity} at ${formatQuantity(evidence.measure, told.unit)} (${when}); it is the same alert.`;
    default: {
      const never: never = reason;
      return never;
    }
  }
}

/** What ended an alert when its rule was changed: the same figures by other limits. */
function anewLine(rule: string, { logic, predicate, measure, silence }: Extract<RuleChange, { kind: "anew" }>, told: Told, when: string): string {
  const { evidence } = told.transition;
  const words = predicateText(predicate, { ...evidence, predicate }, told.unit);
  const found =
    silence !== undefined
      ? `nothing had been heard for ${formatSpan(silence.quiet_ms)}`
      : measure === null
        ? "nothing was heard that it judges"
        : `it was ${formatQuantity(measure, told.unit)}`;
  return `The rule was changed in the config (${when}); by ${versionName(rule, logic)} (${words}) this is no alert: ${found}. The sensor did not have to recover for this.`;
}

function durationLines(told: Told): string[] {
  const { ts, figures } = told.transition;
  const lasted = `It fired at ${formatInstant(told.firedAt, told.timezone)} and lasted ${formatSpan(ts - told.firedAt)}`;
  if (subjectOf(told.transition) !== "figure") return [`${lasted}.`];
  return [`${lasted}; at its peak it was ${formatQuantity(figures.peak, told.unit)}.`];
}

function predicateText(text: string, evidence: Evidence, unit: string | null): string {
  const after = silenceMs(evidence);
  if (after !== undefined) return `no reading for ${formatSpan(after)}`;
  const suffix = unit === null || unit === "" ? "" : ` ${unit}`;
  // The unit of a rate says of what time it is.
  const words = unit?.includes("per ") === true && evidence.parts === undefined ? text.replace(/ per \w+(?=,|$)/g, "") : text;
  return words
    .replace(/\[([^,\]]+), ([^\]]+)\]/g, "$1 to $2")
    .replace(NUMBER, (number) => `${formatNumber(Number(number))}${suffix}`)
    .replace(/(-?\d[\d.]*(?:e[+-]?\d+)?) to/g, (_, number: string) => `${formatNumber(Number(number))} to`);
}

/** A number, whole, that is no duration, no count of readings and not the first of two. */
const NUMBER = /(?<![\w.])-?\d[\d.]*(?:e[+-]?\d+)?(?![\w.]| to | of | readings )/g;
