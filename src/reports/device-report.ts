// The report of one device over some local days: what each of its series did, from the exact figures of its days, what alerts there were, and
// where nothing was heard. Pure: the store's part is to read the rows (storage/report-query.ts), how it looks is said elsewhere.

import type { Day, ZoneTable } from "../engine/calendar.ts";
import type { AlertEvent } from "../engine/dispatch/record.ts";
import type { Labels } from "../engine/reading.ts";
import type { Severity } from "../engine/severity.ts";
import type { Gap } from "../engine/summary.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { StoredSummary } from "../storage/stored-summary.ts";
import { joinGaps, silencesOver } from "./silences.ts";

/** A month `YYYY-MM`, or days, both inclusive; none of them: the month that it is. */
export type ReportTime = { readonly month?: string; readonly from?: Day; readonly to?: Day };

/**
 * `exact` and `approximate` days have figures; so have those that are `open`: readings or alerts came since, and they will be worked out anew.
 * `waiting`: the nightly batch has not been there. `silent`: it was, and there was no reading.
 */
export type DayState = "exact" | "approximate" | "open" | "waiting" | "silent";
export type ReportDay = { readonly day: Day; readonly start: EpochMs; readonly end: EpochMs; readonly state: DayState; readonly figures: StoredSummary | null };

/** Over all days that have figures; null where there is none. */
export type SeriesFigures = {
  readonly readings: number;
  readonly late: number;
  readonly min: number;
  readonly minDay: Day;
  readonly minTs: EpochMs | null;
  readonly max: number;
  readonly maxDay: Day;
  readonly maxTs: EpochMs | null;
  readonly avg: number;
  /** Of the sample, merged from those of the days; null for a single reading, or where one is beyond what a double holds. */
  readonly stddev: number | null;
};

export type ReportedSeries = {
  readonly id: SeriesId;
  /** Its metric, with what tells it from others of the same metric. */
  readonly name: string;
  readonly labels: Labels;
  readonly unit: string | null;
  readonly figures: SeriesFigures | null;
  /** Share of the time that lies not in gaps, of the days that are not waiting; null when all are. */
  readonly coverage: number | null;
  readonly days: readonly ReportDay[];
  /** In order of time; what goes on over midnight, or over silent days, is one, also where it is too short for a gap on either side. They end at the edges of the report. */
  readonly gaps: readonly Gap[];
  /** Gaps of days that have more than their summaries list. */
  readonly gapsUnlisted: number;
};

/** An occurrence of an alert that stood in the time, even if it began before. */
export type Excursion = {
  readonly id: string;
  /** Null: of several series of the device together. */
  readonly series: SeriesId | null;
  readonly rule: string;
  readonly severity: Severity;
  readonly unit: string | null;
  readonly firedAt: EpochMs;
  /** Null: it stands still. */
  readonly resolvedAt: EpochMs | null;
  readonly peak: number;
  readonly limit: number | null;
  /** As it is now; null: nobody acknowledged it. */
  readonly ack: { readonly by: string; readonly at: EpochMs; readonly note: string } | null;
  /** What people and time did with it, oldest first; acknowledgements and comments are among them. */
  readonly events: readonly Pick<AlertEvent, "at" | "kind" | "by" | "text">[];
};

export type DeviceReport = {
  readonly device: string;
  /** Those that the config gives it, and its limits there. */
  readonly labels: Labels;
  readonly limits: Readonly<Record<string, number>>;
  readonly from: Day;
  readonly to: Day;
  readonly start: EpochMs;
  readonly end: EpochMs;
  readonly zone: ZoneTable;
  /** Readings that arrived later are not in the figures yet. */
  readonly knownUntil: EpochMs;
  readonly series: readonly ReportedSeries[];
  /** In order of firing. */
  readonly excursions: readonly Excursion[];
  /** More than are listed. */
  readonly excursionsLeftOut: number;
  readonly madeAt: EpochMs;
  readonly gateway: string;
  readonly version: string;
};

/** @param days of the report, in order, those without length left out */
export function reportSeries(series: Pick<ReportedSeries, "id" | "name" | "labels" | "unit">, days: readonly ReportDay[]): ReportedSeries {
  const known = days.filter(({ state }) => state !== "waiting");
  const time = known.reduce((sum, { start, end }) => sum + (end - start), 0);
  const silences = silencesOver(days);
  const counted = silences.reduce((sum, silence) => sum + silence.counted, 0);
  const covered = known.reduce((sum, { start, end, figures }) => sum + (figures?.coverage ?? 0) * (end - start), 0) - counted;
  const unlisted = days.reduce((sum, { figures }) => sum + (figures === null ? 0 : figures.gaps - figures.longest_gaps.length), 0);
  return {
    ...series,
    figures: mergeDays(days),
    coverage: time === 0 ? null : Math.max(0, covered / time),
    days,
    gaps: joinGaps(days, silences),
    gapsUnlisted: Math.max(0, unlisted - silences.reduce((sum, silence) => sum + silence.unlisted, 0)),
  };
}

/** Means and squares by Chan's merge; of equal extremes the earlier. */
export function mergeDays(days: readonly ReportDay[]): SeriesFigures | null {
  const told = days.flatMap(({ day, figures }) => (figures === null ? [] : [{ day, ...figures }]));
  const [first] = told;
  if (first === undefined) return null;
  const readings = told.reduce((sum, { count }) => sum + count, 0);
  const lowest = told.reduce((low, each) => (each.min < low.min ? each : low));
  const highest = told.reduce((high, each) => (each.max > high.max ? each : high));
  let [count, avg, squares]: [number, number, number | null] = [0, 0, 0];
  for (const each of told) {
    const delta = each.avg - avg;
    const own = each.count === 1 ? 0 : each.stddev === null ? null : each.stddev ** 2 * (each.count - 1);
    squares = squares === null || own === null ? null : squares + own + delta * delta * ((count * each.count) / (count + each.count));
    count += each.count;
    // Each part is taken by itself, as the difference of two doubles need not be one.
    avg += each.avg * (each.count / count) - avg * (each.count / count);
  }
  const stddev = squares === null || readings === 1 ? null : Math.sqrt(squares / (readings - 1));
  return {
    readings,
    late: told.reduce((sum, { late }) => sum + late, 0),
    ...{ min: lowest.min, minDay: lowest.day, minTs: lowest.min_ts },
    ...{ max: highest.max, maxDay: highest.day, maxTs: highest.max_ts },
    avg,
    stddev: stddev !== null && Number.isFinite(stddev) ? stddev : null,
  };
}

/** Each series by its metric, and where several share it, by the labels in which they differ. */
export function seriesNames(all: readonly Labels[]): string[] {
  const differing = [...new Set(all.flatMap((labels) => Object.keys(labels)))]
    .sort()
    .filter((name) => name !== "metric" && new Set(all.map((labels) => labels[name])).size > 1);
  return all.map((labels) => {
    const metric = labels["metric"] ?? "";
    if (all.filter((other) => other["metric"] === labels["metric"]).length === 1) return metric;
    return [metric, ...differing.flatMap((name) => (labels[name] === undefined ? [] : [`${name}=${labels[name]}`]))].join(" ");
  });
}
