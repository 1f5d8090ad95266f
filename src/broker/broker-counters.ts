// What the broker counts. The hot path adds to plain numbers; they are carried over when somebody reads the metrics.

import type { Metrics } from "../metrics.ts";

/** Why the broker refused something; the label of a counter, so the list is closed. */
export const refusalReasons = [
  "connections",
  "not_taking_connections",
  "client_id",
  "sessions",
  "packet_bytes",
  "topic_bytes",
  "reserved_topic",
  "shared_subscription",
  "subscriptions",
  "retained",
  "queued",
  "retained_bytes",
  "queued_bytes",
  "incoming",
  "packet_ids",
  "slow_subscriber",
  "held_too_long",
  "will_of_hold",
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export type BrokerCounters = {
  /** Messages by QoS, as they arrived. */
  readonly messages: [number, number, number];
  readonly refused: Record<RefusalReason, number>;
};

/** @param read figures that are asked for when the metrics are read */
export function createBrokerCounters(metrics: Metrics, read: { connections: () => number; held: () => number; unmatched: () => number }): BrokerCounters {
  const counters: BrokerCounters = {
    messages: [0, 0, 0],
    refused: Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<RefusalReason, number>,
  };
  const messages = metrics.counter("highwater_broker_messages_total", "Messages that clients published, by QoS", ["qos"]);
  whenRead(messages, () => {
    messages.reset();
    for (const [qos, count] of counters.messages.entries()) messages.inc({ qos: String(qos) }, count);
  });
  const unmatched = metrics.counter("highwater_broker_unmatched_total", "Messages on topics that no source matches");
  whenRead(unmatched, () => {
    unmatched.reset();
    unmatched.inc(read.unmatched());
  });
  const refused = metrics.counter("highwater_broker_refused_total", "What the broker refused, by reason", ["reason"]);
  whenRead(refused, () => {
    refused.reset();
    for (const reason of refusalReasons) refused.inc({ reason }, counters.refused[reason]);
  });
  const connections = metrics.gauge("highwater_broker_connections", "Connections open now");
  whenRead(connections, () => connections.set(read.connections()));
  const held = metrics.gauge("highwater_broker_held", "Publishes that wait for their commit now");
  whenRead(held, () => held.set(read.held()));
  return counters;
}

/** prom-client asks `collect` before it reads a metric; the types know it only as an option. */
function whenRead(metric: object, collect: () => void): void {
  Object.assign(metric, { collect });
}
