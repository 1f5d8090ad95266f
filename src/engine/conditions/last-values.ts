// What an `aggregate` over the last values of a group's members means: each member counts once, with the value heard of it last.

import type { Member } from "./condition.ts";

/** Aggregates that need no times. */
export const lastValueAggregates = ["avg", "min", "max", "sum", "count", "stddev", "range", "median", "p90", "p95", "p99"] as const;
export type LastValueAggregate = (typeof lastValueAggregates)[number];

const ranks = { median: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/** @returns NaN for the figure of no member, and for the sample's deviation of one */
export function aggregateOf(name: LastValueAggregate, members: readonly Member[]): number {
  const values = members.map(({ value }) => value);
  const count = values.length;
  if (name === "count") return count;
  if (count === 0) return Number.NaN;
  const sum = values.reduce((total, value) => total + value, 0);
  switch (name) {
    case "sum":
      return sum;
    case "avg":
      return sum / count;
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
    case "range":
      return Math.max(...values) - Math.min(...values);
    case "stddev":
      return count < 2 ? Number.NaN : Math.sqrt(values.reduce((total, value) => total + (value - sum / count) ** 2, 0) / (count - 1));
    default: {
      // Nearest rank.
      const sorted = values.sort((a, b) => a - b);
      return sorted[Math.ceil(ranks[name] * count) - 1] as number;
    }
  }
}
