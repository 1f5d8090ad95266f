// What a step gives back: verdicts for the journal, transitions of alerts, notifications to send, rollups to store.
// The pipeline commits all of it in one transaction. Nothing here is a promise or a callback.

import type { AggregateValues } from "./aggregate.ts";
import type { CommandAnswer } from "./dispatch/command.ts";
import type { AckRecord, AlertEvent, NotificationRecord, OverrideRecord, ShelfRecord, Silence } from "./dispatch/record.ts";
import type { Test } from "./predicate.ts";
import type { Labels } from "./reading.ts";
import type { Severity } from "./severity.ts";
import type { DurationMs, EpochMs, SeriesId } from "./units.ts";

/** The condition axis of an alert. `inactive` and `pending` never have an occurrence. */
export type AlertState = "inactive" | "pending" | "firing" | "recovering" | "resolved";

/** Why a transition happened when no reading or timer made it. */
export type TransitionReason =
  | "condition"
  | "level"
  | "rule_changed"
  | "rule_removed"
  | "dead_letter"
  | "latched"
  | "reset"
  | "clock_step"
  | "disk_limit"
  | "disk_held";

/** What decided a transition. It suffices: rejudge.ts makes the same transition of it alone. What is not there did not matter. */
export type Evidence = {
  readonly rule: string;
  /** Of the rule, as in `Rule`. */
  readonly logic: string;
  /** The predicate in words: `above -15, clears below -17`; `no reading for 10m`. */
  readonly predicate: string;
  /** The predicate as it can be judged again; of levels the mildest. */
  readonly test: Test;
  /** On- and off-delay of the rule, where they are not 0. */
  readonly for_ms?: DurationMs;
  readonly keep_firing_for_ms?: DurationMs;
  /** What was compared, and its event time: a value or an aggregate. Of an absent series its last value, and when it became absent. */
  readonly measure: number;
  readonly ts: EpochMs;
  /** For window conditions: which window, and how many readings it held. */
  readonly window?: { readonly start: EpochMs; readonly end: EpochMs; readonly aggregate: string; readonly count: number; readonly min_count?: number };
  /** For `all` and `any`: each part as it was judged last, in the order of `test`; null where it was not judged yet. */
  readonly parts?: readonly PartEvidence[];
  /** Of an absence: the last reading before it, null where none was ever heard, and for how long nothing had been heard. */
  readonly silence?: { readonly last: EpochMs | null; readonly quiet_ms: DurationMs };
  /** Of a rule with levels: each, from the mildest on, and the severity before this transition, if the occurrence had one. */
  readonly levels?: readonly LevelEvidence[];
  readonly severity?: Severity;
  /** The rule was changed after `measure` was judged, and has judged nothing since. */
  readonly unjudged?: true;
  /** The rule latches, and the alert was latched already. */
  readonly latch?: true;
  readonly latched?: true;
  /** What a change of the rules meant for it, or that somebody reset it. */
  readonly change?: RuleChange;
  /** When it was so, where the transition is dated later because the one before it was. */
  readonly instant?: EpochMs;
  /** Since when the condition was met (firing) or no longer met (resolved). */
  readonly since: EpochMs;
  /** `reading`, `window`, `timer`, `silence`: what made the engine look. */
  readonly trigger: "reading" | "window" | "timer" | "silence" | "input";
  readonly watermark: EpochMs | null;
  readonly from: AlertState;
};

/** `quiet_ms`: of an absence, for how long nothing had been heard. */
export type PartEvidence = { readonly predicate: string; readonly measure: number | null; readonly holds: boolean; readonly quiet_ms?: DurationMs };

/** `was`: it was on before this instant; `since`: at this instant it went on or off, its delay having begun then. */
export type LevelEvidence = { readonly severity: Severity; readonly test: Test; readonly was?: true; readonly since?: EpochMs };

export type RuleChange =
  /** Somebody reset it while it was latched; of the gateway's own alerts, while it stood. */
  | { readonly kind: "reset" }
  /** The rule is gone, or does not match any more. */
  | { readonly kind: "removed" }
  /** The rule as it is now does not make this group, or expects this series no more. */
  | { readonly kind: "regrouped" }
  /** The rule as it is now, and what it was judged by; without a measure where nothing is heard that it could be judged by. */
  | ({ readonly kind: "anew"; readonly logic: string; readonly predicate: string; readonly measure: number | null } & Pick<
      Evidence,
      "test" | "parts" | "silence"
    >);

export type Transition = {
  /** Occurrence id: of (rule, series or group, instant at which it first fired); URL-safe. */
  readonly alert: string;
  /** 1, 2, … within the occurrence. */
  readonly ordinal: number;
  readonly to: "firing" | "recovering" | "resolved";
  readonly reason: TransitionReason;
  /** Event time. */
  readonly ts: EpochMs;
  /** The measure then, and the one furthest into the breach so far. */
  readonly figures: { readonly value: number; readonly peak: number };
  readonly evidence: Evidence;
};

/** The whole present state of an occurrence; replaces what is stored under its id. */
export type AlertRecord = {
  readonly id: string;
  readonly rule: string;
  /** Of no series: NO_SERIES, or a number below it for a group or a series that is expected. */
  readonly series: SeriesId;
  /** The canonical text of the series' or group's labels. */
  readonly subject: string;
  readonly severity: Severity;
  /** alertname, severity, the rule's labels, the device's and the series' labels; as they were when it fired. */
  readonly labels: Labels;
  /** Liquid templates, not rendered yet. */
  readonly annotations: Labels;
  readonly state: "firing" | "recovering" | "resolved";
  /** Event time of the newest transition. */
  readonly since: EpochMs;
  readonly firedAt: EpochMs;
  readonly resolvedAt: EpochMs | null;
  /** It would have resolved then, event time, and waits for a reset; null: it does not. */
  readonly latchedAt: EpochMs | null;
  /** The measure at the newest transition: of the good value when resolved. */
  readonly value: number;
  /** The measure furthest into the breach during the occurrence. */
  readonly peak: number;
  /** The limit that was crossed, where the predicate has one number. */
  readonly limit: number | null;
  readonly unit: string | null;
};

/** A condition that is met but has not held for `for` yet. `since: null` takes the row away. */
export type PendingRecord = {
  readonly rule: string;
  /** Of no series: a number below NO_SERIES for a group. */
  readonly series: SeriesId;
  readonly labels: Labels;
  readonly since: EpochMs | null;
  readonly value: number;
};

/** A bucket of a tier that closed, whole. */
export type RollupBucket = { readonly tier: DurationMs; readonly series: SeriesId; readonly start: EpochMs; readonly values: AggregateValues };
/** Readings came for a bucket that was closed already: what is stored is amended by `values` and marked. */
export type DirtyBucket = RollupBucket;

export type Effects = {
  /** For each `readings` input in order: a verdict byte per reading. */
  readonly verdicts: readonly Uint8Array[];
  /** For each `readings` input in order: event time per reading, NaN replaced by the time that the engine gave. */
  readonly ts: readonly Float64Array[];
  readonly transitions: readonly Transition[];
  readonly alerts: readonly AlertRecord[];
  readonly pending: readonly PendingRecord[];
  readonly notifications: readonly NotificationRecord[];
  readonly rollups: readonly RollupBucket[];
  readonly dirty: readonly DirtyBucket[];
  /** Ids of notifications that were given up in this step. */
  readonly dead: readonly { readonly notification: string; readonly reason: string }[];
  readonly acks: readonly AckRecord[];
  readonly alertEvents: readonly AlertEvent[];
  readonly shelves: readonly ShelfRecord[];
  readonly silences: readonly Silence[];
  readonly overrides: readonly OverrideRecord[];
  /** For each command in order. */
  readonly answers: readonly CommandAnswer[];
};
