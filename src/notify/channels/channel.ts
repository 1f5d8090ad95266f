// The contract of a channel: settings in, one notification out, and what became of it. One file per type, one line in index.ts.
// A channel does not retry, sleep, log or keep order: the outbox does. It ends soon after its signal aborts.

import type { z } from "zod";
import type { DurationMs } from "../../engine/units.ts";
import type { Notification } from "../notification.ts";

/** Why an attempt failed, for the metric; the list is closed, `reason` has the words, one line. */
export const failureCauses = ["network", "timeout", "throttled", "refused", "redirected", "server", "gone", "config", "other"] as const;
export type FailureCause = (typeof failureCauses)[number];

export type Delivery =
  /** `note`: what the owner should hear though it arrived, such as one recipient of several that does not exist. */
  | { readonly kind: "delivered"; readonly note?: string }
  /** Try again, not before `afterMs` if the receiver named a time. */
  | { readonly kind: "retry"; readonly reason: string; readonly afterMs?: DurationMs; readonly cause?: FailureCause }
  /** Trying again cannot help. */
  | { readonly kind: "failed"; readonly reason: string; readonly cause?: FailureCause };

export type Channel<Settings> = {
  /** The key in a receiver's block. */
  readonly type: string;
  readonly schema: z.ZodType<Settings>;
  /** Resolves, never rejects, with what became of it; soon after `signal` aborts with `retry`. */
  send(settings: Settings, notification: Notification, signal: AbortSignal): Promise<Delivery>;
};
