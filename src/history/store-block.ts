// What a block of an import makes of the store: chunks of the readings that are not there yet, by series and local day. What the store has
// already stays. Rollups of days that are whole are reckoned later (batch/jobs/packing-days.ts); those that are not are amended
// (amend.ts). It only reads; rows go out by `emit`.

import { byDay, chunkOf, type Merging, mergeTail } from "../batch/jobs/compaction.ts";
import { createEmitter, type Emit } from "../batch/jobs/emitter.ts";
import type { Day, ZoneTable } from "../engine/calendar.ts";
import { History, type OrderedReadings } from "../engine/history.ts";
import { LATE } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { type ChunkReader, createChunkReader, createWholeness, type Span } from "../storage/chunks.ts";
import type { Database } from "../storage/database.ts";
import type { FinishedRow } from "../storage/finished.ts";
import { newestSeq } from "../storage/journal.ts";
import { readTail } from "../storage/tail.ts";
import { createAmender, wholeHours } from "./amend.ts";
import { type Block, type Repeated, type SeriesReadings, without } from "./block.ts";

export type StoreOptions = {
  /** Whose days chunks are cut by. */
  readonly zone: ZoneTable;
  /** When it is imported: from then on retention counts. */
  readonly at: EpochMs;
};

/** What came of a block. `doubtful`: readings that were left out, as they may be among those that retention took. */
export type BlockOutcome = Repeated & { readings: number; doubtful: number; span: Span | null };

/** `idOf`: the stored id of a series of the file; undefined: it is new. */
export type BlockSeries = { readonly count: number; readonly idOf: (series: number) => SeriesId | undefined };

export type BlockStore = ReturnType<typeof createBlockStore>;

/** For one import. */
export function createBlockStore(db: Database, { zone, at }: StoreOptions) {
  const chunks = createChunkReader(db);
  const amender = createAmender(db, at);
  const marks = createMarks(at);

  /** What the store has of a span. */
  function thereOf(series: SeriesId, span: Span, tail: ReadonlyMap<SeriesId, History>): SeriesReadings | undefined {
    const recent = tail.get(series);
    const isStored = chunks.count(series, span) > 0;
    if (!isStored) return recent?.ordered();
    const history = new History();
    for (const columns of chunks.read(series, span)) history.append(withAt(columns));
    if (recent !== undefined) history.append(recent.ordered());
    return history.ordered();
  }

  return {
    /**
     * Works a block out, and counts.
     * @param keep takes the rows of a series; absent: they are only counted
     */
    async take(
      block: Block,
      { count, idOf }: BlockSeries,
      keep?: (rows: readonly FinishedRow[], of: { series: SeriesId; days: readonly Day[] }) => Promise<void>,
    ) {
      const outcome: BlockOutcome = { duplicates: 0, conflicts: 0, readings: 0, doubtful: 0, span: null };
      const isWhole = createWholeness(db);
      const ids = Array.from({ length: count }, (_, series) => idOf(series));
      const [fromSeq, tail] = [newestSeq(db), readTail(db, wholeHours(block.span()), new Set(ids.filter((id) => id !== undefined)))];
      for (const { series, readings } of block.bySeries(count, outcome)) {
        const id = ids[series];
        const there = id === undefined ? undefined : thereOf(id, spanOf(readings), tail);
        const absent = there === undefined ? readings : without(readings, there, outcome);
        const { readings: fresh, doubtful } =
          id === undefined ? { readings: absent, doubtful: 0 } : amender.knowable(id, absent, isWhole, (span) => thereOf(id, span, tail));
        outcome.doubtful += doubtful;
        if (fresh.ts.length === 0) continue;
        outcome.readings += fresh.ts.length;
        outcome.span = joined(outcome.span, spanOf(fresh));
        if (keep === undefined || id === undefined) continue;
        const amend = amender.ofSeries(id, isWhole, fromSeq);
        const days: Day[] = [];
        const rows = [...byDay(zone, marks.on(fresh))].map(({ day, bounds, columns }): FinishedRow => {
          const part = 1 + Math.max(0, ...chunks.partsOf(id, bounds.start).flatMap((each) => (each.fromSeq === fromSeq ? [each.part] : [])));
          const chunk = chunkOf(columns, { series: id, zone: zone.name, name: day, bounds, fromSeq, part, throughSeq: fromSeq, level: 0 }, []);
          const rollups = amend(columns);
          days.push(day);
          return rollups.length === 0 ? chunk : { kind: "amending-chunk", chunk, rollups };
        });
        await keep(rows, { series: id, days });
      }
      return outcome;
    },
    /** Merges chunks where blocks made many of a day. To be called when what `take` gave is written. */
    async mergeMany(touched: Iterable<readonly [SeriesId, readonly Day[]]>, emit: Emit): Promise<void> {
      const merging: Merging & { chunks: ChunkReader } = { options: { zone }, chunks, emitter: createEmitter(emit), done: { merged: 0 } };
      for (const [series, days] of touched) for (const day of days) await mergeTail(merging, series, day);
      await merging.emitter.flush();
    },
  };
}

const spanOf = ({ ts }: SeriesReadings): Span => ({ from: ts[0] as number, to: (ts.at(-1) as number) + 1 });

const joined = (a: Span | null, b: Span): Span => (a === null ? b : { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) });

/** Arrivals that were not read are not asked for either. */
const withAt = (columns: OrderedReadings): OrderedReadings => ({ ...columns, at: columns.ts });

/** Readings of the past are late, and arrive when they are imported. The columns that say so are made once. */
function createMarks(importedAt: EpochMs) {
  let late = new Uint8Array(0);
  let at = new Float64Array(0);
  return {
    on({ ts, value }: SeriesReadings): OrderedReadings {
      if (late.length < ts.length) {
        late = new Uint8Array(ts.length * 2).fill(LATE);
        at = new Float64Array(ts.length * 2).fill(importedAt);
      }
      return { ts, value, late: late.subarray(0, ts.length), at: at.subarray(0, ts.length) };
    },
  };
}
