// What outlives a connection, in one place: sessions, retained messages, their way to the disk and from it to the clients. aedes keeps its
// subscriptions and incoming QoS 2 packets in memory as ever; queues are ours, since aedes would fill them only after the PUBACK.

import { Readable } from "node:stream";
import type { Client } from "aedes";
import type { Clock } from "../clock.ts";
import { type Metrics, whenRead } from "../metrics.ts";
import type { StoredMqtt } from "../storage/mqtt-rows.ts";
import type { RefusalReason } from "./broker-counters.ts";
import { type ChangesInbox, createChanges } from "./changes.ts";
import { createDelivery } from "./delivery.ts";
import { ownTopics } from "./filter.ts";
import type { BrokerLimits } from "./limits.ts";
import { type MemoryPersistence, type Numbered, type Sub, type Who, writeThrough } from "./persistence.ts";
import { createRetained, type RetainedMessage } from "./retained.ts";
import { createSessionStore } from "./session-store.ts";

export type Takeable = { readonly topic: string; readonly payload: string | Buffer; readonly qos: 0 | 1 | 2; retain: boolean };
export type Sessions = ReturnType<typeof createSessions>;

type Options = {
  readonly limits: Pick<BrokerLimits, "retained" | "retained_bytes" | "queued" | "queued_bytes" | "queued_bytes_all">;
  /** How long a session is kept after its connection ended. */
  readonly expiryMs: number;
  readonly stored: StoredMqtt;
};
type Deps = {
  inbox: ChangesInbox;
  clock: Clock;
  metrics: Metrics;
  refuse: (reason: RefusalReason) => void;
  forward: (client: Client, packet: object) => boolean;
  /** The user that a client is; empty: none. */
  ownerOf: (client: Client) => string;
  /** Calls back once all is on disk; the wait is not the client's. */
  hold: (client: object, done: (error?: Error) => void) => void;
};

const EXPIRY_EVERY_MS = 60_000;
/** Stands for a session without subscriptions: aedes takes a client with none as one without a session [MQTT-3.2.2-2]. */
const sessionWithoutFilters: Sub = { topic: "$session", qos: 0 };

export function createSessions(deps: Deps, { limits, expiryMs, stored }: Options) {
  const { refuse } = deps;
  const changes = createChanges(deps.inbox, deps.hold);
  const retained = createRetained({ changes, refuse }, limits, stored.retained);
  const delivery = createDelivery({ sessions: () => store, forward: deps.forward, refuse });
  const store = createSessionStore({ changes, clock: deps.clock, refuse, queued: delivery.queued }, { ...limits, expiryMs }, stored.sessions);
  const granted = new WeakSet<object>();
  let timer: NodeJS.Timeout | undefined;
  measure(deps.metrics, { sessions: store.figures, retained });

  /** What aedes asks of its persistence when it serves real clients. */
  const serve = (memory: MemoryPersistence): object => {
    const through = writeThrough(memory, { sessions: store, retained, changes });
    const { addSubscriptions, incomingStorePacket } = through;
    return Object.assign(through, {
      // A client's message was accepted, and was put when it was committed.
      storeRetained: async (packet: RetainedMessage) => void (packet.topic.startsWith(ownTopics) && retained.put({ ...packet })),
      // aedes hands over all subscriptions of a packet for each one that it grants.
      addSubscriptions: (client: Who, subs: readonly Sub[]) =>
        addSubscriptions(
          client,
          subs.filter((sub) => granted.has(sub)),
        ),
      async subscriptionsByClient(client: Who): Promise<Sub[]> {
        const session = store.open(client.id);
        const subs = Array.from(session?.filters ?? [], ([topic, qos]) => ({ topic, qos }));
        return session !== undefined && subs.length === 0 ? [sessionWithoutFilters] : subs;
      },
      // Queues were filled before the commit.
      subscriptionsByTopic: async () => [],
      outgoingStream(client: Client): Readable {
        const session = client.clean ? undefined : store.get(client.id);
        if (session !== undefined) {
          store.connected(session, deps.ownerOf(client));
          delivery.attach(client, session);
        }
        return Readable.from([]);
      },
      /** PUBREC: the answer waits until it is written that the message may never be sent again. */
      async outgoingUpdate(client: Client, packet: Numbered): Promise<void> {
        const session = store.get(client.id);
        if (session !== undefined && store.released(session, packet.messageId ?? 0)) await changes.durable(client);
      },
      /** PUBACK, PUBCOMP; and aedes' own wish to take something off a queue, which is not its own any more. */
      async outgoingClearMessageId(client: Client, { cmd, messageId = 0 }: Numbered): Promise<unknown> {
        if (cmd !== "puback" && cmd !== "pubcomp") return undefined;
        const session = client.clean ? undefined : store.get(client.id);
        const message = session && store.acknowledged(session, messageId, cmd);
        if (session === undefined || message !== undefined) delivery.acknowledged(client, session, messageId);
        return message;
      },
      // Only the id is needed again.
      incomingStorePacket: (client: Who, packet: Numbered) => incomingStorePacket(client, { ...packet, payload: Buffer.alloc(0) } as Numbered),
    });
  };

  const expire = async (memory: MemoryPersistence): Promise<void> => {
    for (const id of store.expire()) {
      await memory.cleanSubscriptions({ id });
      await memory.cleanIncoming({ id });
    }
  };

  return {
    /** The user whose session a client id has; undefined: there is none. */
    ownerOf: (clientId: string): string | undefined => store.get(clientId)?.owner,
    /** Client ids whose session outlives the connection. */
    known: { size: store.size, has: store.has },
    adopt: delivery.adopt,
    isMarker: (sub: object): boolean => sub === sessionWithoutFilters,
    /** A subscription of a SUBSCRIBE is granted; only such ones are stored. */
    grant: (sub: object): void => void granted.add(sub),
    /** A filter is refused, perhaps one that the session had: nothing more is queued for it. */
    deny(client: Client, filter: string): void {
      if (!client.clean) store.unsubscribe(client.id, filter);
    },
    filtersOf: (client: Client): Iterable<string> => (client.clean ? [] : (store.get(client.id)?.filters.keys() ?? [])),
    disconnected(client: Client): void {
      const session = store.get(client.id);
      if (delivery.detach(client) && session !== undefined) store.disconnected(session);
    },

    /**
     * Queues a message and retains it, so that both are on disk with the commit that its publisher's acknowledgement waits for.
     * A message that is not to be retained, for want of room, loses its flag.
     * @returns what is to be called then; undefined when there is nothing to keep
     */
    take(packet: Takeable): (() => void) | undefined {
      const isQueued = packet.qos > 0 && store.isAwaited();
      if (!isQueued && !packet.retain) return undefined;
      const { topic, qos } = packet;
      // A copy: aedes' buffer is a piece of what was read from the socket, and would be handed to the processor whole.
      const payload = new Uint8Array(Buffer.from(packet.payload));
      const isOwn = topic.startsWith(ownTopics);
      if (packet.retain && !isOwn) packet.retain = retained.accept(topic, payload, qos);
      const kept = packet.retain && !isOwn ? { cmd: "publish", topic, payload: Buffer.from(payload.buffer), qos, retain: true } : undefined;
      const queued = isQueued ? store.queueForAll(topic, payload, qos as 1 | 2) : [];
      if (kept === undefined && queued.length === 0) return undefined;
      return () => {
        if (kept !== undefined) retained.put(kept);
        delivery.committed(queued);
      };
    },
    /** A QoS 2 publish goes with the next turn. @returns false when the client has too many that it does not release */
    received: (client: Client, packet: Numbered): boolean => client.clean || store.received(client.id, packet.messageId ?? 0),

    /** @param memory aedes' own persistence */
    async start(memory: MemoryPersistence): Promise<void> {
      store.expire();
      for (const { client, filters, incoming } of store.all()) {
        const who = { id: client };
        const subs = Array.from(filters, ([topic, qos]) => ({ topic, qos }));
        if (subs.length > 0) await memory.addSubscriptions(who, subs);
        for (const messageId of incoming) await memory.incomingStorePacket(who, { messageId });
      }
      serve(memory);
      changes.start();
      timer = setInterval(() => void expire(memory), EXPIRY_EVERY_MS).unref();
    },
    close(): void {
      clearInterval(timer);
      changes.close();
    },
  };
}

type Figures = ReturnType<ReturnType<typeof createSessionStore>["figures"]>;

function measure(metrics: Metrics, read: { sessions: () => Figures; retained: { size(): number; bytes(): number } }): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    const one = metrics.gauge(name, help);
    whenRead(one, () => one.set(value()));
  };
  gauge("highwater_broker_sessions", "Sessions that outlive their connection", () => read.sessions().sessions);
  gauge("highwater_broker_sessions_expired", "Sessions forgotten since the start, because their client was away too long", () => read.sessions().expired);
  gauge("highwater_broker_queued", "Messages kept for sessions until they are acknowledged", () => read.sessions().messages);
  gauge("highwater_broker_queued_bytes", "Bytes of them", () => read.sessions().bytes);
  gauge("highwater_broker_retained", "Retained messages of clients", () => read.retained.size());
  gauge("highwater_broker_retained_bytes", "Bytes of them", () => read.retained.bytes());
}
