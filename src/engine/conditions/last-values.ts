// What an `aggregate` over the last values of a group's members means: each member counts once, with the value heard of it last.

import { keepingOf } from "../aggregates/index.ts";
import type { Member } from "./condition.ts";

/** Aggregates that need no times. */
export const lastValueAggregates = ["avg", "min", "max", "sum", "count", "stddev", "range", "median", "p90", "p95", "p99"] as const;
export type LastValueAggregate = (typeof lastValueAggregates)[number];

/** @returns NaN for the figure of no member, and for the sample's deviation of one */
export function aggregateOf(name: LastValueAggregate, members: readonly Member[]): number {
  if (members.length === 0 && name !== "count") return Number.NaN;
  const kept = keepingOf(name).empty();
  for (const { value } of members) kept.add(0, value);
  return kept.figure(name);
}
