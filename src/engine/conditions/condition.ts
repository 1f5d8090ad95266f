// The contract of a condition: what it listens to and how it judges. One file per type, one line in index.ts.

import type { z } from "zod";
import type { AggregateName } from "../aggregate.ts";
import type { Limits } from "../limits.ts";
import type { Predicate } from "../predicate.ts";
import type { Labels } from "../reading.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { DurationMs, EpochMs } from "../units.ts";
import type { WindowSpec } from "../window.ts";

/** A condition bound to one subject, a series or a group: the limits are numbers. `on` says what the engine feeds it. */
export type Condition =
  /** Each reading's value is the measure. */
  | ({ readonly on: "reading" } & Limits<Predicate>)
  /** An aggregate of a window is, when the window closes. */
  | ({ readonly on: "window"; readonly window: WindowSpec; readonly aggregate: AggregateName; readonly minCount: number } & Limits)
  /** A detector makes the measure, of this reading and what it remembers of those before. */
  | ({ readonly on: "detector"; readonly create: () => Detector } & Limits)
  /** The last values of the members of a group make the measure. */
  | ({ readonly on: "members"; readonly measure: (members: readonly Member[]) => number } & Limits)
  /** No reading is heard for longer than `after`. */
  | { readonly on: "silence"; readonly after: DurationMs }
  /** All of the parts hold (`every`), or any. */
  | { readonly on: "parts"; readonly every: boolean; readonly parts: readonly Condition[] };

/** A series of a group whose last value still counts. */
export type Member = { readonly labels: Labels; readonly value: number };

/** Remembers what a condition needs of the readings of one subject; bounded. */
export type Detector = {
  /** An evaluated reading, in event-time order. @returns the measure; NaN when nothing can be said yet, which judges nothing */
  take(ts: EpochMs, value: number): number;
  save(to: StateWriter): void;
  /** Reads what `save` wrote, into one that was just created. */
  restore(from: StateReader): void;
};

/** Series that must be there, and for how long they may stay away. */
export type Expected = { readonly after: DurationMs; readonly series: readonly { readonly device: string; readonly metric: string }[] };

export type ConditionType<Type extends string, Settings> = {
  readonly type: Type;
  /** The YAML block, `type` included; durations already parsed to milliseconds. */
  readonly schema: z.ZodType<Settings>;
  /** @returns undefined when the device lacks a limit that the settings name */
  bind(settings: Settings, limits: Readonly<Record<string, number>>): Condition | undefined;
  /** Of a condition that compares metrics of one device: which. */
  readonly metrics?: (settings: Settings) => readonly string[];
  /** Of a condition that expects series: which, and for how long they may stay away. */
  readonly expected?: (settings: Settings) => Expected;
};
