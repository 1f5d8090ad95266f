// How much of the journal is not in chunks yet: what says whether compaction is due.

import type { EpochMs } from "../engine/units.ts";
import { compactedThrough } from "./chunks.ts";
import type { Database } from "./database.ts";

/** `readings` of any verdict; `since`: arrival of the oldest row that is not compacted, null when all is. */
export type Uncompacted = { readonly readings: number; readonly since: EpochMs | null };

export function answerUncompacted(db: Database): Uncompacted {
  const row = db
    .prepare<[number], Uncompacted>("SELECT coalesce(sum(count), 0) AS readings, min(at) AS since FROM journal WHERE seq > ? AND count > 0")
    .get(compactedThrough(db));
  return row as Uncompacted;
}
