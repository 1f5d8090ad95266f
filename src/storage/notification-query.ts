// Notifications: the list for people, and what the outbox has to deliver next.

import type { Members } from "../engine/dispatch/record.ts";
import { GatewayError } from "../error.ts";
import { type AlertRow, type NotificationRow, notificationColumns, type TransitionRow, toAlert, toNotification, toTransition } from "./alert-rows.ts";
import type { Database } from "./database.ts";
import type { OutboxHead, OutboxMember, OutboxRow } from "./outbox-row.ts";
import {
  type Answer,
  dispositions,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  type NotificationView,
  type QueryRequest,
  type RejectedView,
  type StoredCounts,
} from "./query.ts";

export function answerNotifications(db: Database, request: Extract<QueryRequest, { kind: "notifications" }>): Answer<typeof request> {
  const limit = request.limit ?? LIMIT_DEFAULT;
  const dot = request.cursor?.indexOf(".") ?? -1;
  const [at, id] = request.cursor === undefined ? [Number.MAX_SAFE_INTEGER, ""] : [Number(request.cursor.slice(0, dot)), request.cursor.slice(dot + 1)];
  const { alert, disposition } = request;
  // Written out rather than bound, so that an index of one disposition can be used.
  const filters = [disposition === undefined ? [] : [`disposition = '${knownDisposition(disposition)}'`], alert === undefined ? [] : ["alert = @alert"]].flat();
  const rows = db
    .prepare<unknown[], NotificationRow>(
      `SELECT ${notificationColumns} FROM notification
       WHERE ${["created_at <= @at AND (created_at < @at OR id > @id)", ...filters].join(" AND ")} ORDER BY created_at DESC, id LIMIT @limit`,
    )
    .all({ at, id, ...(alert !== undefined && { alert }), limit: limit + 1 });
  const notifications = rows.slice(0, limit).map(toNotification);
  const last = notifications.at(-1);
  return { notifications, cursor: rows.length > limit && last !== undefined ? `${last.createdAt}.${last.id}` : null };
}

/** Only words of this list reach the SQL. */
function knownDisposition(text: string): NotificationView["disposition"] {
  const known = dispositions.find((each) => each === text);
  if (known === undefined) throw new GatewayError("query_invalid", `there is no disposition ${text}`, { hint: `use one of ${dispositions.join(", ")}` });
  return known;
}

/** Notifications that wait at once beyond this many are not looked at; their turn comes as those before them end. */
const WAITING_MAX = 100_000;
/** So many are read in a few milliseconds. */
const SHORT_MAX = 64;

/** Whether so few wait that `answerOutbox` may be asked where nothing may stand still. */
export const isOutboxShort = (db: Database): boolean => (outboxStatements(db).waiting.get(SHORT_MAX + 1) as number) <= SHORT_MAX;

/**
 * Of each (receiver, channel) at most `limit` rows: those with no earlier one waiting in the same (line or alert, receiver, channel), by `next_at`.
 */
export function answerOutbox(db: Database, { limit }: { readonly limit: number }): Answer<Extract<QueryRequest, { kind: "outbox" }>> {
  const { heads, notification, earlierOfAlert, earlierOfLine } = outboxStatements(db);
  const rows: OutboxHead[] = [];
  for (const id of heads.all(WAITING_MAX, Math.min(limit, LIMIT_MAX))) {
    const row = notification.get(id);
    if (row === undefined || (row.line === null ? earlierOfAlert : earlierOfLine).get(row) !== undefined) continue;
    const head = headOf(db, row);
    if (head !== undefined) rows.push(head);
  }
  return { rows };
}

export function answerOutboxRow(db: Database, { id }: { readonly id: string }): OutboxRow | null {
  const row = outboxStatements(db).notification.get(id);
  const head = row && headOf(db, row);
  if (row === undefined || head === undefined) return null;
  const members = row.members === null ? null : (JSON.parse(row.members) as Members);
  return { ...head, members: members && { ...members, alerts: members.alerts.flatMap((each) => memberOf(db, ...each) ?? []) } };
}

function headOf(db: Database, row: NotificationRow): OutboxHead | undefined {
  const told = memberOf(db, row.alert, row.ordinal);
  if (told === undefined) return undefined;
  const { id, receiver, channel, seq, kind, line, state, created_at: createdAt, attempts, next_at: nextAt, members } = row;
  return { id, receiver, channel, seq, kind, line, state, createdAt, attempts, nextAt, ...told, members: members === null ? null : "left_out" };
}

function memberOf(db: Database, id: string, ordinal: number): OutboxMember | undefined {
  const { alert, transition } = outboxStatements(db);
  const [record, told] = [alert.get(id), transition.get(id, ordinal)];
  return record && told && { alert: toAlert(record), transition: toTransition(told) };
}

type OutboxStatements = ReturnType<typeof prepareOutbox>;
/** The outbox asks at each commit that changed an alert: its statements are prepared once per connection. */
const prepared = new WeakMap<Database, OutboxStatements>();

function outboxStatements(db: Database): OutboxStatements {
  const known = prepared.get(db);
  if (known !== undefined) return known;
  const made = prepareOutbox(db);
  prepared.set(db, made);
  return made;
}

function prepareOutbox(db: Database) {
  const earlier = (same: string) =>
    db.prepare(
      `SELECT 1 FROM notification
       WHERE ${same} AND receiver = @receiver AND channel = @channel AND seq < @seq AND disposition = 'waiting' AND held_until IS NULL`,
    );
  return {
    waiting: db
      .prepare<[number], number>("SELECT count(*) FROM (SELECT 1 FROM notification WHERE disposition = 'waiting' AND held_until IS NULL LIMIT ?)")
      .pluck(),
    heads: db
      .prepare<[number, number], string>(
        `WITH waiting AS (
           SELECT id, receiver, channel, next_at, row_number() OVER (PARTITION BY coalesce(line, alert), receiver, channel ORDER BY seq) AS place
           FROM (SELECT * FROM notification WHERE disposition = 'waiting' AND held_until IS NULL LIMIT ?)
         ), head AS (
           SELECT id, next_at, row_number() OVER (PARTITION BY receiver, channel ORDER BY next_at, id) AS place FROM waiting WHERE place = 1
         )
         SELECT id FROM head WHERE place <= ? ORDER BY next_at, id`,
      )
      .pluck(),
    notification: db.prepare<[string], NotificationRow>(`SELECT ${notificationColumns} FROM notification WHERE id = ?`),
    // The limit above may have cut off an earlier one.
    earlierOfAlert: earlier("alert = @alert AND line IS NULL"),
    earlierOfLine: earlier("line = @line"),
    alert: db.prepare<[string], AlertRow>("SELECT * FROM alert WHERE id = ?"),
    transition: db.prepare<[string, number], TransitionRow>("SELECT * FROM transition WHERE alert = ? AND ordinal = ?"),
  };
}

export function answerRejected(db: Database, { limit }: { readonly limit?: number }): { readonly rejected: readonly RejectedView[] } {
  const rejected = db
    .prepare<[number], RejectedView>(
      "SELECT topic, reason, count, first_at AS firstAt, last_at AS lastAt, detail, sample FROM rejected ORDER BY last_at DESC, topic, reason LIMIT ?",
    )
    .all(Math.min(limit ?? LIMIT_DEFAULT, LIMIT_MAX));
  return { rejected };
}

/** Dispositions have an index of their own; a million rows take some ten milliseconds. */
export function answerCounts(db: Database): StoredCounts {
  const notifications = db
    .prepare<[], StoredCounts["notifications"][number]>("SELECT disposition, count(*) AS count FROM notification GROUP BY disposition ORDER BY disposition")
    .all();
  const oldestWaitingAt = db
    .prepare<[], number | null>("SELECT min(created_at) FROM notification WHERE disposition = 'waiting' AND held_until IS NULL")
    .pluck()
    .get();
  const countOf = (name: string): number => notifications.find(({ disposition }) => disposition === name)?.count ?? 0;
  const rejected = db.prepare<[], StoredCounts["rejected"][number]>("SELECT reason, sum(count) AS count FROM rejected GROUP BY reason ORDER BY reason").all();
  return { waiting: countOf("waiting"), oldestWaitingAt: oldestWaitingAt ?? null, dead: countOf("dead"), notifications, rejected };
}
