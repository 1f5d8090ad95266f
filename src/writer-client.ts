// Finished rows on their way to the processor, the only one that writes: those that cannot wait, and those of a job, which have time.

import type { ProcessorToService, RowsToProcessor } from "./messages.ts";
import type { FinishedRow } from "./storage/finished.ts";

type Lane = RowsToProcessor["kind"];

export function createWriterClient(post: (message: RowsToProcessor) => void) {
  const lanes = { finished: createLane(), work: createLane() };
  const send = (kind: Lane, rows: readonly FinishedRow[]): Promise<void> => {
    if (rows.length === 0) return Promise.resolve();
    post({ kind, rows });
    return lanes[kind].posted(rows.length);
  };
  return {
    /** Resolves when the rows are committed, with the next commit. */
    write: (rows: readonly FinishedRow[]): Promise<void> => send("finished", rows),
    /** Resolves when the rows are committed, a slice with each commit. */
    work: (rows: readonly FinishedRow[]): Promise<void> => send("work", rows),
    /** What the processor says of them. */
    written: ({ of, count }: Extract<ProcessorToService, { kind: "written" }>): void => lanes[of].written(count),
  };
}

/** Rows are written in the order in which they were posted. */
function createLane() {
  let [posted, done] = [0, 0];
  let waiting: { readonly through: number; readonly resolve: () => void }[] = [];
  return {
    posted(count: number): Promise<void> {
      posted += count;
      const through = posted;
      return new Promise((resolve) => waiting.push({ through, resolve }));
    },
    written(count: number): void {
      done += count;
      const ready = waiting.filter(({ through }) => through <= done);
      waiting = waiting.filter(({ through }) => through > done);
      for (const { resolve } of ready) resolve();
    },
  };
}
