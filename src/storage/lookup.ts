// Answers the engine's question whether a reading at an old timestamp is stored already. The cost of one step is bounded:
// past the bound a timestamp counts as new, and whoever reads history takes the first of equal (series, ts) anyway.

import { type KnownReading, type Lookup } from "../engine/reading.ts";
import type { Database } from "./database.ts";
import { decodeColumns, isHistory, type ReadingColumns, spanSecond } from "./journal.ts";

/** Journal rows that the look-ups of one step may decode. */
const ROWS_PER_STEP = 200;
const ROWS_PER_LOOKUP = 64;
/** Timestamps of one step that are looked up at all. */
const LOOKUPS_PER_STEP = 2000;
/** Stored readings that the look-ups of one step may compare with: some milliseconds. */
const COMPARED_PER_STEP = 5_000_000;
const CACHED_ROWS = 256;

/** What the look-ups of one step may still cost, all its inputs together. */
export type LookupBudget = { rows: number; lookups: number; compared: number };
export const lookupBudget = (): LookupBudget => ({ rows: ROWS_PER_STEP, lookups: LOOKUPS_PER_STEP, compared: COMPARED_PER_STEP });

/** @returns a function that finds what is known within a budget, which it draws on, and how many look-ups it left unanswered */
export function createLookup(db: Database): (lookups: readonly Lookup[], budget: LookupBudget) => { known: KnownReading[]; unanswered: number } {
  const candidates = db.prepare<[number, number, number], number>("SELECT seq FROM journal_span WHERE max_s >= ? AND min_s <= ? ORDER BY seq LIMIT ?").pluck();
  const read = db.prepare<[number], Uint8Array>("SELECT body FROM journal WHERE seq = ?").pluck();
  const cache = new Map<number, readonly Omit<ReadingColumns, "seq">[]>();

  const columnsOf = (seq: number, budget: LookupBudget): readonly Omit<ReadingColumns, "seq">[] | undefined => {
    const cached = cache.get(seq);
    if (cached !== undefined) return cached;
    if (budget.rows <= 0) return undefined;
    budget.rows -= 1;
    const body = read.get(seq);
    const columns = body === undefined ? [] : decodeColumns(body);
    cache.set(seq, columns);
    if (cache.size > CACHED_ROWS) cache.delete(cache.keys().next().value as number);
    return columns;
  };

  return (lookups, budget) => {
    const known: KnownReading[] = [];
    const affordable = lookups.slice(0, budget.lookups);
    budget.lookups -= affordable.length;
    let unanswered = lookups.length - affordable.length;
    for (const { series, ts } of affordable) {
      const rows = candidates.all(spanSecond(ts), spanSecond(ts), ROWS_PER_LOOKUP + 1);
      let isWhole = rows.length <= ROWS_PER_LOOKUP;
      const value = firstOf(rows, (seq) => {
        const columns = budget.compared > 0 ? columnsOf(seq, budget) : undefined;
        if (columns === undefined) isWhole = false;
        return columns && valueAt(columns, series, ts, budget);
      });
      if (value !== undefined) known.push({ series, ts, value });
      else if (!isWhole) unanswered += 1;
    }
    return { known, unanswered };
  };
}

function firstOf<Result>(rows: readonly number[], find: (seq: number) => Result | undefined): Result | undefined {
  for (const seq of rows) {
    const found = find(seq);
    if (found !== undefined) return found;
  }
  return undefined;
}

function valueAt(columns: readonly Omit<ReadingColumns, "seq">[], series: number, ts: number, budget: LookupBudget): number | undefined {
  for (const { count, series: ids, ts: times, value, verdict } of columns) {
    budget.compared -= count;
    for (let index = 0; index < count; index++) {
      if (ids[index] === series && times[index] === ts && isHistory(verdict[index] as number)) return value[index];
    }
  }
  return undefined;
}
