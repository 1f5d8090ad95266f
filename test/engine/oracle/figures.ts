// Aggregates of a plain list of readings, by their definitions: whole lists are sorted and summed, nothing is merged or kept.

import type { AggregateName } from "../../../src/engine/aggregate.ts";
import { byTs, type Kept } from "./kept.ts";
import { greatest, least } from "./opinion.ts";

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** @returns NaN where there is none */
export function figureOf(name: AggregateName, readings: readonly Kept[]): number {
  const ordered = [...readings].sort(byTs);
  const values = ordered.map(({ value }) => value);
  const mean = sumOf(values) / values.length;
  switch (name) {
    case "count":
      return values.length;
    case "sum":
      return sumOf(values);
    case "avg":
      return mean;
    case "min":
      return least(values);
    case "max":
      return greatest(values);
    case "range":
      return greatest(values) - least(values);
    case "first":
      return values[0] as number;
    case "last":
      return values.at(-1) as number;
    case "stddev":
      return values.length < 2 ? Number.NaN : Math.sqrt(sumOf(values.map((value) => (value - mean) ** 2)) / (values.length - 1));
    case "median":
      return nearestRank(values, 50);
    case "p90":
      return nearestRank(values, 90);
    case "p95":
      return nearestRank(values, 95);
    case "p99":
      return nearestRank(values, 99);
    default:
      return alongTime(name, ordered);
  }
}

/** The smallest value that at least `percent` of all are not above. */
function nearestRank(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.find((_, index) => (index + 1) * 100 >= percent * sorted.length) as number;
}

function alongTime(name: "twa" | "rate" | "slope", ordered: readonly Kept[]): number {
  const [first, last] = [ordered[0] as Kept, ordered.at(-1) as Kept];
  const duration = last.ts - first.ts;
  const steps = ordered.slice(1).map((reading, index) => [ordered[index] as Kept, reading] as const);
  if (name === "twa") return duration === 0 ? last.value : sumOf(steps.map(([from, to]) => from.value * (to.ts - from.ts))) / duration;
  if (duration === 0) return Number.NaN;
  if (name === "rate") return sumOf(steps.map(([from, to]) => riseOf(from.value, to.value))) / (duration / 1000);
  const times = ordered.map(({ ts }) => (ts - first.ts) / 1000);
  const [meanTime, meanValue] = [sumOf(times) / times.length, sumOf(ordered.map(({ value }) => value)) / times.length];
  const together = sumOf(ordered.map(({ value }, index) => ((times[index] as number) - meanTime) * (value - meanValue)));
  return together / sumOf(times.map((time) => (time - meanTime) ** 2));
}

/** Of a counter, which begins anew at 0 when it falls. */
export const riseOf = (from: number, to: number): number => (to >= from ? to - from : to);
