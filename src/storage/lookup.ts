// Answers the engine's question whether a reading at an old timestamp is stored already. The cost of one step is bounded:
// past the bound a timestamp counts as new, and whoever reads history takes the first of equal (series, ts) anyway.

import { type KnownReading, type Lookup } from "../engine/reading.ts";
import type { Database } from "./database.ts";
import { decodeColumns, isHistory, type ReadingColumns, spanSecond } from "./journal.ts";

/** Journal rows that the look-ups of one step may decode. */
export const ROWS_PER_STEP = 200;
const ROWS_PER_LOOKUP = 64;
/** Timestamps of one step that are looked up at all. */
const LOOKUPS_PER_STEP = 2000;
const CACHED_ROWS = 256;

/** @returns a function that finds what is known, and how many look-ups it left unanswered */
export function createLookup(db: Database): (lookups: readonly Lookup[]) => { known: KnownReading[]; unanswered: number } {
  const candidates = db.prepare<[number, number, number], number>("SELECT seq FROM journal_span WHERE max_s >= ? AND min_s <= ? ORDER BY seq LIMIT ?").pluck();
  const read = db.prepare<[number], Uint8Array>("SELECT body FROM journal WHERE seq = ?").pluck();
  const cache = new Map<number, readonly Omit<ReadingColumns, "seq">[]>();
  let budget = 0;

  const columnsOf = (seq: number): readonly Omit<ReadingColumns, "seq">[] | undefined => {
    const cached = cache.get(seq);
    if (cached !== undefined) return cached;
    if (budget <= 0) return undefined;
    budget -= 1;
    const body = read.get(seq);
    const columns = body === undefined ? [] : decodeColumns(body);
    cache.set(seq, columns);
    if (cache.size > CACHED_ROWS) cache.delete(cache.keys().next().value as number);
    return columns;
  };

  return (lookups) => {
    budget = ROWS_PER_STEP;
    const known: KnownReading[] = [];
    let unanswered = Math.max(0, lookups.length - LOOKUPS_PER_STEP);
    for (const { series, ts } of lookups.slice(0, LOOKUPS_PER_STEP)) {
      const rows = candidates.all(spanSecond(ts), spanSecond(ts), ROWS_PER_LOOKUP + 1);
      let isWhole = rows.length <= ROWS_PER_LOOKUP;
      const value = firstOf(rows, (seq) => {
        const columns = columnsOf(seq);
        if (columns === undefined) isWhole = false;
        return columns && valueAt(columns, series, ts);
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

function valueAt(columns: readonly Omit<ReadingColumns, "seq">[], series: number, ts: number): number | undefined {
  for (const { count, series: ids, ts: times, value, verdict } of columns) {
    for (let index = 0; index < count; index++) {
      if (ids[index] === series && times[index] === ts && isHistory(verdict[index] as number)) return value[index];
    }
  }
  return undefined;
}
