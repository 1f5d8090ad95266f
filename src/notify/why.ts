// The plain lines that say why a notification was sent, from the evidence alone: which reading or aggregate against which
// limit, since when, by which rule. What the evidence does not hold is not said.

import type { Evidence, Transition } from "../engine/effect.ts";
import type { DurationMs, EpochMs } from "../engine/units.ts";
import { formatInstant, formatNumber, formatQuantity, formatSpan } from "./format.ts";

/** What the lines are made from; a view of the outbox row. */
export type Told = {
  readonly state: "firing" | "resolved";
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

/** 1 to 5 sentences. */
export function whyLines(told: Told): string[] {
  const { evidence, reason } = told.transition;
  const lines = reason === "condition" ? conditionLines(told) : [reasonLine(told)];
  if (told.state === "resolved") lines.push(...durationLines(told));
  const delay = told.transition.at - told.transition.ts;
  if (delay > LATE_MS)
    lines.push(`The gateway knew of it ${formatSpan(delay)} after the event, at ${formatInstant(told.transition.at, told.timezone)}: its readings came late.`);
  lines.push(`Rule ${evidence.rule}@${evidence.logic.slice(0, 12)}: ${predicateText(evidence.predicate, evidence, told.unit)}.`);
  return lines;
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
  const verdict = told.state === "firing" ? limit : `no longer ${limit}`;
  const lines = [`The ${name} was ${figure} ${when}: ${verdict}.`];
  const held = told.transition.ts - evidence.since;
  if (held > 0)
    lines.push(`It had been so since ${instant(evidence.since)}, for ${formatSpan(held)}, when the rule ${told.state === "firing" ? "fired" : "resolved"}.`);
  return lines;
}

/** An absence fires `after` its series' last reading; the measure is that reading's value, or the one that was heard again. */
function silenceLine({ state, transition, metric, device, unit, timezone }: Told, after: DurationMs): string {
  const value = formatQuantity(transition.evidence.measure, unit);
  if (state === "resolved") return `The ${metric} of ${device} is heard again: ${value} at ${formatInstant(transition.ts, timezone)}.`;
  return `The last reading of ${metric} from ${device} was ${value}, at ${formatInstant(transition.evidence.ts - after, timezone)}; none came in the ${formatSpan(after)} after it.`;
}

function reasonLine(told: Told): string {
  const { reason, ts } = told.transition;
  const when = formatInstant(ts, told.timezone);
  switch (reason) {
    case "rule_changed":
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
    case "reset":
      return `Somebody reset the alert (${when}); it had waited for that.`;
    case "condition":
    case "latched":
      return "";
    case "level":
      return `The severity changed to ${told.severity} (${when}); it is the same alert.`;
    default: {
      const never: never = reason;
      return never;
    }
  }
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
