// Raw readings of some series, each of a time of its own: from chunks, and from the journal's rows that are not compacted yet, within a
// budget: how much may be decoded is asked before it is done.

import { History } from "../engine/history.ts";
import { LATE } from "../engine/reading.ts";
import type { SeriesId } from "../engine/units.ts";
import { compactedThrough, createChunkReader, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";
import type { Deadline } from "./deadline.ts";
import { hasAny, isHistory, readJournal, spanSecond } from "./journal.ts";

export type { Span } from "./chunks.ts";

/** Readings that one query may decode, of the journal's rows those of all series, and rows of the journal that it may look at. */
export const RAW_READINGS_MAX = 5_000_000;
export const RAW_ROWS_MAX = 50_000;

/** What may still be spent; `takeRaw` takes from it. */
export type RawBudget = { rows: number; readings: number };

export const createRawBudget = (): RawBudget => ({ rows: RAW_ROWS_MAX, readings: RAW_READINGS_MAX });

/** Which readings of a series are wanted; from inclusive, to exclusive. They are added to `history`. */
export type RawWant = { readonly id: SeriesId; readonly span: Span; readonly history: History };

export const wantAll = (ids: Iterable<SeriesId>, span: Span): RawWant[] => Array.from(ids, (id) => ({ id, span, history: new History() }));

/** A time that holds those of all. */
const wholeOf = (wants: readonly RawWant[]): Span => ({
  from: wants.reduce((least, { span }) => Math.min(least, span.from), Number.POSITIVE_INFINITY),
  to: wants.reduce((most, { span }) => Math.max(most, span.to), Number.NEGATIVE_INFINITY),
});

/**
 * Takes from the budget what decoding costs.
 * @returns false, and takes nothing, when it does not fit
 */
export function takeRaw(db: Database, wants: readonly RawWant[], budget: RawBudget): boolean {
  const cost = costOf(db, wants, budget);
  if (cost === undefined) return false;
  budget.rows -= cost.rows;
  budget.readings -= cost.readings;
  return true;
}

/** @returns undefined when it is more than the budget */
function costOf(db: Database, wants: readonly RawWant[], budget: RawBudget): RawBudget | undefined {
  const tail = db.prepare<number[], { count: number; series: Uint8Array }>(
    `SELECT journal.count, journal.series FROM journal_span CROSS JOIN journal ON journal.seq = journal_span.seq
     WHERE max_s >= ? AND min_s <= ? AND journal_span.seq > ?`,
  );
  const ids = new Set(wants.map(({ id }) => id));
  const { from, to } = wholeOf(wants);
  let [rows, readings] = [0, 0];
  for (const row of tail.iterate(spanSecond(from), spanSecond(to - 1), compactedThrough(db))) {
    rows += 1;
    if (hasAny(row.series, ids)) readings += row.count;
    if (rows > budget.rows || readings > budget.readings) return undefined;
  }
  const chunks = createChunkReader(db);
  for (const { id, span } of wants) {
    readings += chunks.count(id, span);
    if (readings > budget.readings) return undefined;
  }
  return { rows, readings };
}

/** Adds what is wanted to the histories. */
export function gatherRaw(db: Database, wants: readonly RawWant[], deadline: Deadline): void {
  // Before the chunks, so that what is compacted meanwhile is read twice rather than never.
  const afterSeq = compactedThrough(db);
  const chunks = createChunkReader(db);
  for (const { id, span, history } of wants) {
    for (const columns of chunks.read(id, span)) {
      deadline.check();
      history.append(columns);
    }
  }
  gatherTail(db, wants, afterSeq, deadline);
}

function gatherTail(db: Database, wants: readonly RawWant[], afterSeq: number, deadline: Deadline): void {
  const byId = new Map(wants.map((want) => [want.id, want]));
  const { from, to } = wholeOf(wants);
  if (from >= to) return;
  for (const columns of readJournal(db, { fromTs: from, toTs: to, series: new Set(byId.keys()), afterSeq })) {
    deadline.check();
    for (let index = 0; index < columns.count; index += 1) {
      const want = byId.get(columns.series[index] as number);
      const ts = columns.ts[index] as number;
      const verdict = columns.verdict[index] as number;
      if (want === undefined || ts < want.span.from || ts >= want.span.to || !isHistory(verdict)) continue;
      want.history.add(ts, columns.value[index] as number, verdict === LATE, columns.at);
    }
  }
}
