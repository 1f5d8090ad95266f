// Answers the engine's question whether a reading at an old timestamp is stored already. The cost of one step is bounded:
// past the bound a timestamp counts as new, and whoever reads history takes the first of equal (series, ts) anyway.

import { type KnownReading, type Lookup } from "../engine/reading.ts";
import { decodeChunk } from "./chunk-codec.ts";
import { compactedThrough, DAY_MS_MAX, placeOf } from "./chunks.ts";
import type { Database } from "./database.ts";
import { decodeColumns, isHistory, type ReadingColumns, spanSecond } from "./journal.ts";

/** Chunks and journal rows that the look-ups of one step may decode. */
const ROWS_PER_STEP = 200;
const ROWS_PER_LOOKUP = 64;
/** Timestamps of one step that are looked up at all. */
const LOOKUPS_PER_STEP = 2000;
/** Stored readings that the look-ups of one step may compare with: some milliseconds. */
const COMPARED_PER_STEP = 5_000_000;
/** Spans of journal rows that the look-ups of one step may look at. One wrong clock makes those of all rows long, and each covers every old timestamp. */
const SPANS_PER_STEP = 10_000;
/** Readings after which the look-ups of one step decode no further chunk or row: about ten milliseconds. */
const DECODED_PER_STEP = 500_000;
const CACHED_ROWS = 256;
/** Readings that are kept decoded, of chunks and of rows each: 17 to 21 bytes. One chunk may have a million. */
const CACHED_READINGS = 1_000_000;

/** What the look-ups of one step may still cost, all its inputs together. */
export type LookupBudget = { rows: number; lookups: number; compared: number; spans: number; decoded: number };
export const lookupBudget = (): LookupBudget => ({
  rows: ROWS_PER_STEP,
  lookups: LOOKUPS_PER_STEP,
  compared: COMPARED_PER_STEP,
  spans: SPANS_PER_STEP,
  decoded: DECODED_PER_STEP,
});

/** @returns a function that finds what is known within a budget, which it draws on, and how many look-ups it left unanswered */
export function createLookup(db: Database): (lookups: readonly Lookup[], budget: LookupBudget) => { known: KnownReading[]; unanswered: number } {
  const findInChunks = createChunkLookup(db);
  const findInTail = createTailLookup(db);
  return (lookups, budget) => {
    const known: KnownReading[] = [];
    const affordable = lookups.slice(0, budget.lookups);
    budget.lookups -= affordable.length;
    let unanswered = lookups.length - affordable.length;
    const through = compactedThrough(db);
    for (const lookup of affordable) {
      const inChunks = findInChunks(lookup, budget);
      const { value, isWhole } = inChunks.value === undefined ? findInTail(lookup, through, budget) : inChunks;
      if (value !== undefined) known.push({ ...lookup, value });
      else if (!isWhole || !inChunks.isWhole) unanswered += 1;
    }
    return { known, unanswered };
  };
}

/** `isWhole`: all was looked at that the reading could be in. */
type Found = { readonly value: number | undefined; readonly isWhole: boolean };

/** Decoded blobs by id, the oldest dropped. @param sizeOf readings */
function createCache<Decoded>(decode: (id: number) => Decoded, sizeOf: (decoded: Decoded) => number) {
  const cache = new Map<number, Decoded>();
  let size = 0;
  return (id: number, budget: LookupBudget): Decoded | undefined => {
    const cached = cache.get(id);
    if (cached !== undefined) return cached;
    if (budget.rows <= 0 || budget.decoded <= 0) return undefined;
    budget.rows -= 1;
    const decoded = decode(id);
    budget.decoded -= sizeOf(decoded);
    cache.set(id, decoded);
    size += sizeOf(decoded);
    for (const [oldest, each] of cache) {
      if (size <= CACHED_READINGS && cache.size <= CACHED_ROWS) break;
      cache.delete(oldest);
      size -= sizeOf(each);
    }
    return decoded;
  };
}

function createChunkLookup(db: Database): (lookup: Lookup, budget: LookupBudget) => Found {
  const candidates = db
    .prepare<number[], number>("SELECT id FROM chunk WHERE series = ? AND day > ? AND day <= ? AND max_ts >= ? AND min_ts <= ? ORDER BY day, from_seq, part")
    .pluck();
  const body = db.prepare<[number], Uint8Array>("SELECT body FROM chunk WHERE id = ?").pluck();
  const columnsOf = createCache(
    (id) => decodeChunk(body.get(id) as Uint8Array, { at: false }),
    ({ ts }) => ts.length,
  );
  return ({ series, ts }, budget) => {
    for (const id of candidates.all(series, ts - DAY_MS_MAX, ts, ts, ts)) {
      const columns = columnsOf(id, budget);
      if (columns === undefined) return { value: undefined, isWhole: false };
      const place = placeOf(columns.ts, ts);
      if (columns.ts[place] === ts) return { value: columns.value[place], isWhole: true };
    }
    return { value: undefined, isWhole: true };
  };
}

/** In the journal's rows that are not compacted yet. */
function createTailLookup(db: Database): (lookup: Lookup, through: number, budget: LookupBudget) => Found {
  // Not in order, and compacted ones too, which SQLite would pass over uncounted.
  const covering = db.prepare<number[], number>("SELECT seq FROM journal_span WHERE max_s >= ? AND min_s <= ?").pluck();
  const candidates = (ts: number, through: number, budget: LookupBudget): { rows: number[]; isWhole: boolean } => {
    const rows: number[] = [];
    for (const seq of covering.iterate(spanSecond(ts), spanSecond(ts))) {
      budget.spans -= 1;
      if (seq > through) rows.push(seq);
      if (budget.spans <= 0 || rows.length > ROWS_PER_LOOKUP) return { rows: rows.slice(0, ROWS_PER_LOOKUP), isWhole: false };
    }
    return { rows: rows.sort((a, b) => a - b), isWhole: true };
  };
  const read = db.prepare<[number], Uint8Array>("SELECT body FROM journal WHERE seq = ?").pluck();
  const columnsOf = createCache(
    (seq) => {
      const body = read.get(seq);
      return body === undefined ? [] : decodeColumns(body);
    },
    (groups) => groups.reduce((sum, { count }) => sum + count, 0),
  );
  return ({ series, ts }, through, budget) => {
    if (budget.spans <= 0) return { value: undefined, isWhole: false };
    const found = candidates(ts, through, budget);
    let { isWhole } = found;
    for (const seq of found.rows) {
      const columns = budget.compared > 0 ? columnsOf(seq, budget) : undefined;
      if (columns === undefined) isWhole = false;
      const value = columns && valueAt(columns, series, ts, budget);
      if (value !== undefined) return { value, isWhole };
    }
    return { value: undefined, isWhole };
  };
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
