// UTC days whose rollup buckets do not hold yet what an import brought: the stream never heard it, so packing reckons them from the raw
// readings (batch/jobs/packing.ts), and until then whoever asks is answered from those. Marked with the chunk that brings readings,
// settled with the packed row that holds them.

import { type EpochMs, floorMod, type SeriesId } from "../engine/units.ts";
import type { Database } from "./database.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
/** Of a rollup bucket. */
export type Tier = typeof MINUTE_MS | typeof HOUR_MS;
export const TIERS: readonly Tier[] = [MINUTE_MS, HOUR_MS];
export const UTC_DAY_MS = 24 * HOUR_MS;

type Span = { readonly from: EpochMs; readonly to: EpochMs };

export const utcDayOf = (ts: EpochMs): EpochMs => ts - floorMod(ts, UTC_DAY_MS);

/** @returns marks the days of a span; call it within a transaction */
export function createRollupDayOpener(db: Database): (series: SeriesId, span: Span) => void {
  const open = db.prepare("INSERT INTO rollup_open VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  return (series, { from, to }) => {
    for (let day = utcDayOf(from); day < to; day += UTC_DAY_MS) for (const tier of TIERS) open.run(tier, series, day);
  };
}

/** Days of a tier that wait, in order, by series. */
export function openRollupDays(db: Database, tier: Tier): Map<SeriesId, EpochMs[]> {
  const rows = db.prepare<[number], { series: SeriesId; day: EpochMs }>("SELECT series, day FROM rollup_open WHERE tier = ? ORDER BY series, day").all(tier);
  const days = new Map<SeriesId, EpochMs[]>();
  for (const { series, day } of rows) {
    const known = days.get(series);
    if (known === undefined) days.set(series, [day]);
    else known.push(day);
  }
  return days;
}

/** Those of one tier. */
function dayReader(db: Database, tier: Tier): (series: SeriesId, span: Span) => EpochMs[] {
  const between = db.prepare<number[], EpochMs>("SELECT day FROM rollup_open WHERE tier = ? AND series = ? AND day > ? AND day < ? ORDER BY day").pluck();
  return (series, { from, to }) => between.all(tier, series, from - UTC_DAY_MS, to);
}

/** @returns the days of a series whose minutes wait and that reach into a span, in order */
export const createWaitingMinutes = (db: Database): ReturnType<typeof dayReader> => dayReader(db, MINUTE_MS);

/** @returns the days of a series that wait and reach into a span, in order */
export function createRollupDayReader(db: Database): (series: SeriesId, span: Span) => EpochMs[] {
  // The hours of a day wait longer than its minutes.
  const read = dayReader(db, HOUR_MS);
  const isAny = db.prepare<[], 1>("SELECT 1 FROM rollup_open LIMIT 1").pluck().get() === 1;
  return (series, span) => (isAny ? read(series, span) : []);
}

export function hasOpenRollupDays(db: Database, { from, to }: Span): boolean {
  return (
    db
      .prepare<[number, number], 1>("SELECT 1 FROM rollup_open WHERE day > ? AND day < ? LIMIT 1")
      .pluck()
      .get(from - UTC_DAY_MS, to) === 1
  );
}
