// What the engine is to its callers: live, recovery, replay, rule tests, tries and simulation all call this, and nothing else.

import type { AlertState, Effects } from "./effect.ts";
import type { Input } from "./input.ts";
import type { Books, Lookup, ReadingBatch, SeriesDefinition } from "./reading.ts";
import type { EnginePart } from "./snapshot.ts";
import type { Saved } from "./state.ts";
import type { EpochMs, SeriesId, UptimeMs } from "./units.ts";

/** Where the clocks stand. */
export type EngineTime = { readonly now: EpochMs; readonly up: UptimeMs };

/** When the engine is to be woken: what is about readings by the listening clock, what is about telling people by the wall clock. */
export type Wake = { readonly now: EpochMs | undefined; readonly up: UptimeMs | undefined };

/** The newest evaluated reading of a series. */
export type LatestReading = { readonly series: SeriesId; readonly ts: EpochMs; readonly value: number };

export type Engine = {
  /** Moves time input by input, to `time` at the end, and gives what came of it. */
  step(inputs: readonly Input[], time: EngineTime): Effects;
  /** When something falls due if nothing arrives, by either clock; undefined: never. */
  nextWakeAt(): Wake;
  /** Timestamps that are older than the engine's memory: answer them as `known` in the batch before stepping it. */
  unknown(batch: ReadingBatch): readonly Lookup[];
  books(): Books;
  /** Where the listening clock stands. */
  up(): UptimeMs;
  /** Hash of the plan in force; undefined before the first. */
  planHash(): string | undefined;
  /** All series in the order of their ids. */
  series(): readonly Omit<SeriesDefinition, "id">[];
  /** Newest readings of the series that changed after step `since`; `step` is the present one. */
  latest(since: number): { step: number; readings: readonly LatestReading[] };
  /** How the rules of a series stand, in their order. */
  standing(series: SeriesId): readonly RuleStanding[];
  /** By rule, in their order: how many series or groups it watches, and how its alerts stand. */
  ruleCounts(): readonly RuleCount[];
  /** Series that found no room in a group. */
  refusedByGroups(): number;
  /** Begins a snapshot as of now; its parts come from `nextSnapshotPart` while steps go on. */
  beginSnapshot(): void;
  nextSnapshotPart(): EnginePart;
  /** Takes the parts of one snapshot, in any order, into a fresh engine; of one that another release wrote nothing. */
  restore(parts: Iterable<{ readonly part: number; readonly saved: Saved }>): "restored" | "other_version";
};

/** What a rule watches, and how many of its alerts are pending, firing or recovering. */
export type RuleCount = { readonly rule: string; readonly series: number; readonly pending: number; readonly firing: number; readonly recovering: number };

/** A rule on a series: what it measured last (NaN: nothing yet), and where its alert stands. */
export type RuleStanding = { readonly rule: string; readonly measure: number; readonly state: AlertState };
