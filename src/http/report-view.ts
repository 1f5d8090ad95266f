// The report of a device as the API tells it: snake_case, instants as RFC 3339 in UTC.

import { z } from "zod";
import { alertEventKinds } from "../engine/dispatch/record.ts";
import { severities } from "../engine/severity.ts";
import type { DeviceReport, Excursion, ReportDay, ReportedSeries, SeriesFigures } from "../reports/device-report.ts";
import { labelsSchema, rfc3339, timeSchema } from "./view.ts";

const gapSchema = z.tuple([timeSchema, timeSchema]);

const figuresSchema = z.strictObject({
  readings: z.int(),
  late: z.int(),
  min: z.number(),
  min_day: z.string(),
  min_ts: timeSchema.nullable().meta({ description: "null where the day's summary is from before this was kept" }),
  max: z.number(),
  max_day: z.string(),
  max_ts: timeSchema.nullable(),
  avg: z.number(),
  stddev: z.number().nullable().meta({ description: "Of the sample, merged from those of the days" }),
});

const reportDaySchema = z.strictObject({
  day: z.string(),
  state: z.enum(["exact", "approximate", "open", "waiting", "silent"]).meta({
    description: "`open`: has figures that will be made anew; `waiting`: not summarised yet; `silent`: no reading",
  }),
  count: z.int().nullable().meta({ description: "This and the rest are null without figures" }),
  min: z.number().nullable(),
  max: z.number().nullable(),
  avg: z.number().nullable(),
  stddev: z.number().nullable(),
  coverage: z.number().nullable(),
  late: z.int().nullable(),
  alerts: z.int().nullable(),
});

const reportedSeriesSchema = z.strictObject({
  series: z.int().meta({ description: "As in /api/v1/series" }),
  name: z.string().meta({ description: "The metric, with what tells it from others of the same metric" }),
  labels: labelsSchema,
  unit: z.string().nullable(),
  figures: figuresSchema.nullable().meta({ description: "Over all days that have figures" }),
  coverage: z.number().nullable().meta({ description: "Share of the days that are not waiting that is not in gaps" }),
  gaps: z.array(gapSchema).meta({ description: "Start and end, in order; joined over midnight, cut at the edges of the report" }),
  gaps_unlisted: z.int().meta({ description: "Gaps of days that have more than their summaries list" }),
  days: z.array(reportDaySchema),
});

const excursionSchema = z.strictObject({
  alert: z.string().meta({ description: "As in /api/v1/alerts" }),
  series: z.int().nullable().meta({ description: "null: several of the device together" }),
  rule: z.string(),
  severity: z.enum(severities),
  fired_at: timeSchema,
  resolved_at: timeSchema.nullable().meta({ description: "null: it stands still" }),
  duration_ms: z.number().nullable(),
  peak: z.number(),
  limit: z.number().nullable(),
  unit: z.string().nullable(),
  acked_by: z.string().nullable(),
  acked_at: timeSchema.nullable(),
  ack_note: z.string().nullable(),
  events: z.array(z.strictObject({ at: timeSchema, kind: z.enum(alertEventKinds), by: z.string(), text: z.string() })),
});

export const reportSchema = z.strictObject({
  device: z.string(),
  labels: labelsSchema.meta({ description: "Those that the config gives the device" }),
  limits: z.record(z.string(), z.number()).meta({ description: "Those of the device in the config" }),
  from: z.string().meta({ description: "Local days, both inclusive" }),
  to: z.string(),
  zone: z.string(),
  known_until: timeSchema.meta({ description: "What arrived later is not in the figures yet" }),
  series: z.array(reportedSeriesSchema),
  excursions: z.array(excursionSchema).meta({ description: "Alerts that stood in the time, in order of firing" }),
  excursions_left_out: z.int().meta({ description: "More than are listed" }),
  made_at: timeSchema,
  gateway: z.string(),
  version: z.string(),
  csv_sha256: z.string().meta({ description: "SHA-256 of the same report with `format=csv`, the whole file" }),
});
type View = z.output<typeof reportSchema>;

export const reportOfView = (report: DeviceReport): Omit<View, "csv_sha256"> => ({
  device: report.device,
  labels: report.labels,
  limits: { ...report.limits },
  from: report.from,
  to: report.to,
  zone: report.zone.name,
  known_until: rfc3339(report.knownUntil),
  series: report.series.map(seriesOfView),
  excursions: report.excursions.map(excursionOfView),
  excursions_left_out: report.excursionsLeftOut,
  made_at: rfc3339(report.madeAt),
  gateway: report.gateway,
  version: report.version,
});

const seriesOfView = ({ id, name, labels, unit, figures, coverage, gaps, gapsUnlisted, days }: ReportedSeries): View["series"][number] => ({
  ...{ series: id, name, labels, unit, coverage },
  figures: figures === null ? null : figuresOfView(figures),
  gaps: gaps.map(([start, end]) => [rfc3339(start), rfc3339(end)]),
  gaps_unlisted: gapsUnlisted,
  days: days.map(dayOfView),
});

const figuresOfView = ({ minDay, minTs, maxDay, maxTs, ...figures }: SeriesFigures): View["series"][number]["figures"] => ({
  ...figures,
  ...{ min_day: minDay, min_ts: minTs === null ? null : rfc3339(minTs) },
  ...{ max_day: maxDay, max_ts: maxTs === null ? null : rfc3339(maxTs) },
});

function dayOfView({ day, state, figures }: ReportDay): View["series"][number]["days"][number] {
  if (figures === null) return { day, state, count: null, min: null, max: null, avg: null, stddev: null, coverage: null, late: null, alerts: null };
  const { count, min, max, avg, stddev, coverage, late, alerts } = figures;
  return { day, state, count, min, max, avg, stddev, coverage, late, alerts };
}

const excursionOfView = ({ id, firedAt, resolvedAt, ack, events, series, rule, severity, peak, limit, unit }: Excursion): View["excursions"][number] => ({
  ...{ alert: id, series, rule, severity, peak, limit, unit },
  fired_at: rfc3339(firedAt),
  resolved_at: resolvedAt === null ? null : rfc3339(resolvedAt),
  duration_ms: resolvedAt === null ? null : resolvedAt - firedAt,
  acked_by: ack?.by ?? null,
  acked_at: ack === null ? null : rfc3339(ack.at),
  ack_note: ack?.note ?? null,
  events: events.map(({ at, ...rest }) => ({ ...rest, at: rfc3339(at) })),
});
