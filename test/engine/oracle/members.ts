// What last values make of the members of a group.

import type { AggregateName } from "../../../src/engine/aggregate.ts";
import type { Labels } from "../../../src/engine/reading.ts";
import { figureOf } from "./figures.ts";
import type { Kept } from "./kept.ts";

/** A series of a group whose last value still counts. */
export type Member = { readonly labels: Labels; readonly reading: Kept };

export type MembersSettings = { aggregate: AggregateName } | { left: string; right: string; op: "difference" | "ratio" };

/** @returns NaN where there is nothing to say */
export function measureOfMembers(settings: MembersSettings, members: readonly Member[]): number {
  if ("aggregate" in settings) {
    const readings = members.map(({ reading }) => reading);
    return readings.length > 0 || settings.aggregate === "count" ? figureOf(settings.aggregate, readings) : Number.NaN;
  }
  const valueOf = (metric: string): number => members.find(({ labels }) => labels["metric"] === metric)?.reading.value ?? Number.NaN;
  const [left, right] = [valueOf(settings.left), valueOf(settings.right)];
  if (settings.op === "difference") return left - right;
  return right === 0 ? Number.NaN : left / right;
}
