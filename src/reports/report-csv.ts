// The report of a device as one table for spreadsheets and machines [RFC 4180]: a row for each summary, day, alert, act and gap, and the column
// `kind` says which it is. One table, since an auditor opens and files one document: it filters by `kind`, several devices' tables can
// stand under each other, and one checksum is of all of it. Nothing in it depends on when it was made: the same figures are the same bytes.

import type { EpochMs } from "../engine/units.ts";
import { rfc3339 } from "../reasons/format.ts";
import { csvCell } from "./csv.ts";
import type { DeviceReport, Excursion, ReportDay, ReportedSeries } from "./device-report.ts";
import { localStamp } from "./report-time.ts";

const columns = [
  ...["kind", "device", "metric", "unit", "day", "start", "end", "start_utc", "end_utc", "duration_s", "state"],
  ...["readings", "minimum", "minimum_at", "maximum", "maximum_at", "average", "stddev", "coverage", "late", "gaps"],
  ...["rule", "severity", "peak", "limit", "by", "text", "alert"],
] as const;
type Column = (typeof columns)[number];
type Row = Partial<Record<Column, string | number | null>>;

/** Spreadsheets take UTF-8 for what it is by this mark only. */
const MARK = "\ufeff";

/** With the mark at its start and CRLF after each line. */
export function reportCsv(report: DeviceReport): string {
  const lines = [columns.map(String), ...rowsOf(report).map((row) => columns.map((column) => csvCell(row[column] ?? null)))];
  return `${MARK}${lines.map((line) => `${line.join(",")}\r\n`).join("")}`;
}

function rowsOf(report: DeviceReport): Row[] {
  const of = (kind: string, row: Row): Row => ({ kind, device: report.device, ...row });
  const about = `zone ${report.zone.name}; gateway ${report.gateway}`;
  return [
    of("report", { ...spanOf(report, report.start, report.end), text: about }),
    ...Object.entries(report.limits).map(([name, limit]) => of("limit", { state: name, limit })),
    ...report.series.map((series) => of("summary", { ...seriesCells(series), ...spanOf(report, report.start, report.end), ...summaryCells(report, series) })),
    ...report.series.flatMap((series) => series.days.map((day) => of("day", { ...seriesCells(series), ...dayCells(report, day) }))),
    ...report.excursions.flatMap((excursion) => excursionRows(report, excursion).map(([kind, row]) => of(kind, row))),
    ...report.series.flatMap((series) => series.gaps.map(([start, end]) => of("gap", { ...seriesCells(series), ...spanOf(report, start, end) }))),
  ];
}

const seriesCells = ({ name, unit }: Pick<ReportedSeries, "name" | "unit">): Row => ({ metric: name, unit });

/** @param end null: not over yet */
function spanOf({ zone }: DeviceReport, start: EpochMs, end: EpochMs | null): Row {
  const [from, to] = [start, end].map((at) => (at === null ? { local: null, utc: null } : { local: localStamp(zone, at), utc: rfc3339(at) }));
  return { start: from?.local, start_utc: from?.utc, end: to?.local, end_utc: to?.utc, duration_s: end === null ? null : (end - start) / 1000 } as Row;
}

function summaryCells({ zone }: DeviceReport, { figures, coverage, gaps, gapsUnlisted }: ReportedSeries): Row {
  const rest = { coverage, gaps: gaps.length + gapsUnlisted };
  if (figures === null) return { ...rest, readings: 0 };
  const { readings, min, max, avg, stddev, late, minTs, minDay, maxTs, maxDay } = figures;
  const at = (ts: EpochMs | null, day: string): string => (ts === null ? day : localStamp(zone, ts));
  return { ...rest, readings, minimum: min, minimum_at: at(minTs, minDay), maximum: max, maximum_at: at(maxTs, maxDay), average: avg, stddev, late };
}

function dayCells(report: DeviceReport, { day, start, end, state, figures }: ReportDay): Row {
  const place = { day, ...spanOf(report, start, end), state };
  if (figures === null) return state === "silent" ? { ...place, readings: 0, coverage: 0 } : place;
  const { count, min, max, min_ts, max_ts, avg, stddev, coverage, late, gaps } = figures;
  const at = (ts: EpochMs | null): string | null => (ts === null ? null : localStamp(report.zone, ts));
  return { ...place, readings: count, minimum: min, minimum_at: at(min_ts), maximum: max, maximum_at: at(max_ts), average: avg, stddev, coverage, late, gaps };
}

function excursionRows(report: DeviceReport, excursion: Excursion): [kind: string, Row][] {
  const { id, rule, severity, peak, limit, ack, unit, firedAt, resolvedAt, events } = excursion;
  const series = report.series.find((each) => each.id === excursion.series);
  const metric = { metric: series?.name ?? null, unit };
  const acknowledged = ack === null ? {} : { by: ack.by, text: ack.note };
  const state = resolvedAt === null ? "firing" : "resolved";
  return [
    ["excursion", { ...metric, ...spanOf(report, firedAt, resolvedAt), state, rule, severity, peak, limit, ...acknowledged, alert: id }],
    ...events.map(({ at, kind, by, text }): [string, Row] => {
      const { start, start_utc } = spanOf(report, at, null);
      return ["act", { ...metric, start, start_utc, state: kind, rule, by, text, alert: id } as Row];
    }),
  ];
}
