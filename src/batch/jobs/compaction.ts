// Compaction: what the journal holds of all series together becomes chunks by series and local day. It goes over the journal in
// passes of bounded memory, each of which is begun, written in slices and ended by a row that says how far it went; the chunks of
// one that was killed are taken away before the next begins, so that a second run writes nothing twice. Small chunks of a day are
// merged as they grow many, and those of a day that is over into one. It only reads; rows go out by `emit`.

import { type Day, type DayBounds, dayBounds, dayOf, type ZoneTable } from "../../engine/calendar.ts";
import { History, type OrderedReadings } from "../../engine/history.ts";
import { LATE } from "../../engine/reading.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { giveBackRoom } from "../../heap.ts";
import { encodeChunk, undamaged } from "../../storage/chunk-codec.ts";
import {
  type ChunkPart,
  type ChunkReader,
  type ChunkRow,
  chunksAfter,
  compactedThrough,
  compactionBegun,
  createChunkReader,
  cutOut,
  lateIn,
  rawDays,
  splitDays,
} from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import { isHistory, newestSeq, type ReadingColumns, readJournal } from "../../storage/journal.ts";
import { endDrop } from "./drop-day.ts";
import { createEmitter, type Emit, type Emitter, pause } from "./emitter.ts";
import { type Packing, packRollups } from "./packing.ts";
import { PassColumns } from "./pass-columns.ts";
import { createRefusedCounter, type RefusedCounter } from "./refused.ts";

export type CompactionOptions = {
  /** Whose days chunks are cut by. */
  readonly zone: ZoneTable;
  readonly now: EpochMs;
  /** Also makes one chunk per series of each day that is over. */
  readonly settles?: boolean;
  /** Also packs the rollups that are closed (packing.ts). */
  readonly packs?: boolean;
  readonly signal?: AbortSignal;
  /** Readings that a pass holds at once, 29 bytes each. */
  readonly heldMax?: number;
  readonly progress?: (progress: CompactionProgress) => void;
};

/** `done` of `rows` rows of the journal. */
export type CompactionProgress = { readonly done: number; readonly rows: number; readonly readings: number };

/** `isWhole` is false when the signal ended it early; what was emitted stands. */
export type CompactionReport = {
  readonly isWhole: boolean;
  readonly through: number;
  readonly readings: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly merged: number;
  /** Null when it was not asked to pack. */
  readonly packed: Packing | null;
};

/** 5 MB of columns. */
export const PASS_READINGS_MAX = 160_000;
/** Rows are taken whole: what the last one of a pass may bring beyond; for more, columns grow. */
const ROW_READINGS = 10_000;
const ROWS_PER_PAUSE = 200;
const ROWS_PER_WINDOW = 10_000;
/** Chunks of one level, or of lower ones, that are merged into one of the next. */
const FAN_IN = 8;
const LEVEL_MAX = 4;

/**
 * @param db read-only
 * @param emit is awaited; rows must be written in the order in which they come
 */
export async function runCompaction(db: Database, options: CompactionOptions, emit: Emit): Promise<CompactionReport> {
  const emitter = createEmitter(emit);
  const work: Work = { db, options, emitter, chunks: createChunkReader(db), done: { through: 0, readings: 0, chunks: 0, bytes: 0, merged: 0, packed: null } };
  await clearKilled(work);
  const isWhole = (await compactAll(work)) && (options.settles !== true || (await settleDays(work))) && (options.packs !== true || (await pack(work)));
  await emitter.flush();
  return { isWhole, ...work.done };
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type Work = {
  readonly db: Database;
  readonly options: CompactionOptions;
  readonly emitter: Emitter;
  readonly chunks: ChunkReader;
  readonly done: Mutable<Omit<CompactionReport, "isWhole">>;
};

async function pack({ db, options, emitter, done }: Work): Promise<boolean> {
  const packed = await packRollups(db, options, emitter);
  done.packed = packed ?? null;
  return packed !== undefined;
}

/** Takes away what a pass left that did not end, and what a retention did. */
async function clearKilled({ db, emitter }: Work): Promise<void> {
  for (const { day, gone } of rawDays(db)) if (gone > 1) await endDrop(db, { day, idsBelow: gone }, emitter);
  const through = compactedThrough(db);
  if (compactionBegun(db) === through) return;
  for (const id of chunksAfter(db, through)) await emitter.add({ kind: "chunks-gone", ids: [id] });
  await emitter.add({ kind: "refused-gone", afterSeq: through });
  await emitter.add({ kind: "compaction", through, begun: through });
  await emitter.flush();
}

/** @returns false when it was ended early */
async function compactAll(work: Work): Promise<boolean> {
  const { db, options, done } = work;
  const [start, newest] = [compactedThrough(db), newestSeq(db)];
  done.through = start;
  for await (const pass of passesOf(db, start, newest, options)) {
    if (!(await writePass(work, pass))) return false;
    done.through = pass.through;
    done.readings += pass.readings;
    giveBackRoom();
    options.progress?.({ done: pass.through - start, rows: newest - start, readings: done.readings });
  }
  return options.signal?.aborted !== true;
}

type Pass = {
  readonly after: number;
  readonly through: number;
  readonly readings: number;
  readonly gathered: PassColumns;
  readonly refused: RefusedCounter;
};

/** The journal after a row through another, in passes that hold so many readings, each until the next is asked for; whole rows. Ends early, silently, by the signal. */
async function* passesOf(db: Database, start: number, newest: number, { zone, heldMax = PASS_READINGS_MAX, signal }: CompactionOptions): AsyncGenerator<Pass> {
  const gathered = new PassColumns(heldMax + ROW_READINGS);
  const passAfter = (after: number) => {
    gathered.clear();
    return { after, gathered, refused: createRefusedCounter(zone), readings: 0, held: 0 };
  };
  let pass = passAfter(start);
  let [last, rows] = [start, 0];
  for (const columns of inWindows(db, start, newest)) {
    if (columns.seq !== last && pass.held >= heldMax) {
      yield { ...pass, through: last };
      pass = passAfter(last);
    }
    last = columns.seq;
    pass.held += columns.count;
    pass.readings += gather(columns, pass.gathered, pass.refused);
    rows += 1;
    if (rows % ROWS_PER_PAUSE === 0) await pause();
    if (signal?.aborted) return;
  }
  if (newest > pass.after) yield { ...pass, through: newest };
}

/** The journal of an older release may be many millions of rows: even their seqs are not read at once. */
function* inWindows(db: Database, start: number, newest: number): Generator<ReadingColumns> {
  for (let after = start; after < newest; after += ROWS_PER_WINDOW) {
    yield* readJournal(db, { afterSeq: after, throughSeq: Math.min(newest, after + ROWS_PER_WINDOW) });
  }
}

function gather({ count, series, ts, value, verdict, at }: ReadingColumns, gathered: PassColumns, refused: RefusedCounter): number {
  let readings = 0;
  for (let index = 0; index < count; index += 1) {
    const mark = verdict[index] as number;
    const id = series[index] as number;
    if (!isHistory(mark)) {
      refused.add(id, mark, at);
      continue;
    }
    gathered.add(id, ts[index] as number, value[index] as number, mark === LATE, at);
    readings += 1;
  }
  return readings;
}

/** @returns false when it was ended early */
async function writePass(work: Work, { after, through, gathered, refused }: Pass): Promise<boolean> {
  const { emitter, options } = work;
  if (gathered.length === 0 && refused.isEmpty()) {
    await emitter.add({ kind: "compaction", through, begun: through });
    await emitter.flush();
    return true;
  }
  await emitter.add({ kind: "compaction", through: after, begun: through });
  for (const row of refused.rows(after + 1)) await emitter.add(row);
  const touched: { series: SeriesId; day: Day }[] = [];
  for (const { series, readings } of gathered.bySeries()) {
    for (const { day, bounds, columns } of byDay(options.zone, readings)) {
      const row = chunkOf(columns, { series, zone: options.zone.name, name: day, bounds, fromSeq: after + 1, part: 0, throughSeq: through, level: 0 }, []);
      work.done.chunks += 1;
      work.done.bytes += row.body.length;
      touched.push({ series, day });
      await emitter.add(row);
    }
    if (options.signal?.aborted) return false;
  }
  await emitter.add({ kind: "compaction", through, begun: through });
  await emitter.flush();
  for (const { series, day } of touched) {
    await mergeTail(work, series, day);
    if (options.signal?.aborted) return false;
  }
  await emitter.flush();
  return true;
}

/** Readings in order of time, cut into the local days that they are of. */
export function* byDay(zone: ZoneTable, readings: OrderedReadings): Generator<{ day: Day; bounds: DayBounds; columns: OrderedReadings }> {
  for (let from = 0; from < readings.ts.length; ) {
    const day = dayOf(zone, readings.ts[from] as number);
    const bounds = dayBounds(zone, day);
    const columns = cutOut(readings, { from: bounds.start, to: bounds.end });
    yield { day, bounds, columns };
    from += columns.ts.length;
  }
}

type Place = Pick<ChunkRow, "series" | "zone" | "name" | "bounds" | "fromSeq" | "part" | "throughSeq" | "level">;

/** @param columns at least one reading */
export function chunkOf(columns: OrderedReadings, place: Place, replaces: readonly number[]): ChunkRow {
  const { ts, late, at } = columns;
  const [minTs, maxTs] = [ts[0] as number, ts.at(-1) as number];
  const newestAt = at.reduce((newest, each) => Math.max(newest, each), Number.NEGATIVE_INFINITY);
  return { kind: "chunk", ...place, count: ts.length, late: lateIn(late), minTs, maxTs, newestAt, body: encodeChunk(columns), replaces };
}

/** What merging needs of a job; it counts the chunks that were merged. */
export type Merging = {
  readonly options: { readonly zone: ZoneTable };
  readonly chunks: Pick<ChunkReader, "partsOf" | "columnsOf">;
  readonly emitter: Emitter;
  readonly done: { merged: number };
};

/** Merges the newest chunks of a day when there are many of one level. */
export async function mergeTail(work: Merging, series: SeriesId, day: Day): Promise<void> {
  const bounds = dayBounds(work.options.zone, day);
  const parts = work.chunks.partsOf(series, bounds.start);
  for (let level = 0; level < LEVEL_MAX; level += 1) {
    const tail = parts.slice(parts.findLastIndex((part) => part.level > level) + 1);
    if (tail.length >= FAN_IN) return merge(work, { series, day, bounds }, tail, level + 1);
  }
}

async function merge(
  { chunks, options, emitter, done }: Merging,
  of: { series: SeriesId; day: Day; bounds: DayBounds },
  parts: readonly ChunkPart[],
  level: number,
) {
  const columns = undamaged(() => parts.map(({ id }) => chunks.columnsOf(id)));
  // `highwater verify` says which; what is whole is read as it is.
  if (columns === undefined) return;
  const history = new History();
  for (const each of columns) history.append(each);
  const first = parts[0] as ChunkPart;
  const throughSeq = Math.max(...parts.map((part) => part.throughSeq));
  const place = { series: of.series, zone: options.zone.name, name: of.day, bounds: of.bounds, fromSeq: first.fromSeq, part: first.part, throughSeq, level };
  const row = chunkOf(
    history.ordered(),
    place,
    parts.map(({ id }) => id),
  );
  done.merged += parts.length;
  await emitter.add(row);
}

/** @returns false when it was ended early */
async function settleDays(work: Work): Promise<boolean> {
  const { db, options, chunks, emitter } = work;
  const days = rawDays(db).filter(({ until, settled }) => settled === 0 && until <= options.now);
  const split = splitDays(db, days);
  for (const { day, until, readings } of days) {
    const name = dayOf(options.zone, day);
    for (const series of split.get(day) ?? []) {
      await merge(work, { series, day: name, bounds: { start: day, end: until } }, chunks.partsOf(series, day), LEVEL_MAX);
      if (options.signal?.aborted) return false;
    }
    await emitter.flush();
    await emitter.add({ kind: "day-settled", day, readings });
  }
  return true;
}
