// Whether the raw readings of a time can be reckoned from: nothing of them was dropped by retention, and each day's chunks are those that
// its sums were kept of.

import type { EpochMs } from "../engine/units.ts";
import { DAY_MS_MAX, type RawDay, rawDays, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";

type Sums = { readonly readings: number; readonly bytes: number };
export type UnsoundDay = { readonly day: EpochMs; readonly kept: Sums; readonly counted: Sums };

/** Days whose chunks are not those that were counted, of those that should be whole. In one statement: what is written meanwhile does no harm. */
export function unsoundDays(db: Database): UnsoundDay[] {
  const rows = db.prepare<[], { day: EpochMs; readings: number; bytes: number; foundReadings: number; foundBytes: number }>(
    `SELECT day, sum(readings) AS readings, sum(bytes) AS bytes, sum(found_readings) AS foundReadings, sum(found_bytes) AS foundBytes FROM
       (SELECT day, readings, bytes, 0 AS found_readings, 0 AS found_bytes, gone FROM raw_day
        UNION ALL SELECT day, 0, 0, count, length(body), 0 FROM chunk)
     GROUP BY day HAVING max(gone) = 0 AND (sum(readings) <> sum(found_readings) OR sum(bytes) <> sum(found_bytes)) ORDER BY day`,
  );
  return rows.all().map(({ day, readings, bytes, foundReadings, foundBytes }) => ({
    day,
    kept: { readings, bytes },
    counted: { readings: foundReadings, bytes: foundBytes },
  }));
}

export type Soundness = "sound" | "gone" | "unsound";
export type RawSoundness = { of(span: Span): Soundness; isCovered(ts: EpochMs): boolean; isReached(span: Span): boolean };

/**
 * What is gone as of now: within one read transaction with what is read by it.
 * @param unsoundDays asked once: it walks over all chunks, and no writer makes a day unsound
 */
export function createRawSoundness(db: Database, unsoundDays: readonly UnsoundDay[]): RawSoundness {
  const days = rawDays(db);
  const gone = days.filter((day) => day.gone !== 0);
  const unsound = unsoundDays.map(({ day }): Span => ({ from: day, to: untilOf(days, day) }));
  return {
    of(span) {
      if (gone.some(({ day, until }) => day < span.to && until > span.from)) return "gone";
      return unsound.some(({ from, to }) => from < span.to && to > span.from) ? "unsound" : "sound";
    },
    /** Whether there is, or was, a day of chunks. */
    isCovered: (ts) => days.some(({ day, until }) => day <= ts && until > ts),
    /** The same of any of a span. */
    isReached: ({ from, to }) => days.some(({ day, until }) => day < to && until > from),
  };
}

const untilOf = (days: readonly RawDay[], start: EpochMs): EpochMs => days.find(({ day }) => day === start)?.until ?? start + DAY_MS_MAX;
