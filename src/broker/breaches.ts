// What clients tried and may not, for the audit log: failed logins, and breaches of the access list. Each is counted as a refusal
// anyway; so many a second are written down as well, and the log itself counts repeated ones in one row.

import type { Clock } from "../clock.ts";
import type { AuditRow } from "../storage/audit.ts";
import type { ChangesInbox } from "./changes.ts";
import type { Connection } from "./connections.ts";
import { createTokenBucket, takeToken } from "./token-bucket.ts";

const PER_SECOND_MAX = 20;

export type Breaches = ReturnType<typeof createBreaches>;
export type BreachAction = "mqtt login" | "mqtt publish" | "mqtt subscribe";

export function createBreaches({ inbox, clock }: { inbox: ChangesInbox; clock: Clock }) {
  const bucket = createTokenBucket(PER_SECOND_MAX, clock.monotonic());
  let rows: AuditRow[] = [];
  inbox.carry(() => {
    const taken = rows;
    rows = [];
    return taken;
  });
  return {
    /** @param target the topic, or the name that was tried */
    note(connection: Connection | undefined, action: BreachAction, target: string): void {
      if (!takeToken(bucket, clock.monotonic())) return;
      const who = action === "mqtt login" ? "" : (connection?.identity ?? "");
      rows.push({ kind: "audit", at: clock.now(), who, origin: connection?.peer.address ?? "", action, target, why: "", outcome: "refused" });
      inbox.committed(() => undefined);
    },
  };
}
