// Retained messages: bounded in number and bytes, and on disk in the same commit as the reading that they are. The gateway's own are
// always kept, in memory only: it publishes them anew at each start.

import type { StoredRetained } from "../storage/mqtt-rows.ts";
import type { Changes } from "./changes.ts";
import { filterMatches } from "./filter.ts";
import type { BrokerLimits } from "./limits.ts";

export type RetainedMessage = { readonly topic: string; readonly payload: string | Uint8Array; readonly qos: 0 | 1 | 2; readonly retain: boolean };
export type Retained = ReturnType<typeof createRetained>;

const OVERHEAD_BYTES = 64;
const bytesOf = (topic: string, payload: { readonly length: number }): number => topic.length + payload.length + OVERHEAD_BYTES;

export function createRetained(
  deps: { changes: Changes; refuse: (reason: "retained" | "retained_bytes") => void },
  limits: Pick<BrokerLimits, "retained" | "retained_bytes">,
  stored: readonly StoredRetained[],
) {
  const messages = new Map<string, RetainedMessage>();
  /** Of clients' topics, those included whose commit is under way. */
  const bytes = new Map<string, number>();
  let bytesTotal = 0;

  const account = (topic: string, size: number | undefined): void => {
    bytesTotal += (size ?? 0) - (bytes.get(topic) ?? 0);
    if (size === undefined) bytes.delete(topic);
    else bytes.set(topic, size);
  };
  for (const message of stored) {
    const payload = Buffer.from(message.payload);
    messages.set(message.topic, { ...message, cmd: "publish", payload, retain: true } as RetainedMessage);
    account(message.topic, bytesOf(message.topic, payload));
  }

  return {
    /** Whether a client's retained message finds room; its row goes with the next turn. Readers get it when it is put. */
    accept(topic: string, payload: Uint8Array, qos: 0 | 1 | 2): boolean {
      if (payload.length === 0) {
        if (!bytes.has(topic)) return true;
        account(topic, undefined);
        deps.changes.note(`retained ${topic}`, { kind: "mqtt", change: "retained-gone", topic });
        return true;
      }
      const size = bytesOf(topic, payload);
      if (!bytes.has(topic) && bytes.size >= limits.retained) deps.refuse("retained");
      else if (bytesTotal + size - (bytes.get(topic) ?? 0) > limits.retained_bytes) deps.refuse("retained_bytes");
      else {
        account(topic, size);
        deps.changes.note(`retained ${topic}`, { kind: "mqtt", change: "retained", topic, payload, qos });
        return true;
      }
      return false;
    },
    /** Readers get `message` from now on, or nothing if it is empty. */
    put(message: RetainedMessage): void {
      if (message.payload.length === 0) messages.delete(message.topic);
      else messages.set(message.topic, message);
    },
    *matching(filters: readonly string[]): Generator<RetainedMessage> {
      for (const filter of filters) {
        if (!/[+#]/.test(filter)) {
          const message = messages.get(filter);
          if (message !== undefined) yield message;
          continue;
        }
        const levels = filter.split("/");
        for (const [topic, message] of messages) if (filterMatches(levels, topic, topic.split("/"))) yield message;
      }
    },
    size: () => bytes.size,
    bytes: () => bytesTotal,
  };
}
