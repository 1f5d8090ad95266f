// Raw readings of some series from the journal, within a budget: how much may be decoded is asked before it is done.

import { History } from "../engine/history.ts";
import { LATE } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { Database } from "./database.ts";
import type { Deadline } from "./deadline.ts";
import { hasAny, isHistory, readJournal, spanSecond } from "./journal.ts";

/** Readings of any series that one query may decode, and journal rows that it may look at. */
export const RAW_READINGS_MAX = 2_000_000;
export const RAW_ROWS_MAX = 50_000;

/** Event time: from inclusive, to exclusive. */
export type Span = { readonly from: EpochMs; readonly to: EpochMs };
/** What may still be spent; `takeRaw` takes from it. */
export type RawBudget = { rows: number; readings: number };

export const createRawBudget = (): RawBudget => ({ rows: RAW_ROWS_MAX, readings: RAW_READINGS_MAX });

/**
 * Takes from the budget what decoding the span costs.
 * @param afterSeq only later rows are meant
 * @returns false, and takes nothing, when it does not fit
 */
export function takeRaw(db: Database, ids: ReadonlySet<SeriesId>, { from, to }: Span, budget: RawBudget, afterSeq = 0): boolean {
  const rows = db.prepare<number[], { count: number; series: Uint8Array }>(
    `SELECT journal.count, journal.series FROM journal_span CROSS JOIN journal ON journal.seq = journal_span.seq
     WHERE max_s >= ? AND min_s <= ? AND journal_span.seq > ?`,
  );
  let [seen, readings] = [0, 0];
  for (const row of rows.iterate(spanSecond(from), spanSecond(to - 1), afterSeq)) {
    seen += 1;
    if (hasAny(row.series, ids)) readings += row.count;
    if (seen > budget.rows || readings > budget.readings) return false;
  }
  budget.rows -= seen;
  budget.readings -= readings;
  return true;
}

/** Adds the span's readings to the histories; their keys are the series that are wanted. */
export function gatherRaw(db: Database, histories: ReadonlyMap<SeriesId, History>, { from, to }: Span, deadline: Deadline, afterSeq = 0): void {
  if (from >= to) return;
  const series = new Set(histories.keys());
  for (const columns of readJournal(db, { fromTs: from, toTs: to, series, afterSeq })) {
    deadline.check();
    for (let index = 0; index < columns.count; index += 1) {
      const ts = columns.ts[index] as number;
      const verdict = columns.verdict[index] as number;
      if (ts < from || ts >= to || !isHistory(verdict)) continue;
      histories.get(columns.series[index] as number)?.add(ts, columns.value[index] as number, verdict === LATE);
    }
  }
}

export const createHistories = (ids: Iterable<SeriesId>): Map<SeriesId, History> => new Map(Array.from(ids, (id) => [id, new History()]));
