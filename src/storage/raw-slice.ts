// The raw readings of many series in one stretch of time, a slice of the series at a time: what is looked at together is read in one
// read transaction, so that a gateway that writes meanwhile is never seen half way, and no transaction is long.

import { History, type OrderedReadings } from "../engine/history.ts";
import { LATE } from "../engine/reading.ts";
import { type EpochMs, floorMod, type SeriesId } from "../engine/units.ts";
import { compactedThrough, createChunkReader, rawDays, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";
import { isHistory, readJournal, spanSecond } from "./journal.ts";

/** A slice ends when it has looked at so many readings or series. */
const SLICE_READINGS = 1_000_000;
const SLICE_SERIES = 500;
/** Readings, of all series and verdicts, of journal rows that reach into the span and are not compacted; each slice decodes them. */
export const TAIL_READINGS_MAX = 2_000_000;

const DAY_MS = 86_400_000;

/** The UTC days that a span reaches into, whole. */
export const utcDaysOf = ({ from, to }: Span): Span =>
  Number.isFinite(from) && Number.isFinite(to) ? { from: from - floorMod(from, DAY_MS), to: to + floorMod(-to, DAY_MS) } : { from, to };

/** Starts of the UTC days of which there are raw readings, in chunks or not compacted yet; ascending. */
export function utcDaysWithRaw(db: Database, within: Span): EpochMs[] {
  const days = new Set<EpochMs>();
  for (const { day, until, gone } of rawDays(db)) for (let at = day - floorMod(day, DAY_MS); gone === 0 && at < until; at += DAY_MS) days.add(at);
  try {
    for (const { ts } of readJournal(db, { afterSeq: compactedThrough(db) })) for (const each of ts) days.add(each - floorMod(each, DAY_MS));
  } catch {
    // Where a row cannot be read, nothing of its days can be said.
  }
  return [...days].filter((day) => day >= within.from && day < within.to).sort((a, b) => a - b);
}

/** Whether all that is not compacted of a span may be read beside chunks. */
export function isTailShort(db: Database, { from, to }: Span): boolean {
  const count = db
    .prepare<number[], number>(
      `SELECT coalesce(sum(journal.count), 0) FROM journal_span CROSS JOIN journal ON journal.seq = journal_span.seq
       WHERE max_s >= ? AND min_s <= ? AND journal_span.seq > ?`,
    )
    .pluck()
    .get(spanSecond(from), spanSecond(to - 1), compactedThrough(db));
  return (count ?? 0) <= TAIL_READINGS_MAX;
}

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

function readTail(db: Database, { from, to }: Span): Map<SeriesId, History> {
  const tail = new Map<SeriesId, History>();
  for (const { count, series, ts, value, verdict, at } of readJournal(db, { fromTs: from, toTs: to, afterSeq: compactedThrough(db) })) {
    for (let index = 0; index < count; index += 1) {
      const [each, mark] = [ts[index] as number, verdict[index] as number];
      if (each < from || each >= to || !isHistory(mark)) continue;
      const id = series[index] as number;
      const history = tail.get(id) ?? new History();
      tail.set(id, history);
      history.add(each, value[index] as number, mark === LATE, at);
    }
  }
  return tail;
}
