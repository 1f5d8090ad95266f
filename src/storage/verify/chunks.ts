// Checks of the raw history: each chunk's checksum, that its row says what its body holds, that it lies within its day, that the parts
// of a day follow each other, and that the sums kept of each day are those of its chunks. What is not sound here is not to be compared with.

import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { decodeChunk } from "../chunk-codec.ts";
import { dateOf } from "../chunk-place.ts";
import { DAY_MS_MAX, lateIn, type Span } from "../chunks.ts";
import type { Database } from "../database.ts";
import { unsoundDays } from "../raw-soundness.ts";
import { type Checked, type Found, type Place, reasonIn, restore, rowsByKey } from "./problem.ts";

type Row = {
  readonly key: number;
  readonly series: SeriesId;
  readonly day: EpochMs;
  readonly until: EpochMs | null;
  readonly count: number;
  readonly late: number;
  readonly minTs: EpochMs;
  readonly maxTs: EpochMs;
  readonly body: Uint8Array;
};

/** What was found not to be sound. */
export type UnsoundRaw = { isDamaged(series: SeriesId, span: Span): boolean };

/** @param within days that begin there */
export function checkChunks(db: Database, within: Span, found: Found, checked: Checked): UnsoundRaw {
  const damaged = new Map<SeriesId, EpochMs[]>();
  const total = db.prepare<[], number>("SELECT count(*) FROM chunk").pluck().get() ?? 0;
  let done = 0;
  const rows = rowsByKey<Row>(
    db,
    `SELECT id AS key, series, chunk.day AS day, until, count, late, min_ts AS minTs, max_ts AS maxTs, body
     FROM chunk LEFT JOIN raw_day ON raw_day.day = chunk.day WHERE id > ? ORDER BY id LIMIT ?`,
  );
  for (const some of rows) {
    for (const row of some) {
      done += 1;
      if (row.day < within.from || row.day >= within.to) continue;
      const what = wrongIn(row);
      if (what === undefined) continue;
      found({ kind: "chunk", place: placeOf(row), what: `chunk ${row.key} ${what}`, mend: restore });
      damaged.set(row.series, [...(damaged.get(row.series) ?? []), row.day]);
    }
    checked(done, total);
  }
  checkOrder(db, within, found);
  checkSums(db, within, found);
  return { isDamaged: (series, { from, to }) => damaged.get(series)?.some((day) => day < to && day + DAY_MS_MAX > from) ?? false };
}

const placeOf = ({ series, day }: { series: SeriesId; day: EpochMs }): Place => ({ series, day: dateOf(day) });

function wrongIn({ body, count, late, minTs, maxTs, day, until }: Row): string | undefined {
  try {
    const { ts, late: marks } = decodeChunk(body);
    if (ts.length !== count) return `holds ${ts.length} readings, its row says ${count}`;
    if (ts.some((each, index) => index > 0 && each <= (ts[index - 1] as number))) return "has readings out of order";
    if (ts[0] !== minTs || ts.at(-1) !== maxTs) return "begins or ends elsewhere than its row says";
    if (lateIn(marks) !== late) return `holds ${lateIn(marks)} late readings, its row says ${late}`;
    return until !== null && (minTs < day || maxTs >= until) ? "reaches out of its day" : undefined;
  } catch (error) {
    return `cannot be read: ${reasonIn(error)}`;
  }
}

function checkOrder(db: Database, within: Span, found: Found): void {
  const overlapping = db.prepare<[number, number], { id: number; series: SeriesId; day: EpochMs; fromSeq: number; before: number }>(
    `SELECT id, series, day, from_seq AS fromSeq, before FROM
       (SELECT id, series, day, from_seq, part, lag(through_seq) OVER (PARTITION BY series, day ORDER BY from_seq, part) AS before FROM chunk)
     WHERE part = 0 AND before >= from_seq AND day >= ? AND day < ?`,
  );
  for (const { id, before, fromSeq, ...of } of overlapping.iterate(within.from, within.to))
    found({ kind: "chunk", place: placeOf(of), what: `chunk ${id} begins with journal row ${fromSeq}, the one before it goes to ${before}`, mend: restore });
}

function checkSums(db: Database, within: Span, found: Found): void {
  for (const { day, kept, counted } of unsoundDays(db)) {
    if (day < within.from || day >= within.to) continue;
    const what = `the day should have ${kept.readings} readings in chunks of ${kept.bytes} bytes, and has ${counted.readings} in ${counted.bytes}`;
    found({ kind: "raw-day", place: { day: dateOf(day) }, what, mend: restore });
  }
}
