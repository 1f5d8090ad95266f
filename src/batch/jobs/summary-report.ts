// What a run of the daily summary tells people: per day and per series, the worst first. Plain JSON but for the charts; it travels between
// threads and is printed by `--json`, which has no charts. Its size is bounded by the number of days, not by days times series.

import type { AlarmPerformance } from "../../engine/alarm-performance.ts";
import type { Day } from "../../engine/calendar.ts";
import type { Labels } from "../../engine/reading.ts";
import type { DaySummary } from "../../engine/summary.ts";
import type { DurationMs, SeriesId } from "../../engine/units.ts";
import type { Reconciliation, Refused } from "../../storage/reconciliation.ts";
import type { SeriesChart } from "../summary-charts.ts";
import type { DayCourse } from "./day-course.ts";

/** Series that the report names; the rest is in the totals. */
export const WORST_MAX = 20;
/** Courses that are kept while the run goes on: who is among the worst is known at its end only. */
const COURSES_KEPT = 100;

/** `coverage` is the share of the time that lies not in gaps, over all that the entry sums up. */
type Totals = { readonly readings: number; readonly late: number; readonly alerts: number; readonly coverage: number };
export type DayReport = Totals & { readonly day: Day; readonly series: number };
export type SeriesReport = Totals & {
  readonly series: SeriesId;
  readonly labels: Labels;
  readonly unit: string | null;
  readonly days: number;
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly largestGapMs: DurationMs;
};

/** Of the newest day of the run. `figures` are null when more alerts fired than are worked out. */
export type DayPerformance = { readonly day: Day; readonly figures: AlarmPerformance | null };

/** What the reconciliation found of a series, over all days of the run; counts of readings and of alerts. */
export type ReconciledSeries = Refused & {
  readonly series: SeriesId;
  readonly labels: Labels;
  readonly late: number;
  readonly unexplained: number;
  readonly missed: number;
  readonly mistaken: number;
  readonly moved: number;
};
/** Worst first: faults, then alerts missed or in error, then late readings; at most WORST_MAX, `left` are more. `unjudged`: series whose alerts were not judged. */
export type ReconciliationReport = { readonly series: readonly ReconciledSeries[]; readonly left: number; readonly unjudged: number };

export type SummaryReport = Totals & {
  readonly zone: string;
  /** False when the run was ended early; what is in the report is done. */
  readonly isWhole: boolean;
  /** Oldest first. */
  readonly days: readonly DayReport[];
  /** How many series had readings in these days. */
  readonly series: number;
  /** Worst first: most alerts, then least coverage; at most WORST_MAX. */
  readonly worst: readonly SeriesReport[];
  readonly reconciliation: ReconciliationReport;
  /** (series, day) whose readings cannot be read, and which are not worked out. */
  readonly damaged: number;
  /** Absent when no day was summarised. */
  readonly performance?: DayPerformance;
  /** Of the worst, where they were asked for. */
  readonly charts?: readonly SeriesChart[];
  /** Why they could not be drawn. */
  readonly chartsProblem?: string;
};

class Sum {
  readings = 0;
  late = 0;
  alerts = 0;
  days = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  largestGapMs = 0;
  #covered = 0;
  #time = 0;
  #weighted = 0;

  add(summary: DaySummary): void {
    this.readings += summary.count;
    this.late += summary.late;
    this.alerts += summary.alerts;
    this.days += 1;
    this.min = Math.min(this.min, summary.min);
    this.max = Math.max(this.max, summary.max);
    this.largestGapMs = Math.max(this.largestGapMs, summary.largest_gap_ms);
    this.#covered += summary.coverage * summary.day_ms;
    this.#time += summary.day_ms;
    this.#weighted += summary.avg * summary.count;
  }

  get coverage(): number {
    return this.#time > 0 ? this.#covered / this.#time : 1;
  }

  get avg(): number {
    return this.#weighted / this.readings;
  }

  totals(): Totals {
    const { readings, late, alerts, coverage } = this;
    return { readings, late, alerts, coverage };
  }
}

export function createReport(zone: string, seriesOf: (id: SeriesId) => { labels: Labels; unit: string | null }) {
  const all = new Sum();
  const byDay = new Map<Day, Sum>();
  const bySeries = new Map<SeriesId, Sum>();
  const sumOf = <Key>(sums: Map<Key, Sum>, key: Key): Sum => {
    const sum = sums.get(key) ?? new Sum();
    sums.set(key, sum);
    return sum;
  };
  const isWorse = ([idA, a]: readonly [SeriesId, Sum], [idB, b]: readonly [SeriesId, Sum]): number =>
    b.alerts - a.alerts || a.coverage - b.coverage || idA - idB;
  const courses = createCourses((a, b) => isWorse([a, sumOf(bySeries, a)], [b, sumOf(bySeries, b)]));
  const differing = createDiffering();
  let damaged = 0;
  return {
    damaged: (): void => void (damaged += 1),
    reconciled: (series: SeriesId, found: Reconciliation): void => differing.add(series, found),
    /** @param course of this day, worked out only for a series that may be among the worst */
    add(day: Day, series: SeriesId, summary: DaySummary, course?: () => DayCourse): void {
      for (const sum of [all, sumOf(byDay, day), sumOf(bySeries, series)]) sum.add(summary);
      if (course !== undefined) courses.add(series, course);
    },
    readings: (): number => all.readings,
    /** Of the newest of its days; undefined where it was not kept. */
    courseOf: (series: SeriesId): DayCourse | undefined => courses.of(series),
    finish(isWhole: boolean): SummaryReport {
      const days = [...byDay].map(([day, sum]): DayReport => ({ day, series: sum.days, ...sum.totals() }));
      const worst = [...bySeries]
        .sort(isWorse)
        .slice(0, WORST_MAX)
        .map(([series, sum]): SeriesReport => {
          const { min, avg, max, largestGapMs } = sum;
          return { series, ...seriesOf(series), days: sum.days, ...sum.totals(), min, avg, max, largestGapMs };
        });
      return { zone, isWhole, ...all.totals(), days, series: bySeries.size, worst, reconciliation: differing.finish(seriesOf), damaged };
    },
  };
}

function createDiffering() {
  const bySeries = new Map<SeriesId, Omit<ReconciledSeries, "series" | "labels">>();
  const unjudged = new Set<SeriesId>();
  const of = (alerts: Reconciliation["alerts"], wanted: string): number => alerts?.filter(({ kind }) => kind === wanted).length ?? 0;
  const weightOf = ({ missed, mistaken }: { missed: number; mistaken: number }): number => missed + mistaken;
  return {
    add(series: SeriesId, { late, duplicate, conflict, quarantined, unexplained, alerts }: Reconciliation): void {
      const so = bySeries.get(series) ?? { late: 0, duplicate: 0, conflict: 0, quarantined: 0, unexplained: 0, missed: 0, mistaken: 0, moved: 0 };
      if (alerts === null) unjudged.add(series);
      bySeries.set(series, {
        late: so.late + late,
        duplicate: so.duplicate + duplicate,
        conflict: so.conflict + conflict,
        quarantined: so.quarantined + quarantined,
        // Too many on one day do not make up for too few on another.
        unexplained: so.unexplained + Math.abs(unexplained),
        missed: so.missed + of(alerts, "missed"),
        mistaken: so.mistaken + of(alerts, "mistaken"),
        moved: so.moved + of(alerts, "moved"),
      });
    },
    finish(seriesOf: (id: SeriesId) => { labels: Labels }): ReconciliationReport {
      const worst = [...bySeries]
        .sort(([idA, a], [idB, b]) => b.unexplained - a.unexplained || weightOf(b) - weightOf(a) || b.late - a.late || idA - idB)
        .slice(0, WORST_MAX)
        .map(([series, found]): ReconciledSeries => ({ series, labels: seriesOf(series).labels, ...found }));
      return { series: worst, left: bySeries.size - worst.length, unjudged: unjudged.size };
    },
  };
}

/** Of the worst series so far. Whoever is pushed out by worse ones does not come back but by a further day of its own. */
function createCourses(isWorse: (a: SeriesId, b: SeriesId) => number) {
  const kept = new Map<SeriesId, DayCourse>();
  /** The best of those kept when there were last too many: nobody who is better than it need be looked at. */
  let bar: SeriesId | undefined;
  return {
    of: (series: SeriesId): DayCourse | undefined => kept.get(series),
    add(series: SeriesId, course: () => DayCourse): void {
      if (bar !== undefined && !kept.has(series) && isWorse(series, bar) > 0) return;
      kept.set(series, course());
      if (kept.size <= 2 * COURSES_KEPT) return;
      const worstFirst = [...kept.keys()].sort(isWorse);
      for (const each of worstFirst.slice(COURSES_KEPT)) kept.delete(each);
      bar = worstFirst[COURSES_KEPT - 1];
    },
  };
}
