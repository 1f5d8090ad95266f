// Hands a job's finished rows to the writer a few at a time: so many rows, or so many bytes, then it waits until they are committed.
// What the writer has in hand is bounded by that, and a job that is ended leaves at most one handful on the way.

import type { FinishedRow } from "../../storage/finished.ts";

const ROWS_MAX = 500;
const BYTES_MAX = 262_144;

/** Resolves when the rows are committed; rows must be written in the order in which they come. */
export type Emit = (rows: FinishedRow[]) => Promise<void> | void;

export function createEmitter(emit: Emit) {
  let rows: FinishedRow[] = [];
  let bytes = 0;
  async function flush(): Promise<void> {
    if (rows.length === 0) return;
    const taken = rows;
    [rows, bytes] = [[], 0];
    await emit(taken);
    await pause();
  }
  return {
    flush,
    async add(row: FinishedRow): Promise<void> {
      rows.push(row);
      bytes += "body" in row ? row.body.length : 0;
      if (rows.length >= ROWS_MAX || bytes >= BYTES_MAX) await flush();
    },
  };
}

export type Emitter = ReturnType<typeof createEmitter>;

/** Lets messages in, above all the one that ends the run. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
