// Drops the readings of a local day in small steps. Until the last one is written the day is said to be going: compaction ends what was
// killed on the way before it brings new readings, for what a day that is gone holds counts as new when it is summarised again.

import type { EpochMs } from "../../engine/units.ts";
import { chunksOfDay } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import type { Emitter } from "./emitter.ts";

const CHUNKS = 20;

/** @param db read-only */
export async function dropDay(db: Database, day: EpochMs, emitter: Emitter): Promise<void> {
  await emitter.add({ kind: "raw-day-gone", day, isEnded: false });
  const ids = chunksOfDay(db, day);
  for (let from = 0; from < ids.length; from += CHUNKS) await emitter.add({ kind: "chunks-gone", ids: ids.slice(from, from + CHUNKS) });
  await emitter.add({ kind: "raw-day-gone", day, isEnded: true });
  await emitter.flush();
}
