// What clients tried and may not, for the audit log: failed logins, and breaches of the access list. Each is counted as a refusal
// anyway; one a second of each address, and so many of all, are written down as well, and the log counts repeated ones in one row.

import type { Clock } from "../clock.ts";
import type { AuditRow } from "../storage/audit.ts";
import type { ChangesInbox } from "./changes.ts";
import type { Connection } from "./connections.ts";
import { createTokenBucket, takeToken } from "./token-bucket.ts";

const PER_SECOND_MAX = 20;
/** Addresses that are told apart. */
const ADDRESSES_MAX = 1_000;

export type Breaches = ReturnType<typeof createBreaches>;
export type BreachAction = "mqtt login" | "mqtt publish" | "mqtt subscribe";

export function createBreaches({ inbox, clock }: { inbox: ChangesInbox; clock: Clock }) {
  const bucket = createTokenBucket(PER_SECOND_MAX, clock.monotonic());
  let rows: AuditRow[] = [];
  /** When the last of an address and action was written, monotonic ms; the oldest first. */
  const lastOf = new Map<string, number>();
  const isTurnOf = (key: string): boolean => {
    const now = clock.monotonic();
    if (now - (lastOf.get(key) ?? Number.NEGATIVE_INFINITY) < 1_000 || !takeToken(bucket, now)) return false;
    lastOf.delete(key);
    lastOf.set(key, now);
    if (lastOf.size > ADDRESSES_MAX) lastOf.delete(lastOf.keys().next().value as string);
    return true;
  };
  inbox.carry(() => {
    const taken = rows;
    rows = [];
    return taken;
  });
  return {
    /** @param target the topic, or the name that was tried */
    note(connection: Connection | undefined, action: BreachAction, target: string): void {
      if (!isTurnOf(`${action} ${connection?.peer.address ?? ""}`)) return;
      const who = action === "mqtt login" ? "" : (connection?.identity ?? "");
      rows.push({ kind: "audit", at: clock.now(), who, origin: connection?.peer.address ?? "", action, target, why: "", outcome: "refused" });
      inbox.committed(() => undefined);
    },
  };
}
