// The raw history of series, one after the other, each in order of time, however much it is: what an export reads. Memory holds the chunks
// of a day of one series, and the journal's tail of some series. No read transaction lasts longer than one day's chunks.

import { History, type OrderedReadings } from "../engine/history.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { createChunkDecoder } from "./chunk-place.ts";
import { cutOut, DAY_MS_MAX, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";
import { createTailCounter, readTail, seriesOfTail } from "./tail.ts";

/** Readings of the journal's tail that are held at once, as far as it can be foreseen. */
const TAIL_READINGS_MAX = 4_000_000;

type Part = { readonly id: number; readonly min: EpochMs; readonly max: EpochMs };
export type HistoryReader = ReturnType<typeof createHistoryReader>;

export function createHistoryReader(db: Database, span: Span, tailMax = TAIL_READINGS_MAX) {
  const list = db.prepare<number[], Part>(
    "SELECT id, min_ts AS min, max_ts AS max FROM chunk WHERE series = ? AND day > ? AND day < ? AND max_ts >= ? AND min_ts < ? ORDER BY min_ts",
  );
  const body = db.prepare<[number], { series: SeriesId; day: number; from_seq: number; part: number; body: Uint8Array }>(
    "SELECT series, day, from_seq, part, body FROM chunk WHERE id = ?",
  );
  const decode = createChunkDecoder(db);
  const listFrom = (series: SeriesId, from: EpochMs): Part[] => (from < span.to ? list.all(series, from - DAY_MS_MAX, span.to, from, span.to) : []);

  /** In the order in which they count; undefined when one of them was merged or taken away meanwhile. */
  const read = db.transaction((parts: readonly Part[]): OrderedReadings | undefined => {
    const rows = parts.map(({ id }) => body.get(id));
    if (rows.some((row) => row === undefined)) return undefined;
    const found = rows as NonNullable<(typeof rows)[number]>[];
    found.sort((a, b) => a.day - b.day || a.from_seq - b.from_seq || a.part - b.part);
    const history = new History();
    for (const row of found) history.append(withAt(decode(row, { at: false })));
    return history.ordered();
  });

  function* stored(series: SeriesId): Generator<OrderedReadings> {
    let from = span.from;
    for (let waiting = listFrom(series, from); waiting.length > 0; ) {
      const overlapping = firstOverlapping(waiting);
      const readings = read(overlapping.parts);
      if (readings === undefined) {
        waiting = listFrom(series, from);
        continue;
      }
      yield cutOut(readings, { from, to: span.to });
      from = overlapping.last + 1;
      waiting = waiting.slice(overlapping.parts.length);
    }
  }

  return {
    /** The readings of series, in the order of the ids, each in pieces that follow each other. */
    *read(ids: readonly SeriesId[]): Generator<{ readonly series: SeriesId; readonly readings: OrderedReadings }> {
      const groups = Math.max(1, Math.ceil(createTailCounter(db)(span) / tailMax));
      const size = Math.max(1, Math.ceil(ids.length / groups));
      for (let start = 0; start < ids.length; start += size) {
        const group = ids.slice(start, start + size);
        const tail = readTail(db, span, new Set(group));
        for (const series of group) {
          for (const readings of merged(stored(series), tail.get(series)?.ordered())) if (readings.ts.length > 0) yield { series, readings };
          tail.delete(series);
        }
      }
    },
    /** Which of the series have readings, or chunks that reach into the span. */
    present(ids: readonly SeriesId[]): SeriesId[] {
      const inTail = seriesOfTail(db, span);
      return ids.filter((id) => inTail.has(id) || listFrom(id, span.from).length > 0);
    },
  };
}

const withAt = (columns: OrderedReadings): OrderedReadings => ({ ...columns, at: columns.ts });

/** The first parts, as many as overlap: those of a day mostly, and of days of another zone. `parts` are in order of their begin. */
function firstOverlapping(parts: readonly Part[]): { readonly parts: readonly Part[]; readonly last: EpochMs } {
  let [count, last] = [1, (parts[0] as Part).max];
  for (let next = parts[1]; next !== undefined && next.min <= last; next = parts[count]) {
    last = Math.max(last, next.max);
    count += 1;
  }
  return { parts: parts.slice(0, count), last };
}

/** Puts the tail's readings between and into the pieces; where both have an instant, the pieces have it first. */
function* merged(pieces: Iterable<OrderedReadings>, tail: OrderedReadings | undefined): Generator<OrderedReadings> {
  let from = Number.NEGATIVE_INFINITY;
  for (const piece of pieces) {
    if (tail === undefined || piece.ts.length === 0) {
      yield piece;
      continue;
    }
    const [first, last] = [piece.ts[0] as number, piece.ts.at(-1) as number];
    yield cutOut(tail, { from, to: first });
    const within = cutOut(tail, { from: first, to: last + 1 });
    const history = new History();
    history.append(piece);
    history.append(within);
    yield within.ts.length === 0 ? piece : history.ordered();
    from = last + 1;
  }
  if (tail !== undefined) yield cutOut(tail, { from, to: Number.POSITIVE_INFINITY });
}
