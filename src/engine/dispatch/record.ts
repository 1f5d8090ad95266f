// What dispatch writes down: notifications with their one disposition each, what people and time did to an alert, silences, shelves.
// Each row is whole and replaces the one of the same id.

import type { LabelMatcher } from "../matcher.ts";
import type { Labels } from "../reading.ts";
import type { EpochMs } from "../units.ts";

/** A channel of a receiver. */
export type Told = { readonly receiver: string; readonly channel: string };

/**
 * Why somebody is told: a `transition`; what hid it is over, or nobody attended to it (`announced`); repeat_interval is over (`repeat`); nobody
 * acknowledged (`escalation`); it fires so often that only this one is told (`flapping`); so many fire that they are told together (`storm`).
 */
export const notificationKinds = ["transition", "announced", "repeat", "escalation", "flapping", "storm"] as const;
export type NotificationKind = (typeof notificationKinds)[number];

/** What the engine makes of a notification. `waiting` is not final: the outbox makes it `delivered` or, by an input, `dead`. */
export type Disposition = "waiting" | "grouped" | "silenced" | "inhibited" | "muted" | "shelved";

/** All that a notification tells of: first the `fresh` ones that made it, then what was told before; `more`: how many there was no room for. */
export type Members = { readonly alerts: readonly (readonly [alert: string, ordinal: number])[]; readonly fresh: number; readonly more: number };

/** One alert, as of one transition, for one channel of one receiver. */
export type NotificationRecord = Told & {
  readonly id: string;
  readonly alert: string;
  /** Of the transition that it tells of. */
  readonly ordinal: number;
  /** 1, 2, … per line and channel of what is sent; 0: not sent by itself. */
  readonly seq: number;
  readonly state: "firing" | "resolved";
  readonly kind: NotificationKind;
  readonly disposition: Disposition;
  /**
   * Of what is not sent by itself: `notification:ID`, `storm:ID` (the notification that tells it), `flapping:ALERT`, `wait` (over before its group
   * was told), `silence:ID`, `alert:ID` (that inhibits it), `interval:NAME`, `shelf:KEY`, `out_of_service:KEY`.
   */
  readonly cause: string | null;
  /** Of what shares notifications with others: its group; null: the alert itself keeps the order. */
  readonly line: string | null;
  /** It waits for its group, or for what may inhibit it, until then, or longer; null: it waits for nothing but its delivery. */
  readonly heldUntil: EpochMs | null;
  readonly members: Members | null;
};

export const alertEventKinds = [
  "acknowledged",
  "unacknowledged",
  "commented",
  "shelved",
  "unshelved",
  "shelf_expired",
  "out_of_service",
  "in_service",
  "reset",
  "unattended",
  "rebuilt",
] as const;
export type AlertEventKind = (typeof alertEventKinds)[number];

/** What was done to an occurrence beside its transitions. `by` is "" where time did it. */
export type AlertEvent = {
  readonly alert: string;
  /** 1, 2, … within the occurrence. */
  readonly number: number;
  readonly at: EpochMs;
  readonly kind: AlertEventKind;
  readonly by: string;
  readonly text: string;
  readonly until: EpochMs | null;
};

export type Ack = { readonly by: string; readonly at: EpochMs; readonly note: string };
/** Whether an occurrence is acknowledged now. */
export type AckRecord = { readonly alert: string; readonly ack: Ack | null };

/** An alert (a rule on a subject) that is shelved or out of service, whatever becomes of its occurrences. */
export type Shelf = {
  /** Of all occurrences of the rule on the subject the same: their ids up to the dash. */
  readonly key: string;
  readonly kind: "timed" | "until_clear" | "out_of_service";
  readonly rule: string;
  readonly subject: string;
  readonly labels: Labels;
  readonly by: string;
  readonly at: EpochMs;
  /** null: until somebody returns it to service. */
  readonly until: EpochMs | null;
  readonly why: string;
};
export type ShelfRecord = { readonly key: string; readonly shelf: Shelf | null };

export type Silence = {
  readonly id: string;
  readonly matchers: readonly LabelMatcher[];
  /** Inclusive. */
  readonly startsAt: EpochMs;
  /** Exclusive. */
  readonly endsAt: EpochMs;
  readonly by: string;
  readonly why: string;
  readonly createdAt: EpochMs;
  /** Who ended it before its time. */
  readonly endedBy: string | null;
};

export type OverrideRecord = {
  readonly id: string;
  readonly schedule: string;
  readonly member: string;
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly by: string;
  readonly why: string;
  readonly createdAt: EpochMs;
  readonly removedBy: string | null;
};
