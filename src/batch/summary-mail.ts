// The mail about a run of the daily summary: one per run, however many days it caught up. Text at 72 columns and HTML, the worst
// sensors first. A pure function of the report; sending it is the business of notify/channels/email.ts.

import { utc } from "../engine/calendar.ts";
import { type EpochMs, formatDuration } from "../engine/units.ts";
import { zoneTable } from "../zone.ts";
import type { DayReport, SeriesReport, SummaryReport } from "./jobs/summary-report.ts";
import { type Cell, escapeHtml, htmlTable, oneLine, type Picture, type Table, tableOf, textTable } from "./mail-table.ts";
import { actorsTable, figuresTable, leadOf as performanceLeadOf } from "./performance-tables.ts";
import { reconciliationFoot, reconciliationTable } from "./reconciliation-table.ts";
import { CHART_SIZE, type SeriesChart } from "./summary-charts.ts";
import { clockText, counted, FIGURE_COLUMNS, figure, nameOf } from "./summary-words.ts";

/** The charts are attached, and the HTML shows them by `cid`. */
export type SummaryMail = { readonly subject: string; readonly text: string; readonly html: string; readonly attachments: readonly Attachment[] };
type Attachment = { readonly filename: string; readonly content: Uint8Array; readonly contentType: "image/png"; readonly cid: string };

const COLUMNS = 72;
/** Days that get a line each; more are told by month. */
const DAYS_MAX = 31;

/**
 * @param options.externalUrl where the dashboard is; no line about it without
 * @returns undefined for a run that had nothing to do: no mail is sent then
 */
export function renderSummaryMail(report: SummaryReport, options: { gatewayName: string; externalUrl: string | null }): SummaryMail | undefined {
  if (report.days.length === 0) return undefined;
  const period = periodOf(report);
  const subject = oneLine(`[${options.gatewayName}] ${period}: ${counted(report.alerts, "alert")}, coverage ${percent(report.coverage)}`);
  const lead = leadOf(report, period);
  const tables = [...(report.days.length > 1 ? [daysTable(report.days)] : []), seriesTable(report), ...differencesOf(report), ...performanceTables(report)];
  const foot = footOf(report, options.externalUrl);
  const text = [...wrap(lead), "", ...tables.flatMap((table) => [...textTable(table), ""]), ...foot.flatMap((line) => wrap(line)), ""].join("\n");
  const charts = report.charts ?? [];
  const html = htmlPage(subject, lead, tables, [...(charts.length === 0 ? [] : [chartsMeaning(report)]), ...foot]);
  return { subject, text, html, attachments: charts.map(attachmentOf) };
}

const cidOf = ({ series }: SeriesChart): string => `chart-${series}@highwater`;

const attachmentOf = (chart: SeriesChart): Attachment => ({
  filename: `chart-${chart.series}.png`,
  content: chart.png,
  contentType: "image/png",
  cid: cidOf(chart),
});

function chartsMeaning({ days, zone }: SummaryReport): string {
  const which = days.length > 1 ? "the newest of these days in which the sensor spoke" : "the day";
  return `A chart is of ${which}, midnight to midnight (${zone}), a line each six hours: from the lowest to the highest of each half hour, and the average; grey where there is a gap, red where an alert fired.`;
}

function periodOf({ days }: SummaryReport): string {
  const [first, last] = [days[0]?.day ?? "", days.at(-1)?.day ?? ""];
  return days.length > 1 ? `${first} to ${last} (${days.length} days)` : first;
}

function leadOf(report: SummaryReport, period: string): string {
  const late = report.late > 0 ? `, ${report.late} of them late` : "";
  const told = `${period}, ${report.zone}: ${counted(report.readings, "reading")} of ${counted(report.series, "sensor")}${late}; ${counted(report.alerts, "alert")} fired.`;
  return report.isWhole ? told : `${told} The run was ended before it was done; the rest follows with the next run.`;
}

function footOf(report: SummaryReport, externalUrl: string | null): string[] {
  const rest = report.series - report.worst.length;
  const more = rest > 0 ? [`${counted(rest, "more sensor")} not listed.`] : [];
  const meaning = "Coverage is the share of the day not in gaps; a gap is longer than three times the day's median interval.";
  const damaged =
    report.damaged > 0
      ? [`The readings of ${counted(report.damaged, "sensor")} are damaged on the disk, and not summarised: "highwater verify" names them.`]
      : [];
  return [
    ...more,
    ...damaged,
    meaning,
    ...reconciliationFoot(report.reconciliation),
    ...performanceFootOf(report),
    ...(externalUrl === null ? [] : [externalUrl]),
  ];
}

function differencesOf({ reconciliation }: SummaryReport): Table[] {
  const table = reconciliationTable(reconciliation);
  return table === undefined ? [] : [table];
}

/** Of the newest day, which is named where there are several. */
function performanceTables({ performance, days, zone }: SummaryReport): Table[] {
  if (performance === undefined || performance.figures === null) return [];
  const timeText = (at: EpochMs): string => clockText(zoneTable(zone) ?? utc, at);
  const heading = days.length > 1 ? `Alarm performance, ${performance.day}` : "Alarm performance";
  const actors = actorsTable(performance.figures);
  return [figuresTable(heading, performance.figures, timeText), ...(actors === undefined ? [] : [actors])];
}

function performanceFootOf({ performance }: SummaryReport): string[] {
  if (performance === undefined) return [];
  if (performance.figures === null) return ["Too many alerts fired for their performance to be worked out."];
  return [`Alarm performance is of what was told in the day: ${performanceLeadOf(performance.figures)} Targets are set in the config, alarm_performance.`];
}

// A hundred per cent is only what is whole, and what is below never rounds up to it.
const percent = (share: number): string => (share >= 1 ? "100 %" : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`);
const alertsCell = (alerts: number): Cell => (alerts > 0 ? { text: String(alerts), mark: "bad" } : { text: "0" });
const coverageCell = (coverage: number): Cell => ({ text: percent(coverage), ...(coverage < 0.9 && { mark: "bad" }) });

function seriesTable({ worst, days, charts = [] }: SummaryReport): Table {
  const pictures = new Map(charts.map((chart) => [chart.series, { cid: cidOf(chart), alt: chart.alt, ...CHART_SIZE }]));
  return tableOf<SeriesReport>(days.length > 1 ? "Sensors over these days, the worst first" : "Sensors, the worst first", worst, [
    { title: "Sensor", width: 24, cell: (row) => withPicture(nameOf(row), pictures.get(row.series)) },
    { title: "Min", width: FIGURE_COLUMNS, right: true, cell: ({ min }) => ({ text: figure(min) }) },
    { title: "Avg", width: FIGURE_COLUMNS, right: true, cell: ({ avg }) => ({ text: figure(avg) }) },
    { title: "Max", width: FIGURE_COLUMNS, right: true, cell: ({ max }) => ({ text: figure(max) }) },
    { title: "Coverage", width: 8, right: true, cell: ({ coverage }) => coverageCell(coverage) },
    { title: "Alerts", width: 6, right: true, cell: ({ alerts }) => alertsCell(alerts) },
    { title: "Gap", width: 4, right: true, cell: ({ largestGapMs }) => ({ text: gapText(largestGapMs) }) },
  ]);
}

const withPicture = (text: string, picture: Picture | undefined): Cell => ({ text, ...(picture !== undefined && { picture }) });

/** The longest gap in its largest unit: four columns are enough for it. */
function gapText(ms: number): string {
  if (ms === 0) return "-";
  const unit = [86_400_000, 3_600_000, 60_000, 1000].find((each) => ms >= each) ?? 1;
  return formatDuration(Math.floor(ms / unit) * unit);
}

function daysTable(days: readonly DayReport[]): Table {
  const isLong = days.length > DAYS_MAX;
  return tableOf<DayReport>(isLong ? "By month" : "By day", isLong ? byMonth(days) : days, [
    { title: isLong ? "Month" : "Day", width: 12, cell: ({ day }) => ({ text: day }) },
    { title: "Sensors", width: 9, right: true, cell: ({ series }) => ({ text: String(series) }) },
    { title: "Readings", width: 13, right: true, cell: ({ readings }) => ({ text: String(readings) }) },
    { title: "Late", width: 9, right: true, cell: ({ late }) => ({ text: String(late) }) },
    { title: "Coverage", width: 11, right: true, cell: ({ coverage }) => coverageCell(coverage) },
    { title: "Alerts", width: 8, right: true, cell: ({ alerts }) => alertsCell(alerts) },
  ]);
}

/** Months as rows of days; of sensors the most that one of its days had. */
function byMonth(days: readonly DayReport[]): DayReport[] {
  const months = new Map<string, DayReport & { time: number }>();
  for (const each of days) {
    const month = each.day.slice(0, -3);
    const so = months.get(month) ?? { day: month, series: 0, readings: 0, late: 0, alerts: 0, coverage: 0, time: 0 };
    const time = so.time + each.series;
    months.set(month, {
      day: month,
      series: Math.max(so.series, each.series),
      readings: so.readings + each.readings,
      late: so.late + each.late,
      alerts: so.alerts + each.alerts,
      coverage: (so.coverage * so.time + each.coverage * each.series) / time,
      time,
    });
  }
  return [...months.values()];
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function htmlPage(subject: string, lead: string, tables: readonly Table[], foot: readonly string[]): string {
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>`,
    `<body style="margin:0;padding:16px;overflow-wrap:anywhere;font:15px/1.5 system-ui,sans-serif;color:#1c2730;background:#fff">`,
    `<p style="margin:0 0 20px">${escapeHtml(lead)}</p>`,
    ...tables.map(htmlTable),
    ...foot.map((line) => `<p style="margin:4px 0;font-size:13px;color:#5a6872">${linked(line)}</p>`),
    "</body></html>",
  ].join("\n");
}

const linked = (line: string): string => (/^https?:\/\//.test(line) ? `<a href="${escapeHtml(line)}">${escapeHtml(line)}</a>` : escapeHtml(line));
