// Rows of the alert, transition and notification tables as the objects they were: JSON parsed, names as in the code.

import type { Members } from "../engine/dispatch/record.ts";
import type { AlertRecord, Evidence, Transition } from "../engine/effect.ts";
import type { Labels } from "../engine/reading.ts";
import type { Severity } from "../engine/severity.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { NotificationView } from "./query.ts";

export type AlertRow = {
  readonly acked_by: string | null;
  readonly acked_at: EpochMs | null;
  readonly ack_note: string | null;
  readonly id: string;
  readonly rule: string;
  readonly series: SeriesId;
  readonly subject: string;
  readonly severity: Severity;
  readonly labels: string;
  readonly annotations: string;
  readonly state: "firing" | "recovering" | "resolved";
  readonly since: EpochMs;
  readonly fired_at: EpochMs;
  readonly resolved_at: EpochMs | null;
  readonly latched_at: EpochMs | null;
  readonly value: number;
  readonly peak: number;
  readonly limit: number | null;
  readonly unit: string | null;
};

export function toAlert(row: AlertRow): AlertRecord {
  const {
    fired_at: firedAt,
    resolved_at: resolvedAt,
    latched_at: latchedAt,
    id,
    rule,
    series,
    subject,
    severity,
    state,
    since,
    value,
    peak,
    limit,
    unit,
  } = row;
  const [labels, annotations] = [JSON.parse(row.labels) as Labels, JSON.parse(row.annotations) as Labels];
  return { id, rule, series, subject, severity, labels, annotations, state, since, firedAt, resolvedAt, latchedAt, value, peak, limit, unit };
}

export type TransitionRow = {
  alert: string;
  ordinal: number;
  to: Transition["to"];
  reason: string;
  ts: EpochMs;
  at: EpochMs;
  value: number;
  peak: number;
  evidence: string;
};

export function toTransition(row: TransitionRow): Transition & { readonly at: EpochMs } {
  const { alert, ordinal, to, ts, at, value, peak } = row;
  return { alert, ordinal, to, reason: row.reason as Transition["reason"], ts, at, figures: { value, peak }, evidence: JSON.parse(row.evidence) as Evidence };
}

export const notificationColumns =
  "id, alert, ordinal, receiver, channel, seq, state, kind, disposition, cause, line, held_until, members, created_at, attempts, next_at, ended_at, reason" as const;

export type NotificationRow = Omit<NotificationView, "createdAt" | "nextAt" | "endedAt" | "heldUntil" | "members"> & {
  created_at: EpochMs;
  next_at: EpochMs;
  ended_at: EpochMs | null;
  held_until: EpochMs | null;
  members: string | null;
};

export function toNotification(row: NotificationRow): NotificationView {
  const { created_at: createdAt, next_at: nextAt, ended_at: endedAt, held_until: heldUntil, members, ...rest } = row;
  return { ...rest, createdAt, nextAt, endedAt, heldUntil, members: members === null ? null : (JSON.parse(members) as Members) };
}
