// Alerts that a rebuild made, as finished rows. What was there when they were compared must be there still, and be over: an alert that the
// engine changed meanwhile, that fires, or of which somebody is still to be told, is left as it is. No notification comes of it.

import type { Day } from "../engine/calendar.ts";
import type { AlertRecord, Transition } from "../engine/effect.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";

/** `at`: when the live run would have committed it. */
export type RebuiltTransition = Transition & { readonly at: EpochMs };
export type RebuiltAlert = { readonly record: AlertRecord; readonly transitions: readonly RebuiltTransition[] };

export type RebuiltAlertRow = {
  readonly kind: "rebuilt-alert";
  /** Of the stored alert, or of the new one. */
  readonly id: string;
  /** Null: the rebuild does not have it; it stays, and the event says so. */
  readonly rebuilt: RebuiltAlert | null;
  /** `changed_seq` of the stored one as it was compared; null: there was none. */
  readonly was: number | null;
  /** Row of the journal as of which it was compared. */
  readonly seq: number;
  readonly event: { readonly at: EpochMs; readonly by: string; readonly text: string };
  /** Local days whose summaries count it. */
  readonly days: readonly { readonly zone: string; readonly day: Day }[];
};

/** Numbers of the events of rebuilds begin here; those below are the engine's, which counts by itself. */
const EVENTS_FROM = 1_000_000;

/** @returns a function that writes what a rebuild made; call it within a transaction */
export function createRebuiltAlertWriter(db: Database): (row: RebuiltAlertRow) => void {
  const read = createAlertStandingReader(db);
  const insert = db.prepare(`INSERT INTO alert
    (id, rule, series, severity, labels, annotations, state, since, fired_at, resolved_at, latched_at, value, peak, "limit", unit, changed_seq, subject) VALUES
    (@id, @rule, @series, @severity, @labels, @annotations, @state, @since, @firedAt, @resolvedAt, @latchedAt, @value, @peak, @limit, @unit, @seq, @subject)
    ON CONFLICT DO UPDATE SET severity = excluded.severity, labels = excluded.labels, since = excluded.since, fired_at = excluded.fired_at,
      resolved_at = excluded.resolved_at, value = excluded.value, peak = excluded.peak, "limit" = excluded."limit", unit = excluded.unit,
      changed_seq = excluded.changed_seq`);
  const clear = db.prepare("DELETE FROM transition WHERE alert = ?");
  const transition = db.prepare("INSERT INTO transition VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const lastEvent = db.prepare<[string], number | null>("SELECT max(number) FROM alert_event WHERE alert = ?").pluck();
  const event = db.prepare("INSERT INTO alert_event VALUES (?, ?, ?, 'rebuilt', ?, ?, NULL)");
  const open = db.prepare("INSERT INTO summary_open VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  return ({ id, rebuilt, was, seq, event: { at, by, text }, days }) => {
    const now = read(id);
    if (was === null ? now !== undefined : now?.changedSeq !== was || !now.isOver) return;
    if (rebuilt !== null) {
      const { record, transitions } = rebuilt;
      insert.run({ ...record, id, labels: JSON.stringify(record.labels), annotations: JSON.stringify(record.annotations), seq });
      clear.run(id);
      for (const each of transitions)
        transition.run(id, each.ordinal, each.to, each.reason, each.ts, each.at, each.figures.value, each.figures.peak, JSON.stringify(each.evidence));
      if (record.series >= 0) for (const { zone, day } of days) open.run(zone, day, record.series);
    }
    event.run(id, Math.max(EVENTS_FROM, (lastEvent.get(id) ?? 0) + 1), at, by, text);
  };
}

/** How an alert stands that a rebuild would change; `isOver`: it is resolved, and nobody is still to be told. */
export type AlertStanding = { readonly changedSeq: number; readonly isOver: boolean; readonly transitions: number; readonly texts: readonly string[] };

/** @returns undefined where there is no such alert */
export function createAlertStandingReader(db: Database): (id: string) => AlertStanding | undefined {
  const alert = db.prepare<[string], { state: string; changed_seq: number }>("SELECT state, changed_seq FROM alert WHERE id = ?");
  const waits = db.prepare<[string], 1>("SELECT 1 FROM notification WHERE alert = ? AND disposition = 'waiting' LIMIT 1").pluck();
  const count = db.prepare<[string], number>("SELECT count(*) FROM transition WHERE alert = ?").pluck();
  const texts = db.prepare<[string], string>("SELECT text FROM alert_event WHERE alert = ? AND kind = 'rebuilt'").pluck();
  return (id) => {
    const found = alert.get(id);
    if (found === undefined) return undefined;
    const isOver = found.state === "resolved" && waits.get(id) === undefined;
    return { changedSeq: found.changed_seq, isOver, transitions: count.get(id) ?? 0, texts: texts.all(id) };
  };
}
