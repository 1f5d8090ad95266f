// Alarm performance as tables of a mail or a terminal, at most 72 columns: each figure beside its target, and the alerts that come
// most often. A missed target is said in words too, since colour does not reach everybody.

import type { AlarmPerformance } from "../engine/alarm-performance.ts";
import type { TargetName, Verdict } from "../engine/alarm-targets.ts";
import type { Labels } from "../engine/reading.ts";
import { type DurationMs, type EpochMs, formatDuration } from "../engine/units.ts";
import { type Cell, type Table, tableOf } from "./mail-table.ts";

/** An instant in a few characters, such as `04:10`. */
export type TimeText = (at: EpochMs) => string;

const names: Readonly<Record<TargetName, string>> = {
  per_10_min: "Mean in 10 min",
  per_hour: "Mean in an hour",
  flood_per_10_min: "Most in 10 min",
  peak_per_hour: "Most in an hour",
  time_in_flood: "Time in flood",
  top_ten_share: "Top ten's share",
  stale: "Stale, over a day",
  acknowledge: "Acknowledged in",
  "mix.critical": "Critical",
  "mix.warning": "Warning",
  "mix.info": "Info",
};

export function figuresTable(heading: string, performance: AlarmPerformance, timeText: TimeText): Table {
  const notes = notesOf(performance, timeText);
  return tableOf<Verdict>(heading, performance.verdicts, [
    { title: "Figure", width: 18, cell: ({ name }) => ({ text: names[name] }) },
    {
      title: "Value",
      width: 9,
      right: true,
      cell: ({ name, value, target, met }) => ({ text: value === null ? "-" : figure(name, value, target), ...(met === false && { mark: "bad" }) }),
    },
    { title: "Target", width: 9, right: true, cell: ({ name, bound, target }) => ({ text: `${bound === "at_most" ? "≤" : "≥"} ${figure(name, target)}` }) },
    { title: "", width: 6, cell: ({ met }) => metCell(met) },
    { title: "", width: 26, cell: ({ name }) => ({ text: notes[name] ?? "" }) },
  ]);
}

/** @returns undefined when nothing fired */
export function actorsTable({ topTen: { actors } }: AlarmPerformance): Table | undefined {
  if (actors.length === 0) return undefined;
  return tableOf("Alerts that come most often", actors, [
    { title: "Rule", width: 22, cell: ({ rule }) => ({ text: rule }) },
    { title: "Sensor", width: 23, cell: ({ labels }) => ({ text: subjectText(labels) }) },
    { title: "Alerts", width: 6, right: true, cell: ({ count }) => ({ text: String(count) }) },
    { title: "Share", width: 7, right: true, cell: ({ share }) => ({ text: percent(share) }) },
    { title: "", width: 10, cell: ({ chattering }) => (chattering ? { text: "chattering", mark: "bad" } : { text: "" }) },
  ]);
}

/** What has no target, in one sentence or two. */
export function leadOf({ alerts, hidden, chattering, fleeting, acknowledge: { acknowledged } }: AlarmPerformance): string {
  if (alerts === 0) return "No alert fired.";
  const more = [
    `${counted(alerts, "alert")} fired`,
    acknowledged === 0 ? "none was acknowledged" : `${acknowledged} acknowledged`,
    ...(hidden > 0 ? [`${hidden} hidden from those on call`] : []),
    ...(chattering.count > 0 ? [`${chattering.count} ${chattering.count === 1 ? "sensor chatters" : "sensors chatter"}`] : []),
    ...(fleeting > 0 ? [`${fleeting} fleeting`] : []),
  ];
  return `${more.join(", ")}.`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function metCell(met: boolean | null): Cell {
  if (met === null) return { text: "-" };
  return met ? { text: "met" } : { text: "missed", mark: "bad" };
}

function notesOf({ rate, flood, topTen, acknowledge, mix }: AlarmPerformance, timeText: TimeText): Partial<Record<TargetName, string>> {
  const from = (start: EpochMs | null): string => (start === null ? "" : `from ${timeText(start)}`);
  const isFew = topTen.of > 0 && topTen.of <= topTen.actors.length;
  return {
    flood_per_10_min: from(rate.peakTenMinutes.start),
    peak_per_hour: from(rate.peakHour.start),
    time_in_flood: flood.count === 0 ? "" : counted(flood.count, "flood"),
    top_ten_share: isFew ? `only ${topTen.of} in all` : topTen.of === 0 ? "" : `of ${topTen.of} that fired`,
    acknowledge: acknowledge.p95Ms === null ? "" : `95 % in ${shortDuration(acknowledge.p95Ms)}; ${acknowledge.never} never`,
    "mix.critical": counted(mix.critical.count, "alert"),
    "mix.warning": counted(mix.warning.count, "alert"),
    "mix.info": counted(mix.info.count, "alert"),
  };
}

/** With as many digits as it takes to tell it from the target that it misses, or meets without reaching it. */
function figure(name: TargetName, value: number, target = value): string {
  for (let digits = 3; digits < 9; digits += 1) {
    const text = figureText(name, value, digits);
    if (value === target || text !== figureText(name, target, digits)) return text;
  }
  return figureText(name, value, 9);
}

function figureText(name: TargetName, value: number, digits: number): string {
  switch (name) {
    case "time_in_flood":
    case "top_ten_share":
    case "mix.critical":
    case "mix.warning":
    case "mix.info":
      return percent(value, digits - 2);
    case "acknowledge":
      return digits === 3 ? shortDuration(value) : formatDuration(value);
    default:
      return String(value >= 10 ** digits ? Math.round(value) : Number(value.toPrecision(digits)));
  }
}

const percent = (share: number, decimals = 1): string => `${Number((share * 100).toFixed(decimals))} %`;

/** In its two largest units at most; milliseconds only of what is below a second. */
function shortDuration(ms: DurationMs): string {
  const unit = [86_400_000, 3_600_000, 60_000, 1000].find((each) => ms >= each) ?? 1;
  const finer = unit === 86_400_000 ? 3_600_000 : unit === 1000 ? unit : Math.max(1, Math.floor(unit / 60));
  return formatDuration(Math.round(ms / finer) * finer);
}

/** Of a group the labels in which its members agree. */
function subjectText(labels: Labels): string {
  const own = [labels["device"], labels["metric"]].filter((label) => label !== undefined);
  if (own.length > 0) return own.join(" ");
  return Object.keys(labels)
    .flatMap((name) => (name === "alertname" || name === "severity" ? [] : [labels[name]]))
    .join(" ");
}
