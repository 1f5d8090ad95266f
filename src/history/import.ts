// Import: a file of the past becomes history, a block at a time. With the last row of a block goes how far the file is taken, so that an
// import that was cut short goes on there. Nothing passes through the engine: no rule hears of it, and nobody is told. It only reads the
// database; rows go out by `emit`, new series are asked of `define`.

import type { Emit } from "../batch/jobs/emitter.ts";
import { createEmitter } from "../batch/jobs/emitter.ts";
import type { Problem } from "../config/problem.ts";
import type { Day, ZoneTable } from "../engine/calendar.ts";
import { type Labels, seriesKey } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import type { Span } from "../storage/chunks.ts";
import type { Database } from "../storage/database.ts";
import type { FinishedRow } from "../storage/finished.ts";
import { type ImportProgress, readImport } from "../storage/imports.ts";
import { usedBytes } from "../storage/retention.ts";
import { createBlock } from "./block.ts";
import { type ImportSettings, identityOf } from "./identity.ts";
import type { Position } from "./lines.ts";
import { type History, type HistoryBatch, type ReadOptions, readHistory } from "./read.ts";
import { type BlockSeries, createBlockStore } from "./store-block.ts";

export type ImportOptions = {
  /** An absolute path, or `-`. */
  readonly file: string;
  readonly settings: ImportSettings;
  /** Whose days chunks are cut by. */
  readonly zone: ZoneTable;
  readonly now: EpochMs;
  /** Reads all, and writes nothing. */
  readonly isDry?: boolean;
  /** Also when the file is in already: from its beginning. */
  readonly isAgain?: boolean;
  /** Readings that are held at once. */
  readonly blockReadings?: number;
  /** Bytes of the file that are read at once, and become part of a block whole. */
  readonly blockBytes?: ReadOptions["blockBytes"];
  /** Blocks after which it ends, to be called again, where it can go on. */
  readonly blocksMax?: number;
  /** Bytes that the store is to stay below (`storage.disk_limit`); null: any. */
  readonly diskLimit?: number | null;
  readonly signal?: AbortSignal;
  readonly input?: ReadOptions["input"];
  readonly progress?: (progress: ImportState) => void;
};

/** Of the file's `size` on the disk `bytes` are read; `readings` are read since this was begun. */
export type ImportState = { readonly bytes: number; readonly size: number | null; readonly readings: number };

/** Ids of series, in the order in which they are asked for; it makes those that are new. @throws GatewayError `series_limit` */
export type Define = (series: readonly Labels[]) => Promise<readonly SeriesId[]>;

export type ImportReport = {
  readonly file: string;
  readonly format: string;
  /**
   * `done`: all of it is in. `there`: it was already, and nothing was done. `dry`: nothing was to be written. `goes-on`: call it again.
   * `interrupted`: what is in stays in; `mayGoOn`: the same import given again goes on there.
   */
  readonly outcome: "done" | "there" | "dry" | "goes-on" | "interrupted";
  readonly mayGoOn: boolean;
  /** Lines that were in before this was begun. */
  readonly resumedAfter: number;
  /** Series of the part that was read, and how many of them were not known before. */
  readonly series: number;
  readonly seriesNew: number;
  /** Since the file's beginning. */
  readonly progress: ImportProgress;
  /** Event times that it brought. */
  readonly span: Span | null;
  /** The first problems of the part that was read. */
  readonly problems: readonly Problem[];
  /** Its last line has no line feed, and was taken as it stands. */
  readonly isEndOpen: boolean;
};

/** Readings of later instants are refused: the clock that wrote them was wrong. As `max_future` of a source by default. */
const FUTURE_MS_MAX = 60_000;
export const BLOCK_READINGS_MAX = 2_000_000;

const nothing: ImportProgress = { offset: 0, lines: 0, readings: 0, duplicates: 0, conflicts: 0, problems: {}, skipped: {} };

/**
 * @param db read-only, or the one that `emit` writes
 * @param emit is awaited; rows must be written in the order in which they come; a row of an import closes a block
 * @throws GatewayError `series_limit`, `no_room`, and those of reading the file
 */
export async function runImport(db: Database, options: ImportOptions, emit: Emit, define: Define): Promise<ImportReport> {
  const key = options.file === "-" ? undefined : await identityOf(options.file, options.settings);
  const known = key === undefined ? undefined : readImport(db, key);
  const isThere = known !== undefined && known.endedAt !== null;
  const before = isThere && options.isAgain !== true ? known.progress : isThere || options.isDry === true ? nothing : (known?.progress ?? nothing);
  const base = { file: options.file, mayGoOn: key !== undefined, resumedAfter: before.lines, span: known?.span ?? null };
  if (isThere && options.isAgain !== true && options.isDry !== true)
    return { ...base, format: "", outcome: "there", series: 0, seriesNew: 0, progress: before, problems: [], isEndOpen: false };
  const from: Position = { offset: before.offset, lines: before.lines };
  const { signal, input, settings, now, blockBytes } = options;
  const history = await readHistory(options.file, { ...settings, from, signal, input, blockBytes, tsMax: now + FUTURE_MS_MAX });
  const work = createWork(db, { options, emit, define, key, before, history });
  const outcome = await readAll(work, history, options);
  const { progress, span, seriesNew } = work.done;
  return {
    ...base,
    ...{ format: history.format, outcome, series: work.seriesCount(), seriesNew, progress, problems: history.problems.told, isEndOpen: history.isEndOpen() },
    span: base.span === null || span === null ? (base.span ?? span) : { from: Math.min(base.span.from, span.from), to: Math.max(base.span.to, span.to) },
  };
}

type Work = ReturnType<typeof createWork>;
type Deps = {
  readonly options: ImportOptions;
  readonly emit: Emit;
  readonly define: Define;
  readonly key: string | undefined;
  readonly before: ImportProgress;
  readonly history: History;
};

async function readAll(
  work: Work,
  history: History,
  { isDry, blocksMax, signal, blockReadings = BLOCK_READINGS_MAX, progress }: ImportOptions,
): Promise<ImportReport["outcome"]> {
  let [blocks, readings] = [0, 0];
  let last: HistoryBatch | undefined;
  for await (const batch of untilAborted(history.batches, signal)) {
    last = batch;
    readings += batch.ts.length;
    work.block.add(batch);
    progress?.({ bytes: history.progress(), size: history.size ?? null, readings });
    if (work.block.count() < blockReadings) continue;
    await work.store(batch, false);
    blocks += 1;
    if (blocks === blocksMax && work.mayGoOn) return "goes-on";
  }
  if (signal?.aborted) return "interrupted";
  if (last !== undefined) await work.store(last, true);
  return isDry === true ? "dry" : "done";
}

/** Ends quietly when it is interrupted: what was read since the last block is read again. */
async function* untilAborted(batches: AsyncGenerator<HistoryBatch>, signal: AbortSignal | undefined): AsyncGenerator<HistoryBatch> {
  try {
    for await (const batch of batches) {
      if (signal?.aborted) return;
      yield batch;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

function createWork(db: Database, { options, emit, define, key, before, history }: Deps) {
  const { zone, now, file, isDry = false, blockReadings = BLOCK_READINGS_MAX, diskLimit = null } = options;
  const block = createBlock(Math.ceil(blockReadings * 1.1));
  const store = createBlockStore(db, { zone, at: now });
  const series = createSeriesMap(db, define);
  const done = { progress: before, span: null as Span | null, seriesNew: 0 };

  async function write(batch: HistoryBatch, isOver: boolean): Promise<void> {
    const touched: [SeriesId, readonly Day[]][] = [];
    const emitter = createEmitter(emit);
    await series.complete(batch.labels);
    // When it is killed within the block, it is known all the same that the readings of this arrival were imported.
    if (key !== undefined) await emitter.add(rowOf(key, null, false));
    const outcome = await store.take(block, series.of(batch.labels), async (rows, of) => {
      touched.push([of.series, of.days]);
      for (const row of rows) await emitter.add(row);
    });
    count(batch, outcome);
    if (key !== undefined) await emitter.add(rowOf(key, outcome.span, isOver));
    await emitter.flush();
    await store.mergeMany(touched, emit);
  }

  const rowOf = (of: string, span: Span | null, isOver: boolean): FinishedRow => ({
    kind: "import",
    key: of,
    file,
    at: now,
    isOver,
    span,
    progress: done.progress,
  });

  function count(batch: HistoryBatch, outcome: Awaited<ReturnType<typeof store.take>>): void {
    const { readings, duplicates, conflicts, doubtful = 0 } = done.progress;
    done.progress = {
      ...{ offset: batch.end.offset, lines: batch.end.lines },
      ...{ readings: readings + outcome.readings, duplicates: duplicates + outcome.duplicates, conflicts: conflicts + outcome.conflicts },
      doubtful: doubtful + outcome.doubtful,
      problems: sums(before.problems, history.problems.byKind),
      skipped: sums(before.skipped, history.skipped),
    };
    if (outcome.span !== null)
      done.span = done.span === null ? outcome.span : { from: Math.min(done.span.from, outcome.span.from), to: Math.max(done.span.to, outcome.span.to) };
  }

  return {
    block,
    done,
    mayGoOn: key !== undefined && !isDry,
    seriesCount: series.count,
    /** Puts what is held into the store, or only counts it. */
    async store(batch: HistoryBatch, isOver: boolean): Promise<void> {
      if (!isDry) requireRoom(db, { file, limit: diskLimit, coming: block.count(), waiting: done.progress.readings - before.readings });
      if (isDry) count(batch, await store.take(block, series.of(batch.labels)));
      else await write(batch, isOver);
      done.seriesNew = series.countNew(batch.labels);
      block.clear();
    },
  };
}

/** What a reading takes in a chunk, and in rollups, which are packed when the file is in: more than either mostly is. */
const CHUNK_BYTES = 8;
const ROLLUP_BYTES = 12;

/**
 * Beyond the limit the oldest days of readings go: an import that went over it would have what it brought thrown away again.
 * @throws GatewayError `no_room`
 */
function requireRoom(db: Database, room: { file: string; limit: number | null; coming: number; waiting: number }): void {
  const { file, limit, coming, waiting } = room;
  if (limit === null) return;
  const used = usedBytes(db);
  const needed = coming * (CHUNK_BYTES + ROLLUP_BYTES) + waiting * ROLLUP_BYTES;
  if (used + needed <= limit) return;
  throw new GatewayError(
    "no_room",
    `the store has ${used} bytes, the next ${coming} readings of ${file} may take ${needed}, and storage.disk_limit is ${limit}`,
    {
      hint: "raise storage.disk_limit, or keep less (storage.retention); the same command goes on where it was",
    },
  );
}

/** Both counts together; kinds of which there is nothing are left out. */
function sums(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)] as const).filter(([, count]) => count > 0));
}

/** Stored ids of the file's series. */
function createSeriesMap(db: Database, define: Define) {
  const stored = new Map<string, SeriesId>();
  for (const { id, labels } of db.prepare<[], { id: SeriesId; labels: string }>("SELECT id, labels FROM series").iterate())
    stored.set(seriesKey(JSON.parse(labels) as Labels), id);
  const ids: (SeriesId | undefined)[] = [];
  const isNew: boolean[] = [];
  const look = (labels: readonly Labels[]): void => {
    for (let number = ids.length; number < labels.length; number += 1) {
      ids.push(stored.get(seriesKey(labels[number] as Labels)));
      isNew.push(ids[number] === undefined);
    }
  };
  return {
    count: (): number => ids.length,
    countNew: (labels: readonly Labels[]): number => {
      look(labels);
      return isNew.filter(Boolean).length;
    },
    of(labels: readonly Labels[]): BlockSeries {
      look(labels);
      return { count: labels.length, idOf: (number) => ids[number] };
    },
    /** Has the new ones defined. */
    async complete(labels: readonly Labels[]): Promise<void> {
      look(labels);
      const missing = ids.flatMap((id, number) => (id === undefined ? [number] : []));
      if (missing.length === 0) return;
      const made = await define(missing.map((number) => labels[number] as Labels));
      missing.forEach((number, place) => {
        ids[number] = made[place];
      });
    },
  };
}
