// The broker's sessions and retained messages on disk. The broker holds them in memory and hands over each change as a finished row;
// they are read once, at the start. What a row means for MQTT is the broker's business.

import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";

type Qos = 0 | 1 | 2;

/** One change; `ordinal` counts messages over all sessions, `packet` is a packet id. */
export type MqttRow = { readonly kind: "mqtt" } & (
  | { readonly change: "session"; readonly client: string; readonly endedAt: EpochMs | null; readonly sent: number; readonly owner: string }
  | { readonly change: "session-gone"; readonly client: string }
  | { readonly change: "subscription"; readonly client: string; readonly filter: string; readonly qos: Qos }
  | { readonly change: "subscription-gone"; readonly client: string; readonly filter: string }
  | ({ readonly change: "outgoing"; readonly client: string } & Omit<StoredMessage, "released">)
  | { readonly change: "outgoing-released"; readonly ordinal: number }
  | { readonly change: "outgoing-gone"; readonly ordinal: number }
  | { readonly change: "incoming"; readonly client: string; readonly packet: number }
  | { readonly change: "incoming-gone"; readonly client: string; readonly packet: number }
  | ({ readonly change: "retained" } & StoredRetained)
  | { readonly change: "retained-gone"; readonly topic: string }
);

export type StoredMessage = {
  readonly ordinal: number;
  readonly packet: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly released: boolean;
};
export type StoredRetained = { readonly topic: string; readonly payload: Uint8Array; readonly qos: Qos };
export type StoredSession = {
  readonly client: string;
  readonly endedAt: EpochMs | null;
  readonly sent: number;
  /** The user whose it is; empty: nobody's. */
  readonly owner: string;
  readonly subscriptions: readonly { readonly filter: string; readonly qos: Qos }[];
  /** In the order of their ordinals. */
  readonly outgoing: readonly StoredMessage[];
  readonly incoming: readonly number[];
};
export type StoredMqtt = { readonly sessions: readonly StoredSession[]; readonly retained: readonly StoredRetained[] };

/** @returns a function that writes a row; call it within a transaction */
export function createMqttWriter(db: Database): (row: MqttRow) => void {
  const session = db.prepare("INSERT OR REPLACE INTO mqtt_session VALUES (@client, @endedAt, @sent, @owner)");
  const gone = ["mqtt_session", "mqtt_subscription", "mqtt_outgoing", "mqtt_incoming"].map((table) => db.prepare(`DELETE FROM ${table} WHERE client = ?`));
  const subscription = db.prepare("INSERT OR REPLACE INTO mqtt_subscription VALUES (@client, @filter, @qos)");
  const subscriptionGone = db.prepare("DELETE FROM mqtt_subscription WHERE client = ? AND filter = ?");
  const outgoing = db.prepare("INSERT OR REPLACE INTO mqtt_outgoing VALUES (@ordinal, @client, @packet, @topic, @payload, @qos, @retain, 0)");
  const outgoingReleased = db.prepare("UPDATE mqtt_outgoing SET released = 1, payload = x'' WHERE ordinal = ?");
  const outgoingGone = db.prepare("DELETE FROM mqtt_outgoing WHERE ordinal = ?");
  const incoming = db.prepare("INSERT OR IGNORE INTO mqtt_incoming VALUES (@client, @packet)");
  const incomingGone = db.prepare("DELETE FROM mqtt_incoming WHERE client = ? AND packet = ?");
  const retained = db.prepare("INSERT OR REPLACE INTO mqtt_retained VALUES (@topic, @payload, @qos)");
  const retainedGone = db.prepare("DELETE FROM mqtt_retained WHERE topic = ?");
  return (row) => {
    switch (row.change) {
      case "session":
        return void session.run(row);
      case "session-gone":
        for (const statement of gone) statement.run(row.client);
        return;
      case "subscription":
        return void subscription.run(row);
      case "subscription-gone":
        return void subscriptionGone.run(row.client, row.filter);
      case "outgoing":
        return void outgoing.run({ ...row, retain: row.retain ? 1 : 0 });
      case "outgoing-released":
        return void outgoingReleased.run(row.ordinal);
      case "outgoing-gone":
        return void outgoingGone.run(row.ordinal);
      case "incoming":
        return void incoming.run(row);
      case "incoming-gone":
        return void incomingGone.run(row.client, row.packet);
      case "retained":
        return void retained.run(row);
      case "retained-gone":
        return void retainedGone.run(row.topic);
      default: {
        const never: never = row;
        return never;
      }
    }
  };
}

/** All that is stored, as of now. */
export function readMqtt(db: Database): StoredMqtt {
  const subscriptions = grouped(db, "SELECT client, filter, qos FROM mqtt_subscription") as Map<string, StoredSession["subscriptions"][number][]>;
  const outgoing = grouped(db, "SELECT client, ordinal, packet, topic, payload, qos, retain, released FROM mqtt_outgoing ORDER BY ordinal");
  const incoming = grouped(db, "SELECT client, packet FROM mqtt_incoming");
  const sessions = db.prepare("SELECT client, ended_at AS endedAt, sent, owner FROM mqtt_session").all() as Pick<
    StoredSession,
    "client" | "endedAt" | "sent" | "owner"
  >[];
  return {
    sessions: sessions.map((session) => ({
      ...session,
      subscriptions: subscriptions.get(session.client) ?? [],
      outgoing: (outgoing.get(session.client) ?? []).map((row) => ({
        ...(row as StoredMessage),
        retain: row["retain"] === 1,
        released: row["released"] === 1,
      })),
      incoming: (incoming.get(session.client) ?? []).map((row) => row["packet"] as number),
    })),
    retained: db.prepare("SELECT topic, payload, qos FROM mqtt_retained ORDER BY rowid").all() as StoredRetained[],
  };
}

function grouped(db: Database, sql: string): Map<string, Record<string, unknown>[]> {
  const groups = new Map<string, Record<string, unknown>[]>();
  for (const { client, ...row } of db.prepare(sql).iterate() as Iterable<{ client: string } & Record<string, unknown>>) {
    const group = groups.get(client);
    if (group === undefined) groups.set(client, [row]);
    else group.push(row);
  }
  return groups;
}
