// Sessions that outlive their connection (clean session 0): subscriptions, messages for the client until it has acknowledged them, and
// the QoS 2 publishes of the client that are not released. All in memory, each change noted for the disk. A message is queued, under the
// packet id that it keeps, before the commit that its publisher's acknowledgement waits for, and sent after it; so none is lost or
// sent under two ids, whenever the gateway ends. Bounded in sessions, messages and bytes; a session that was away too long is forgotten.

import type { Clock } from "../clock.ts";
import type { StoredSession } from "../storage/mqtt-rows.ts";
import type { Changes } from "./changes.ts";
import { createFilterTrie } from "./filter.ts";
import type { BrokerLimits } from "./limits.ts";

export type Qos = 0 | 1 | 2;
export type Outgoing = {
  readonly ordinal: number;
  readonly packet: number;
  readonly topic: string;
  payload: Uint8Array;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly bytes: number;
  /** Whether it may be sent: it is on disk with what it came with. */
  committed: boolean;
  /** `tried`: sent on an earlier connection. `released`: the client has it; PUBREL is owed. */
  phase: "new" | "tried" | "sent" | "released";
};
export type Session = {
  readonly client: string;
  readonly filters: Map<string, Qos>;
  /** By packet id, in order. */
  readonly queue: Map<number, Outgoing>;
  readonly incoming: Set<number>;
  bytes: number;
  lastPacket: number;
  /** Ordinal of the newest message that was sent. */
  sent: number;
  /** The user whose it is; empty: nobody's. */
  owner: string;
  connected: boolean;
  endedAt: number;
};
export type Queued = { readonly session: Session; readonly message: Outgoing };
export type SessionStore = ReturnType<typeof createSessionStore>;

export type SessionLimits = Pick<BrokerLimits, "queued" | "queued_bytes" | "queued_bytes_all">;
type Reason = "queued" | "queued_bytes" | "incoming";

const PACKET_IDS = 65_535;
const OVERHEAD_BYTES = 64;
/** QoS 2 publishes of one client that wait for their PUBREL; one more ends its connection. Only their ids are kept. */
export const INCOMING_MAX = 1_000;

export function createSessionStore(
  deps: { changes: Changes; clock: Clock; refuse: (reason: Reason) => void; queued: (session: Session, message: Outgoing) => void },
  options: SessionLimits & { readonly expiryMs: number },
  stored: readonly StoredSession[],
) {
  const { changes } = deps;
  const sessions = new Map<string, Session>();
  const trie = createFilterTrie<1 | 2>();
  let ordinal = 0;
  let [bytes, messages, expired] = [0, 0, 0];

  const noteSession = ({ client, connected, endedAt, sent, owner }: Session): void =>
    changes.note(`session ${client}`, { kind: "mqtt", change: "session", client, endedAt: connected ? null : endedAt, sent, owner });

  const add = (client: string, endedAt: number, sent = 0, owner = ""): Session => {
    const session: Session = {
      client,
      filters: new Map(),
      queue: new Map(),
      incoming: new Set(),
      bytes: 0,
      lastPacket: 0,
      sent,
      owner,
      connected: false,
      endedAt,
    };
    sessions.set(client, session);
    return session;
  };

  const create = (client: string): Session => {
    const session = add(client, deps.clock.now());
    noteSession(session);
    return session;
  };

  const put = (session: Session, message: Outgoing): void => {
    session.queue.set(message.packet, message);
    session.lastPacket = message.packet;
    session.bytes += message.bytes;
    bytes += message.bytes;
    messages += 1;
  };

  const shrink = (session: Session, by: number): void => {
    session.bytes -= by;
    bytes -= by;
  };

  const remove = (session: Session, message: Outgoing): void => {
    session.queue.delete(message.packet);
    messages -= 1;
    shrink(session, message.bytes);
    changes.takeBack(`released ${message.ordinal}`);
    if (!changes.takeBack(`out ${message.ordinal}`))
      changes.note(`out ${message.ordinal}`, { kind: "mqtt", change: "outgoing-gone", ordinal: message.ordinal });
  };

  const subscribe = (session: Session, filter: string, qos: Qos): void => {
    session.filters.set(filter, qos);
    if (qos === 0) trie.delete(filter, session.client);
    else trie.set(filter, session.client, qos);
  };

  const restore = ({ client, endedAt, sent, owner, subscriptions, outgoing, incoming }: StoredSession): void => {
    const session = add(client, endedAt ?? deps.clock.now(), sent, owner);
    for (const { filter, qos } of subscriptions) subscribe(session, filter, qos);
    for (const packet of incoming) session.incoming.add(packet);
    ordinal = Math.max(ordinal, sent);
    for (const { released, ...message } of outgoing) {
      const phase = released ? "released" : message.ordinal <= sent ? "tried" : "new";
      put(session, { ...message, bytes: sizeOf(message), committed: true, phase });
      ordinal = Math.max(ordinal, message.ordinal);
    }
  };

  stored.forEach(restore);

  const store = {
    size: () => sessions.size,
    has: (client: string) => sessions.has(client),
    get: (client: string) => sessions.get(client),
    figures: () => ({ sessions: sessions.size, messages, bytes, expired }),
    all: (): Iterable<Session> => sessions.values(),

    /** The session of a client that connects with clean session 0. @returns undefined when there was none; now there is */
    open(client: string): Session | undefined {
      const known = sessions.get(client);
      if (known === undefined) create(client);
      return known;
    },
    /** What was sent to an earlier connection, which may have ended without a word, is sent again. */
    connected(session: Session, owner: string): void {
      session.connected = true;
      session.owner = owner;
      for (const message of session.queue.values()) if (message.phase === "sent") message.phase = "tried";
      noteSession(session);
    },
    disconnected(session: Session): void {
      session.connected = false;
      session.endedAt = deps.clock.now();
      noteSession(session);
    },
    /** Forgets a session and all that is its own. @returns whether there was one */
    drop(client: string): boolean {
      const session = sessions.get(client);
      if (session === undefined) return false;
      for (const filter of session.filters.keys()) trie.delete(filter, client);
      messages -= session.queue.size;
      shrink(session, session.bytes);
      sessions.delete(client);
      changes.takeBack(`session ${client}`);
      changes.note(`gone ${client}`, { kind: "mqtt", change: "session-gone", client });
      return true;
    },
    /** Forgets sessions whose client has been away too long. @returns their client ids */
    expire(): string[] {
      const gone = [...sessions.values()].filter(({ connected, endedAt }) => !connected && deps.clock.now() - endedAt > options.expiryMs);
      for (const { client } of gone) store.drop(client);
      expired += gone.length;
      return gone.map(({ client }) => client);
    },

    subscribe(client: string, filter: string, qos: Qos): void {
      const session = sessions.get(client) ?? create(client);
      if (session.filters.get(filter) === qos) return;
      subscribe(session, filter, qos);
      changes.note(`filter ${client}\0${filter}`, { kind: "mqtt", change: "subscription", client, filter, qos });
    },
    unsubscribe(client: string, filter: string): void {
      if (sessions.get(client)?.filters.delete(filter) !== true) return;
      trie.delete(filter, client);
      changes.note(`filter ${client}\0${filter}`, { kind: "mqtt", change: "subscription-gone", client, filter });
    },
    /** Whether anybody's session may want messages at all. */
    isAwaited: () => trie.size() > 0,
    /** Queues a message for every session that subscribes to its topic, once each, with the highest QoS of its filters [MQTT-3.3.5-1]. */
    queueForAll(topic: string, payload: Uint8Array, qos: 1 | 2): Queued[] {
      const wanted = new Map<string, 1 | 2>();
      trie.match(topic, (client, granted) => void wanted.set(client, Math.max(wanted.get(client) ?? 0, granted) as 1 | 2));
      const queued: Queued[] = [];
      for (const [client, granted] of wanted) {
        const session = sessions.get(client) as Session;
        const message = store.queue(session, { topic, payload, qos: Math.min(qos, granted) as 1 | 2, retain: false });
        if (message !== undefined) queued.push({ session, message });
      }
      return queued;
    },
    /** @returns undefined when there is no room for it */
    queue(session: Session, packet: { topic: string; payload: Uint8Array; qos: 1 | 2; retain: boolean }): Outgoing | undefined {
      const size = sizeOf(packet);
      const isFull = session.queue.size >= Math.min(options.queued, PACKET_IDS);
      if (isFull || session.bytes + size > options.queued_bytes || bytes + size > options.queued_bytes_all) {
        deps.refuse(isFull ? "queued" : "queued_bytes");
        return undefined;
      }
      const stored = { ordinal: ++ordinal, packet: freePacket(session), ...packet };
      const message: Outgoing = { ...stored, bytes: size, committed: false, phase: "new" };
      put(session, message);
      changes.note(`out ${message.ordinal}`, { kind: "mqtt", change: "outgoing", client: session.client, ...stored });
      deps.queued(session, message);
      return message;
    },
    /** It was written to the socket. */
    sent(session: Session, message: Outgoing): void {
      message.phase = "sent";
      if (message.ordinal <= session.sent) return;
      session.sent = message.ordinal;
      noteSession(session);
    },
    /** PUBREC: the client has the message, and will not take it again under this id. @returns false when nothing is known of it */
    released(session: Session, packet: number): boolean {
      const message = session.queue.get(packet);
      if (message?.qos !== 2 || message.phase === "new") return false;
      if (message.phase === "released") return true;
      message.phase = "released";
      message.payload = new Uint8Array(0);
      changes.note(`released ${message.ordinal}`, { kind: "mqtt", change: "outgoing-released", ordinal: message.ordinal });
      return true;
    },
    /** PUBACK or PUBCOMP: done with. @returns the message, if it was one that this answers */
    acknowledged(session: Session, packet: number, by: "puback" | "pubcomp"): Outgoing | undefined {
      const message = session.queue.get(packet);
      if (message === undefined || message.phase === "new") return undefined;
      if (by === "puback" ? message.qos !== 1 : message.phase !== "released") return undefined;
      remove(session, message);
      return message;
    },
    /** It may not be sent: the client has no right to it, or none any more. */
    withheld: (session: Session, message: Outgoing): void => remove(session, message),

    /** A QoS 2 publish of the client was taken. @returns false when too many wait for their PUBREL */
    received(client: string, packet: number): boolean {
      const session = sessions.get(client);
      if (session === undefined || session.incoming.has(packet)) return true;
      if (session.incoming.size >= INCOMING_MAX) {
        deps.refuse("incoming");
        return false;
      }
      session.incoming.add(packet);
      changes.note(`in ${client}\0${packet}`, { kind: "mqtt", change: "incoming", client, packet });
      return true;
    },
    /** PUBREL of the client. @returns whether there is something to write */
    completed(client: string, packet: number): boolean {
      if (sessions.get(client)?.incoming.delete(packet) !== true) return false;
      changes.note(`in ${client}\0${packet}`, { kind: "mqtt", change: "incoming-gone", client, packet });
      return true;
    },
  };
  return store;
}

function sizeOf({ topic, payload }: { readonly topic: string; readonly payload: { readonly length: number } }): number {
  return topic.length + payload.length + OVERHEAD_BYTES;
}

function freePacket({ lastPacket, queue }: Session): number {
  let packet = lastPacket;
  do packet = (packet % PACKET_IDS) + 1;
  while (queue.has(packet));
  return packet;
}
