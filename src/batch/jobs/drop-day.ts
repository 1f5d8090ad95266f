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
  await endDrop(db, { day, idsBelow: Number.POSITIVE_INFINITY }, emitter);
}

/** @param going of a day whose drop began; what came after it, by an import, has larger ids and stays */
export async function endDrop(db: Database, going: { readonly day: EpochMs; readonly idsBelow: number }, emitter: Emitter): Promise<void> {
  const ids = chunksOfDay(db, going.day).filter((id) => id < going.idsBelow);
  for (let from = 0; from < ids.length; from += CHUNKS) await emitter.add({ kind: "chunks-gone", ids: ids.slice(from, from + CHUNKS) });
  await emitter.add({ kind: "raw-day-gone", day: going.day, isEnded: true });
  await emitter.flush();
}
