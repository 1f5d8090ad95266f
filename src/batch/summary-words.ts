// How the summary mail writes figures, names and times of day, in its tables and in the words beside its charts.

import { localMinutes, type ZoneTable } from "../engine/calendar.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";

export const FIGURE_COLUMNS = 8;

/** Four significant digits are what a table is read for, and all before the point. */
export function figure(value: number): string {
  if (Math.abs(value) < 1e7 && (Math.abs(value) >= 1000 || Number.isInteger(value))) return String(Math.round(value));
  const short = String(Number(value.toPrecision(4)));
  return short.length > FIGURE_COLUMNS ? value.toExponential(1) : short;
}

export function nameOf({ labels, series, unit }: { readonly labels: Labels; readonly series: SeriesId; readonly unit: string | null }): string {
  const device = labels["device"] ?? `series ${series}`;
  const metric = labels["metric"] === undefined ? "" : ` ${labels["metric"]}`;
  return `${device}${metric}${unit === null ? "" : ` ${unit}`}`;
}

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** By the clock on the wall: `04:10`. */
export function clockText(zone: ZoneTable, at: EpochMs): string {
  const minutes = localMinutes(zone, at);
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
}
