// Publishes that wait for their commit. What one turn of the event loop brought waits together and is released together, in order,
// so that PUBACKs leave in the order of their PUBLISHes [MQTT-4.6.0-2]. A hold is our doing, not the device's: meanwhile the
// keep-alive of its connection does not run out, and a will that it caused is not published.

import type { Clock } from "../clock.ts";

/** A connection as far as holds are concerned. */
export type Holder = {
  /** Publishes of it that wait now. */
  held: number;
  /** Monotonic ms since which it has been waiting, as far as `held` > 0. */
  heldSince: number;
};

export type Release = (error?: Error) => void;
type Waiting = { readonly holder: Holder | undefined; readonly release: Release };

export type Hold = ReturnType<typeof createHold>;

/**
 * @param deps.committed calls back once all that the inbox took so far is on disk, or with an error when it never will be
 */
export function createHold(deps: { committed: (callback: (error?: Error) => void) => void; clock: Clock }) {
  const holders = new Set<Holder>();
  let turn: Waiting[] | undefined;
  let waiting = 0;

  const releaseAll = (all: readonly Waiting[], error: Error | undefined) => {
    const now = deps.clock.monotonic();
    for (const { holder, release } of all) {
      waiting--;
      if (holder !== undefined) {
        holder.held--;
        holder.heldSince = now;
        if (holder.held === 0) holders.delete(holder);
      }
      release(error);
    }
  };

  const seal = () => {
    const all = turn as Waiting[];
    turn = undefined;
    deps.committed((error) => releaseAll(all, error));
  };

  return {
    /** @param holder undefined for a will: its connection is gone */
    add(holder: Holder | undefined, release: Release): void {
      if (turn === undefined) {
        turn = [];
        queueMicrotask(seal);
      }
      turn.push({ holder, release });
      waiting++;
      if (holder === undefined) return;
      if (holder.held === 0) {
        holder.heldSince = deps.clock.monotonic();
        holders.add(holder);
      }
      holder.held++;
    },
    /** Connections that wait now. */
    holders: (): Iterable<Holder> => holders,
    /** Publishes that wait now. */
    size: () => waiting,
    /** How long the one that has waited longest has, in ms; a little less under steady load. */
    longestMs(): number {
      const now = deps.clock.monotonic();
      let longest = 0;
      for (const { heldSince } of holders) longest = Math.max(longest, now - heldSince);
      return longest;
    },
  };
}
