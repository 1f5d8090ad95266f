// What the nightly batch has to do, asked of the store: which (series, local day) wait to be summarised, where alerts changed
// since, and how many fired. Only reads; what is worked out goes to the writer as finished rows.

import { type Day, type DayBounds, dayBounds, dayOf, type ZoneTable } from "../engine/calendar.ts";
import type { DaySummary } from "../engine/summary.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { Database } from "./database.ts";
import { hasOpenRollupDays } from "./rollup-days.ts";
import { TIERS } from "./rollups.ts";
import { seriesIds } from "./series-query.ts";

/** Series by the local day in which they were touched. */
export type TouchedDays = Map<Day, Set<SeriesId>>;

/** Seq of the journal row up to which a zone's last night knew chunks and alerts; undefined when nothing was summarised by this zone yet. */
export function summarizedThrough(db: Database, zone: string): number | undefined {
  return db.prepare<[string], number>("SELECT through FROM summary_progress WHERE zone = ?").pluck().get(zone);
}

/** (series, day) that were touched, are known to be, and are not summarised since. */
export function openDays(db: Database, zone: string): TouchedDays {
  const open: TouchedDays = new Map();
  const rows = db.prepare<[string], { day: Day; series: SeriesId }>("SELECT day, series FROM summary_open WHERE zone = ?").all(zone);
  for (const { day, series } of rows) touch(open, day).add(series);
  return open;
}

/** Whether a day waits to be summarised, of any series. */
export function hasOpenDays(db: Database, zone: string, day: Day): boolean {
  return db.prepare<[string, Day], 1>("SELECT 1 FROM summary_open WHERE zone = ? AND day = ? LIMIT 1").pluck().get(zone, day) === 1;
}

/** Whether rollups of a time wait to be reckoned from its readings. */
export function hasWaitingRollups(db: Database, { from, to }: { from: EpochMs; to: EpochMs }): boolean {
  const waiting = db.prepare<number[], 1>("SELECT 1 FROM rollup WHERE tier = ? AND series = ? AND start > ? AND start < ? AND dirty = 1 LIMIT 1").pluck();
  return hasOpenRollupDays(db, { from, to }) || seriesIds(db).some((series) => TIERS.some((tier) => waiting.get(tier, series, from - tier, to) === 1));
}

type Touching = { readonly series: SeriesId; readonly min_ts: EpochMs; readonly max_ts: EpochMs; readonly through_seq: number };
const TOUCHING = "SELECT series, min_ts, max_ts, through_seq FROM chunk";

/** The days that chunks reach into, whichever zone they were cut by. */
export function daysOfChunks(db: Database, zone: ZoneTable): TouchedDays {
  return daysReached(db.prepare<[], Touching>(TOUCHING).iterate(), zone);
}

/**
 * The days of chunks that came after a zone's last night while another was in force: those opened days of the other, if any. Walks over all
 * chunks, but not where only this zone was ever used.
 * @param after as `summarizedThrough` says it
 */
export function daysCutByOthers(db: Database, zone: ZoneTable, after: number): TouchedDays {
  const others = db.prepare<[string, number, string], 1>(
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM summary_progress WHERE zone <> ? AND through >= ?) OR EXISTS (SELECT 1 FROM summary_open WHERE zone <> ?)",
  );
  if (others.pluck().get(zone.name, after, zone.name) === undefined) return new Map();
  return daysReached(db.prepare<[number], Touching>(`${TOUCHING} WHERE through_seq >= ?`).iterate(after), zone, isUnseen(db, zone.name, after));
}

/**
 * Whether a zone's summaries hold all chunks of a day, as it was cut by any zone: what is open is known only of days that a chunk opened in
 * this zone, and of what came while another was in force nothing is.
 */
export function isSeenWhole(db: Database, zone: ZoneTable, { day }: { readonly day: EpochMs }): boolean {
  const after = summarizedThrough(db, zone.name);
  if (after === undefined) return false;
  const chunks = db.prepare<[number, number, number], Touching>(`${TOUCHING} WHERE series = ? AND day = ? AND through_seq >= ?`);
  const unseen = isUnseen(db, zone.name, after);
  return seriesIds(db).every((series) => daysReached(chunks.all(series, day, after), zone, unseen).size === 0);
}

/** Of an import the journal says nothing: one that came right after the night has the same seq as what came before it. */
function isUnseen(db: Database, zone: string, after: number): (chunk: Touching, day: Day) => boolean {
  const summary = db.prepare<[string, Day, number], 1>("SELECT 1 FROM daily_summary WHERE zone = ? AND day = ? AND series = ?").pluck();
  return ({ series, through_seq }, day) => through_seq > after || summary.get(zone, day, series) === undefined;
}

function daysReached(chunks: Iterable<Touching>, zone: ZoneTable, isWanted = (_chunk: Touching, _day: Day): boolean => true): TouchedDays {
  const touched: TouchedDays = new Map();
  const at = createDayFinder(zone);
  for (const chunk of chunks) {
    for (let span = at(chunk.min_ts); span.start <= chunk.max_ts; span = at(span.end)) {
      if (isWanted(chunk, span.day)) touch(touched, span.day).add(chunk.series);
    }
  }
  return touched;
}

/** Days by instant, remembering the last: readings that come together are mostly of one day. */
function createDayFinder(zone: ZoneTable): (ts: EpochMs) => DayBounds & { readonly day: Day } {
  let last = { day: "", start: 0, end: 0 };
  return (ts) => {
    if (ts >= last.start && ts < last.end) return last;
    const day = dayOf(zone, ts);
    last = { day, ...dayBounds(zone, day) };
    return last;
  };
}

/**
 * Summarised (series, day) whose count of alerts is not what the store has now: an alert can come after the day was summarised,
 * without a reading of that day.
 */
export function daysWithOtherAlerts(db: Database, zone: ZoneTable, after: number): TouchedDays {
  const changed = db.prepare<[number], { series: SeriesId; fired_at: EpochMs }>("SELECT series, fired_at FROM alert WHERE changed_seq > ?");
  const body = db.prepare<[string, Day, number], string>("SELECT body FROM daily_summary WHERE zone = ? AND day = ? AND series = ?").pluck();
  const touched: TouchedDays = new Map();
  for (const { series, fired_at } of changed.all(after)) touch(touched, dayOf(zone, fired_at)).add(series);
  for (const [day, ids] of touched) {
    const alerts = alertsOf(db, dayBounds(zone, day));
    for (const id of ids) {
      const stored = body.get(zone.name, day, id);
      if (stored === undefined || (JSON.parse(stored) as DaySummary).alerts === (alerts.get(id) ?? 0)) ids.delete(id);
    }
    if (ids.size === 0) touched.delete(day);
  }
  return touched;
}

/** @returns the stored summary of a series' day, if there is one */
export function createSummaryReader(db: Database, zone: string, day: Day): (series: SeriesId) => { summary: DaySummary; approximate: boolean } | undefined {
  const read = db.prepare<[string, Day, number], { body: string; approximate: 0 | 1 }>(
    "SELECT body, approximate FROM daily_summary WHERE zone = ? AND day = ? AND series = ?",
  );
  return (series) => {
    const row = read.get(zone, day, series);
    return row === undefined ? undefined : { summary: JSON.parse(row.body) as DaySummary, approximate: row.approximate === 1 };
  };
}

/** How many alerts fired within the bounds, by series. */
export function alertsOf(db: Database, { start, end }: DayBounds): ReadonlyMap<SeriesId, number> {
  const rows = db
    .prepare<[number, number], { series: SeriesId; alerts: number }>(
      "SELECT series, count(*) AS alerts FROM alert WHERE fired_at >= ? AND fired_at < ? GROUP BY series",
    )
    .all(start, end);
  return new Map(rows.map(({ series, alerts }) => [series, alerts]));
}

export function touch(touched: TouchedDays, day: Day): Set<SeriesId> {
  let ids = touched.get(day);
  if (ids === undefined) {
    ids = new Set();
    touched.set(day, ids);
  }
  return ids;
}

export function addAll<Item>(into: Set<Item>, items: Iterable<Item>): void {
  for (const item of items) into.add(item);
}
