// How long history is kept, and what leaves it: the rows by which the processor takes things away, a few at each commit, and what a
// job asks before it emits them. Nothing here decides; batch/jobs/retention.ts does.

import type { DurationMs, EpochMs } from "../engine/units.ts";
import { compactedThrough } from "./chunks.ts";
import type { Database } from "./database.ts";
import { newestSeq } from "./journal.ts";
import type { Tier } from "./rollups.ts";

/** `timeMs` from arrival on; `bytes`: at most so many, null: any. */
export type Kept = { readonly timeMs: DurationMs; readonly bytes: number | null };
export type Retention = { readonly journal: Kept; readonly raw: Kept; readonly minutes: Kept; readonly hours: Kept };

export type RetentionWrite =
  /** Rows of the journal from one through another. */
  | { readonly kind: "journal-gone"; readonly from: number; readonly through: number }
  /** From here on the day's readings are no longer whole: its chunks go, and are gone when it `isEnded`. */
  | { readonly kind: "raw-day-gone"; readonly day: EpochMs; readonly isEnded: boolean }
  /** Ids of packed rows. */
  | { readonly kind: "packed-gone"; readonly ids: readonly number[] };

/** @returns a function that takes away; call it within a transaction */
export function createRetentionWriter(db: Database): (row: RetentionWrite) => void {
  const dropRow = db.prepare("DELETE FROM journal WHERE seq = ?");
  const dropSpan = db.prepare("DELETE FROM journal_span WHERE seq = ?");
  // Ids are never given twice: what comes meanwhile has a larger one.
  const beginDay = db.prepare("UPDATE raw_day SET gone = 1 + (SELECT coalesce(max(id), 1) FROM chunk) WHERE day = ?");
  const endDay = db.prepare("UPDATE raw_day SET gone = 1 WHERE day = ?");
  const dropPacked = db.prepare("DELETE FROM packed_rollup WHERE id = ?");
  return (row) => {
    switch (row.kind) {
      case "journal-gone":
        for (let seq = row.from; seq <= row.through; seq += 1) {
          dropRow.run(seq);
          dropSpan.run(seq);
        }
        return;
      case "raw-day-gone":
        (row.isEnded ? endDay : beginDay).run(row.day);
        return;
      case "packed-gone":
        for (const id of row.ids) dropPacked.run(id);
        return;
      default: {
        const never: never = row;
        return never;
      }
    }
  };
}

/** Bytes of the database's pages in use; those of rows that were deleted are used again. */
export function usedBytes(db: Database): number {
  const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
  return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
}

/**
 * The rows of the journal that may go: all is in chunks, and a snapshot stands after them. The newest stays, it says until when the gateway
 * knows what was. Undefined when there are none.
 */
export function droppableJournal(db: Database): { readonly first: number; readonly through: number } | undefined {
  const first = db.prepare<[], number | null>("SELECT min(seq) FROM journal").pluck().get();
  const snapshot = db.prepare<[], number | null>("SELECT max(seq) FROM snapshot").pluck().get() ?? 0;
  const through = Math.min(compactedThrough(db), snapshot, newestSeq(db) - 1);
  return first === null || first === undefined || through < first ? undefined : { first, through };
}

/** The last row of a stretch of the journal before which nothing arrived at an instant or later; `first - 1` when there is none. Seqs are without holes. */
export function lastArrivedBefore(db: Database, instant: EpochMs, { first, through }: { first: number; through: number }): number {
  const at = db.prepare<[number], EpochMs>("SELECT at FROM journal WHERE seq = ?").pluck();
  let [low, high] = [first - 1, through];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((at.get(middle) ?? Number.POSITIVE_INFINITY) < instant) low = middle;
    else high = middle - 1;
  }
  return low;
}

const SAMPLE_ROWS = 200;

/** Mean bytes of a journal row, of a sample. */
export function journalRowBytes(db: Database, { first, through }: { first: number; through: number }): number {
  const size = db.prepare<[number], number>("SELECT length(body) + length(series) + 40 FROM journal WHERE seq = ?").pluck();
  const count = Math.min(SAMPLE_ROWS, through - first + 1);
  let sum = 0;
  for (let index = 0; index < count; index += 1) sum += size.get(first + Math.floor((index * (through - first)) / Math.max(1, count - 1))) ?? 0;
  return sum / Math.max(1, count);
}

/**
 * Packed rows of a tier that were packed before an instant, or are beyond so many bytes, oldest packed first.
 * @param max so many ids at most: there may be tens of millions of rows
 */
export function packedToDrop(db: Database, tier: Tier, { before, bytes }: { before: EpochMs; bytes: number | null }, max: number): number[] {
  const old = db.prepare<number[], number>("SELECT id FROM packed_rollup WHERE tier = ? AND at < ? ORDER BY at, id LIMIT ?").pluck();
  if (bytes === null) return old.all(tier, before, max);
  const sum = db.prepare<[number], number>("SELECT coalesce(sum(length(body)), 0) FROM packed_rollup WHERE tier = ?").pluck();
  const rows = db.prepare<[number], { id: number; at: EpochMs; bytes: number }>(
    "SELECT id, at, length(body) AS bytes FROM packed_rollup WHERE tier = ? ORDER BY at, id",
  );
  let excess = (sum.get(tier) ?? 0) - bytes;
  const ids: number[] = [];
  for (const row of rows.iterate(tier)) {
    if ((row.at >= before && excess <= 0) || ids.length === max) break;
    excess -= row.bytes;
    ids.push(row.id);
  }
  return ids;
}
