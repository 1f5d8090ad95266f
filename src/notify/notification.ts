// What a channel gets: an outbox row made readable. Annotations are rendered, the facts are named, and each line says why.
// Pure but for the words of the time zone; the same row gives the same notification, so a retry repeats itself.

import type { NotificationKind } from "../engine/dispatch/record.ts";
import type { Evidence, TransitionReason } from "../engine/effect.ts";
import type { Labels } from "../engine/reading.ts";
import type { Severity } from "../engine/severity.ts";
import type { DurationMs, EpochMs } from "../engine/units.ts";
import { deviceName, explainLines, limitText, measureName, silenceMs, subjectOf } from "../reasons/explain-lines.ts";
import { formatFigure, formatInstant, formatQuantity, formatSpan, oneLine, rfc3339 } from "../reasons/format.ts";
import type { OutboxRow } from "../storage/outbox-row.ts";
import { renderText } from "./template.ts";

/** The gateway as notifications name it. */
export type Sender = {
  readonly gatewayName: string;
  readonly externalUrl: string;
  /** IANA name. */
  readonly timezone: string;
  /** From how many firings within how long on an alert flaps. */
  readonly flapping?: { readonly firings: number; readonly withinMs: DurationMs } | null;
};

export type Notification = {
  /** The same for each attempt and duplicate. */
  readonly id: string;
  /** 1, 2, … per alert or group, receiver and channel. */
  readonly seq: number;
  readonly kind: NotificationKind;
  /** What it shares notifications with, as an opaque key; null: it is of its alert alone. */
  readonly group: string | null;
  /** All that it tells of, the alert below among them; null: only that one. */
  readonly members: {
    readonly alerts: readonly Notification[];
    /** How many, from the first on, made this notification; the others were told before. */
    readonly fresh: number;
    /** Those that there was no room for. */
    readonly more: number;
  } | null;
  readonly receiver: string;
  /** `email:0`. */
  readonly channel: string;
  readonly state: "firing" | "resolved";
  readonly gateway: Sender;
  readonly alert: {
    readonly id: string;
    readonly rule: string;
    readonly severity: Severity;
    readonly labels: Labels;
    /** Rendered; what could not be stands raw, and `notes` says so. */
    readonly annotations: Labels;
    /** Event time at which it fired. */
    readonly startsAt: EpochMs;
    /** Event time at which it resolved; null while firing. */
    readonly endsAt: EpochMs | null;
    /** The measure at this transition: the good value when resolved, the last reading's where a series is silent. */
    readonly value: number;
    readonly peak: number;
    readonly limit: number | null;
    readonly unit: string | null;
    /** Where a person may look at it. */
    readonly url: string;
  };
  readonly reason: TransitionReason;
  /** Event time of the transition. */
  readonly ts: EpochMs;
  /** When the gateway committed it. */
  readonly at: EpochMs;
  /** When it was to be told, which is later where it is told again or was held back. */
  readonly madeAt: EpochMs;
  /** It latches, and its condition had cleared by then. */
  readonly isLatched: boolean;
  readonly evidence: Evidence;
  /** `freezer-too-warm · freezer-7 −12.4 °C`: what a subject says after the state. */
  readonly headline: string;
  /** What it is about: the device, or the channel of a dead letter. */
  readonly device: string;
  /** The big figure of a mail: `−12.4 °C`, `silent for 12 min`. */
  readonly figure: string;
  /** One line: the annotation `summary`, or one made from the evidence. */
  readonly summary: string;
  readonly why: readonly string[];
  /** Named facts in the order in which a person wants them. */
  readonly facts: readonly { readonly name: string; readonly text: string }[];
  /** What went wrong while this was written, such as a broken template. */
  readonly notes: readonly string[];
};

/** Makes the notification of a row. */
export function readNotification(row: OutboxRow, sender: Sender): Notification {
  const { alert, transition, state } = row;
  const { evidence } = transition;
  const [metric, device] = [alert.labels.metric ?? "", oneLine(deviceOf(row))];
  const { unit } = alert;
  const told = { state, transition, metric, device, unit, severity: alert.severity, firedAt: alert.firedAt, timezone: sender.timezone };
  const figure = figureOf(row, unit);
  const url = `${sender.externalUrl.replace(/\/+$/, "")}/#/alerts/${encodeURIComponent(alert.id)}`;
  const { annotations, notes } = renderAnnotations(row, { unit, figure, url, gateway: sender.gatewayName });
  return {
    id: row.id,
    seq: row.seq,
    kind: row.kind,
    group: row.line,
    members: membersOf(row, sender),
    receiver: row.receiver,
    channel: row.channel,
    state,
    gateway: sender,
    alert: {
      id: alert.id,
      rule: alert.rule,
      severity: alert.severity,
      labels: alert.labels,
      annotations,
      startsAt: alert.firedAt,
      endsAt: state === "resolved" ? transition.ts : null,
      value: transition.figures.value,
      peak: transition.figures.peak,
      limit: alert.limit,
      unit,
      url,
    },
    reason: transition.reason,
    ts: transition.ts,
    at: transition.at,
    madeAt: row.createdAt,
    isLatched: state === "firing" && alert.latchedAt !== null && alert.latchedAt <= row.createdAt,
    evidence,
    headline: oneLine(`${alert.rule} · ${device} ${figure}`),
    device,
    figure,
    summary: oneLine(annotations.summary ?? "") || summaryOf(row, figure, unit),
    why: explainLines(told),
    facts: factsOf(row, sender.timezone, unit),
    notes,
  };
}

/** Each as if it were told alone. */
function membersOf(row: OutboxRow, sender: Sender): Notification["members"] {
  if (row.members === null) return null;
  const alerts = row.members.alerts.map((member) => {
    const state = member.transition.to === "resolved" ? ("resolved" as const) : ("firing" as const);
    return readNotification({ ...row, ...member, state, members: null }, sender);
  });
  return { alerts, fresh: row.members.fresh, more: row.members.more };
}

const deviceOf = ({ alert, transition }: OutboxRow): string => deviceName(alert, transition);

function figureOf({ alert, transition, state }: OutboxRow, unit: string | null): string {
  switch (subjectOf(transition)) {
    case "gateway":
      return state === "firing" ? "gave up a notification" : "is tried again";
    case "silence":
      return state === "firing" ? `silent for ${formatSpan(silenceMs(transition.evidence) ?? 0)}` : "heard again";
    default:
      return formatFigure(transition.figures.value, unit, alert.limit);
  }
}

function summaryOf(row: OutboxRow, figure: string, unit: string | null): string {
  const { alert, transition, state } = row;
  const { evidence } = transition;
  const name = measureName(alert.labels["metric"] ?? "", deviceOf(row), evidence);
  const lasted = formatSpan(transition.ts - alert.firedAt);
  if (transition.reason === "rule_changed" || transition.reason === "rule_removed")
    return oneLine(`${alert.rule} on ${deviceOf(row)} ended after ${lasted}: ${transition.reason.replace("_", " ")}`);
  if (state === "firing") return oneLine(`${name} is ${figure}${subjectOf(transition) === "figure" ? `, ${limitText(evidence, unit)}` : ""}`);
  return oneLine(`${name} is ${subjectOf(transition) === "figure" ? `back at ${figure}` : figure} after ${lasted}`);
}

function factsOf({ alert, transition, state }: OutboxRow, timezone: string, unit: string | null): { name: string; text: string }[] {
  const { evidence, figures, ts } = transition;
  const isResolved = state === "resolved";
  const subject = subjectOf(transition);
  const facts: [string, string | undefined][] = [
    ["Device", alert.labels["device"]],
    ["Metric", alert.labels["metric"]],
  ];
  if (subject === "figure") {
    facts.push([isResolved && transition.reason === "condition" ? "Good value" : "Value", formatQuantity(figures.value, unit)]);
    facts.push(["Limit", limitText(evidence, unit)]);
    if (isResolved) facts.push(["Peak", formatQuantity(figures.peak, unit)]);
  }
  if (subject === "silence") facts.push([isResolved ? "Value" : "Last value", formatQuantity(figures.value, unit)], ["Limit", limitText(evidence, unit)]);
  facts.push(["Fired", formatInstant(alert.firedAt, timezone)]);
  if (isResolved) facts.push(["Resolved", formatInstant(ts, timezone)], ["Duration", formatSpan(ts - alert.firedAt)]);
  return facts.flatMap(([name, text]) => (text === undefined || text === "" ? [] : [{ name, text: oneLine(text) }]));
}

/** The variables of a template: the labels by name, then these, which win. */
function renderAnnotations(
  { alert, transition, state }: OutboxRow,
  known: { unit: string | null; figure: string; url: string; gateway: string },
): { annotations: Record<string, string>; notes: string[] } {
  const context = {
    ...alert.labels,
    ...known,
    labels: alert.labels,
    alertname: alert.rule,
    rule: alert.rule,
    severity: alert.severity,
    state,
    value: plainNumber(transition.figures.value),
    peak: plainNumber(transition.figures.peak),
    limit: alert.limit,
    starts_at: rfc3339(alert.firedAt),
    ends_at: state === "resolved" ? rfc3339(transition.ts) : "",
    duration: formatSpan(((state === "resolved" ? transition.ts : transition.at) - alert.firedAt) satisfies DurationMs),
  };
  const annotations: Record<string, string> = {};
  const notes: string[] = [];
  for (const [name, template] of Object.entries(alert.annotations)) {
    const { text, problem } = renderText(template, context);
    annotations[name] = text;
    if (problem !== undefined) notes.push(`The template of annotation "${name}" is broken and stands as it was written: ${problem}`);
  }
  return { annotations, notes };
}

/** Figures for templates: without the noise of binary fractions, as a number so that filters can round it. */
export const plainNumber = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(10)) : value);
