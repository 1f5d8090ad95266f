// What dispatch runs by: the route tree, who is on call when, what inhibits what, and when many alerts are one. Plain JSON, a part of
// the rule plan, made of checked settings. What a route does not say, the config has filled in from the route above it.

import type { ZoneTable } from "../calendar.ts";
import type { LabelMatcher } from "../matcher.ts";
import type { DurationMs } from "../units.ts";
import type { EscalationPlan } from "./escalation-plan.ts";
import type { TimeIntervalPlan } from "./interval.ts";
import type { SchedulePlan } from "./schedule.ts";

export type RoutePlan = {
  /** Name of a receiver, a schedule or an escalation; "": nobody is told. */
  readonly receiver: string;
  /** Which alerts it takes; absent: all. */
  readonly matchers?: readonly LabelMatcher[];
  /** Also try the routes after it. */
  readonly continue?: boolean;
  /** Labels whose alerts share a notification; absent: each alert on its own, at once; `null`: all in one group. */
  readonly groupBy?: readonly string[] | null;
  readonly groupWaitMs?: DurationMs;
  readonly groupIntervalMs?: DurationMs;
  /** Absent: told once. */
  readonly repeatMs?: DurationMs;
  /** Names of time intervals: not told while any of them is active. */
  readonly mute?: readonly string[];
  /** Names of time intervals: told only while one of them is active. */
  readonly active?: readonly string[];
  readonly routes?: readonly RoutePlan[];
};

/** While an alert that matches `source` stands, those that match `target` and agree with it in `equal` are not told. */
export type InhibitPlan = {
  readonly source: readonly LabelMatcher[];
  readonly target: readonly LabelMatcher[];
  readonly equal: readonly string[];
  /** How long a target waits for its source, and, once the source is over, for its own end. */
  readonly waitMs: DurationMs;
};

/**
 * More than `above` alerts for a receiver within `perMs` are a storm, until there are fewer than `until`; it is told `waitMs` after its begin, and then
 * each `intervalMs`.
 */
export type StormPlan = {
  readonly above: number;
  readonly perMs: DurationMs;
  readonly until: number;
  readonly waitMs?: DurationMs;
  readonly intervalMs: DurationMs;
};

/** An alert that fires `firings` times within `withinMs` flaps, until it has not fired for `calmMs`. */
export type FlappingPlan = { readonly firings: number; readonly withinMs: DurationMs; readonly calmMs: DurationMs };

export type DispatchPlan = {
  /** All that intervals and schedules name. */
  readonly zones: Readonly<Record<string, ZoneTable>>;
  readonly intervals: readonly TimeIntervalPlan[];
  readonly schedules: readonly SchedulePlan[];
  readonly escalations: readonly EscalationPlan[];
  readonly inhibit: readonly InhibitPlan[];
  readonly storm: StormPlan | null;
  readonly flapping: FlappingPlan | null;
  /** An alert that was acknowledged so long ago and still fires is unattended, and is announced again; null: never. */
  readonly reannounceMs: DurationMs | null;
  /** The longest that an alert may be shelved. */
  readonly shelveMaxMs: DurationMs;
};

/** Eight hours: a shift. */
const SHELVE_MAX_MS = 8 * 3_600_000;

export const noDispatch: DispatchPlan = {
  zones: {},
  intervals: [],
  schedules: [],
  escalations: [],
  inhibit: [],
  storm: null,
  flapping: null,
  reannounceMs: null,
  shelveMaxMs: SHELVE_MAX_MS,
};
