// A notification that waits, joined with the alert and the transition that it tells of: what the outbox reads.
// Rows are plain and structured-cloneable; JSON columns are parsed, integer columns are numbers.

import type { NotificationKind } from "../engine/dispatch/record.ts";
import type { AlertRecord, Transition } from "../engine/effect.ts";
import type { EpochMs } from "../engine/units.ts";

/**
 * The outbox asks for `limit` rows and is given, of each (receiver, channel), at most `limit`: those that wait and have
 * no earlier one waiting before them in the same (line or alert, receiver, channel), by `next_at`, whether due yet or not.
 * Counting per channel keeps a receiver that hangs from filling the page; heads alone keep the order.
 */
export type OutboxRow = {
  readonly id: string;
  readonly receiver: string;
  /** `email:0`, `webhook:1`. */
  readonly channel: string;
  /** 1, 2, … per alert, receiver and channel. */
  readonly seq: number;
  readonly kind: NotificationKind;
  /** Its group, which keeps the order; null: the alert does. */
  readonly line: string | null;
  readonly state: "firing" | "resolved";
  readonly createdAt: EpochMs;
  /** Attempts that failed so far. */
  readonly attempts: number;
  readonly nextAt: EpochMs;
  /** The occurrence as it is now, which may be later than what this notification tells of. */
  readonly alert: AlertRecord;
  /** The transition told of; `at` is when it was committed. */
  readonly transition: StoredTransition;
  /** All that it tells of, the alert above among them; null: only that one. */
  readonly members: {
    readonly alerts: readonly OutboxMember[];
    /** How many, from the first on, made this notification; the others were told before. */
    readonly fresh: number;
    /** Those that there was no room for. */
    readonly more: number;
  } | null;
};

/** A row of a page: what it tells of is asked for when its turn comes, since many pages would not be read for the members of their rows. */
export type OutboxHead = Omit<OutboxRow, "members"> & { readonly members: OutboxRow["members"] | "left_out" };

type StoredTransition = Transition & { readonly at: EpochMs };
export type OutboxMember = { readonly alert: AlertRecord; readonly transition: StoredTransition };
