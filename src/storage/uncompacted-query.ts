// How much of the journal is not in chunks yet: what says whether compaction is due.

import type { EpochMs } from "../engine/units.ts";
import { compactedThrough } from "./chunks.ts";
import type { Database } from "./database.ts";

/** Rows that are counted: more are due by their age, or soon will be, and the journal of an older release may be many millions. */
export const UNCOMPACTED_ROWS_MAX = 100_000;

/** `readings` of any verdict; `since`: arrival of the oldest row that is not compacted, null when all is. */
export type Uncompacted = { readonly readings: number; readonly since: EpochMs | null };

export function answerUncompacted(db: Database): Uncompacted {
  const row = db
    .prepare<[number, number], Uncompacted>(
      "SELECT coalesce(sum(count), 0) AS readings, min(CASE WHEN count > 0 THEN at END) AS since FROM (SELECT count, at FROM journal WHERE seq > ? ORDER BY seq LIMIT ?)",
    )
    .get(compactedThrough(db), UNCOMPACTED_ROWS_MAX);
  return row as Uncompacted;
}
