// What can be asked of the store, and the answers: plain objects that travel between threads (storage/queries.ts answers them).
// Instants are EpochMs throughout; the HTTP routes turn into RFC 3339 what the API promises so. Every list has a limit, and
// where there is more, a cursor to pass on as it came.

import type { Clock } from "../clock.ts";
import type { AlarmPerformance } from "../engine/alarm-performance.ts";
import type { AlarmTargets } from "../engine/alarm-targets.ts";
import type { Day, ZoneTable } from "../engine/calendar.ts";
import type { Hidden } from "../engine/dispatch/hiding.ts";
import type { AlertEvent, Members, NotificationKind, OverrideRecord, Shelf, Silence } from "../engine/dispatch/record.ts";
import type { AlertRecord, Transition } from "../engine/effect.ts";
import type { LabelMatcher } from "../engine/matcher.ts";
import type { Labels, RejectReason } from "../engine/reading.ts";
import type { Device } from "../engine/rule.ts";
import type { Severity } from "../engine/severity.ts";
import type { DurationMs, EpochMs, SeriesId } from "../engine/units.ts";
import type { DeviceReport, ReportTime } from "../reports/device-report.ts";
import type { StoredAccounts } from "./accounts.ts";
import type { AuditView } from "./audit.ts";
import type { ExplainAnswer } from "./explain-query.ts";
import type { OutboxHead, OutboxRow } from "./outbox-row.ts";
import type { Reconciliation } from "./reconciliation.ts";
import type { RuleVersion } from "./rule-versions-query.ts";
import type { StoredSummary } from "./stored-summary.ts";
import type { Uncompacted } from "./uncompacted-query.ts";

/** Rows of an answer unless the request says fewer; more is refused. */
export const LIMIT_DEFAULT = 1000;
export const LIMIT_MAX = 10_000;
/** Buckets per series. */
export const BUCKETS_DEFAULT = 1000;
export const BUCKETS_MAX = 100_000;

/** For each label one of the exact values; a label that is not there is `""`. The device's labels of the config count as labels of its series. */
export type LabelFilter = Readonly<Record<string, readonly string[]>>;

/**
 * `raw`: each reading its own bucket. `day`: local days of the gateway's zone. Else milliseconds, on the epoch (UTC); what is no
 * multiple of a minute is answered only where the raw readings are few enough.
 */
export type Step = "raw" | "day" | DurationMs;

/** By nearest rank. Exact from readings and the nightly batch, else of sketches: within RELATIVE_ERROR (engine/sketch.ts) of the reading of that rank. */
export const percentiles = ["p50", "p95", "p99"] as const;
export type Percentile = (typeof percentiles)[number];

type Page = { readonly limit?: number; readonly cursor?: string };

export type QueryRequest =
  /** Series in the order of their ids. */
  | ({ readonly kind: "series"; readonly labels?: LabelFilter } & Page)
  /**
   * Buckets that hold readings. `from` inclusive, `to` exclusive; without them, all there is. Buckets are whole: the first and the last may
   * reach beyond `from` and `to` (not with `raw`). Without `step`: the finest that fits `BUCKETS_DEFAULT` buckets per series.
   */
  | ({
      readonly kind: "readings";
      readonly labels?: LabelFilter;
      readonly series?: readonly SeriesId[];
      readonly from?: EpochMs;
      readonly to?: EpochMs;
      readonly step?: Step;
      readonly percentiles?: readonly Percentile[];
    } & Page)
  /** Newest first, by `firedAt`; pending ones come first of all, on the first page. `from`, `to`: when it fired. Without `states` all. */
  | ({
      readonly kind: "alerts";
      readonly states?: readonly AlertView["state"][];
      readonly rule?: string;
      readonly labels?: LabelFilter;
      readonly from?: EpochMs;
      readonly to?: EpochMs;
    } & Page)
  | { readonly kind: "alert"; readonly id: string }
  /** With what each notification's cause names. */
  | { readonly kind: "explain"; readonly id: string }
  /** Newest day first, then by series. `from` and `to` are days, both inclusive. */
  | ({
      readonly kind: "summaries";
      readonly day?: Day;
      readonly from?: Day;
      readonly to?: Day;
      readonly labels?: LabelFilter;
      readonly series?: readonly SeriesId[];
    } & Page)
  /** Of all series of a device. */
  | { readonly kind: "report"; readonly device: string; readonly time: ReportTime }
  /** Newest first. */
  | ({ readonly kind: "notifications"; readonly disposition?: NotificationView["disposition"]; readonly alert?: string } & Page)
  /** What waits for delivery: see OutboxRow for the order. */
  | { readonly kind: "outbox"; readonly limit: number }
  | { readonly kind: "outbox_row"; readonly id: string }
  /** Newest first. */
  | { readonly kind: "rejected"; readonly limit?: number }
  /** Of one rule, by name. */
  | { readonly kind: "rule_versions"; readonly rule: string }
  /** Over all rows, however many. */
  | { readonly kind: "counts" }
  /** What of the journal is not in chunks yet. */
  | { readonly kind: "uncompacted" }
  /** All of them: they are few. */
  | { readonly kind: "accounts" }
  /** Newest first. */
  | ({ readonly kind: "audit"; readonly who?: string; readonly action?: string } & Page)
  /** Of the alerts told in [from, to), by the wall clock; without `to` until now, without `from` a day. */
  | { readonly kind: "performance"; readonly from?: EpochMs; readonly to?: EpochMs; readonly rule?: string; readonly labels?: LabelFilter }
  /** Latest end first. Without `states` all; `now`: as of when. */
  | ({ readonly kind: "silences"; readonly now: EpochMs; readonly states?: readonly SilenceState[]; readonly id?: string } & Page)
  /** What is shelved or out of service, newest first. */
  | ({ readonly kind: "shelves" } & Page)
  /** Those that are not over, by their end. */
  | { readonly kind: "overrides"; readonly now: EpochMs; readonly schedule?: string; readonly limit?: number }
  /** Which active alerts matchers would hide. */
  | { readonly kind: "silenced"; readonly matchers: readonly LabelMatcher[]; readonly limit?: number };

/** What the answers depend on besides the store: parts of the config in force, and a clock. */
export type QueryContext = {
  readonly devices: Readonly<Record<string, Device>>;
  readonly zone: ZoneTable;
  /** Its monotonic time keeps an answer within `timeMs`; its wall clock ends a span that has no end. */
  readonly clock: Clock;
  /** What alarm performance is judged by; default: `defaultTargets`. */
  readonly alarmTargets?: AlarmTargets;
  /** Who answers: a report says so. */
  readonly gateway?: { readonly name: string; readonly version: string };
  /** Milliseconds that one answer may take; the default is QUERY_TIME_MS. */
  readonly timeMs?: DurationMs;
};
export const QUERY_TIME_MS = 2000;

export type QueryAnswers = {
  series: { readonly series: readonly SeriesView[]; readonly cursor: string | null };
  readings: { readonly series: readonly SeriesBuckets[]; readonly cursor: string | null };
  alerts: { readonly alerts: readonly AlertView[]; readonly cursor: string | null };
  alert: AlertHistory | null;
  explain: ExplainAnswer | null;
  summaries: { readonly summaries: readonly SummaryView[]; readonly cursor: string | null };
  /** Null: neither the store nor the config knows such a device. */
  report: DeviceReport | null;
  notifications: { readonly notifications: readonly NotificationView[]; readonly cursor: string | null };
  outbox: { readonly rows: readonly OutboxHead[] };
  /** One of them whole; null: it is not there. */
  outbox_row: OutboxRow | null;
  rejected: { readonly rejected: readonly RejectedView[] };
  rule_versions: { readonly versions: readonly RuleVersion[] };
  counts: StoredCounts;
  uncompacted: Uncompacted;
  accounts: StoredAccounts;
  audit: { readonly audit: readonly AuditView[]; readonly cursor: string | null };
  performance: AlarmPerformance;
  silences: { readonly silences: readonly SilenceView[]; readonly cursor: string | null };
  shelves: { readonly shelves: readonly ShelfView[]; readonly cursor: string | null };
  overrides: { readonly overrides: readonly OverrideView[] };
  silenced: { readonly alerts: readonly AlertView[]; readonly count: number };
};
export type Answer<Request extends QueryRequest> = QueryAnswers[Request["kind"]];

export type SeriesView = {
  readonly id: SeriesId;
  /** `{device="fz-7",metric="temperature"}`, without the device's labels. */
  readonly key: string;
  /** With the device's labels under its own. */
  readonly labels: Labels;
  /** Topic template of the source that brought it first. */
  readonly source: string;
  readonly unit: string | null;
  /** The newest reading of the newest closed minute; null before the first minute closes. The live stream has newer ones. */
  readonly last: { readonly ts: EpochMs; readonly value: number } | null;
};

/** Which layer a bucket comes from: the nightly batch, the rollups of the stream, or the readings themselves. */
export type BucketSource = "batch" | "stream" | "raw";

export type Bucket = {
  /** Inclusive. */
  readonly t: EpochMs;
  /** Exclusive; `t + 1` for a reading. Local days differ in length. */
  readonly end: EpochMs;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  readonly sum: number;
  readonly source: BucketSource;
  /** It may still change in the ordinary course of things: it is not over yet, or its day waits to be summarised. */
  readonly provisional: boolean;
  /** Those asked for; null where what is kept of the readings does not tell. */
} & { readonly [Name in Percentile]?: number | null };

export type SeriesBuckets = {
  readonly id: SeriesId;
  readonly labels: Labels;
  readonly unit: string | null;
  /** 1 for raw, 86,400,000 for days. */
  readonly step_ms: DurationMs;
  readonly buckets: readonly Bucket[];
};

/** `id`, `firedAt` and `peak` are null while pending. */
export type AlertView = Partial<Attendance> &
  Omit<AlertRecord, "id" | "firedAt" | "peak" | "annotations" | "state" | "limit" | "subject"> & {
    readonly id: string | null;
    readonly state: "pending" | AlertRecord["state"];
    readonly severity: Severity;
    readonly firedAt: EpochMs | null;
    readonly peak: number | null;
    readonly limit: number | null;
    /** Liquid templates, as they were when it fired. */
    readonly annotations: Labels;
  };

/** What people did with an occurrence, and what hides it now. */
export type Attendance = {
  readonly ackedBy: string | null;
  readonly ackedAt: EpochMs | null;
  readonly ackNote: string | null;
  readonly shelf: Shelf | null;
  /** What keeps it from being told: of each channel whose newest notification of it was not sent, why; each cause once. */
  readonly hidden: readonly Hidden[];
};

export const silenceStates = ["active", "pending", "expired"] as const;
export type SilenceState = (typeof silenceStates)[number];
export type SilenceView = Silence & { readonly state: SilenceState };

/** `alert`, `state`: of the newest occurrence; null where none is kept. */
export type ShelfView = Shelf & { readonly alert: string | null; readonly state: AlertRecord["state"] | null };
export type OverrideView = OverrideRecord;

export type AlertHistory = {
  readonly alert: AlertView;
  /** As in AlertRecord. */
  readonly subject: string;
  /** Oldest first. */
  readonly transitions: readonly (Transition & { /** When it was committed. */ readonly at: EpochMs })[];
  /** Oldest first. */
  readonly notifications: readonly NotificationView[];
  /** What people and time did beside, oldest first. */
  readonly events: readonly AlertEvent[];
};

/** What becomes of a notification: all but `waiting` are final. */
export const dispositions = ["waiting", "delivered", "grouped", "silenced", "inhibited", "muted", "shelved", "dead"] as const;

export type NotificationView = {
  readonly id: string;
  readonly alert: string;
  readonly ordinal: number;
  readonly receiver: string;
  /** `email:0`, `webhook:1`. */
  readonly channel: string;
  readonly seq: number;
  readonly state: "firing" | "resolved";
  readonly kind: NotificationKind;
  readonly disposition: (typeof dispositions)[number];
  /** Of what was not sent by itself: see NotificationRecord. */
  readonly cause: string | null;
  /** Its group; null: it is of its alert alone. */
  readonly line: string | null;
  /** It waits for its group, or for what may inhibit it, until then, or longer. */
  readonly heldUntil: EpochMs | null;
  readonly members: Members | null;
  readonly createdAt: EpochMs;
  readonly attempts: number;
  /** When it is tried next; of no meaning once it has ended. */
  readonly nextAt: EpochMs;
  readonly endedAt: EpochMs | null;
  /** Of the last failure. */
  readonly reason: string | null;
};

/** The figures of DaySummary (docs/reference/daily-summary.md) and what they are of; in the names that the API has. */
export type SummaryView = {
  readonly day: Day;
  readonly zone: string;
  readonly series: SeriesId;
  readonly labels: Labels;
  readonly unit: string | null;
} & StoredSummary & {
    /** Counts how often the figures changed; 1 at first. */
    readonly version: number;
    /** True when the readings were no longer whole. */
    readonly approximate: boolean;
    readonly computed_at: EpochMs;
    /** Null where stream and batch agree. */
    readonly reconciliation: Reconciliation | null;
  };

export type RejectedView = {
  /** Empty for what came after the limit of topics was reached. */
  readonly topic: string;
  readonly reason: RejectReason;
  readonly count: number;
  readonly firstAt: EpochMs;
  readonly lastAt: EpochMs;
  readonly detail: string;
  /** The newest payload, at most its first 1 KiB. */
  readonly sample: Uint8Array;
};

export type StoredCounts = {
  /** Notifications, of every alert, receiver and channel. */
  readonly waiting: number;
  /** When the oldest of them was made that waits for nothing but its delivery; null when none does. */
  readonly oldestWaitingAt: EpochMs | null;
  readonly dead: number;
  /** All notifications by what became of them; only dispositions that occurred. */
  readonly notifications: readonly { readonly disposition: NotificationView["disposition"]; readonly count: number }[];
  /** Values since the data directory began; only reasons that occurred. */
  readonly rejected: readonly { readonly reason: RejectReason; readonly count: number }[];
};
