// Holds turns back for a reason of ours though the disk would take them: nothing of them is stepped, committed or acknowledged until the reason
// is gone, or the gateway ends. What the disk itself refuses is the pipeline's business.

export type HoldDeps<Turn> = {
  take(turn: Turn): void;
  /** Nothing is committed, for this reason. */
  holding(reason: string): void;
  /** Turns are taken again, though none waited. */
  released(): void;
};

export function createHold<Turn>({ take, holding, released }: HoldDeps<Turn>) {
  let reason: string | undefined;
  let waiting: { readonly turn: Turn } | undefined;
  let isEnding = false;

  /** @param next undefined: what was held goes on */
  function set(next: string | undefined): void {
    // Who ends waits for the last turn: a hold that was decided before must not keep it.
    if (next !== undefined && isEnding) return;
    const was = reason;
    reason = next;
    if (next !== undefined) return holding(next);
    if (was === undefined) return;
    const held = waiting;
    waiting = undefined;
    if (held === undefined) released();
    else take(held.turn);
  }

  return {
    set,
    /** No further one comes before this is settled. */
    turn(turn: Turn): void {
      if (reason === undefined) take(turn);
      else waiting = { turn };
    },
    /** The disk had refused rows that were no turn, and takes them again: what is held for a reason of ours still is. */
    diskTakesAgain(): void {
      if (reason === undefined) released();
      else holding(reason);
    },
    /** Nothing is held from now on. */
    end(): void {
      isEnding = true;
      set(undefined);
    },
  };
}
