// Alerts, newest first, with those that are pending in front; one alert with all that happened to it.

import type { Hidden } from "../engine/dispatch/hiding.ts";
import { keyOf } from "../engine/dispatch/occurrence.ts";
import type { AlertEvent, Shelf } from "../engine/dispatch/record.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import { type AlertRow, type NotificationRow, notificationColumns, type TransitionRow, toAlert, toNotification, toTransition } from "./alert-rows.ts";
import type { Database } from "./database.ts";
import { createDeadline } from "./deadline.ts";
import { type AlertHistory, type AlertView, type Answer, LIMIT_DEFAULT, QUERY_TIME_MS, type QueryContext, type QueryRequest } from "./query.ts";
import { readRulesInForce } from "./rule-versions-query.ts";
import { createSeriesReader, matchesFilter } from "./series-query.ts";

type Request = Extract<QueryRequest, { kind: "alerts" }>;

export function answerAlerts(db: Database, request: Request, context: QueryContext): Answer<Request> {
  const limit = request.limit ?? LIMIT_DEFAULT;
  const alerts: AlertView[] = request.cursor === undefined && wants(request, "pending") ? pendingAlerts(db, request, context).slice(0, limit) : [];
  const cursor = addOccurrences(db, alerts, limit, request, context);
  return { alerts, cursor };
}

const wants = ({ states }: Request, state: AlertView["state"]): boolean => states === undefined || states.includes(state);

/** Adds up to `limit`. @returns where to go on, null at the end */
function addOccurrences(db: Database, alerts: AlertView[], limit: number, request: Request, context: QueryContext): string | null {
  const deadline = createDeadline(context.clock, context.timeMs ?? QUERY_TIME_MS);
  const [cursorAt, cursorId] = splitCursor(request.cursor);
  const newest = Math.min(cursorAt, (request.to ?? Number.POSITIVE_INFINITY) - 1, Number.MAX_SAFE_INTEGER);
  const oldest = Math.max(request.from ?? Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER);
  const attended = attendedReader(db);
  const rows = db.prepare<[number, number], AlertRow>("SELECT * FROM alert WHERE fired_at <= ? AND fired_at >= ? ORDER BY fired_at DESC, id");
  let last = request.cursor ?? `${Number.MAX_SAFE_INTEGER}.`;
  for (const row of rows.iterate(newest, oldest)) {
    if (row.fired_at === cursorAt && row.id <= cursorId) continue;
    const isWanted =
      wants(request, row.state) && (request.rule === undefined || row.rule === request.rule) && matchesFilter(JSON.parse(row.labels) as Labels, request.labels);
    // Out of time with something to give: the rest is for the next page.
    if ((isWanted && alerts.length >= limit) || (alerts.length > 0 && deadline.left() < 0)) return last;
    deadline.check();
    if (isWanted) alerts.push(attended(row));
    last = `${row.fired_at}.${row.id}`;
  }
  return null;
}

function splitCursor(cursor: string | undefined): [EpochMs, string] {
  if (cursor === undefined) return [Number.MAX_SAFE_INTEGER, ""];
  const dot = cursor.indexOf(".");
  return [Number(cursor.slice(0, dot)), cursor.slice(dot + 1)];
}

/** Newest first. What a rule says of itself is taken from the plan in force. */
function pendingAlerts(db: Database, request: Request, { devices }: QueryContext): AlertView[] {
  if (request.from !== undefined || request.to !== undefined) return [];
  const rows = db
    .prepare<[], { rule: string; series: number; since: number; value: number; labels: string }>("SELECT * FROM pending ORDER BY since DESC, rule, series")
    .all();
  if (rows.length === 0) return [];
  const rules = new Map(readRulesInForce(db).map((rule) => [rule.name, rule]));
  const seriesOf = createSeriesReader(db, devices);
  return rows
    .filter(({ rule }) => request.rule === undefined || rule === request.rule)
    .map(({ rule: name, series, since, value, labels: ofGroup }): AlertView => {
      const rule = rules.get(name);
      const { labels: own, unit } = series < 0 ? { labels: JSON.parse(ofGroup) as Labels, unit: null } : seriesOf(series);
      const severity = rule?.severity ?? "warning";
      const labels = { ...own, ...rule?.labels, alertname: name, severity };
      const annotations = rule?.annotations ?? {};
      const open = { id: null, state: "pending", firedAt: null, resolvedAt: null, latchedAt: null, peak: null, limit: null } as const;
      return { ...open, rule: name, series, severity, labels, annotations, since, value, unit };
    })
    .filter(({ labels }) => matchesFilter(labels, request.labels));
}

/** Transitions and notifications of one occurrence are few by nature; these limits are for what is not natural. */
const TRANSITIONS_MAX = 10_000;

export function answerAlert(db: Database, { id }: { readonly id: string }): AlertHistory | null {
  const row = db.prepare<[string], AlertRow>("SELECT * FROM alert WHERE id = ?").get(id);
  if (row === undefined) return null;
  const transitions = db.prepare<[string, number], TransitionRow>("SELECT * FROM transition WHERE alert = ? ORDER BY ordinal LIMIT ?").all(id, TRANSITIONS_MAX);
  const notifications = db
    .prepare<[string, number], NotificationRow>(
      `SELECT ${notificationColumns} FROM notification WHERE alert = ? ORDER BY created_seq, receiver, channel, seq LIMIT ?`,
    )
    .all(id, TRANSITIONS_MAX);
  const events = db.prepare<[string, number], AlertEvent>("SELECT * FROM alert_event WHERE alert = ? ORDER BY number LIMIT ?").all(id, TRANSITIONS_MAX);
  return {
    alert: attendedReader(db)(row),
    subject: row.subject,
    transitions: transitions.map(toTransition),
    notifications: notifications.map(toNotification),
    events,
  };
}

/** Dispositions of what was not told. What is `grouped` was told, or will be, with others; but for what flaps. */
const hiding: ReadonlySet<string> = new Set(["silenced", "inhibited", "muted", "shelved"]);

/** Reads occurrences together with what people did with them, and what hides them. */
export function attendedReader(db: Database): (row: AlertRow) => AlertView {
  const read = db.prepare<[string], Omit<Shelf, "labels"> & { labels: string }>("SELECT * FROM shelf WHERE key = ?");
  const newest = db.prepare<[string], Hidden>("SELECT disposition, cause, max(created_seq) FROM notification WHERE alert = ? GROUP BY receiver, channel");
  const hiddenOf = (id: string): Hidden[] => {
    const rows = newest.all(id).filter(({ disposition, cause }) => hiding.has(disposition) || cause?.startsWith("flapping:"));
    return [...new Map(rows.map(({ disposition, cause }) => [cause, { disposition, cause }])).values()];
  };
  return (row) => {
    const found = read.get(keyOf(row.id));
    const shelf = found === undefined ? null : { ...found, labels: JSON.parse(found.labels) as Labels };
    return {
      ...toAlert(row),
      ackedBy: row.acked_by,
      ackedAt: row.acked_at,
      ackNote: row.ack_note,
      shelf,
      hidden: row.state === "resolved" ? [] : hiddenOf(row.id),
    };
  };
}

/**
 * The occurrence that somebody means by the beginning of its id: the only active one, else the newest where all are of one rule and subject.
 * @returns several where it could be any of them; none where there is none
 */
export function findAlerts(db: Database, prefix: string): readonly AlertView[] {
  const rows = db
    .prepare<{ prefix: string; end: string; most: number }, AlertRow>(
      "SELECT * FROM alert WHERE id >= @prefix AND id < @end ORDER BY fired_at DESC LIMIT @most",
    )
    .all({ prefix, end: `${prefix}\u{10ffff}`, most: FOUND_MAX });
  const exact = rows.filter(({ id }) => id === prefix);
  const active = rows.filter(({ state }) => state !== "resolved");
  const keys = new Set(rows.map(({ id }) => keyOf(id)));
  const meant = exact.length > 0 ? exact : active.length > 0 ? active : keys.size === 1 ? rows.slice(0, 1) : rows;
  return meant.map(attendedReader(db));
}
const FOUND_MAX = 1000;
