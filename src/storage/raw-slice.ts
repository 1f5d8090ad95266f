// The raw readings of many series in one stretch of time, a slice of the series at a time: what is looked at together is read in one
// read transaction, so that a gateway that writes meanwhile is never seen half way, and no transaction is long.

import { History, type OrderedReadings } from "../engine/history.ts";
import { type EpochMs, floorMod, type SeriesId } from "../engine/units.ts";
import { compactedThrough, createChunkReader, rawDays, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";
import { readJournal } from "./journal.ts";
import { UTC_DAY_MS, utcDayOf } from "./rollup-days.ts";
import { createTailCounter, readTail } from "./tail.ts";

/** A slice ends when it has looked at so many readings or series. */
const SLICE_READINGS = 1_000_000;
const SLICE_SERIES = 500;
/** Readings, of all series and verdicts, of journal rows that reach into the span and are not compacted; each slice decodes them. */
export const TAIL_READINGS_MAX = 2_000_000;

/** The UTC days that a span reaches into, whole. */
export const utcDaysOf = ({ from, to }: Span): Span =>
  Number.isFinite(from) && Number.isFinite(to) ? { from: utcDayOf(from), to: to + floorMod(-to, UTC_DAY_MS) } : { from, to };

/** Starts of the UTC days of which there are raw readings, in chunks or not compacted yet; ascending. */
export function utcDaysWithRaw(db: Database, within: Span): EpochMs[] {
  const days = new Set<EpochMs>();
  for (const { day, until, gone } of rawDays(db)) for (let at = utcDayOf(day); gone === 0 && at < until; at += UTC_DAY_MS) days.add(at);
  try {
    for (const { ts } of readJournal(db, { afterSeq: compactedThrough(db) })) for (const each of ts) days.add(utcDayOf(each));
  } catch {
    // Where a row cannot be read, nothing of its days can be said.
  }
  return [...days].filter((day) => day >= within.from && day < within.to).sort((a, b) => a - b);
}

/** Whether all that is not compacted of a span may be read beside chunks. */
export const isTailShort = (db: Database, span: Span): boolean => createTailCounter(db)(span) <= TAIL_READINGS_MAX;

/** Reads one series in a span; undefined where what they are in is damaged. */
export type ReadRaw = (series: SeriesId, span: Span) => OrderedReadings | undefined;

/**
 * Looks at series one by one, from `ids[from]` on, until the slice is full.
 * @returns how many of `ids` are done
 */
export function lookAtSlice(db: Database, ids: readonly SeriesId[], from: number, look: (series: SeriesId, read: ReadRaw) => void): number {
  return db.transaction(() => {
    let [next, readings] = [from, 0];
    const read = createRawReader(db);
    const counting: ReadRaw = (series, span) => {
      const found = read(series, span);
      readings += found?.ts.length ?? 0;
      return found;
    };
    while (next < ids.length && next - from < SLICE_SERIES && readings < SLICE_READINGS) look(ids[next++] as SeriesId, counting);
    return next;
  })();
}

/** Chunks, and behind them what is not compacted yet, which is read once per span. */
function createRawReader(db: Database): ReadRaw {
  const chunks = createChunkReader(db);
  const tails = new Map<string, ReadonlyMap<SeriesId, History>>();
  return (series, span) => {
    const key = `${span.from} ${span.to}`;
    const history = new History();
    try {
      const tail = tails.get(key) ?? readTail(db, span);
      tails.set(key, tail);
      for (const columns of chunks.read(series, span)) history.append(columns);
      const recent = tail.get(series);
      if (recent !== undefined) history.append(recent.ordered());
    } catch {
      return undefined;
    }
    return history.ordered();
  };
}
