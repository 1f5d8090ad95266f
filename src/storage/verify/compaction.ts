// Whether what compaction says it has done is done: the row of the journal through which all is in chunks is one that there was, and the
// readings of the rows that are still kept up to there are in chunks of their series. What is neither in chunks nor behind that row
// nothing reads any more, though the journal has it.

import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { compactedThrough, createWholeness, DAY_MS_MAX } from "../chunks.ts";
import type { Database } from "../database.ts";
import { decodeColumns, isHistory, newestSeq, seriesIn } from "../journal.ts";
import { unsoundDays } from "../raw-soundness.ts";
import type { UnsoundRaw } from "./chunks.ts";
import { type Found, restore, rowsByKey } from "./problem.ts";

type Row = { readonly key: number; readonly minTs: EpochMs; readonly maxTs: EpochMs; readonly series: Uint8Array; readonly body: Uint8Array };
/** Of a chunk: the rows that it was made of, and the times that it reaches over. */
type Reach = { readonly from: number; readonly through: number; readonly minTs: EpochMs; readonly maxTs: EpochMs };
type Unseen = { first: number; last: number; readings: number };

/** @param unsound days that are told to be damaged: what they lack is told already */
export function checkCompaction(db: Database, unsound: UnsoundRaw, found: Found): void {
  const through = compactedThrough(db);
  const newest = Math.max(newestSeq(db), db.prepare<[], number | null>("SELECT max(seq) FROM snapshot").pluck().get() ?? 0);
  if (through > newest)
    found({ kind: "journal", place: { seq: through }, what: `compaction says it has come this far, and the newest row is ${newest}`, mend: restore });
  for (const { first, last, readings } of unseenIn(db, through, unsound)) {
    const what = `rows ${first} to ${last} are said to be compacted, and ${readings} of their readings are in no chunk: nothing reads them`;
    found({ kind: "journal", place: { seq: first }, what, mend: restore });
  }
}

/** Rows with readings that are in no chunk, those that follow each other as one. */
function unseenIn(db: Database, through: number, unsound: UnsoundRaw): Unseen[] {
  const unseen: Unseen[] = [];
  const seen = createSeen(db, unsound);
  const rows = rowsByKey<Row>(
    db,
    `SELECT seq AS key, min_ts AS minTs, max_ts AS maxTs, series, body FROM journal
     WHERE min_ts IS NOT NULL AND seq <= (SELECT through FROM compaction) AND seq > ? ORDER BY seq LIMIT ?`,
  );
  for (const some of rows) {
    for (const row of some) {
      if (row.key > through) return unseen;
      const readings = unseenOf(row, seen);
      const last = unseen.at(-1);
      if (readings === 0) continue;
      if (last?.last === row.key - 1) Object.assign(last, { last: row.key, readings: last.readings + readings });
      else unseen.push({ first: row.key, last: row.key, readings });
    }
  }
  return unseen;
}

type Seen = {
  /** Whether all that a series may have in a span of a row is in one chunk. */
  isInChunk(series: SeriesId, seq: number, span: { readonly min: EpochMs; readonly max: EpochMs }): boolean;
  /** @returns whether a reading that is in no chunk is missing: retention did not take it, and no damage that is told */
  missing(): (series: SeriesId, ts: EpochMs) => boolean;
};

/** Readings of a row that are in no chunk; mostly its chunks reach over all of it, and it need not be decoded. */
function unseenOf({ key, minTs, maxTs, series, body }: Row, seen: Seen): number {
  try {
    if (seriesIn(series).every((id) => seen.isInChunk(id, key, { min: minTs, max: maxTs }))) return 0;
    const outside: [SeriesId, EpochMs][] = [];
    for (const columns of decodeColumns(body))
      for (let index = 0; index < columns.count; index += 1) {
        const [id, ts] = [columns.series[index] as number, columns.ts[index] as number];
        if (isHistory(columns.verdict[index] as number) && !seen.isInChunk(id, key, { min: ts, max: ts })) outside.push([id, ts]);
      }
    if (outside.length === 0) return 0;
    // Asked after the chunks: a day is said to be gone before its chunks go.
    const isMissing = seen.missing();
    return outside.filter(([id, ts]) => isMissing(id, ts)).length;
  } catch {
    // That it cannot be read is told by the check of the journal.
    return 0;
  }
}

function createSeen(db: Database, unsound: UnsoundRaw): Seen {
  const reach = db.prepare<number[], Reach>(
    `SELECT from_seq AS "from", through_seq AS through, min_ts AS minTs, max_ts AS maxTs FROM chunk
     WHERE series = ? AND day > ? AND day <= ? AND from_seq <= ? AND through_seq >= ? AND min_ts <= ? AND max_ts >= ? LIMIT 1`,
  );
  const known = new Map<SeriesId, Reach>();
  const unsoundFrom = unsoundDays(db).map(({ day }) => day);
  return {
    isInChunk(series, seq, { min, max }) {
      const last = known.get(series);
      if (last !== undefined && last.from <= seq && last.through >= seq && last.minTs <= min && last.maxTs >= max) return true;
      const found = reach.get(series, max - DAY_MS_MAX, min, seq, seq, min, max);
      if (found !== undefined) known.set(series, found);
      return found !== undefined;
    },
    missing() {
      const isWhole = createWholeness(db);
      return (series, ts) => {
        const at = { from: ts, to: ts + 1 };
        return isWhole(at) && !unsound.isDamaged(series, at) && !unsoundFrom.some((day) => day <= ts && day + DAY_MS_MAX > ts);
      };
    },
  };
}
