// Alarm performance from the store: the occurrences that a span of time is about, read without their evidence, and the figures
// made of them (engine/alarm-performance.ts). There is no index by the wall clock of a commit: occurrences are found by the event time at
// which they fired, BACKLOG_MS before the span too, so that only what came later than that from a backlog is left out.

import type { AlarmOccurrence } from "../engine/alarm-figures.ts";
import { FLOOD_LEAD_MS, performanceOf } from "../engine/alarm-performance.ts";
import type { Span } from "../engine/alarm-rate.ts";
import { defaultTargets } from "../engine/alarm-targets.ts";
import type { Labels } from "../engine/reading.ts";
import type { Severity } from "../engine/severity.ts";
import type { DurationMs, EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import type { Database } from "./database.ts";
import { createDeadline } from "./deadline.ts";
import { type Answer, type LabelFilter, QUERY_TIME_MS, type QueryContext, type QueryRequest } from "./query.ts";
import { matchesFilter } from "./series-query.ts";

/** Alerts that one answer may look at, of the span and of the time before it. */
export const PERFORMANCE_ALERTS_MAX = 100_000;
/** The same where nobody waits for the thread: at night, and on the command line. */
export const LONG_WORK_ALERTS_MAX = 500_000;
/** Readings may be so much older than the commit by which they fired an alert. */
export const BACKLOG_MS: DurationMs = 7 * 86_400_000;
/** Readings may be so much newer: the largest `max_future` that makes sense is far below. */
const AHEAD_MS: DurationMs = 86_400_000;
/** The wall clock may have been put back by as much: seqs and instants need not go together more closely. */
const CLOCK_MARGIN_MS: DurationMs = 86_400_000;
const SPAN_DEFAULT_MS: DurationMs = 86_400_000;

type Request = Extract<QueryRequest, { kind: "performance" }>;
type Filter = { readonly rule?: string; readonly labels?: LabelFilter };
type Row = {
  id: string;
  rule: string;
  subject: string;
  severity: Severity;
  labels: string;
  fired_at: EpochMs;
  resolved_at: EpochMs | null;
  first_acked_at: EpochMs | null;
  told_at: EpochMs | null;
};

/** @throws GatewayError `query_invalid`, `query_too_large`, `query_too_long` */
export function answerPerformance(db: Database, request: Request, context: QueryContext): Answer<Request> {
  const { rule, labels } = request;
  const span = spanOf(request, context.clock.now());
  const deadline = createDeadline(context.clock, context.timeMs ?? QUERY_TIME_MS);
  const found = readOccurrences(db, span, { ...(rule !== undefined && { rule }), ...(labels !== undefined && { labels }), check: () => deadline.check() });
  if (found === undefined)
    throw new GatewayError("query_too_large", `more than ${PERFORMANCE_ALERTS_MAX} alerts fired in this time and the week before`, {
      hint: "ask for another time; highwater performance, on the gateway's machine, takes five times as many",
    });
  return performanceOf(found, span, context.alarmTargets ?? defaultTargets);
}

/** What is yet to come is no part of a span: a mean over it would be too low. */
export function spanOf({ from, to }: { readonly from?: EpochMs; readonly to?: EpochMs }, now: EpochMs): Span {
  const end = Math.min(to ?? now, now);
  const start = from ?? end - SPAN_DEFAULT_MS;
  if (start >= end)
    throw new GatewayError("query_invalid", to !== undefined && start >= to ? "`to` is not after `from`" : "`from` is in the future", {
      hint: "`from` is inclusive, `to` exclusive",
    });
  return { from: start, to: end };
}

type Reading = Filter & {
  readonly alertsMax?: number;
  /** Called for each alert; ends the reading by throwing. */
  check?(): void;
};

/** @returns undefined when they are more than `alertsMax` */
export function readOccurrences(db: Database, { from, to }: Span, { rule, labels, alertsMax, check }: Reading): AlarmOccurrence[] | undefined {
  const clearedAt = db.prepare<[string], EpochMs>("SELECT at FROM transition WHERE alert = ? ORDER BY ordinal DESC LIMIT 1").pluck();
  const isHidden = createHiddenReader(db);
  const labelsOf = createLabelReader();
  const found: AlarmOccurrence[] = [];
  let left = alertsMax ?? PERFORMANCE_ALERTS_MAX;
  for (const row of rowsOf(db, { from, to })) {
    check?.();
    if (left === 0) return undefined;
    left -= 1;
    if (row.told_at === null || row.told_at >= to || (rule !== undefined && row.rule !== rule)) continue;
    const own = labelsOf(row.labels);
    if (!matchesFilter(own, labels)) continue;
    const cleared = row.resolved_at === null ? null : (clearedAt.get(row.id) ?? null);
    if (row.told_at < from - FLOOD_LEAD_MS && cleared !== null && cleared <= from) continue;
    found.push({
      id: row.id,
      rule: row.rule,
      subject: row.subject,
      labels: own,
      severity: row.severity,
      firedAt: row.fired_at,
      resolvedAt: row.resolved_at,
      toldAt: row.told_at,
      clearedAt: cleared,
      firstAckedAt: row.first_acked_at,
      hidden: row.told_at >= from && isHidden(row.id),
    });
  }
  return found;
}

/** Those that fired about then, and those that fired long before and stand still. Of the earlier ones only what changed since. */
function* rowsOf(db: Database, { from, to }: Span): Generator<Row> {
  const columns = `id, rule, subject, severity, labels, fired_at, resolved_at, first_acked_at,
    (SELECT at FROM transition WHERE transition.alert = alert.id ORDER BY ordinal LIMIT 1) AS told_at`;
  const [early, oldest] = [from - FLOOD_LEAD_MS, from - FLOOD_LEAD_MS - BACKLOG_MS];
  yield* db
    .prepare<[number, number], Row>(`SELECT ${columns} FROM alert WHERE fired_at <= ? AND fired_at >= ? ORDER BY fired_at DESC`)
    .iterate(to + AHEAD_MS, early);
  yield* db
    .prepare<[number, number, number], Row>(`SELECT ${columns} FROM alert WHERE fired_at < ? AND fired_at >= ? AND (changed_seq > ? OR state <> 'resolved')`)
    .iterate(early, oldest, lastSeqBefore(db, early - CLOCK_MARGIN_MS));
  for (const state of ["firing", "recovering"])
    yield* db.prepare<[string, number], Row>(`SELECT ${columns} FROM alert WHERE state = ? AND fired_at < ?`).iterate(state, oldest);
}

/** Seq of a journal row before which all were committed earlier than an instant; 0 when the journal begins later. */
function lastSeqBefore(db: Database, instant: EpochMs): number {
  const rowFrom = db.prepare<[number], { seq: number; at: EpochMs }>("SELECT seq, at FROM journal WHERE seq >= ? ORDER BY seq LIMIT 1");
  let [low, high] = [0, (db.prepare("SELECT max(seq) FROM journal").pluck().get() as number | null) ?? 0];
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    const row = rowFrom.get(middle);
    if (row !== undefined && row.at < instant) low = Math.min(row.seq, high);
    else high = middle - 1;
  }
  return low;
}

/** Hidden is what has notifications that all ended without anybody being told; where there are no receivers, nothing is. */
function createHiddenReader(db: Database): (alert: string) => boolean {
  const dispositions = db.prepare<[string], string>("SELECT disposition FROM notification WHERE alert = ? LIMIT 1000").pluck();
  const hiding = new Set(["silenced", "inhibited", "muted", "shelved"]);
  return (alert) => {
    const ended = dispositions.all(alert);
    return ended.length > 0 && ended.every((disposition) => hiding.has(disposition));
  };
}

/** Alerts of one actor mostly have the same labels. */
function createLabelReader(): (text: string) => Labels {
  const known = new Map<string, Labels>();
  return (text) => {
    const labels = known.get(text) ?? (JSON.parse(text) as Labels);
    known.set(text, labels);
    return labels;
  };
}
