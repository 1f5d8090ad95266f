// Chunks: the raw history by series. Compaction makes them of journal rows (batch/jobs/compaction.ts); whoever reads history takes
// the chunks and then the journal's rows that are not compacted yet. What lies in both does no harm: of equal (series, ts) the
// first counts, and chunks come first. So a reader needs no transaction, if it asks `compactedThrough` before it reads chunks.

import type { Day, DayBounds } from "../engine/calendar.ts";
import { LATE } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { type ChunkColumns, decodeChunk } from "./chunk-codec.ts";
import { createChunkDecoder } from "./chunk-place.ts";
import type { Database } from "./database.ts";
import { createRollupDayOpener } from "./rollup-days.ts";
import { seriesIds } from "./series-query.ts";

/** No local day is longer. */
export const DAY_MS_MAX = 26 * 3_600_000;

/** A chunk without its body. */
export type ChunkPart = {
  readonly id: number;
  readonly day: EpochMs;
  readonly fromSeq: number;
  readonly part: number;
  readonly throughSeq: number;
  readonly level: number;
  readonly count: number;
};

export type ChunkRow = {
  readonly kind: "chunk";
  readonly series: SeriesId;
  readonly zone: string;
  readonly name: Day;
  readonly bounds: DayBounds;
  readonly fromSeq: number;
  readonly part: number;
  readonly throughSeq: number;
  readonly level: number;
  readonly count: number;
  readonly late: number;
  readonly minTs: EpochMs;
  readonly maxTs: EpochMs;
  readonly newestAt: EpochMs;
  readonly body: Uint8Array;
  /** Ids of the chunks that it takes the place of; none: it brings readings that the batch has not seen. */
  readonly replaces: readonly number[];
};
/** How far compaction has come; `begun` is where the pass that is under way will end. */
export type CompactionRow = { readonly kind: "compaction"; readonly through: number; readonly begun: number };
/** Left by a pass that was killed, or taken out by whoever read them. */
export type ChunksGoneRow = { readonly kind: "chunks-gone"; readonly ids: readonly number[] };
/** Each series has one chunk of the day, if they hold so many readings. */
export type DaySettledRow = { readonly kind: "day-settled"; readonly day: EpochMs; readonly readings: number };
export type ChunkWrite = ChunkRow | CompactionRow | ChunksGoneRow | DaySettledRow;

/** @returns a function that writes rows of compaction; call it within a transaction */
export function createChunkWriter(db: Database): (row: ChunkWrite) => void {
  const progress = db.prepare("UPDATE compaction SET through = max(through, @through), begun = @begun");
  const settle = db.prepare("UPDATE raw_day SET settled = 1 WHERE day = ? AND readings = ?");
  const openDay = db.prepare("INSERT INTO summary_open VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const insert = db.prepare(`INSERT INTO chunk (series, day, from_seq, part, through_seq, level, count, late, min_ts, max_ts, body)
    VALUES (@series, @day, @fromSeq, @part, @throughSeq, @level, @count, @late, @minTs, @maxTs, @body)`);
  const has = db.prepare<[number], number>("SELECT 1 FROM chunk WHERE id = ?").pluck();
  const isThere = db.prepare<number[], number>("SELECT 1 FROM chunk WHERE series = ? AND day = ? AND from_seq = ? AND part = ?").pluck();
  const take = createTaker(db);
  const account = createAccountant(db);
  const openRollups = createRollupOpener(db);
  return (row) => {
    switch (row.kind) {
      case "compaction":
        progress.run({ through: row.through, begun: row.begun });
        return;
      case "chunks-gone":
        for (const id of row.ids) take(id);
        return;
      case "day-settled":
        settle.run(row.day, row.readings);
        return;
      case "chunk": {
        // What it was made of is gone: it was written already, or the day was dropped meanwhile.
        if (!row.replaces.every((id) => has.get(id) === 1)) return;
        if (row.replaces.length === 0 && isThere.get(row.series, row.bounds.start, row.fromSeq, row.part) === 1) return;
        for (const id of row.replaces) take(id);
        const { bounds, replaces } = row;
        insert.run({ ...row, day: bounds.start });
        account({ day: bounds.start, until: bounds.end, readings: row.count, bytes: row.body.length, at: row.newestAt, isNew: replaces.length === 0 ? 1 : 0 });
        if (replaces.length === 0) openDay.run(row.zone, row.name, row.series);
        // What the journal brought, the stream rolls up.
        if (replaces.length === 0 && row.part > 0) openRollups(row);
        return;
      }
      default: {
        const never: never = row;
        return never;
      }
    }
  };
}

/** @returns deletes a chunk, if it is there */
function createTaker(db: Database): (id: number) => void {
  const read = db.prepare<[number], { day: EpochMs; count: number; bytes: number }>("SELECT day, count, length(body) AS bytes FROM chunk WHERE id = ?");
  const remove = db.prepare("DELETE FROM chunk WHERE id = ?");
  const discount = db.prepare("UPDATE raw_day SET readings = readings - ?, bytes = bytes - ? WHERE day = ?");
  return (id) => {
    const found = read.get(id);
    if (found === undefined) return;
    remove.run(id);
    discount.run(found.count, found.bytes, found.day);
  };
}

type Accounted = {
  readonly day: EpochMs;
  readonly until: EpochMs;
  readonly readings: number;
  readonly bytes: number;
  readonly at: EpochMs;
  readonly isNew: 0 | 1;
};

function createAccountant(db: Database): (chunk: Accounted) => void {
  const add = db.prepare(`INSERT INTO raw_day VALUES (@day, @until, @readings, @bytes, @at, 0, 0) ON CONFLICT DO UPDATE
    SET readings = readings + @readings, bytes = bytes + @bytes, newest_at = max(newest_at, @at), settled = CASE @isNew WHEN 1 THEN 0 ELSE settled END`);
  return (chunk) => void add.run(chunk);
}

/** Of a day that is no longer whole nothing can be reckoned: whoever brings readings of it merges them into the rollups. */
function createRollupOpener(db: Database): (chunk: ChunkRow) => void {
  const isGone = db.prepare<[number], number>("SELECT gone FROM raw_day WHERE day = ?").pluck();
  const open = createRollupDayOpener(db);
  return ({ series, bounds, minTs, maxTs }) => {
    if (isGone.get(bounds.start) !== 1) open(series, { from: minTs, to: maxTs + 1 });
  };
}

/** Seq of the journal row through which all is in chunks. Ask it before chunks are read. */
export function compactedThrough(db: Database): number {
  return db.prepare<[], number>("SELECT through FROM compaction").pluck().get() ?? 0;
}

/** Where the pass that is under way, or was killed, will end. */
export function compactionBegun(db: Database): number {
  return db.prepare<[], number>("SELECT begun FROM compaction").pluck().get() ?? 0;
}

/** Chunks of journal rows after one. Walks over all chunks: only for what is asked once. */
export function chunksAfter(db: Database, seq: number): number[] {
  return db.prepare<[number], number>("SELECT id FROM chunk WHERE from_seq > ? AND part = 0").pluck().all(seq);
}

/** Ids of the chunks of a day, as it was cut. */
export function chunksOfDay(db: Database, day: EpochMs): number[] {
  const ids = db.prepare<[number, number], number>("SELECT id FROM chunk WHERE series = ? AND day = ?").pluck();
  return seriesIds(db).flatMap((series) => ids.all(series, day));
}

/** Of the days in which a series has more than one chunk those series, each asked once, however many days there are. */
export function splitDays(db: Database, days: readonly RawDay[]): Map<EpochMs, SeriesId[]> {
  const split = new Map(days.map(({ day }): [EpochMs, SeriesId[]] => [day, []]));
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return split;
  const parts = db
    .prepare<[number, number, number], EpochMs>("SELECT day FROM chunk WHERE series = ? AND day >= ? AND day <= ? GROUP BY day HAVING count(*) > 1")
    .pluck();
  for (const series of seriesIds(db)) for (const day of parts.all(series, first.day, last.day)) split.get(day)?.push(series);
  return split;
}

export type RawDay = {
  readonly day: EpochMs;
  readonly until: EpochMs;
  readonly readings: number;
  readonly bytes: number;
  /** Arrival of the newest reading. */
  readonly newestAt: EpochMs;
  readonly settled: 0 | 1;
  /** 0: it is whole; 1: readings were taken away; more: and are being so, the chunks with an id below. */
  readonly gone: number;
};

/** The days of which there are chunks, oldest first. */
export function rawDays(db: Database): RawDay[] {
  return db.prepare<[], RawDay>("SELECT day, until, readings, bytes, newest_at AS newestAt, settled, gone FROM raw_day ORDER BY day").all();
}

/** @returns whether all raw readings of a time are still kept */
export function createWholeness(db: Database): (span: Span) => boolean {
  const gone = rawDays(db).filter((day) => day.gone !== 0);
  return ({ from, to }) => !gone.some(({ day, until }) => day < to && until > from);
}

/** Event time: from inclusive, to exclusive. */
export type Span = { readonly from: EpochMs; readonly to: EpochMs };

export type ChunkReader = ReturnType<typeof createChunkReader>;

export function createChunkReader(db: Database) {
  const partsOf = db.prepare<[number, number], ChunkPart>(
    `SELECT id, day, from_seq AS fromSeq, part, through_seq AS throughSeq, level, count FROM chunk WHERE series = ? AND day = ? ORDER BY from_seq, part`,
  );
  const bodyOf = db.prepare<[number], Uint8Array>("SELECT body FROM chunk WHERE id = ?").pluck();
  const within = "FROM chunk WHERE series = ? AND day > ? AND day < ? AND max_ts >= ? AND min_ts < ?";
  const bodies = db.prepare<number[], { id: number; day: EpochMs; body: Uint8Array }>(`SELECT id, day, body ${within} ORDER BY day, from_seq, part`);
  const counts = db.prepare<number[], number>(`SELECT coalesce(sum(count), 0) ${within}`).pluck();
  const newest = db.prepare<[number], number>("SELECT max_ts FROM chunk WHERE series = ? ORDER BY day DESC LIMIT 1").pluck();
  const late = db.prepare<number[], number>(`SELECT 1 ${within} AND late > 0 LIMIT 1`).pluck();
  const decode = createChunkDecoder(db);
  const bounds = (series: SeriesId, { from, to }: Span): number[] => [series, from - DAY_MS_MAX, to, from, to];
  function* readWithIds(series: SeriesId, span: Span, wanted = { at: false }): Generator<{ id: number; day: EpochMs; columns: ChunkColumns }> {
    if (span.from >= span.to) return;
    for (const { id, day, body } of bodies.iterate(...bounds(series, span))) yield { id, day, columns: cutOut(decode({ series, day, body }, wanted), span) };
  }
  return {
    readWithIds,
    /** Parts of a series' day, as it was cut, in their order. */
    partsOf: (series: SeriesId, day: EpochMs): ChunkPart[] => partsOf.all(series, day),
    /** @throws Error when it is damaged or gone */
    columnsOf(id: number): ChunkColumns {
      const body = bodyOf.get(id);
      if (body === undefined) throw new Error(`chunk ${id} is gone`);
      return decodeChunk(body);
    },
    /** Readings in chunks that reach into the span. */
    count: (series: SeriesId, span: Span): number => (span.from < span.to ? (counts.get(...bounds(series, span)) ?? 0) : 0),
    /** A reading of the newest day; -Infinity when there is none. */
    newest: (series: SeriesId): EpochMs => newest.get(series) ?? Number.NEGATIVE_INFINITY,
    /** Whether a chunk that reaches into the span holds a reading that came late. */
    hasLate: (series: SeriesId, span: Span): boolean => late.get(...bounds(series, span)) === 1,
    /** The readings in the span, chunk by chunk; those of a day in the order in which its parts came. */
    *read(series: SeriesId, span: Span, wanted: { readonly at: boolean } = { at: false }): Generator<ChunkColumns> {
      for (const { columns } of readWithIds(series, span, wanted)) yield columns;
    },
  };
}

/** Views of the columns, of the readings in the span. */
export function cutOut({ ts, value, late, at }: ChunkColumns, { from, to }: Span): ChunkColumns {
  const [start, end] = [placeOf(ts, from), placeOf(ts, to)];
  return { ts: ts.subarray(start, end), value: value.subarray(start, end), late: late.subarray(start, end), at: at.subarray(start, end) };
}

/** Index of the first that is not before. */
export function placeOf(ascending: Float64Array, ts: EpochMs): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < ts) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many of the marks say late. */
export function lateIn(late: Uint8Array): number {
  let count = 0;
  for (let index = 0; index < late.length; index += 1) if (late[index] === LATE) count += 1;
  return count;
}
