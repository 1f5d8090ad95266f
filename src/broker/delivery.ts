// Messages to subscribers. aedes calls each matching subscription's function; here they are made one delivery with the highest QoS of all that
// match [MQTT-3.3.5-1], which aedes itself does not (aedes#543). A client of a clean session gets it at once. One whose session goes on gets
// what its queue holds, in the queue's order, a bounded number at a time: what it was sent before and did not acknowledge comes first, with
// DUP and the same packet id [MQTT-4.4.0-1].

import type { Client } from "aedes";
import { type Packet, writeToStream } from "mqtt-packet";
import { filterMatches, ownTopics } from "./filter.ts";
import type { Outgoing, Queued, Session, SessionStore } from "./session-store.ts";

type Message = { topic: string; payload: string | Buffer; qos: 0 | 1 | 2; retain: boolean; brokerId?: string | null; brokerCounter?: number };
type Deliver = (packet: Message, done: () => void) => void;

/** What of an aedes client is not in its types. */
type Internals = Client & {
  readonly subscriptions: Record<string, { readonly qos: 0 | 1 | 2 }>;
  readonly duplicates: Record<string, number>;
  readonly errored: boolean;
  waitForDrain(done: () => void): void;
  deliver0: Deliver;
  deliverQoS: Deliver;
};

/** Messages of one session that are sent and not acknowledged; more wait in its queue. */
const IN_FLIGHT_MAX = 256;
const PACKET_IDS = 65_535;

type Outlet = { readonly client: Client; waiting: Outgoing[]; next: number; inFlight: number };
export type Delivery = ReturnType<typeof createDelivery>;

/**
 * @param deps.forward whether a client may have a message; aedes' `authorizeForward`
 * @param deps.refuse counts a message for a client that has 65,535 unacknowledged
 */
export function createDelivery(deps: {
  sessions: () => SessionStore;
  forward: (client: Client, packet: Message) => boolean;
  refuse: (reason: "packet_ids") => void;
}) {
  const outlets = new Map<string, Outlet>();
  /** Packet ids that clients of clean sessions have not acknowledged. */
  const inUse = new WeakMap<Client, { readonly ids: Set<number>; last: number }>();

  const pump = (session: Session): void => {
    const outlet = outlets.get(session.client);
    if (outlet === undefined) return;
    const { client, waiting } = outlet;
    while (outlet.next < waiting.length && outlet.inFlight < IN_FLIGHT_MAX && !client.closed && !client.conn.writableNeedDrain) {
      const message = waiting[outlet.next] as Outgoing;
      if (!message.committed) break;
      outlet.next += 1;
      if (message.phase !== "released" && !deps.forward(client, { ...message, payload: "" })) {
        deps.sessions().withheld(session, message);
        continue;
      }
      outlet.inFlight += 1;
      writeToStream(packetOf(message), client.conn);
      if (message.phase !== "released") deps.sessions().sent(session, message);
    }
    // What was sent is the queue's business alone.
    if (outlet.next < waiting.length && outlet.next < IN_FLIGHT_MAX) return;
    outlet.waiting = waiting.slice(outlet.next);
    outlet.next = 0;
  };

  const packetFor = (client: Client): number | undefined => {
    const used = inUse.get(client) ?? { ids: new Set<number>(), last: 0 };
    inUse.set(client, used);
    if (used.ids.size >= PACKET_IDS) return undefined;
    do used.last = (used.last % PACKET_IDS) + 1;
    while (used.ids.has(used.last));
    used.ids.add(used.last);
    return used.last;
  };

  /** To a clean session; what aedes' own function does, but for the QoS. */
  const sendNow = (client: Internals, { topic, payload, retain }: Message, qos: 1 | 2, done: () => void): void => {
    const messageId = client.closed ? undefined : packetFor(client);
    if (messageId === undefined) {
      if (!client.closed) deps.refuse("packet_ids");
      return void setImmediate(done);
    }
    const hasRoom = writeToStream({ cmd: "publish", topic, payload, qos, retain, dup: false, messageId }, client.conn);
    if (hasRoom || client.errored) setImmediate(done);
    else client.waitForDrain(() => done());
  };

  const deliver = (client: Internals, packet: Message, qos: 1 | 2, done: () => void): void => {
    const session = client.clean ? undefined : deps.sessions().get(client.id);
    if (session !== undefined) {
      // A retained message belongs to its subscription; all else has been queued already.
      if (packet.retain) {
        const message = deps.sessions().queue(session, { topic: packet.topic, payload: new Uint8Array(Buffer.from(packet.payload)), qos, retain: true });
        if (message !== undefined) message.committed = true;
        pump(session);
      }
      return void setImmediate(done);
    }
    if (!isFirst(client, packet) || !deps.forward(client, packet)) return void setImmediate(done);
    // Messages of QoS 0 leave in the next turn of the loop as well, so the order stays.
    setImmediate(() => sendNow(client, packet, qos, done));
  };

  return {
    /** Puts this in the place of aedes' own delivery to a client. */
    adopt(handled: Client): Client {
      const client = handled as Internals;
      const now = client.deliver0;
      client.deliver0 = client.deliverQoS = (packet, done) => {
        const isOwn = packet.topic.startsWith(ownTopics);
        if (packet.qos > 0 || isOwn) {
          const granted = grantedFor(client, packet.topic, isOwn);
          // aedes keeps only `$` topics from wildcards.
          if (granted === undefined) return void setImmediate(done);
          // The packet is a copy for this subscription.
          packet.qos = Math.min(packet.qos, granted) as 0 | 1 | 2;
        }
        if (packet.qos === 0) now(packet, done);
        else deliver(client, packet, packet.qos, done);
      };
      return client;
    },
    /** A new message stands at the end of the session's queue. */
    queued: (session: Session, message: Outgoing): void => void outlets.get(session.client)?.waiting.push(message),
    /** They are on disk; those whose client is there are sent. */
    committed(queued: readonly Queued[]): void {
      for (const { message } of queued) message.committed = true;
      for (const { session } of queued) pump(session);
    },
    /** The client of a session has its CONNACK: from now on it gets what is queued. */
    attach(client: Client, session: Session): void {
      outlets.set(session.client, { client, waiting: [...session.queue.values()], next: 0, inFlight: 0 });
      client.conn.on("drain", () => outlets.get(session.client)?.client === client && pump(session));
      pump(session);
    },
    /** @returns whether it was the client of its session */
    detach(client: Client): boolean {
      if (outlets.get(client.id)?.client !== client) return false;
      return outlets.delete(client.id);
    },
    /** A message was acknowledged: another one may go. */
    acknowledged(client: Client, session: Session | undefined, packet: number): void {
      inUse.get(client)?.ids.delete(packet);
      const outlet = outlets.get(client.id);
      if (session === undefined || outlet === undefined) return;
      outlet.inFlight -= 1;
      pump(session);
    },
  };
}

function packetOf({ packet, topic, payload, qos, retain, phase }: Outgoing): Packet {
  if (phase === "released") return { cmd: "pubrel", messageId: packet };
  return {
    cmd: "publish",
    topic,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    qos,
    retain,
    dup: phase !== "new",
    messageId: packet,
  };
}

/** The highest QoS among the client's filters that match. @param matchOne whether a lone filter is looked at: aedes has matched it already */
function grantedFor({ subscriptions }: Internals, topic: string, matchOne: boolean): 0 | 1 | 2 | undefined {
  const filters = Object.keys(subscriptions);
  const [only] = filters;
  if (filters.length === 1 && !matchOne) return subscriptions[only as string]?.qos;
  const levels = topic.split("/");
  let granted: 0 | 1 | 2 | undefined;
  for (const filter of filters) {
    const qos = subscriptions[filter]?.qos ?? 0;
    if (qos > (granted ?? -1) && filterMatches(filter.split("/"), topic, levels)) granted = qos;
  }
  return granted;
}

/** Of the functions that aedes calls for one message only the first one sends it. aedes counts in the same place. */
function isFirst({ duplicates }: Internals, { brokerId, brokerCounter = 0 }: Message): boolean {
  if (!brokerId) return true;
  if ((duplicates[brokerId] ?? 0) >= brokerCounter) return false;
  duplicates[brokerId] = brokerCounter;
  return true;
}
