// The nightly batch: summaries of local days, exactly, from the raw readings. First compaction brings all that arrived into
// chunks; a chunk that brings readings opens its (series, day). What to do is asked of the store, never of a clock that rang:
// each open day that is over is worked out and emitted, which closes it. So a run that is killed loses nothing, and one that runs
// twice changes nothing. It only reads; rows go out by `emit`, in an order that is right wherever it stops.

import { performanceOf } from "../../engine/alarm-performance.ts";
import { type AlarmTargets, defaultTargets } from "../../engine/alarm-targets.ts";
import { type Day, dayBounds, nextDay, type ZoneTable } from "../../engine/calendar.ts";
import type { Device } from "../../engine/rule.ts";
import { summarizeDay } from "../../engine/summary.ts";
import { mergeSummary } from "../../engine/summary-merge.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { compactedThrough, createWholeness, lateIn, rawDays } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import type { FinishedRow } from "../../storage/finished.ts";
import { LONG_WORK_ALERTS_MAX, readOccurrences } from "../../storage/performance-query.ts";
import { createSeriesReader } from "../../storage/series-query.ts";
import {
  addAll,
  alertsOf,
  createSummaryReader,
  daysCutByOthers,
  daysOfChunks,
  daysWithOtherAlerts,
  openDays,
  summarizedThrough,
  type TouchedDays,
  touch,
} from "../../storage/summary-work.ts";
import { drawCharts } from "../summary-charts.ts";
import { runCompaction } from "./compaction.ts";
import { courseOf } from "./day-course.ts";
import { readDay, type Wanted } from "./day-readings.ts";
import { createEmitter, type Emit, type Emitter, pause } from "./emitter.ts";
import { createReconciler } from "./reconcile.ts";
import { createReport, type DayPerformance, type SummaryReport } from "./summary-report.ts";

/** Series between two pauses. */
const SERIES_PER_PAUSE = 50;

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
  /** Readings that compaction holds at once. */
  readonly heldMax?: number;
  readonly progress?: (progress: DailySummaryProgress) => void;
};

/** `done` of `days` are finished; `readings` so far. */
export type DailySummaryProgress = { readonly day: Day; readonly done: number; readonly days: number; readonly readings: number };

/**
 * @param db read-only
 * @param emit is awaited; rows must be written in the order in which they come
 * @returns what was summarised; `isWhole` is false when the signal ended it early
 */
export async function runDailySummary(db: Database, options: DailySummaryOptions, emit: Emit): Promise<SummaryReport> {
  const { zone, now, days: range, signal } = options;
  const compacted = await runCompaction(
    db,
    { zone, now, settles: true, packs: true, ...(signal && { signal }), ...(options.heldMax && { heldMax: options.heldMax }) },
    emit,
  );
  const work = range === undefined && compacted.isWhole ? await findWork(db, options, createEmitter(emit)) : workOfRange(zone, range, now);
  const report = createReport(zone.name, createSeriesReader(db, options.devices));
  const days = [...work.keys()].filter((day) => dayBounds(zone, day).end <= now).sort();
  if (!compacted.isWhole) return report.finish(false);
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

/** Writes down what no chunk opens, then how far that is known; only then may a summary close it again. */
async function findWork(db: Database, { zone }: DailySummaryOptions, emitter: Emitter): Promise<Map<Day, Wanted>> {
  const [after, through] = [summarizedThrough(db, zone.name), compactedThrough(db)];
  const open = openDays(db, zone.name);
  // Days of another zone are cut anew.
  const touched: TouchedDays = after === undefined ? daysOfChunks(db, zone) : daysCutByOthers(db, zone, after);
  for (const [day, ids] of daysWithOtherAlerts(db, zone, after ?? 0)) addAll(touch(touched, day), ids);
  for (const [day, ids] of touched) {
    for (const series of ids) if (!open.get(day)?.has(series)) await emitter.add({ kind: "summary-open", zone: zone.name, day, series });
    addAll(touch(open, day), ids);
  }
  if (through > (after ?? -1)) await emitter.add({ kind: "summary-progress", zone: zone.name, through });
  await emitter.flush();
  return open;
}

/** Days of a range that are over, each for all series. */
function workOfRange(zone: ZoneTable, range: { from: Day; to: Day } | undefined, now: EpochMs): Map<Day, Wanted> {
  const work = new Map<Day, Wanted>();
  if (range === undefined) return work;
  const { from, to } = range;
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
  const emitter = createEmitter(emit);
  const without = new Set(wanted === "all" ? [] : wanted);
  const whole = createWholeness(db);
  const isWhole = whole({ from: bounds.start, to: bounds.end });
  const storedOf = createSummaryReader(db, zone.name, day);
  const gone = new Set(isWhole ? [] : rawDays(db).flatMap((each) => (whole({ from: each.day, to: each.until }) ? [] : [each.day])));
  // What another zone cut may reach into a day that is not whole, but be whole itself: it is merged once, and stays.
  const takes = (series: SeriesId, cutDay: EpochMs): boolean => isWhole || gone.has(cutDay) || storedOf(series) === undefined;
  const reconciler = createReconciler(db, { zone, day, bounds });
  /** They close their days, which must not be before what is said of them is written. */
  const waiting: FinishedRow[] = [];
  let count = 0;
  for (const found of readDay(db, bounds, wanted, takes)) {
    without.delete(found.series);
    if (found.kind === "damaged") {
      // It stays open: when it is mended, it is worked out.
      report.damaged();
      continue;
    }
    const { series, readings, chunks } = found;
    const worked = summarizeDay(readings.ts, readings.value, bounds, { late: lateIn(readings.late), alerts: alerts.get(series) ?? 0 });
    const stored = isWhole ? undefined : storedOf(series);
    const summary = stored === undefined ? worked : mergeSummary(stored.summary, worked);
    report.add(day, series, summary, options.charts ? () => courseOf(day, bounds, readings, summary.longest_gaps) : undefined);
    const consumed = isWhole ? {} : { consumes: chunks.filter((chunk) => gone.has(chunk.day)).map(({ id }) => id) };
    const nothing = isWhole ? reconciler.take(series, readings, summary) : undefined;
    if (nothing !== undefined) await emitter.add(nothing);
    const row: FinishedRow = { kind: "summary", zone: zone.name, day, series, approximate: !isWhole, body: JSON.stringify(summary), at: now, ...consumed };
    if (reconciler.isPending(series)) waiting.push(row);
    else await emitter.add(row);
    count += 1;
    if (count % SERIES_PER_PAUSE === 0) await pause();
    if (signal?.aborted) return false;
  }
  for (const series of without) {
    const refused = reconciler.takeNone(series);
    if (refused !== undefined) await emitter.add(refused);
    const stored = isWhole ? undefined : storedOf(series);
    // Of a day whose readings are gone only alerts can have changed.
    if (stored === undefined) await emitter.add({ kind: "summary-none", zone: zone.name, day, series });
    else {
      const body = JSON.stringify({ ...stored.summary, alerts: alerts.get(series) ?? 0 });
      await emitter.add({ kind: "summary", zone: zone.name, day, series, approximate: stored.approximate, body, at: now });
    }
  }
  for (const [series, found] of reconciler.finish()) {
    report.reconciled(series, found);
    await emitter.add(reconciler.rowOf(series, found));
  }
  for (const row of waiting) await emitter.add(row);
  await emitter.flush();
  return !signal?.aborted;
}
