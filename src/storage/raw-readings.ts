// Raw readings of some series: from chunks, and from the journal's rows that are not compacted yet, within a budget: how much may
// be decoded is asked before it is done.

import { History } from "../engine/history.ts";
import { LATE } from "../engine/reading.ts";
import type { SeriesId } from "../engine/units.ts";
import { type ChunkReader, compactedThrough, createChunkReader, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";
import type { Deadline } from "./deadline.ts";
import { hasAny, isHistory, readJournal, spanSecond } from "./journal.ts";

export type { Span } from "./chunks.ts";

/** Readings that one query may decode, of the journal's rows those of all series, and rows of the journal that it may look at. */
export const RAW_READINGS_MAX = 2_000_000;
export const RAW_ROWS_MAX = 50_000;

/** What may still be spent; `takeRaw` takes from it. */
export type RawBudget = { rows: number; readings: number };

export const createRawBudget = (): RawBudget => ({ rows: RAW_ROWS_MAX, readings: RAW_READINGS_MAX });

/**
 * Takes from the budget what decoding the span costs.
 * @returns false, and takes nothing, when it does not fit
 */
export function takeRaw(db: Database, ids: ReadonlySet<SeriesId>, span: Span, budget: RawBudget): boolean {
  const cost = costOf(db, ids, span, budget);
  if (cost === undefined) return false;
  budget.rows -= cost.rows;
  budget.readings -= cost.readings;
  return true;
}

/** @returns undefined when it is more than the budget */
function costOf(db: Database, ids: ReadonlySet<SeriesId>, { from, to }: Span, budget: RawBudget): RawBudget | undefined {
  const tail = db.prepare<number[], { count: number; series: Uint8Array }>(
    `SELECT journal.count, journal.series FROM journal_span CROSS JOIN journal ON journal.seq = journal_span.seq
     WHERE max_s >= ? AND min_s <= ? AND journal_span.seq > ?`,
  );
  let [rows, readings] = [0, 0];
  for (const row of tail.iterate(spanSecond(from), spanSecond(to - 1), compactedThrough(db))) {
    rows += 1;
    if (hasAny(row.series, ids)) readings += row.count;
    if (rows > budget.rows || readings > budget.readings) return undefined;
  }
  const chunks = createChunkReader(db);
  for (const id of ids) {
    readings += chunks.count(id, { from, to });
    if (readings > budget.readings) return undefined;
  }
  return { rows, readings };
}

/** Adds the span's readings to the histories; their keys are the series that are wanted. */
export function gatherRaw(db: Database, histories: ReadonlyMap<SeriesId, History>, span: Span, deadline: Deadline): void {
  if (span.from >= span.to) return;
  // Before the chunks, so that what is compacted meanwhile is read twice rather than never.
  const afterSeq = compactedThrough(db);
  const chunks = createChunkReader(db);
  for (const [id, history] of histories) gatherChunks(chunks, id, { history, span, deadline });
  gatherTail(db, histories, span, { afterSeq, deadline });
}

function gatherChunks(chunks: ChunkReader, id: SeriesId, { history, span, deadline }: { history: History; span: Span; deadline: Deadline }): void {
  for (const columns of chunks.read(id, span)) {
    deadline.check();
    history.append(columns);
  }
}

type Tail = { readonly afterSeq: number; readonly deadline: Deadline };

function gatherTail(db: Database, histories: ReadonlyMap<SeriesId, History>, { from, to }: Span, { afterSeq, deadline }: Tail): void {
  const series = new Set(histories.keys());
  for (const columns of readJournal(db, { fromTs: from, toTs: to, series, afterSeq })) {
    deadline.check();
    for (let index = 0; index < columns.count; index += 1) {
      const ts = columns.ts[index] as number;
      const verdict = columns.verdict[index] as number;
      if (ts < from || ts >= to || !isHistory(verdict)) continue;
      histories.get(columns.series[index] as number)?.add(ts, columns.value[index] as number, verdict === LATE, columns.at);
    }
  }
}

export const createHistories = (ids: Iterable<SeriesId>): Map<SeriesId, History> => new Map(Array.from(ids, (id) => [id, new History()]));
