// The broker's limits. What goes beyond one is refused and counted with its reason (`highwater_broker_refused_total`,
// or a rejection in the books); nothing here grows without a bound.

import { z } from "zod";

const whole = (fallback: number, least: number, most: number, description: string) => z.int().min(least).max(most).default(fallback).meta({ description });

/** `mqtt.limits` as written in the config. */
export const limitsSchema = z
  .strictObject({
    connections: whole(10_000, 1, 1_000_000, "Connections open at once, over all listeners; one more is closed at once"),
    connections_per_address: whole(
      1_000,
      1,
      1_000_000,
      "Connections open at once from one address (of IPv6: one /64), except 127.0.0.1 and ::1; one more is closed at once",
    ),
    connects_per_second: whole(5_000, 1, 1_000_000, "New connections in a second, over all listeners; one more is closed at once"),
    connects_per_second_per_address: whole(
      200,
      1,
      1_000_000,
      "New connections in a second from one address, counted as those that are open; one more is closed at once",
    ),
    connect_timeout: whole(10_000, 100, 600_000, "Milliseconds from the TCP connection to the MQTT CONNECT, TLS included; after them it is closed"),
    keepalive_max: whole(
      65_535,
      1,
      65_535,
      "Seconds of keep-alive: a client that asks for more, or for none, has this; after 1.5 times of silence it is closed",
    ),
    messages_per_second: whole(
      20_000,
      0,
      10_000_000,
      "PUBLISH packets of one connection in a second; beyond it its socket is read more slowly; 0 for no limit",
    ),
    bytes_per_second: whole(20_000_000, 0, 1_000_000_000, "Bytes of one connection in a second; beyond it its socket is read more slowly; 0 for no limit"),
    packet_bytes: whole(1_048_576, 1_024, 268_435_455, "Length of one MQTT packet; a longer one closes its connection before it is read"),
    payload_bytes: whole(262_144, 16, 268_435_455, "Length of a payload that is decoded; a longer one is acknowledged and rejected (too_large)"),
    topic_bytes: whole(1_024, 16, 65_535, "Length of a topic in characters; a longer one closes its connection"),
    topic_levels: whole(32, 1, 100, "Levels of a topic; a deeper one closes its connection"),
    values_per_message: whole(10_000, 1, 1_000_000, "Values in one payload; a message with more is rejected whole (too_many_values)"),
    depth: whole(16, 1, 100, "Nesting of a payload; a deeper one is rejected (undecodable)"),
    unacknowledged: whole(1_024, 1, 65_535, "Packets of one connection that wait for their commit; beyond it nothing more is read from its socket"),
    sessions: whole(10_000, 0, 10_000_000, "Client ids whose session outlives the connection (clean session 0); a new one more is refused"),
    subscriptions: whole(100, 1, 100_000, "Subscriptions of one connection; one more is answered with failure"),
    retained: whole(100_000, 0, 10_000_000, "Retained messages of clients; one more is passed on but not retained"),
    retained_bytes: whole(67_108_864, 0, 4_294_967_296, "Bytes of all retained messages of clients; what goes beyond is passed on but not retained"),
    queued: whole(10_000, 0, 65_535, "Messages kept for one client until it acknowledges them; one more is dropped"),
    queued_bytes: whole(16_777_216, 0, 4_294_967_296, "Bytes of messages kept for one client; what goes beyond is dropped"),
    queued_bytes_all: whole(268_435_456, 0, 4_294_967_296, "Bytes of messages kept for all clients; what goes beyond is dropped"),
    series_per_client: whole(
      20_000,
      1,
      10_000_000,
      "New series that one client (its certificate's name, user name or client id) may bring until a restart; readings of one more are rejected (series_limit)",
    ),
    topics: whole(100_000, 16, 10_000_000, "Topics whose series the broker remembers; others are matched anew at each message"),
    drain: whole(5_000, 100, 600_000, "Milliseconds for which a subscriber may take nothing of what is sent to it; then its connection is closed"),
    hold: whole(5_000, 100, 600_000, "Milliseconds for which a publish may wait for its commit; then its connection is closed"),
  })
  .prefault({});

export type BrokerLimits = z.output<typeof limitsSchema>;
