// The chart of one series in the report of its device: day by day.

import type { DayBounds } from "../engine/calendar.ts";
import { formatNumber } from "../reasons/format.ts";
import { drawChart } from "./chart.ts";
import type { DeviceReport, ReportDay, ReportedSeries } from "./device-report.ts";
import { escapeMarkup, Markup } from "./markup.ts";
import { dayShort } from "./report-time.ts";

const SIZE = { width: 800, height: 190 } as const;
/** Days that are labelled, at most; of longer times the months. */
const LABELS_MAX = 8;
/** Alerts closer than this share of the time lie on each other. */
const MARK_SHARE = 1 / 400;

export function seriesChart(report: DeviceReport, series: ReportedSeries): Markup {
  const { start, end } = report;
  const share = (at: number): number => (at - start) / (end - start);
  const middle = (day: DayBounds): number => share((day.start + day.end) / 2);
  const told = series.days.filter((day): day is ReportDay & { figures: NonNullable<ReportDay["figures"]> } => day.figures !== null);
  const own = report.excursions.filter((each) => each.series === series.id);
  const fired = own.filter(({ firedAt }) => firedAt >= start && firedAt < end).map(({ firedAt }) => share(firedAt));
  const labels = labelledDays(series.days).map((day) => ({ at: share(day.start), text: dayShort(day.day) }));
  const limits = new Set([...own.flatMap(({ limit }) => limit ?? []), ...(report.series.length === 1 ? Object.values(report.limits) : [])]);
  const chart = {
    points: told.map((day) => ({ at: middle(day), min: day.figures.min, max: day.figures.max, avg: day.figures.avg })),
    slot: 1 / series.days.length,
    gaps: series.gaps.map(([from, to]): [number, number] => [share(from), share(to)]),
    unknown: series.days.filter(({ state }) => state === "waiting").map((day): [number, number] => [share(day.start), share(day.end)]),
    marks: [...Map.groupBy(fired, (at) => Math.floor(at / MARK_SHARE)).values()].map(([at]) => at as number),
    ticks: labels.map(({ at }) => at).filter((at) => at > 0),
    limits: [...limits],
  };
  const label = escapeMarkup(`Chart of ${series.name}, day by day: the figures stand in the table of days.`);
  return new Markup(drawChart(chart, { ...SIZE, axis: { labels, valueText: (value) => formatNumber(Number(value.toPrecision(4))) }, label }));
}

/** The first day and each so many-th after it; where that would be many, the first days of months. */
function labelledDays(days: readonly ReportDay[]): readonly ReportDay[] {
  if (days.length > 62)
    return thinned(
      days.filter(({ day }) => day.endsWith("-01")),
      12,
    );
  return thinned(days, LABELS_MAX);
}

function thinned(days: readonly ReportDay[], most: number): readonly ReportDay[] {
  const every = Math.max(1, Math.ceil(days.length / most));
  return days.filter((_, index) => index % every === 0);
}
