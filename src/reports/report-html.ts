// The report of a device as one page that prints on A4 and reads on a phone: no script, nothing fetched, every name and note escaped. What it
// tells is what the CSV tells, whose checksum it carries.

import type { EpochMs } from "../engine/units.ts";
import { formatFigure, formatInstant, formatNumber, formatQuantity, formatSpan } from "../reasons/format.ts";
import type { DeviceReport, Excursion, ReportDay, ReportedSeries } from "./device-report.ts";
import { html, Markup } from "./markup.ts";
import { seriesChart } from "./report-chart.ts";
import { reportStyle } from "./report-style.ts";
import { periodText, stampText } from "./report-time.ts";

const GAPS_MAX = 200;

/** @param checksum SHA-256 of the CSV of the same report, in hexadecimal */
export function reportHtml(report: DeviceReport, checksum: string): string {
  const period = periodText(report.from, report.to);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${report.device}, ${period}</title>
<style>${new Markup(reportStyle)}</style>
</head>
<body>
<main>
<h1>${report.device}</h1>
<p class="period">${period}</p>
${headOf(report)}
${verdictOf(report)}
${noticeOf(report)}
${report.series.map((series) => seriesSection(report, series))}
${excursionsSection(report)}
${gapsSection(report)}
${report.series.length > 0 && daysSection(report)}
${footOf(report, checksum)}
</main>
</body>
</html>
`.text;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
// A hundred per cent is only what is whole, and what is below never rounds up to it.
const percent = (share: number): string => (share >= 1 ? "100 %" : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`);

function headOf({ labels, limits, zone, gateway, version, madeAt, from, to }: DeviceReport): Markup {
  const rows: [string, string][] = [
    ["Days", from === to ? `${from}, local time of ${zone.name}` : `${from} to ${to}, local time of ${zone.name}`],
    ...Object.entries(labels).map(([name, value]): [string, string] => [name, value]),
    ...(Object.keys(limits).length === 0
      ? []
      : [
          [
            "Limits in the config",
            Object.entries(limits)
              .map(([name, limit]) => `${name} ${formatQuantity(limit, null)}`)
              .join(", "),
          ] as [string, string],
        ]),
    ["Gateway", `${gateway}, Highwater ${version}`],
    ["Made", formatInstant(madeAt, zone.name)],
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** The two things that are asked first, in words. */
function verdictOf(report: DeviceReport): Markup {
  const { excursions, excursionsLeftOut, series } = report;
  const count = excursions.length + excursionsLeftOut;
  const standing = excursions.filter(({ resolvedAt }) => resolvedAt === null).length;
  const unattended = excursions.filter(({ ack }) => ack === null).length;
  const gaps = series.reduce((sum, each) => sum + each.gaps.length + each.gapsUnlisted, 0);
  const alerts =
    count === 0
      ? "No alert stood in this time."
      : `${counted(count, "alert")} stood in this time, ${standing === 0 ? "none stands still" : `${standing} still ${standing === 1 ? "stands" : "stand"}`}; ${unattended === 0 ? "each is acknowledged" : `${unattended} not acknowledged`}.`;
  const heard =
    series.length === 0
      ? "No reading of this device is known."
      : gaps === 0
        ? "There are no gaps."
        : `There ${gaps === 1 ? "is" : "are"} ${counted(gaps, "gap")}.`;
  return html`<div class="${count > 0 || gaps > 0 || series.length === 0 ? "verdict bad" : "verdict"}"><p>${alerts} ${heard}</p></div>`;
}

/** What keeps the figures from being final or whole. */
function noticeOf(report: DeviceReport): Markup | null {
  const { series, zone, knownUntil, excursionsLeftOut } = report;
  const states = (state: ReportDay["state"]): string[] =>
    [...new Set(series.flatMap(({ days }) => days.filter((day) => day.state === state).map(({ day }) => day)))].sort();
  const [waiting, open, approximate] = [states("waiting"), states("open"), states("approximate")];
  const unlisted = series.reduce((sum, { gapsUnlisted }) => sum + gapsUnlisted, 0);
  const lines = [
    waiting.length > 0 &&
      `Not summarised yet: ${listed(waiting)}. The figures leave these days out; the batch of the night knows what arrived until ${stampText(zone, knownUntil)}.`,
    open.length > 0 && `Readings or alerts came since the figures were made, and they will be made anew: ${listed(open)}.`,
    approximate.length > 0 && `Approximate, as readings were no longer whole: ${listed(approximate)}.`,
    unlisted > 0 &&
      `${counted(unlisted, "gap")} more than are listed below: a day lists its 20 longest, and days that were summarised by an older version none.`,
    excursionsLeftOut > 0 && `${counted(excursionsLeftOut, "alert")} more than are listed below.`,
  ].filter((line) => line !== false);
  return lines.length === 0 ? null : html`<div class="notice">${lines.map((line) => html`<p>${line}</p>`)}</div>`;
}

/** Days that follow each other as a span. */
function listed(days: readonly string[]): string {
  const spans: { from: string; to: string }[] = [];
  for (const day of days) {
    const last = spans.at(-1);
    if (last !== undefined && Date.parse(day) - Date.parse(last.to) === 86_400_000) last.to = day;
    else spans.push({ from: day, to: day });
  }
  return spans.map(({ from, to }) => (from === to ? from : `${from} to ${to}`)).join(", ");
}

const heading = ({ name, unit }: ReportedSeries): Markup => html`${name}${unit !== null && unit !== "" && html` <span class="unit">in ${unit}</span>`}`;

function seriesSection(report: DeviceReport, series: ReportedSeries): Markup {
  const { figures, coverage, unit, days } = series;
  const silent = days.filter(({ state }) => state === "silent").length;
  if (figures === null)
    return html`<section><h2>${heading(series)}</h2><p>No reading in this time${silent === days.length ? "" : " is summarised yet"}.</p></section>`;
  const at = (ts: EpochMs | null, day: string): string => (ts === null ? day : stampText(report.zone, ts));
  const cells: [name: string, value: string, small: string][] = [
    ["Minimum", formatQuantity(figures.min, unit), at(figures.minTs, figures.minDay)],
    ["Maximum", formatQuantity(figures.max, unit), at(figures.maxTs, figures.maxDay)],
    ["Average", formatFigure(figures.avg, unit, null), ""],
    ["Std. deviation", figures.stddev === null ? "–" : formatFigure(figures.stddev, unit, null), ""],
    ["Readings", String(figures.readings), figures.late === 0 ? "" : `${figures.late} of them late`],
    ["Coverage", coverage === null ? "–" : percent(coverage), silent === 0 ? "" : `${counted(silent, "day")} without a reading`],
  ];
  const chart = seriesChart(report, series);
  return html`<section><h2>${heading(series)}</h2>
<dl class="figures">${cells.map(([name, value, small]) => html`<div><dt>${name}</dt><dd>${value}${small !== "" && html`<small>${small}</small>`}</dd></div>`)}</dl>
<figure><div class="scroll" tabindex="0" role="region" aria-label="Chart of ${series.name}">${chart}</div><figcaption>${captionOf(series, chart)}</figcaption></figure>
</section>`;
}

function captionOf({ days }: ReportedSeries, chart: Markup): string {
  const limits = chart.text.includes("stroke-dasharray") ? "; dashed: limits" : "";
  const waiting = days.some(({ state }) => state === "waiting") ? "; days not summarised yet are left empty" : "";
  return `Each day from its lowest to its highest reading, and its average; grey where there is a gap, red where an alert fired${limits}${waiting}.`;
}

/** @param name for who hears the page @param right columns of figures */
function tableOf(name: string, titles: readonly string[], right: ReadonlySet<number>, rows: readonly Markup[]): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table><thead><tr>${titles.map((title, index) =>
    right.has(index) ? html`<th scope="col" class="num">${title}</th>` : html`<th scope="col">${title}</th>`,
  )}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function excursionsSection(report: DeviceReport): Markup | null {
  if (report.excursions.length === 0) return null;
  const several = report.series.length > 1;
  const titles = ["Alert", ...(several ? ["Metric"] : []), "Fired", "Resolved", "Duration", "Peak", "Limit"];
  const first = several ? 4 : 3;
  return html`<section><h2>Alerts</h2>${tableOf(
    "Alerts",
    titles,
    new Set([first, first + 1, first + 2]),
    report.excursions.map((each) => excursionRow(report, each, several)),
  )}</section>`;
}

function excursionRow(report: DeviceReport, excursion: Excursion, several: boolean): Markup {
  const { rule, severity, unit, firedAt, resolvedAt, peak, limit } = excursion;
  const { zone, start, end } = report;
  const series = report.series.find(({ id }) => id === excursion.series);
  const beyond = resolvedAt !== null && resolvedAt >= end ? html` <span class="dim">(after these days)</span>` : null;
  const before = firedAt < start ? html` <span class="dim">(before these days)</span>` : null;
  const [resolved, duration] =
    resolvedAt === null
      ? [html`<span class="bad">still firing</span>`, html`–`]
      : [html`${stampText(zone, resolvedAt)}${beyond}`, html`${formatSpan(resolvedAt - firedAt)}`];
  return html`<tr class="alert"><td>${rule} <span class="dim">${severity}</span></td>${several && html`<td>${series?.name ?? "several"}</td>`}<td class="time">${stampText(zone, firedAt)}${before}</td><td class="time">${resolved}</td><td class="num">${duration}</td><td class="num">${formatQuantity(peak, unit)}</td><td class="num">${limit === null ? "–" : formatQuantity(limit, unit)}</td></tr>
<tr class="acts"><td colspan="${several ? 7 : 6}">${actsOf(report, excursion)}</td></tr>`;
}

const actNames: Readonly<Record<Excursion["events"][number]["kind"], string>> = {
  acknowledged: "acknowledged",
  unacknowledged: "acknowledgement taken back",
  commented: "comment",
  shelved: "shelved",
  unshelved: "unshelved",
  shelf_expired: "shelf expired",
  out_of_service: "taken out of service",
  in_service: "returned to service",
  reset: "reset",
  unattended: "unattended, told again",
  rebuilt: "rebuilt",
};

function actsOf({ zone }: DeviceReport, { ack, events }: Excursion): Markup {
  const isTold = ack === null || events.some(({ kind, at }) => kind === "acknowledged" && at === ack.at);
  const all = isTold ? events : [{ kind: "acknowledged" as const, at: ack.at, by: ack.by, text: ack.note }, ...events];
  const none = ack === null ? html`<p class="bad">not acknowledged</p>` : null;
  return html`${none}${all.map(
    ({ kind, at, by, text }) =>
      html`<p><span class="dim">${stampText(zone, at)}</span> ${actNames[kind]}${by !== "" && html` by ${by}`}${text !== "" && html`: ${text}`}</p>`,
  )}`;
}

function gapsSection(report: DeviceReport): Markup | null {
  const all = report.series.flatMap((series) => series.gaps.map(([start, end]) => ({ series, start, end })));
  if (all.length === 0) return null;
  const several = report.series.length > 1;
  const shown = [...all]
    .sort((a, b) => b.end - b.start - (a.end - a.start))
    .slice(0, GAPS_MAX)
    .sort((a, b) => a.start - b.start);
  const rest = all.length - shown.length;
  const rows = shown.map(
    ({ series, start, end }) =>
      html`<tr>${several && html`<td>${series.name}</td>`}<td class="time">${stampText(report.zone, start)}</td><td class="time">${stampText(report.zone, end)}</td><td class="num">${formatSpan(end - start)}</td></tr>`,
  );
  return html`<section><h2>Gaps</h2>${tableOf("Gaps", [...(several ? ["Metric"] : []), "From", "To", "Duration"], new Set([several ? 3 : 2]), rows)}
${rest > 0 && html`<p class="dim">The ${GAPS_MAX} longest; ${rest} more are in the CSV.</p>`}</section>`;
}

const stateNames: Readonly<Record<ReportDay["state"], string>> = {
  exact: "",
  approximate: "approximate",
  open: "will be made anew",
  waiting: "not summarised yet",
  silent: "no reading",
};

function daysSection(report: DeviceReport): Markup {
  const titles = ["Day", "Min", "Avg", "Max", "Readings", "Late", "Coverage", "Alerts", "State"];
  const right = new Set([1, 2, 3, 4, 5, 6, 7]);
  return html`<section><h2>Day by day</h2>${report.series.map(
    (series) =>
      html`<h3>${heading(series)}</h3>${tableOf(
        `Days of ${series.name}`,
        titles,
        right,
        series.days.map((day) => dayRow(day)),
      )}`,
  )}</section>`;
}

function dayRow({ day, state, figures }: ReportDay): Markup {
  const mark = state === "exact" ? html`<td class="state"></td>` : html`<td class="state bad">${stateNames[state]}</td>`;
  if (figures === null) return html`<tr><td class="time">${day}</td>${Array.from({ length: 7 }, () => html`<td class="num">–</td>`)}${mark}</tr>`;
  const { min, avg, max, count, late, coverage, alerts } = figures;
  const texts = [formatNumber(min), formatFigure(avg, null, null), formatNumber(max), count, late, percent(coverage), alerts];
  return html`<tr><td class="time">${day}</td>${texts.map((text, index) => ((index === 5 && coverage < 0.9) || (index === 6 && alerts > 0) ? html`<td class="num bad">${text}</td>` : html`<td class="num">${text}</td>`))}${mark}</tr>`;
}

function footOf({ zone }: DeviceReport, checksum: string): Markup {
  return html`<footer>
<p>Figures are those of the daily summaries, worked out from every reading of a local day (${zone.name}). A gap is longer than three times the day's median interval, or a day without a reading; it ends with the days of the report. Coverage is the share of the time not in gaps. An alert's duration is from firing to resolving, whether or not that lies in these days; its peak is the value furthest into the breach.</p>
<p>SHA-256 of this report as CSV (<code>format=csv</code>, the whole file):<br><code>${checksum}</code></p>
</footer>`;
}
