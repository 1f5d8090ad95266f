// What daily summaries must be, by the raw readings: those of a local day that is not open are reckoned again and held against what is
// stored. Alerts are left out: they come after the day was summarised, and the next run of the batch sees them.

import { type Day, type DayBounds, dayBounds, type ZoneTable } from "../../engine/calendar.ts";
import { History, type OrderedReadings } from "../../engine/history.ts";
import { type DaySummary, summarizeDay } from "../../engine/summary.ts";
import type { SeriesId } from "../../engine/units.ts";
import { createChunkReader, lateIn } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import { createRawSoundness, type UnsoundDay } from "../../storage/raw-soundness.ts";
import { daysCutByOthers, summarizedThrough, type TouchedDays } from "../../storage/summary-work.ts";
import { createTailCounter } from "../../storage/tail.ts";

export type SummaryComparison =
  /**
   * `open`: the batch has it still to do. `left`: raw is not whole. `none`: there is none, and no readings. `lost`: there is one, and raw has
   * no readings: it may be the last that is known of them.
   */
  { readonly kind: "same" | "open" | "left" | "none" } | { readonly kind: "differs" | "lost"; readonly what: string };

/** Within the read transaction in which it is used. */
export function createSummaryComparison(db: Database, zone: ZoneTable, unsoundDays: readonly UnsoundDay[]): (day: Day, series: SeriesId) => SummaryComparison {
  const chunks = createChunkReader(db);
  const soundness = createRawSoundness(db, unsoundDays);
  const isOpen = db.prepare<[string, Day, number], number>("SELECT 1 FROM summary_open WHERE zone = ? AND day = ? AND series = ?").pluck();
  const stored = db.prepare<[string, Day, number], { approximate: 0 | 1; body: string }>(
    "SELECT approximate, body FROM daily_summary WHERE zone = ? AND day = ? AND series = ?",
  );
  const after = summarizedThrough(db, zone.name);
  let cutByOthers: TouchedDays | undefined;
  // Asked only where a summary is missing: it may walk over all chunks.
  const isStillToDo = (day: Day, series: SeriesId): boolean => {
    if (after === undefined) return true;
    cutByOthers ??= daysCutByOthers(db, zone, after);
    return cutByOthers.get(day)?.has(series) === true;
  };
  const readingsOf = (series: SeriesId, { start, end }: DayBounds): OrderedReadings | undefined => {
    const history = new History();
    try {
      for (const columns of chunks.read(series, { from: start, to: end })) history.append(columns);
    } catch {
      return undefined;
    }
    return history.ordered();
  };
  const waiting = createTailCounter(db);
  /** What retention took leaves its mark; of what waits for compaction there is none yet. */
  const isLost = ({ start, end }: DayBounds): boolean => !soundness.isReached({ from: start, to: end }) && waiting({ from: start, to: end }) === 0;
  return (day, series) => {
    const bounds = dayBounds(zone, day);
    if (isOpen.get(zone.name, day, series) === 1) return { kind: "open" };
    const row = stored.get(zone.name, day, series);
    if (row?.approximate === 0 && isLost(bounds)) return { kind: "lost", what: "raw has nothing of the day, and retention did not take it" };
    if (row?.approximate === 1 || soundness.of({ from: bounds.start, to: bounds.end }) !== "sound" || !soundness.isCovered(bounds.start))
      return { kind: "left" };
    const readings = readingsOf(series, bounds);
    if (readings === undefined) return { kind: "left" };
    const isEmpty = readings.ts.length === 0;
    if (row === undefined && isEmpty) return { kind: "none" };
    // A zone that was never summarised by has all of it still to do, and one that is in force again what came meanwhile.
    if (row === undefined && isStillToDo(day, series)) return { kind: "open" };
    if (row === undefined) return { kind: "differs", what: "there is none, and the day has readings" };
    if (isEmpty) return { kind: "lost", what: "raw has no readings of the day" };
    return compareBodies(row.body, summarizeDay(readings.ts, readings.value, bounds, { late: lateIn(readings.late), alerts: 0 }));
  };
}

function compareBodies(body: string, must: DaySummary): SummaryComparison {
  const is = parsed(body);
  if (is === undefined) return { kind: "differs", what: "it cannot be read" };
  // Figures that came with a later release are not in what was summarised before it.
  const wrong = Object.entries(must).filter(([name, figure]) => name !== "alerts" && (name in is || name === "count") && textOf(is[name]) !== textOf(figure));
  if (wrong.length === 0) return { kind: "same" };
  const what = wrong.map(([name, figure]) => `${name} is ${textOf(is[name])}, raw makes it ${textOf(figure)}`).join("; ");
  return { kind: "differs", what };
}

/** As it is stored; -0 is 0 there. */
const textOf = (figure: unknown): string => JSON.stringify(figure) ?? "none";

function parsed(body: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
