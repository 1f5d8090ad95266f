// The small charts of the summary mail: of each sensor that the report names, the newest of its days, drawn where the job runs and carried in
// the report as PNG, with the same in words for those who do not see pictures.

import { epochOf, localTime, type ZoneTable } from "../engine/calendar.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { drawChart } from "../reports/chart.ts";
import { alertTimesOf } from "../storage/alert-times.ts";
import type { Database } from "../storage/database.ts";
import { COURSE_SLOTS, type DayCourse } from "./jobs/day-course.ts";
import { createPngPainter } from "./png.ts";
import { clockText, counted, figure, nameOf } from "./summary-words.ts";

export const CHART_SIZE = { width: 200, height: 44 } as const;
/** Hours between two faint lines. */
const TICK_HOURS = 6;
/** Gaps and alerts that the words name; more are counted. */
const NAMED_MAX = 3;

export type SeriesChart = { readonly series: SeriesId; readonly png: Uint8Array /** What it shows, in words. */; readonly alt: string };

/** Of a series that the report names. */
export type ChartSubject = Parameters<typeof nameOf>[0] & { readonly course: DayCourse };

/** @throws Error where pictures cannot be drawn on this machine */
export async function drawCharts(db: Database, subjects: readonly ChartSubject[], zone: ZoneTable): Promise<SeriesChart[]> {
  if (subjects.length === 0) return [];
  const paint = await createPngPainter();
  const wanted = new Set(subjects.map(({ series }) => series));
  const days = new Map(subjects.map(({ course }) => [course.day, course]));
  const times = new Map([...days].map(([day, bounds]) => [day, alertTimesOf(db, bounds, wanted)]));
  return subjects.map((subject) => {
    const alerts = times.get(subject.course.day)?.get(subject.series) ?? [];
    return { series: subject.series, png: paint(courseChart(subject.course, alerts, zone)), alt: courseWords(subject, alerts, zone) };
  });
}

/** As SVG. */
export function courseChart(course: DayCourse, alerts: readonly EpochMs[], zone: ZoneTable): string {
  const share = (at: EpochMs): number => (at - course.start) / (course.end - course.start);
  const hours = Array.from({ length: 24 / TICK_HOURS - 1 }, (_, index) => (index + 1) * TICK_HOURS);
  return drawChart(
    {
      points: course.points,
      slot: 1 / COURSE_SLOTS,
      gaps: course.gaps.map(([from, to]): [number, number] => [share(from), share(to)]),
      marks: firstOfEachSlot(alerts.map(share)),
      ticks: hours.map((hour) => share(epochOf(zone, localTime(course.day, hour * 60)))),
    },
    CHART_SIZE,
  );
}

/** More would lie on each other, and weigh. */
const firstOfEachSlot = (shares: readonly number[]): number[] =>
  [...Map.groupBy(shares, (at) => Math.floor(at * COURSE_SLOTS)).values()].map(([at]) => at as number);

/** What the chart shows; times are those of the half hour. */
export function courseWords(subject: ChartSubject, alerts: readonly EpochMs[], zone: ZoneTable): string {
  const { points, gaps, day, start, end } = subject.course;
  const [lowest, highest] = [
    points.reduce((low, point) => (point.min < low.min ? point : low)),
    points.reduce((high, point) => (point.max > high.max ? point : high)),
  ];
  const about = (at: number): string => clockText(zone, start + ((end - start) * Math.round(at * COURSE_SLOTS - 0.5)) / COURSE_SLOTS);
  const until = (at: EpochMs): string => (at === end ? "24:00" : clockText(zone, at));
  return [
    `${nameOf(subject)} on ${day}: lowest ${figure(lowest.min)} about ${about(lowest.at)}, highest ${figure(highest.max)} about ${about(highest.at)}.`,
    ...(gaps.length === 0 ? [] : [`No readings ${named(gaps, "more time", ([from, to]) => `from ${clockText(zone, from)} to ${until(to)}`)}.`]),
    ...(alerts.length === 0 ? [] : [`${alerts.length === 1 ? "Alert" : "Alerts"} at ${named(alerts, "more alert", (at) => clockText(zone, at))}.`]),
  ].join(" ");
}

function named<Item>(items: readonly Item[], more: string, textOf: (item: Item) => string): string {
  const rest = items.length - NAMED_MAX;
  return [...items.slice(0, NAMED_MAX).map(textOf), ...(rest > 0 ? [counted(rest, more)] : [])].join(", ");
}
