// The alert tables and the outbox rows, written inside the commit that made them.

import type { AlertRecord, Effects } from "../engine/effect.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";

/** @returns a function that writes a step's alerts; call it within a transaction */
export function createAlertWriter(db: Database): (effects: Effects, commit: { seq: number; now: EpochMs }) => void {
  const alert =
    db.prepare(`INSERT INTO alert (id, rule, series, severity, labels, annotations, state, since, fired_at, resolved_at, value, peak, "limit", unit, changed_seq, subject) VALUES
    (@id, @rule, @series, @severity, @labels, @annotations, @state, @since, @firedAt, @resolvedAt, @value, @peak, @limit, @unit, @seq, @subject)
    ON CONFLICT DO UPDATE SET severity = excluded.severity, labels = excluded.labels, state = excluded.state, since = excluded.since,
      resolved_at = excluded.resolved_at, value = excluded.value, peak = excluded.peak, "limit" = excluded."limit", changed_seq = excluded.changed_seq`);
  const transition = db.prepare("INSERT INTO transition VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const pendingPut = db.prepare("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?)");
  const pendingDrop = db.prepare("DELETE FROM pending WHERE rule = ? AND series = ?");
  const notify = db.prepare(
    `INSERT INTO notification (id, alert, ordinal, receiver, channel, seq, state, disposition, created_at, created_seq, attempts, next_at)
     VALUES (@id, @alert, @ordinal, @receiver, @channel, @seq, @state, 'waiting', @now, @journal, 0, @now)`,
  );
  const dead = db.prepare("UPDATE notification SET disposition = 'dead', ended_at = ?, reason = ? WHERE id = ? AND disposition = 'waiting'");
  return (effects, { seq, now }) => {
    for (const record of effects.alerts) {
      alert.run({ ...record, labels: JSON.stringify(record.labels), annotations: JSON.stringify(record.annotations), seq });
    }
    for (const each of effects.transitions) {
      transition.run(each.alert, each.ordinal, each.to, each.reason, each.ts, now, each.figures.value, each.figures.peak, JSON.stringify(each.evidence));
    }
    for (const { rule, series, labels, since, value } of effects.pending) {
      if (since === null) pendingDrop.run(rule, series);
      else pendingPut.run(rule, series, since, value, JSON.stringify(labels));
    }
    for (const record of effects.notifications) notify.run({ ...record, now, journal: seq });
    for (const { notification, reason } of effects.dead) dead.run(now, reason, notification);
  };
}

type AlertRow = Omit<AlertRecord, "firedAt" | "resolvedAt" | "labels" | "annotations"> & {
  fired_at: EpochMs;
  resolved_at: EpochMs | null;
  labels: string;
  annotations: string;
};

/** Alerts that fire or recover, oldest first. */
export function readActiveAlerts(db: Database): AlertRecord[] {
  const rows = db.prepare<[], AlertRow>("SELECT * FROM alert WHERE state <> 'resolved' ORDER BY fired_at").all();
  return rows.map((row) => ({
    id: row.id,
    rule: row.rule,
    series: row.series,
    subject: row.subject,
    severity: row.severity,
    labels: JSON.parse(row.labels),
    annotations: JSON.parse(row.annotations),
    state: row.state,
    since: row.since,
    firedAt: row.fired_at,
    resolvedAt: row.resolved_at,
    value: row.value,
    peak: row.peak,
    limit: row.limit,
    unit: row.unit,
  }));
}
