// What the store counts, in the words of /api/v1/status and /metrics: what waits to be told, what was given up, and what could not be taken.
// Asked anew each time: pages of the outbox and rows in memory would count only a part.

import type { Clock } from "./clock.ts";
import { type Status, statusRejected } from "./http/status.ts";
import type { Metrics } from "./metrics.ts";
import type { QueryClient } from "./query-client.ts";

/** Topics and reasons in the status; the store knows more of them. */
const REJECTED_LISTED_MAX = 100;

export function createStoredFigures({ query, clock, metrics }: { query: QueryClient["query"]; clock: Clock; metrics: Metrics }) {
  const waitingGauge = metrics.gauge("highwater_notify_waiting", "Notifications that wait");
  const notificationsGauge = metrics.gauge("highwater_notifications", "Notifications by what became of them: all are waiting or ended in exactly one", [
    "disposition",
  ]);
  const oldestGauge = metrics.gauge("highwater_notify_oldest_waiting_seconds", "Age of the oldest notification that waits");
  const rejectedGauge = metrics.gauge("highwater_rejected_values", "Values that could not be taken, by reason, since the data directory began", ["reason"]);

  async function count() {
    const { oldestWaitingAt, ...counts } = await query({ kind: "counts" });
    return { ...counts, oldestWaitingMs: oldestWaitingAt === null ? 0 : Math.max(0, clock.now() - oldestWaitingAt) };
  }
  return {
    async status(): Promise<Pick<Status, "rejected"> & { readonly waiting: number; readonly dead: number; readonly oldestWaitingMs: number }> {
      const [{ waiting, dead, oldestWaitingMs }, { rejected }] = await Promise.all([count(), query({ kind: "rejected", limit: REJECTED_LISTED_MAX })]);
      return { waiting, dead, oldestWaitingMs, rejected: rejected.map(statusRejected) };
    },
    /** To be called before the metrics are read. */
    async refreshMetrics(): Promise<void> {
      const { waiting, oldestWaitingMs, rejected, notifications } = await count();
      for (const { disposition, count: rows } of notifications) notificationsGauge.set({ disposition }, rows);
      waitingGauge.set(waiting);
      oldestGauge.set(oldestWaitingMs / 1_000);
      for (const { reason, count: values } of rejected) rejectedGauge.set({ reason }, values);
    },
  };
}
