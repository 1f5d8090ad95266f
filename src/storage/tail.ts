// The tail of the raw history: readings in the journal's rows that are not compacted yet. Ask it before chunks are read: what is compacted
// meanwhile is then read twice rather than never, and of equal (series, ts) the first counts.

import { History } from "../engine/history.ts";
import { LATE } from "../engine/reading.ts";
import type { SeriesId } from "../engine/units.ts";
import { compactedThrough, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";
import { isHistory, readJournal, seqsOf, seriesIn, spanSecond } from "./journal.ts";

/** The tail's readings in a span, of the series wanted or of all; series that have none do not come. */
export function readTail(db: Database, { from, to }: Span, wanted?: ReadonlySet<SeriesId>): Map<SeriesId, History> {
  const tail = new Map<SeriesId, History>();
  if (from >= to) return tail;
  for (const columns of readJournal(db, { fromTs: from, toTs: to, afterSeq: compactedThrough(db), ...(wanted && { series: wanted }) })) {
    for (let index = 0; index < columns.count; index += 1) {
      const [id, ts, verdict] = [columns.series[index] as number, columns.ts[index] as number, columns.verdict[index] as number];
      if (ts < from || ts >= to || wanted?.has(id) === false || !isHistory(verdict)) continue;
      const history = tail.get(id) ?? new History();
      tail.set(id, history);
      history.add(ts, columns.value[index] as number, verdict === LATE, columns.at);
    }
  }
  return tail;
}

/** @returns not fewer than the readings, of all series, that the tail as it is now has in a span: all of rows that reach into it */
export function createTailCounter(db: Database): (span: Span) => number {
  const after = compactedThrough(db);
  const count = db
    .prepare<number[], number>(
      `SELECT coalesce(sum(journal.count), 0) FROM journal_span CROSS JOIN journal ON journal.seq = journal_span.seq
       WHERE max_s >= ? AND min_s <= ? AND journal_span.seq > ?`,
    )
    .pluck();
  return ({ from, to }) => count.get(spanSecond(from), spanSecond(to - 1), after) ?? 0;
}

/** The series of which rows of the tail that reach into a span hold history. */
export function seriesOfTail(db: Database, { from, to }: Span): ReadonlySet<SeriesId> {
  const read = db.prepare<[number], Uint8Array>("SELECT series FROM journal WHERE seq = ?").pluck();
  const found = new Set<SeriesId>();
  for (const seq of seqsOf(db, { fromTs: from, toTs: to, afterSeq: compactedThrough(db) })) {
    const ids = read.get(seq);
    for (const id of ids === undefined ? [] : seriesIn(ids)) found.add(id);
  }
  return found;
}
