// The alert tables and the outbox rows, written inside the commit that made them: transitions, notifications, what people did.

import type { AlertRecord, Effects } from "../engine/effect.ts";
import type { EpochMs } from "../engine/units.ts";
import { type AlertRow, toAlert } from "./alert-rows.ts";
import type { Database } from "./database.ts";

type Commit = { readonly seq: number; readonly now: EpochMs };

/** @returns a function that writes a step's alerts; call it within a transaction */
export function createAlertWriter(db: Database): (effects: Effects, commit: Commit) => void {
  const writeTransitions = createTransitionWriter(db);
  const writeNotifications = createNotificationWriter(db);
  const writeLife = createLifeWriter(db);
  return (effects, commit) => {
    writeTransitions(effects, commit);
    writeNotifications(effects, commit);
    writeLife(effects);
  };
}

function createTransitionWriter(db: Database): (effects: Effects, commit: Commit) => void {
  const alert = db.prepare(`INSERT INTO alert
    (id, rule, series, severity, labels, annotations, state, since, fired_at, resolved_at, latched_at, value, peak, "limit", unit, changed_seq, subject) VALUES
    (@id, @rule, @series, @severity, @labels, @annotations, @state, @since, @firedAt, @resolvedAt, @latchedAt, @value, @peak, @limit, @unit, @seq, @subject)
    ON CONFLICT DO UPDATE SET severity = excluded.severity, labels = excluded.labels, state = excluded.state, since = excluded.since,
      resolved_at = excluded.resolved_at, latched_at = excluded.latched_at, value = excluded.value, peak = excluded.peak, "limit" = excluded."limit",
      changed_seq = excluded.changed_seq`);
  // A rebuild may have made an occurrence of the same instant, of readings that were imported before the device sent them.
  const clearRebuilt = db.prepare("DELETE FROM transition WHERE alert = ?");
  const transition = db.prepare("INSERT INTO transition VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const pendingPut = db.prepare("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?)");
  const pendingDrop = db.prepare("DELETE FROM pending WHERE rule = ? AND series = ?");
  return (effects, { seq, now }) => {
    for (const record of effects.alerts) {
      alert.run({ ...record, labels: JSON.stringify(record.labels), annotations: JSON.stringify(record.annotations), seq });
    }
    for (const each of effects.transitions) {
      if (each.ordinal === 1) clearRebuilt.run(each.alert);
      transition.run(each.alert, each.ordinal, each.to, each.reason, each.ts, now, each.figures.value, each.figures.peak, JSON.stringify(each.evidence));
    }
    for (const { rule, series, labels, since, value } of effects.pending) {
      if (since === null) pendingDrop.run(rule, series);
      else pendingPut.run(rule, series, since, value, JSON.stringify(labels));
    }
  };
}

/** What waits may still become something else; what is final stays. */
function createNotificationWriter(db: Database): (effects: Effects, commit: Commit) => void {
  const notify = db.prepare(`INSERT INTO notification
    (id, alert, ordinal, receiver, channel, seq, state, kind, disposition, cause, line, held_until, members,
     created_at, created_seq, attempts, next_at, ended_at) VALUES
    (@id, @alert, @ordinal, @receiver, @channel, @seq, @state, @kind, @disposition, @cause, @line, @heldUntil, @members, @now, @journal, 0, @now, @endedAt)
    ON CONFLICT DO UPDATE SET seq = excluded.seq, state = excluded.state, kind = excluded.kind, disposition = excluded.disposition, cause = excluded.cause,
      line = excluded.line, held_until = excluded.held_until, members = excluded.members, next_at = excluded.next_at, ended_at = excluded.ended_at
      WHERE disposition = 'waiting'`);
  const dead = db.prepare("UPDATE notification SET disposition = 'dead', ended_at = ?, reason = ? WHERE id = ? AND disposition = 'waiting'");
  return ({ notifications, dead: given }, { seq, now }) => {
    for (const record of notifications) {
      const members = record.members === null ? null : JSON.stringify(record.members);
      notify.run({ ...record, members, now, journal: seq, endedAt: record.disposition === "waiting" ? null : now });
    }
    for (const { notification, reason } of given) dead.run(now, reason, notification);
  };
}

/** What people and time did beside. */
function createLifeWriter(db: Database): (effects: Effects) => void {
  const ack = db.prepare(`UPDATE alert SET acked_by = @by, acked_at = @at, ack_note = @note, first_acked_at = coalesce(first_acked_at, @at) WHERE id = @alert`);
  const event = db.prepare("INSERT INTO alert_event VALUES (@alert, @number, @at, @kind, @by, @text, @until)");
  const shelfPut = db.prepare("INSERT OR REPLACE INTO shelf VALUES (@key, @kind, @rule, @subject, @labels, @by, @at, @until, @why)");
  const shelfDrop = db.prepare("DELETE FROM shelf WHERE key = ?");
  const silence = db.prepare("INSERT OR REPLACE INTO silence VALUES (@id, @matchers, @startsAt, @endsAt, @by, @why, @createdAt, @endedBy)");
  const override = db.prepare("INSERT OR REPLACE INTO schedule_override VALUES (@id, @schedule, @member, @from, @to, @by, @why, @createdAt, @removedBy)");
  return ({ acks, alertEvents, shelves, silences, overrides }) => {
    for (const { alert, ack: given } of acks) ack.run({ alert, ...(given ?? { by: null, at: null, note: null }) });
    for (const each of alertEvents) event.run(each);
    for (const { key, shelf } of shelves) {
      if (shelf === null) shelfDrop.run(key);
      else shelfPut.run({ ...shelf, labels: JSON.stringify(shelf.labels) });
    }
    for (const each of silences) silence.run({ ...each, matchers: JSON.stringify(each.matchers) });
    for (const each of overrides) override.run(each);
  };
}

/** Alerts that fire or recover, oldest first. */
export function readActiveAlerts(db: Database): AlertRecord[] {
  return db.prepare<[], AlertRow>("SELECT * FROM alert WHERE state <> 'resolved' ORDER BY fired_at").all().map(toAlert);
}
