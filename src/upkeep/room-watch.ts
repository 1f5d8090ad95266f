// Watches how large the store is, against `storage.disk_limit`, on the thread that makes it larger. Looks once a second at most.

import type { Database } from "../storage/database.ts";
import { usedBytes } from "../storage/retention.ts";

export type Room = { readonly used: number; readonly limit: number; readonly isOver: boolean };

const LOOK_MS = 1000;

/**
 * @param tell is told each time that it looks while the store is beyond its limit, and once when it is within it again
 * @returns looks, when it is time to
 */
export function createRoomWatch(db: Database, monotonic: () => number, tell: (room: Room) => void) {
  let limit: number | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let wasOver = false;
  return {
    /** @param bytes null: no limit */
    setLimit(bytes: number | null): void {
      limit = bytes;
      lookedAt = Number.NEGATIVE_INFINITY;
    },
    look(): void {
      if (monotonic() - lookedAt < LOOK_MS || (limit === null && !wasOver)) return;
      lookedAt = monotonic();
      const used = usedBytes(db);
      const isOver = limit !== null && used > limit;
      if (isOver || wasOver) tell({ used, limit: limit ?? used, isOver });
      wasOver = isOver;
    },
  };
}
