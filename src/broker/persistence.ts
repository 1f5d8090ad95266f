// aedes' persistence in memory, with everything that outlives a connection written through to the session store and the retained messages.
// It passes aedes-persistence's own suite (test/broker/persistence.test.ts). Acknowledgements of subscriptions, and of what QoS 2 has done
// with, wait for the disk. Wills are not written: the clients went because the gateway did, and that is no outage of theirs.

import { Readable } from "node:stream";
import type { Changes } from "./changes.ts";
import type { Retained, RetainedMessage } from "./retained.ts";
import type { Qos, SessionStore } from "./session-store.ts";

export type Sub = { readonly topic: string; readonly qos: Qos };
export type Who = { readonly id: string };
export type Numbered = { readonly cmd?: string; readonly messageId?: number | undefined };

/** The part of aedes' own persistence that is called here; the rest stays as it is. */
export type MemoryPersistence = {
  addSubscriptions(client: Who, subs: readonly Sub[]): Promise<void>;
  removeSubscriptions(client: Who, topics: readonly string[]): Promise<void>;
  cleanSubscriptions(client: Who): Promise<void>;
  subscriptionsByClient(client: Who): Promise<Sub[]>;
  cleanIncoming(client: Who): Promise<void>;
  incomingStorePacket(client: Who, packet: Numbered): Promise<void>;
  incomingDelPacket(client: Who, packet: Numbered): Promise<void>;
};
export type WrittenThrough = MemoryPersistence & {
  storeRetained(packet: RetainedMessage): Promise<void>;
  createRetainedStream(filter: string): Readable;
  createRetainedStreamCombi(filters: readonly string[]): Readable;
};

/** Changes `memory` in place. */
export function writeThrough<Memory extends MemoryPersistence>(
  memory: Memory,
  deps: { sessions: SessionStore; retained: Retained; changes: Changes },
): Memory & WrittenThrough {
  const { sessions, retained, changes } = deps;
  const { addSubscriptions, removeSubscriptions, cleanSubscriptions, incomingStorePacket, incomingDelPacket } = memory;
  return Object.assign(memory, {
    async storeRetained(packet: RetainedMessage): Promise<void> {
      if (retained.accept(packet.topic, Buffer.from(packet.payload), packet.qos)) retained.put({ ...packet });
    },
    createRetainedStream: (filter: string) => Readable.from(retained.matching([filter])),
    createRetainedStreamCombi: (filters: readonly string[]) => Readable.from(retained.matching(filters)),

    async addSubscriptions(client: Who, subs: readonly Sub[]): Promise<void> {
      for (const { topic, qos } of subs) sessions.subscribe(client.id, topic, qos);
      await addSubscriptions.call(memory, client, subs);
      await changes.durable(client);
    },
    async removeSubscriptions(client: Who, topics: readonly string[]): Promise<void> {
      for (const topic of topics) sessions.unsubscribe(client.id, topic);
      await removeSubscriptions.call(memory, client, topics);
      await changes.durable(client);
    },
    async cleanSubscriptions(client: Who): Promise<void> {
      const isKnown = sessions.drop(client.id);
      await cleanSubscriptions.call(memory, client);
      if (isKnown) await changes.durable(client);
    },
    async incomingStorePacket(client: Who, packet: Numbered): Promise<void> {
      if (!sessions.received(client.id, packet.messageId ?? 0)) throw new Error("too many QoS 2 publishes wait for their PUBREL");
      await incomingStorePacket.call(memory, client, packet);
    },
    /** The id is free for another message once the client hears of it. */
    async incomingDelPacket(client: Who, packet: Numbered): Promise<void> {
      await incomingDelPacket.call(memory, client, packet);
      if (sessions.completed(client.id, packet.messageId ?? 0)) await changes.durable(client);
    },
  });
}
