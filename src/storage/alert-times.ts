// When alerts of some series fired within a span, without all the rest that is known of them.

import type { DayBounds } from "../engine/calendar.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { Database } from "./database.ts";

/** @returns by series, in order of time; series without alerts are not in it */
export function alertTimesOf(db: Database, { start, end }: DayBounds, wanted: ReadonlySet<SeriesId>): ReadonlyMap<SeriesId, readonly EpochMs[]> {
  const rows = db.prepare<[number, number], { series: SeriesId; fired_at: EpochMs }>(
    "SELECT series, fired_at FROM alert WHERE fired_at >= ? AND fired_at < ? ORDER BY fired_at",
  );
  const times = new Map<SeriesId, EpochMs[]>();
  for (const { series, fired_at } of rows.iterate(start, end)) {
    if (!wanted.has(series)) continue;
    const known = times.get(series);
    if (known === undefined) times.set(series, [fired_at]);
    else known.push(fired_at);
  }
  return times;
}
