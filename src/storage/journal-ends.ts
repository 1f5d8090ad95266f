// Whether the journal goes on from a snapshot. Retention takes rows away that are before the newest one; without the row after it nothing
// knows what came between. Recovery refuses such a store, a backup of it is none, and `highwater verify` tells it.

import { compactedThrough } from "./chunks.ts";
import type { Database } from "./database.ts";

export type JournalEnds = { readonly first: number | null; readonly newest: number | null };

export function journalEnds(db: Database): JournalEnds {
  return db.prepare<[], JournalEnds>("SELECT min(seq) AS first, max(seq) AS newest FROM journal").get() as JournalEnds;
}

/** @param seq row of the snapshot; 0: there is none */
export function beginsBy(db: Database, seq: number): boolean {
  const { first } = journalEnds(db);
  return first === null ? compactedThrough(db) <= seq : first <= seq + 1;
}

/** @returns what is wrong, or undefined when the journal goes on from the newest snapshot. To be asked in one read transaction */
export function brokenJournal(db: Database): string | undefined {
  const snapshot = db.prepare<[], number | null>("SELECT max(seq) FROM snapshot").pluck().get() ?? 0;
  const { first, newest } = journalEnds(db);
  if (beginsBy(db, snapshot) && (newest === null || newest >= snapshot)) return undefined;
  const journal = first === null ? "its journal, which is empty," : `its journal, from ${first} to ${newest},`;
  return `${journal} does not go on from its newest snapshot, ${snapshot}`;
}
