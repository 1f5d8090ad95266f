// What happens when the store is beyond its limit: the oldest summarised days of readings go, days that are over are summarised first
// where none is, and where nothing may go the processor holds: nothing is acknowledged until there is room. Each change is told to the
// engine, which makes alerts of it. Decides only; the retention job and the processor do.

import type { RetentionReport } from "../batch/jobs/retention.ts";
import type { Clock } from "../clock.ts";
import type { DiskState } from "../engine/input.ts";
import type { Log } from "../log.ts";
import type { Room } from "./room-watch.ts";

export type RoomKeeperDeps = {
  /** Takes away until the store has at most so many bytes, or nothing more may go; undefined: interrupted. */
  makeRoom(bytes: number): Promise<RetentionReport | undefined>;
  /** Compacts all there is, and summarises what is due. */
  summarize(): Promise<void>;
  /** Journals the state; resolves when it is committed, or cannot be soon. */
  tell(state: DiskState, room: Room): Promise<void>;
  /** Nothing is committed, and so acknowledged, for this reason; undefined: all is again. */
  hold(reason: string | undefined): void;
  readonly clock: Clock;
  readonly log: Log;
};

/** What the store comes down to, so that it does not go over again at once. */
const TARGET = 0.95;
/** Where nothing could go, or a job failed, this long it is not tried again: only time makes a day be over. */
const TRY_AGAIN_MS = 60_000;

export function createRoomKeeper({ makeRoom, summarize, tell, hold, clock, log }: RoomKeeperDeps) {
  let state: DiskState = "ok";
  let triedAt = Number.NEGATIVE_INFINITY;
  let working: Promise<void> | undefined;
  /** Told while it was at work. */
  let newest: Room | undefined;
  let isClosed = false;

  async function turn(next: DiskState, room: Room): Promise<void> {
    if (next === state) return;
    const before = state;
    state = next;
    // What is held could not be committed: it is told before, and after.
    if (before === "held") hold(undefined);
    await tell(next, room);
    if (next === "held") hold(`the store has ${room.used} bytes, its limit is ${room.limit}, and no day of readings may go`);
  }

  async function work(room: Room): Promise<void> {
    if (!room.isOver) return turn("ok", room);
    if (state !== "ok" && clock.monotonic() - triedAt < TRY_AGAIN_MS) return;
    triedAt = clock.monotonic();
    if (state === "ok") await turn("over", room);
    const bytes = Math.floor(room.limit * TARGET);
    let report = await makeRoom(bytes);
    // What only the journal holds becomes days by it, too.
    if (report !== undefined && report.lacks !== "nothing") {
      await summarize();
      report = await makeRoom(bytes);
    }
    if (report === undefined) return;
    log.warn({ ...report, limit: room.limit }, "the store was beyond its limit");
    await turn(report.used <= room.limit ? "ok" : "held", { ...room, used: report.used });
  }

  function told(room: Room): void {
    if (working !== undefined) {
      newest = room;
      return;
    }
    working = work(room)
      .catch((error: unknown) => log.error({ err: error }, "no room could be made in the store; it is tried again"))
      .finally(() => {
        working = undefined;
        const missed = newest;
        newest = undefined;
        // That the store is over is told again each second, that it no longer is only once: the limit may be a larger one now, or none.
        if (missed?.isOver === false && !isClosed) told(missed);
      });
  }

  return {
    /** One at a time. */
    told,
    async close(): Promise<void> {
      isClosed = true;
      await working;
    },
  };
}
