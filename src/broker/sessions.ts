// Bounds on what aedes' memory persistence keeps for clients: retained messages, and messages queued for clients that are away.
// Both are unbounded in aedes itself.

import type { BrokerLimits } from "./limits.ts";

type Retained = { readonly topic: string; readonly payload: { readonly length: number } };
type Subscriber = { readonly clientId: string };

/** The methods of aedes' persistence that are bounded here. */
export type Persistence = {
  storeRetained(packet: Retained): Promise<void>;
  outgoingEnqueueCombi(subscribers: Subscriber[], packet: unknown): Promise<void>;
  outgoingClearMessageId(client: { readonly id: string }, packet: unknown): Promise<unknown>;
};

/**
 * Puts the limits around `persistence`, in place.
 * @param ours topics of the gateway itself are always retained
 */
export function boundSessions(
  persistence: Persistence,
  limits: Pick<BrokerLimits, "retained" | "queued">,
  refuse: (reason: "retained" | "queued") => void,
  ours: (topic: string) => boolean,
): void {
  boundRetained(persistence, limits.retained, refuse, ours);
  boundQueues(persistence, limits.queued, refuse);
}

function boundRetained(persistence: Persistence, most: number, refuse: (reason: "retained") => void, ours: (topic: string) => boolean): void {
  const topics = new Set<string>();
  const store = persistence.storeRetained.bind(persistence);
  persistence.storeRetained = async (packet) => {
    if (packet.payload.length === 0) topics.delete(packet.topic);
    else if (!topics.has(packet.topic) && !ours(packet.topic)) {
      if (topics.size >= most) return refuse("retained");
      topics.add(packet.topic);
    }
    await store(packet);
  };
}

function boundQueues(persistence: Persistence, most: number, refuse: (reason: "queued") => void): void {
  const lengths = new Map<string, number>();
  const enqueue = persistence.outgoingEnqueueCombi.bind(persistence);
  const clear = persistence.outgoingClearMessageId.bind(persistence);
  persistence.outgoingEnqueueCombi = async (subscribers, packet) => {
    if (subscribers.length === 0) return;
    const open = subscribers.filter(({ clientId }) => {
      const length = lengths.get(clientId) ?? 0;
      if (length >= most) refuse("queued");
      else lengths.set(clientId, length + 1);
      return length < most;
    });
    await enqueue(open, packet);
  };
  persistence.outgoingClearMessageId = async (client, packet) => {
    const cleared = await clear(client, packet);
    if (cleared === undefined) return cleared;
    const length = (lengths.get(client.id) ?? 1) - 1;
    if (length > 0) lengths.set(client.id, length);
    else lengths.delete(client.id);
    return cleared;
  };
}
