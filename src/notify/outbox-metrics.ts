// The figures of the outbox. Receivers and channels come from the config and causes from a closed list, so labels are bounded.

import type { Metrics } from "../metrics.ts";
import type { OutboxRow } from "../storage/outbox-row.ts";
import type { Delivery } from "./channels/channel.ts";

type Addressed = Pick<OutboxRow, "receiver" | "channel">;

export function createOutboxMetrics(metrics: Metrics) {
  const attempts = metrics.counter("highwater_notify_attempts_total", "Attempts to deliver a notification", ["receiver", "channel"]);
  const deliveries = metrics.counter("highwater_notify_deliveries_total", "Notifications delivered", ["receiver", "channel"]);
  const failures = metrics.counter("highwater_notify_failures_total", "Attempts that failed", ["receiver", "channel", "reason"]);
  const deadLetters = metrics.counter("highwater_notify_dead_letters_total", "Notifications given up", ["receiver", "channel"]);
  return {
    attempt: ({ receiver, channel }: Addressed) => attempts.inc({ receiver, channel }),
    outcome({ receiver, channel }: Addressed, delivery: Delivery): void {
      if (delivery.kind === "delivered") deliveries.inc({ receiver, channel });
      else failures.inc({ receiver, channel, reason: delivery.cause ?? "other" });
    },
    deadLetter: ({ receiver, channel }: Addressed) => deadLetters.inc({ receiver, channel }),
  };
}
