// The nightly batch: summaries of local days, exactly, from the raw readings. What to do is asked of the store, never of a
// clock that rang: (series, day) touched since the last run are written down as open first, then each ended day is worked
// out and emitted, which closes it. So a run that is killed loses nothing, and one that runs twice changes nothing.
// It only reads; rows go out by `emit`, in an order that is right wherever it stops.

import { performanceOf } from "../../engine/alarm-performance.ts";
import { type AlarmTargets, defaultTargets } from "../../engine/alarm-targets.ts";
import { type Day, dayBounds, nextDay, type ZoneTable } from "../../engine/calendar.ts";
import type { Device } from "../../engine/rule.ts";
import { summarizeDay } from "../../engine/summary.ts";
import type { EpochMs } from "../../engine/units.ts";
import type { Database } from "../../storage/database.ts";
import type { FinishedRow } from "../../storage/finished.ts";
import { LONG_WORK_ALERTS_MAX, readOccurrences } from "../../storage/performance-query.ts";
import { createSeriesReader } from "../../storage/series-query.ts";
import {
  addAll,
  alertsOf,
  daysWithOtherAlerts,
  newestSeq,
  openDays,
  summarizedThrough,
  type TouchedDays,
  touch,
  touchedDays,
} from "../../storage/summary-work.ts";
import { drawCharts } from "../summary-charts.ts";
import { courseOf } from "./day-course.ts";
import { readDay, type Wanted } from "./day-readings.ts";
import { createReport, type DayPerformance, type SummaryReport } from "./summary-report.ts";

/** Rows in one call of `emit`. */
const EMIT_ROWS = 500;

export type DailySummaryOptions = {
  readonly zone: ZoneTable;
  readonly now: EpochMs;
  /** Both inclusive: work these out anew, all series, whether touched or not. */
  readonly days?: { readonly from: Day; readonly to: Day };
  /** Of the config; their labels name the series in the report. */
  readonly devices: Readonly<Record<string, Device>>;
  /** What alarm performance is judged by; default: `defaultTargets`. */
  readonly alarmTargets?: AlarmTargets;
  /** Draws the charts of the mail. */
  readonly charts?: boolean;
  readonly signal?: AbortSignal;
  /** Readings of one day that are held at once (17 bytes each); a day with more is read in several passes. */
  readonly heldMax?: number;
  readonly progress?: (progress: DailySummaryProgress) => void;
};

/** `done` of `days` are finished; `readings` so far. */
export type DailySummaryProgress = { readonly day: Day; readonly done: number; readonly days: number; readonly readings: number };

export type Emit = (rows: FinishedRow[]) => Promise<void> | void;

/**
 * @param db read-only
 * @param emit is awaited; rows must be written in the order in which they come
 * @returns what was summarised; `isWhole` is false when the signal ended it early
 */
export async function runDailySummary(db: Database, options: DailySummaryOptions, emit: Emit): Promise<SummaryReport> {
  const { zone, now, days: range, signal } = options;
  const work = range === undefined ? await findWork(db, options, emit) : workOfRange(zone, range, now);
  const report = createReport(zone.name, createSeriesReader(db, options.devices));
  const days = [...work.keys()].filter((day) => dayBounds(zone, day).end <= now).sort();
  for (const [done, day] of days.entries()) {
    if (signal?.aborted) return report.finish(false);
    options.progress?.({ day, done, days: days.length, readings: report.readings() });
    const isWhole = await summarizeOneDay(db, { day, wanted: work.get(day) ?? "all", report }, options, emit);
    if (!isWhole) return report.finish(false);
  }
  const last = days.at(-1);
  if (last !== undefined) options.progress?.({ day: last, done: days.length, days: days.length, readings: report.readings() });
  const summary = report.finish(!signal?.aborted);
  if (last === undefined) return summary;
  return { ...summary, performance: performanceOfDay(db, last, options), ...(options.charts && (await chartsOf(db, summary, report, zone))) };
}

/** A mail without pictures is better than none. */
async function chartsOf(
  db: Database,
  { worst }: SummaryReport,
  { courseOf: kept }: Pick<Report, "courseOf">,
  zone: ZoneTable,
): Promise<Pick<SummaryReport, "charts" | "chartsProblem">> {
  const subjects = worst.flatMap((each) => {
    const course = kept(each.series);
    return course === undefined ? [] : [{ ...each, course }];
  });
  try {
    return { charts: await drawCharts(db, subjects, zone) };
  } catch (error) {
    return { chartsProblem: (error as Error).message };
  }
}

function performanceOfDay(db: Database, day: Day, { zone, alarmTargets }: DailySummaryOptions): DayPerformance {
  const { start: from, end: to } = dayBounds(zone, day);
  const occurrences = readOccurrences(db, { from, to }, { alertsMax: LONG_WORK_ALERTS_MAX });
  return { day, figures: occurrences === undefined ? null : performanceOf(occurrences, { from, to }, alarmTargets ?? defaultTargets) };
}

/** Writes down what was touched since the last run, then how far that is known; only then may a summary close it again. */
async function findWork(db: Database, { zone, signal }: DailySummaryOptions, emit: Emit): Promise<Map<Day, Wanted>> {
  const [after, through] = [summarizedThrough(db, zone.name), newestSeq(db)];
  const open = openDays(db, zone.name);
  const touched = await touchedDays(db, zone, after, through, pause);
  for (const [day, ids] of daysWithOtherAlerts(db, zone, after)) addAll(touch(touched, day), ids);
  if (signal?.aborted) return new Map();
  const rows = newlyOpen(zone.name, touched, open);
  for (let from = 0; from < rows.length; from += EMIT_ROWS) await emit(rows.slice(from, from + EMIT_ROWS));
  if (through > after) await emit([{ kind: "summary-progress", zone: zone.name, through }]);
  for (const [day, ids] of touched) addAll(touch(open, day), ids);
  return open;
}

function newlyOpen(zone: string, touched: TouchedDays, open: TouchedDays): FinishedRow[] {
  const rows: FinishedRow[] = [];
  for (const [day, ids] of touched) {
    for (const series of ids) if (!open.get(day)?.has(series)) rows.push({ kind: "summary-open", zone, day, series });
  }
  return rows;
}

/** Days of a range that are over, each for all series. */
function workOfRange(zone: ZoneTable, { from, to }: { from: Day; to: Day }, now: EpochMs): Map<Day, Wanted> {
  const work = new Map<Day, Wanted>();
  for (let day = from; day <= to && dayBounds(zone, day).end <= now; day = nextDay(day)) work.set(day, "all");
  return work;
}

type Report = ReturnType<typeof createReport>;
type OneDay = { readonly day: Day; readonly wanted: Wanted; readonly report: Report };

/** @returns false when it was ended early; what was emitted until then is right */
async function summarizeOneDay(db: Database, { day, wanted, report }: OneDay, options: DailySummaryOptions, emit: Emit): Promise<boolean> {
  const { zone, now, signal } = options;
  const bounds = dayBounds(zone, day);
  const alerts = alertsOf(db, bounds);
  let rows: FinishedRow[] = [];
  for await (const { series, readings } of readDay(db, bounds, {
    wanted,
    pause,
    ...(signal && { signal }),
    ...(options.heldMax && { heldMax: options.heldMax }),
  })) {
    const late = readings.late.reduce((sum, each) => sum + each, 0);
    const summary = summarizeDay(readings.ts, readings.value, bounds, { late, alerts: alerts.get(series) ?? 0 });
    rows.push({ kind: "summary", zone: zone.name, day, series, approximate: false, body: JSON.stringify(summary), at: now });
    report.add(day, series, summary, options.charts ? () => courseOf(day, bounds, readings, summary.longest_gaps) : undefined);
    if (rows.length < EMIT_ROWS) continue;
    await emit(rows);
    rows = [];
    await pause();
    if (signal?.aborted) return false;
  }
  if (rows.length > 0) await emit(rows);
  return !signal?.aborted;
}

/** Lets messages in, above all the one that ends the run. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
