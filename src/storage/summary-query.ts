// Daily summaries: the list that the API gives, and the batch layer of the serving query.

import { type Day, type DayBounds, dayBounds, dayOf, nextDay, previousDay, type ZoneTable } from "../engine/calendar.ts";
import type { DaySummary } from "../engine/summary.ts";
import type { SeriesId } from "../engine/units.ts";
import type { Database } from "./database.ts";
import { createDeadline } from "./deadline.ts";
import { type Answer, type Bucket, LIMIT_DEFAULT, type Percentile, QUERY_TIME_MS, type QueryContext, type QueryRequest, type SummaryView } from "./query.ts";
import type { Span } from "./raw-readings.ts";
import { createReconciliationReader } from "./reconciliation.ts";
import { createSeriesReader, matchesFilter } from "./series-query.ts";
import { readSummary } from "./stored-summary.ts";

type Request = Extract<QueryRequest, { kind: "summaries" }>;
type SummaryRow = { series: number; version: number; approximate: 0 | 1; body: string; computed_at: number };

export function answerSummaries(db: Database, request: Request, context: QueryContext): Answer<Request> {
  const deadline = createDeadline(context.clock, context.timeMs ?? QUERY_TIME_MS);
  const zone = context.zone.name;
  const limit = request.limit ?? LIMIT_DEFAULT;
  const seriesOf = createSeriesReader(db, context.devices);
  const wanted = request.series === undefined ? undefined : new Set(request.series);
  const rowsOf = db.prepare<[string, Day, number], SummaryRow>(
    "SELECT series, version, approximate, body, computed_at FROM daily_summary WHERE zone = ? AND day = ? AND series > ? ORDER BY series",
  );
  const reconciliations = createReconciliationReader(db);
  const summaries: SummaryView[] = [];
  for (const { day, after } of daysOf(db, request, zone)) {
    for (const row of rowsOf.iterate(zone, day, after)) {
      deadline.check();
      if (wanted !== undefined && !wanted.has(row.series)) continue;
      const { labels, unit } = seriesOf(row.series);
      if (!matchesFilter(labels, request.labels)) continue;
      if (summaries.length === limit) return { summaries, cursor: cursorOf(summaries) };
      const { version, approximate, body, computed_at } = row;
      summaries.push({
        day,
        zone,
        series: row.series,
        labels,
        unit,
        ...readSummary(body),
        version,
        approximate: approximate === 1,
        computed_at,
        reconciliation: reconciliations.stored(zone, day, row.series),
      });
    }
  }
  return { summaries, cursor: null };
}

const cursorOf = (summaries: readonly SummaryView[]): string | null => {
  const last = summaries.at(-1);
  return last === undefined ? null : `${last.day}.${last.series}`;
};

/** Days that have summaries, newest first; of the cursor's day only the series after the cursor's. */
function* daysOf(db: Database, request: Request, zone: string): Generator<{ day: Day; after: SeriesId }> {
  const newest = db.prepare<[string, Day], Day | null>("SELECT max(day) FROM daily_summary WHERE zone = ? AND day < ?").pluck();
  const [cursorDay, cursorSeries] = request.cursor?.split(".") ?? [];
  const top = request.day ?? request.to;
  let before = top === undefined ? "a" : nextDay(top);
  if (cursorDay !== undefined && nextDay(cursorDay) < before) before = nextDay(cursorDay);
  const bottom = request.day ?? request.from ?? "";
  for (let day = newest.get(zone, before) ?? null; day !== null && day >= bottom; day = newest.get(zone, day) ?? null)
    yield { day, after: day === cursorDay ? Number(cursorSeries) : -1 };
}

export type BatchReader = {
  /** Puts the batch's days in place of those from raw or stream, unless they know of more readings than the batch did. */
  merge(series: SeriesId, buckets: readonly Bucket[]): Bucket[];
};

/** @param span what the buckets are of; it may be decades long for the sake of one reading of a wrong clock, so days without summaries cost nothing */
export function createBatchReader(db: Database, zone: ZoneTable, span: Span, percentiles: readonly Percentile[] = []): BatchReader {
  const read = db.prepare<[string, Day, number], Pick<SummaryRow, "approximate" | "body">>(
    "SELECT approximate, body FROM daily_summary WHERE zone = ? AND day = ? AND series = ?",
  );
  const isOpen = db.prepare<[string, Day, number], 1>("SELECT 1 FROM summary_open WHERE zone = ? AND day = ? AND series = ?").pluck();
  const days = summarizedDays(db, zone, span);
  return {
    merge(series, buckets) {
      const byStart = new Map(buckets.map((bucket) => [bucket.t, { ...bucket, provisional: true }]));
      for (const { day, start, end } of days) {
        const row = read.get(zone.name, day, series);
        if (row === undefined) continue;
        const summary = JSON.parse(row.body) as DaySummary;
        const { count, min, max, avg, sum } = summary;
        if ((byStart.get(start)?.count ?? 0) > count) continue;
        const provisional = isOpen.get(zone.name, day, series) === 1;
        // Percentiles cannot be merged as the other figures are: those of an approximate summary leave readings out.
        const ranked = row.approximate === 1 ? {} : Object.fromEntries(percentiles.map((name) => [name, summary[name]]));
        byStart.set(start, { t: start, end, count, min, max, avg, sum: sum ?? avg * count, ...ranked, source: "batch", provisional });
      }
      return [...byStart.values()].sort((a, b) => a.t - b.t);
    },
  };
}

/** Days of the span of which any series has a summary. */
function summarizedDays(db: Database, zone: ZoneTable, { from, to }: Span): (DayBounds & { readonly day: Day })[] {
  const next = db.prepare<[string, Day], Day | null>("SELECT min(day) FROM daily_summary WHERE zone = ? AND day > ?").pluck();
  const days: (DayBounds & { readonly day: Day })[] = [];
  let day = next.get(zone.name, Number.isFinite(from) ? previousDay(dayOf(zone, from)) : "") ?? null;
  for (; day !== null && dayBounds(zone, day).start < to; day = next.get(zone.name, day) ?? null) days.push({ day, ...dayBounds(zone, day) });
  return days;
}
