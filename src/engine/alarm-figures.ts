// What is known of each alert when alarm performance is measured, and the figures that come of it: alarm-performance.ts works them out,
// alarm-targets.ts judges them.

import type { Flood, Peak } from "./alarm-rate.ts";
import type { Labels } from "./reading.ts";
import type { Severity } from "./severity.ts";
import type { DurationMs, EpochMs } from "./units.ts";

export type AlarmOccurrence = {
  readonly id: string;
  readonly rule: string;
  /** The canonical text of the series' or group's labels. */
  readonly subject: string;
  readonly labels: Labels;
  /** The newest that it had. */
  readonly severity: Severity;
  /** Event time. */
  readonly firedAt: EpochMs;
  readonly resolvedAt: EpochMs | null;
  /** Wall clock of the commits by which it fired and resolved. */
  readonly toldAt: EpochMs;
  readonly clearedAt: EpochMs | null;
  /** Wall clock. */
  readonly firstAckedAt: EpochMs | null;
  /** Nobody was notified, because of a silence, an inhibition, a mute or a shelf. */
  readonly hidden: boolean;
};

/** A rule on a subject, by what fired of it in the span. */
export type Actor = {
  readonly rule: string;
  readonly subject: string;
  readonly labels: Labels;
  readonly count: number;
  /** Of all alerts of the span. */
  readonly share: number;
  /** It fired three times or more within a minute. */
  readonly chattering: boolean;
  /** How many of its alerts were fleeting. */
  readonly fleeting: number;
};

export type StaleAlarm = Pick<AlarmOccurrence, "id" | "rule" | "subject" | "labels" | "severity" | "toldAt" | "clearedAt">;

export type AlarmFigures = {
  readonly alerts: number;
  /** How many of them were hidden. */
  readonly hidden: number;
  readonly rate: {
    /** Means over the span. */
    readonly perTenMinutes: number;
    readonly perHour: number;
    /** Of any ten minutes, wherever they begin. */
    readonly peakTenMinutes: Peak;
    /** Of ten minutes that begin at :00, :10, … UTC. */
    readonly fixedTenMinutes: Peak;
    readonly peakHour: Peak;
  };
  readonly flood: {
    /** Of the span, 0 to 1. */
    readonly share: number;
    readonly ms: DurationMs;
    readonly count: number;
    /** At most FLOODS_MAX, the largest, in order of time. */
    readonly floods: readonly Flood[];
  };
  /** `of`: how many actors there were. `share`: of all alerts, null when there were none. */
  readonly topTen: { readonly actors: readonly Actor[]; readonly of: number; readonly count: number; readonly share: number | null };
  /** At most ACTORS_MAX; `count` is of all. */
  readonly chattering: { readonly count: number; readonly actors: readonly Actor[] };
  /** Alerts that stood for less than a minute, once, and that nobody acknowledged before they cleared. */
  readonly fleeting: number;
  /** Standing for more than a day at some time of the span, longest first; at most ACTORS_MAX listed. */
  readonly stale: { readonly count: number; readonly alerts: readonly StaleAlarm[] };
  /** Of the alerts of the span, from being told to the first acknowledgement; `never`: none until now. */
  readonly acknowledge: {
    readonly acknowledged: number;
    readonly never: number;
    readonly medianMs: DurationMs | null;
    readonly p95Ms: DurationMs | null;
  };
  readonly mix: Readonly<Record<Severity, { readonly count: number; readonly share: number | null }>>;
};
