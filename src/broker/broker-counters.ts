// What the broker counts. The hot path adds to plain numbers; they are carried over when somebody reads the metrics.

import type { EpochMs } from "../engine/units.ts";
import { type Metrics, whenRead } from "../metrics.ts";
import { type HandshakeReason, handshakeReasons } from "./tls-listener.ts";

/** Why the broker refused something; the label of a counter, so the list is closed. */
export const refusalReasons = [
  "connections",
  "connections_per_address",
  "connect_rate",
  "connect_rate_per_address",
  "connect_timeout",
  "certificate_name",
  "websocket",
  "not_taking_connections",
  "client_id",
  "client_id_of_another",
  "bad_login",
  "logins",
  "anonymous",
  "revoked",
  "sessions",
  "keepalive",
  "inflight",
  "packet_bytes",
  "topic_bytes",
  "topic_levels",
  "reserved_topic",
  "acl_publish",
  "acl_subscribe",
  "acl_receive",
  "shared_subscription",
  "subscriptions",
  "series_per_client",
  "retained",
  "queued",
  "retained_bytes",
  "queued_bytes",
  "incoming",
  "packet_ids",
  "slow_subscriber",
  "drain",
  "held_too_long",
  "will_of_hold",
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

export type BrokerCounters = {
  /** Messages by QoS, as they arrived. */
  readonly messages: [number, number, number];
  readonly refused: Record<RefusalReason, number>;
  /** Times that a connection was not read because it was over its rate. */
  throttled: number;
  readonly handshakes: Record<HandshakeReason, number>;
};

export type BrokerFigures = {
  readonly connections: () => number;
  readonly held: () => number;
  readonly unmatched: () => number;
  /** Until when the certificates of the listeners are valid. */
  readonly certificates: () => readonly { readonly cert: string; readonly validTo: EpochMs }[];
};

/** @param read figures that are asked for when the metrics are read */
export function createBrokerCounters(metrics: Metrics, read: BrokerFigures): BrokerCounters {
  const counters: BrokerCounters = {
    messages: [0, 0, 0],
    refused: Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<RefusalReason, number>,
    throttled: 0,
    handshakes: Object.fromEntries(handshakeReasons.map((reason) => [reason, 0])) as Record<HandshakeReason, number>,
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
  const throttled = metrics.counter(
    "highwater_broker_throttled_total",
    "Times that a client was read more slowly: over messages_per_second or bytes_per_second",
  );
  whenRead(throttled, () => {
    throttled.reset();
    throttled.inc(counters.throttled);
  });
  const handshakes = metrics.counter("highwater_broker_tls_failures_total", "TLS handshakes that failed, by reason", ["reason"]);
  whenRead(handshakes, () => {
    handshakes.reset();
    for (const reason of handshakeReasons) handshakes.inc({ reason }, counters.handshakes[reason]);
  });
  const expiry = metrics.gauge("highwater_broker_certificate_expires_seconds", "When the certificate of a listener expires, in seconds since 1970", ["cert"]);
  whenRead(expiry, () => {
    expiry.reset();
    for (const { cert, validTo } of read.certificates()) expiry.set({ cert }, validTo / 1_000);
  });
  const connections = metrics.gauge("highwater_broker_connections", "Connections open now");
  whenRead(connections, () => connections.set(read.connections()));
  const held = metrics.gauge("highwater_broker_held", "Publishes that wait for their commit now");
  whenRead(held, () => held.set(read.held()));
  return counters;
}
