// The raw readings of one local day, series by series, from chunks. Memory holds one series at a time.

import type { DayBounds } from "../../engine/calendar.ts";
import { History, type OrderedReadings } from "../../engine/history.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { createChunkReader } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import { seriesIds } from "../../storage/series-query.ts";

export type Wanted = ReadonlySet<SeriesId> | "all";

/** `chunks`: those that the readings come from, `day` as they were cut. */
export type DayReadings = { readonly series: SeriesId; readonly readings: OrderedReadings; readonly chunks: readonly DayChunk[] };
export type DayChunk = { readonly id: number; readonly day: EpochMs };

/**
 * Series in the order of their ids; those without readings in the day do not come.
 * @param takes which chunks are read, by the day that they were cut by
 */
export function* readDay(db: Database, { start, end }: DayBounds, wanted: Wanted, takes = (_series: SeriesId, _day: EpochMs) => true): Generator<DayReadings> {
  const chunks = createChunkReader(db);
  const ids = wanted === "all" ? seriesIds(db) : [...wanted].sort((a, b) => a - b);
  for (const series of ids) {
    const found = [...chunks.readWithIds(series, { from: start, to: end })].filter(({ day, columns }) => columns.ts.length > 0 && takes(series, day));
    const [first, ...more] = found.map(({ columns }) => columns);
    if (first === undefined) continue;
    yield { series, readings: more.length === 0 ? first : joined([first, ...more]), chunks: found.map(({ id, day }) => ({ id, day })) };
  }
}

function joined(parts: readonly OrderedReadings[]): OrderedReadings {
  const history = new History();
  for (const part of parts) history.append(part);
  return history.ordered();
}
