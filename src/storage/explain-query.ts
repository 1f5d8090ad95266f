// One alert with all that explains it: its transitions with their evidence, each notification with its one disposition, and what the
// causes of those name: a silence, an alert, a shelf, the notification that told in its place. It only selects.

import type { Members } from "../engine/dispatch/record.ts";
import { answerAlert } from "./alert-query.ts";
import type { Database } from "./database.ts";
import type { AlertHistory } from "./query.ts";

/** A notification and what its `cause` names; null where it names nothing of the kind, or what it names is gone. */
export type NotificationExplained = {
  readonly id: string;
  readonly ordinal: number;
  readonly receiver: string;
  readonly channel: string;
  readonly seq: number;
  readonly state: string;
  readonly kind: string;
  /** waiting | delivered | grouped | silenced | inhibited | muted | shelved | dead */
  readonly disposition: string;
  /** `silence:ID`, `alert:ID`, `interval:NAME`, `notification:ID`, `wait`, … */
  readonly cause: string | null;
  readonly heldUntil: number | null;
  readonly createdAt: number;
  readonly attempts: number;
  readonly nextAt: number;
  readonly endedAt: number | null;
  readonly reason: string | null;
  /** Transitions that it tells of. */
  readonly members: number;
  readonly other: { readonly disposition: string; readonly endedAt: number | null } | null;
  readonly silence: { readonly by: string; readonly why: string; readonly endsAt: number } | null;
  readonly alert: { readonly rule: string; readonly subject: string; readonly firedAt: number; readonly resolvedAt: number | null } | null;
  readonly shelf: { readonly by: string; readonly why: string; readonly until: number | null } | null;
  readonly ack: { readonly by: string; readonly at: number | null; readonly note: string } | null;
};

export type ExplainAnswer = Omit<AlertHistory, "notifications" | "events"> & {
  /** The canonical text of the series' or group's labels. */
  readonly subject: string;
  readonly notifications: readonly NotificationExplained[];
  /** IANA name of the zone in which times are told. */
  readonly timezone: string;
};

/** As many as /api/v1/alerts/ID gives. */
const NOTIFICATIONS_MAX = 10_000;

type Row = Omit<NotificationExplained, "other" | "silence" | "alert" | "shelf" | "ack" | "members"> & {
  readonly members: string | null;
  readonly ackedBy: string | null;
  readonly ackedAt: number | null;
  readonly ackNote: string | null;
};

const rowSql = `SELECT notification.id, ordinal, receiver, channel, seq, notification.state, kind, disposition, cause, held_until AS heldUntil,
  created_at AS createdAt, attempts, next_at AS nextAt, ended_at AS endedAt, reason, members, acked_by AS ackedBy, acked_at AS ackedAt, ack_note AS ackNote
  FROM notification JOIN alert ON alert.id = notification.alert WHERE alert = ? ORDER BY created_seq, receiver, channel, seq LIMIT ?`;

/** @param id of an occurrence; @returns null where there is none */
export function answerExplain(db: Database, { id }: { readonly id: string }, timezone: string): ExplainAnswer | null {
  const history = answerAlert(db, { id });
  if (history === null) return null;
  const named = createNamed(db);
  const rows = db.prepare<[string, number], Row>(rowSql).all(id, NOTIFICATIONS_MAX);
  const notifications = rows.map(({ members, ackedBy, ackedAt, ackNote, ...row }) => ({
    ...row,
    members: members === null ? 1 : countOf(JSON.parse(members) as Members),
    ...named(row.cause, row.endedAt ?? row.createdAt),
    ack: row.cause === "acknowledged" && ackedBy !== null ? { by: ackedBy, at: ackedAt, note: ackNote ?? "" } : null,
  }));
  const subject = db.prepare<[string], string>("SELECT subject FROM alert WHERE id = ?").pluck().get(id) ?? "";
  return { subject, alert: history.alert, transitions: history.transitions, notifications, timezone };
}

const countOf = ({ alerts, more }: Members): number => alerts.length + more;

type ShelfRow = NonNullable<NotificationExplained["shelf"]> & { readonly at: number; readonly kind: string };
type Looked = Omit<Named, "shelf"> & { readonly shelf: ShelfRow | null; readonly isOutOfService: boolean };
type Named = Pick<NotificationExplained, "other" | "silence" | "alert" | "shelf">;

/** What a cause names. Of one alert many notifications have the same cause: each is looked up once. */
function createNamed(db: Database): (cause: string | null, at: number) => Named {
  const other = db.prepare<[string], NonNullable<Named["other"]>>("SELECT disposition, ended_at AS endedAt FROM notification WHERE id = ?");
  const silence = db.prepare<[string], NonNullable<Named["silence"]>>("SELECT by, why, ends_at AS endsAt FROM silence WHERE id = ?");
  const alert = db.prepare<[string], NonNullable<Named["alert"]>>(
    "SELECT rule, subject, fired_at AS firedAt, resolved_at AS resolvedAt FROM alert WHERE id = ?",
  );
  const shelf = db.prepare<[string], ShelfRow>("SELECT by, why, until, at, kind FROM shelf WHERE key = ?");
  const known = new Map<string, Looked>();
  const look = (cause: string): Looked => {
    const [, kind = "", id = ""] = /^(\w+):(.*)$/s.exec(cause) ?? [];
    const isOther = kind === "notification" || kind === "storm" || kind === "flapping";
    return {
      other: (isOther ? other.get(id) : undefined) ?? null,
      silence: (kind === "silence" ? silence.get(id) : undefined) ?? null,
      alert: (kind === "alert" ? alert.get(id) : undefined) ?? null,
      shelf: (kind === "shelf" || kind === "out_of_service" ? shelf.get(id) : undefined) ?? null,
      isOutOfService: kind === "out_of_service",
    };
  };
  return (cause, at) => {
    const key = cause ?? "";
    const found = known.get(key) ?? look(key);
    known.set(key, found);
    const { isOutOfService, shelf: last, ...others } = found;
    // A shelf replaces the one before it: a later one, or one of the other kind, hid nothing then.
    const isIt = last !== null && last.at <= at && (last.kind === "out_of_service") === isOutOfService;
    return { ...others, shelf: isIt ? { by: last.by, why: last.why, until: last.until } : null };
  };
}
