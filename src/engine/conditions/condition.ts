// The contract of a condition: what it listens to and how it judges. One file per type, one line in index.ts.

import type { z } from "zod";
import type { AggregateName } from "../aggregate.ts";
import type { Predicate } from "../predicate.ts";
import type { DurationMs } from "../units.ts";

/** A condition bound to one series: the limits are numbers. `on` says what the engine feeds it. */
export type Condition =
  | { readonly on: "reading"; readonly predicate: Predicate }
  | { readonly on: "window"; readonly window: WindowSpec; readonly aggregate: AggregateName; readonly minCount: number; readonly predicate: Predicate }
  | { readonly on: "silence"; readonly after: DurationMs };

/** A time window on the epoch. A tumbling window is a hopping one whose slide is its size. */
export type WindowSpec = { readonly size: DurationMs; readonly slide: DurationMs };

export type ConditionType<Type extends string, Settings> = {
  readonly type: Type;
  /** The YAML block, `type` included; durations already parsed to milliseconds. */
  readonly schema: z.ZodType<Settings>;
  /** @returns undefined when the device lacks a limit that the settings name */
  bind(settings: Settings, limits: Readonly<Record<string, number>>): Condition | undefined;
};

/** The width of a pane: the longest time of which both window and slide are multiples. */
export function greatestCommonDivisor(a: number, b: number): number {
  let [high, low] = [a, b];
  while (low > 0) [high, low] = [low, high % low];
  return high;
}
