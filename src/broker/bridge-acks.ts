// What a bridge has taken and not yet acknowledged. A PUBACK leaves only after the commit, in the order of the PUBLISHes
// [MQTT-4.6.0-2], and never on another connection than the message came on: there packet ids mean something else.
// A message that the broker sends again after a new connection, since a PUBACK was lost, is known by its packet id, its DUP flag and
// its content and is not taken twice, as long as this process lives and the broker keeps the session.

import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";

/** A message as it came. `id` is undefined with QoS 0. */
export type Arrived = { readonly id: number | undefined; readonly dup: boolean; readonly topic: string; readonly payload: Uint8Array };
type Taken = { readonly content: string; stream: Duplex; isCommitted: boolean };

export type BridgeAcks = ReturnType<typeof createBridgeAcks>;

/**
 * @param deps.hold calls back once what was taken so far is on disk, or with an error when it never will be
 * @param deps.room is told when fewer than `waitingMax` wait again
 */
export function createBridgeAcks(deps: { hold: (release: (error?: Error) => void) => void; room: () => void }, { waitingMax }: { waitingMax: number }) {
  /** By packet id, the oldest first; more than may be under way at once, so that what the broker may send again is among them. */
  const taken = new Map<number, Taken>();
  const takenMax = Math.min(65_535, 2 * waitingMax);
  let waiting = 0;
  let ready: { id: number; stream: Duplex }[] = [];

  const flush = (): void => {
    const all = ready;
    ready = [];
    for (let from = 0; from < all.length; ) {
      const { stream } = all[from] as (typeof all)[number];
      let to = from;
      while (to < all.length && all[to]?.stream === stream) to++;
      if (!stream.destroyed && stream.writable) stream.write(pubacks(all.slice(from, to).map(({ id }) => id)));
      from = to;
    }
  };

  const acknowledge = (id: number, stream: Duplex): void => {
    if (ready.length === 0) queueMicrotask(flush);
    ready.push({ id, stream });
  };

  const wait = (committed: () => void): void => {
    waiting += 1;
    deps.hold((error) => {
      waiting -= 1;
      if (error === undefined) committed();
      if (waiting === waitingMax - 1) deps.room();
    });
  };

  const forgetOldest = (): void => {
    for (const [id, { isCommitted }] of taken) {
      if (taken.size <= takenMax || !isCommitted) return;
      taken.delete(id);
    }
  };

  return {
    /**
     * @param stream the connection that it came on
     * @param take puts it into the inbox; not called for one that was taken before
     * @returns whether it was taken before
     */
    arrived({ id, dup, topic, payload }: Arrived, stream: Duplex, take: () => void): boolean {
      if (id === undefined) {
        take();
        wait(() => undefined);
        return false;
      }
      const content = createHash("sha1").update(topic).update("\0").update(payload).digest("base64");
      const before = taken.get(id);
      const isAgain = dup && before !== undefined && before.stream !== stream && before.content === content;
      const entry: Taken = isAgain ? before : { content, stream, isCommitted: false };
      entry.stream = stream;
      taken.delete(id);
      taken.set(id, entry);
      if (!isAgain) take();
      // One that is committed already waits for those before it all the same, so that the order is kept.
      wait(() => {
        entry.isCommitted = true;
        acknowledge(id, stream);
      });
      forgetOldest();
      return isAgain;
    },
    /** The broker has begun a new session: it sends nothing again, and its packet ids are new. */
    forget: (): void => taken.clear(),
    /** Messages that wait for their commit. */
    waiting: () => waiting,
    isFull: () => waiting >= waitingMax,
    /** Writes at once what may be acknowledged. */
    flush,
  };
}

/** PUBACKs as bytes, the same in MQTT 3.1.1 and 5 (without a reason code it is success) [MQTT-5 3.4.2.1]. */
function pubacks(ids: readonly number[]): Buffer {
  const bytes = Buffer.alloc(ids.length * 4);
  for (const [index, id] of ids.entries()) {
    bytes.writeUInt16BE(0x4002, index * 4);
    bytes.writeUInt16BE(id, index * 4 + 2);
  }
  return bytes;
}
