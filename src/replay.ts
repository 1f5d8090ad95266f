// Replay: what arrived once more through the engine, to see what the same or other rules make of it. Sends nothing, writes nothing.
// Two grades: exact, from the journal; by event time, from stored readings, where the journal of the range is gone or it is asked for.

import { createPlan, type GatewayConfig } from "./config.ts";
import type { AlertRecord, Effects, Transition } from "./engine/effect.ts";
import { DEAD_LETTER_RULE } from "./engine/gateway-alerts.ts";
import type { Rule, RulePlan } from "./engine/rule.ts";
import { leadOf } from "./engine/rule-lead.ts";
import type { EpochMs } from "./engine/units.ts";
import {
  type Base,
  countReadings,
  engineAt,
  findBase,
  findRange,
  type JournalRange,
  plansInForce,
  replayJournal,
  type Substitute,
} from "./replay/journal-replay.ts";
import type { Database } from "./storage/database.ts";
import { historyCounter, planInForce, replayByEventTime } from "./storage/event-replay.ts";
import { type Difference, differencesOf, liveOccurrences, type Occurrence, Occurrences } from "./storage/occurrences.ts";

/** Which rules stand in for those in force. */
export type ReplayRules =
  /** None: those that were in force. */
  | { readonly kind: "in-force" }
  /** The whole present config: rules, devices, sources. */
  | { readonly kind: "config"; readonly config: GatewayConfig }
  /** Other rules, the rest as it was. */
  | { readonly kind: "rules"; readonly rules: readonly Rule[] };

export type ReplayOptions = {
  /** Inclusive. Times of arrival, or event times where it is replayed by event time. */
  readonly from: EpochMs;
  /** Exclusive. */
  readonly to: EpochMs;
  readonly rules: ReplayRules;
  /** For its devices and sources where it is replayed by event time. */
  readonly config: GatewayConfig;
  readonly byEventTime: boolean;
  readonly progress?: (progress: ReplayProgress) => void;
  /** Told as they come, in order; `at`: when the live run would have committed it, by event time its own instant. */
  readonly transition?: (transition: Transition, alert: AlertRecord, at: EpochMs) => void;
};
export type ReplayProgress = { readonly done: number; readonly of: number; readonly at: EpochMs };

export type ReplayReport = {
  readonly grade: "exact" | "event-time";
  /** Why it is not exact. */
  readonly because?: string;
  /** Whether the rules are others than those in force. */
  readonly isOther: boolean;
  /** Rows and readings of the range; those before it that were needed are `warmUp`. */
  readonly rows: number;
  readonly readings: number;
  readonly warmUp: {
    readonly from: EpochMs | null;
    readonly readings: number;
    /** Windows and delays of the rules were not filled when the range began. */
    readonly isShort: boolean;
  };
  readonly transitions: number;
  readonly notifications: number;
  /** Rows of the journal about which this release decides otherwise than the one that ran; the first of them. */
  readonly differingRows: readonly number[];
  readonly differingCount: number;
  readonly fired: readonly Occurrence[];
  readonly differences: readonly Difference[];
  /** Occurrences beyond the bound, which are not among `fired` or `differences`. */
  readonly left: number;
};

const DIFFERING_MAX = 1000;

/**
 * Replays a range.
 * @throws GatewayError `snapshot_unreadable`
 */
export function replay(db: Database, options: ReplayOptions): ReplayReport {
  const { from, to } = options;
  const first = db.prepare<[], { seq: number; at: number }>("SELECT seq, at FROM journal ORDER BY seq LIMIT 1").get();
  if (options.byEventTime) return replayHistory(db, options, "it was asked for");
  if (first !== undefined && first.seq > 1 && from < first.at) return replayHistory(db, options, `the journal begins at ${new Date(first.at).toISOString()}`);
  const range = findRange(db, from, to);
  if (range === undefined) return { ...empty, grade: "exact" };
  const base = findBase(db, range.firstSeq, from);
  if (base === undefined) return replayHistory(db, options, "no snapshot from before the range is kept");
  return replayRows(db, range, base, options);
}

const empty = {
  isOther: false,
  rows: 0,
  readings: 0,
  warmUp: { from: null, readings: 0, isShort: false },
  transitions: 0,
  notifications: 0,
  differingRows: [],
  differingCount: 0,
  fired: [],
  differences: [],
  left: 0,
} as const;

function replayRows(db: Database, range: JournalRange, near: Base, options: ReplayOptions): ReplayReport {
  const engine = engineAt(db, near);
  const inForce = plansInForce(db, engine, near, range.lastSeq);
  const substitute = substituteOf(options.rules);
  if (substitute === undefined || inForce.every((plan) => substitute(plan).hash === plan.hash))
    return stepRows(db, { engine, base: near, range }, options, false);
  const lead = Math.max(0, ...inForce.map((plan) => leadOf(substitute(plan))));
  const base = findBase(db, range.firstSeq, range.from, lead) ?? near;
  const isShort = base.at !== null && base.at > range.from - lead;
  return stepRows(db, { engine: base.seq === near.seq ? engine : engineAt(db, base), base, range, substitute }, options, isShort);
}

function stepRows(db: Database, replayed: Parameters<typeof replayJournal>[1], options: ReplayOptions, isShort: boolean): ReplayReport {
  const { base, range, substitute } = replayed;
  const warmUp = countReadings(db, base.seq, range.firstSeq - 1);
  const total = warmUp + countReadings(db, range.firstSeq - 1, range.lastSeq);
  const differingRows: number[] = [];
  let [done, differingCount] = [0, 0];
  const gathered = gather(options);
  replayJournal(db, replayed, ({ seq, at, count, effects, isSame }) => {
    done += count;
    options.progress?.({ done, of: total, at });
    if (substitute === undefined && !isSame) {
      differingCount += 1;
      if (differingRows.length < DIFFERING_MAX) differingRows.push(seq);
    }
    if (seq >= range.firstSeq) gathered.take(effects, () => true, at);
  });
  const except = substitute === undefined ? [] : [DEAD_LETTER_RULE];
  const live = liveOccurrences(db, { from: range.from, to: range.to, by: "at", except });
  return {
    grade: "exact",
    isOther: substitute !== undefined,
    rows: range.lastSeq - range.firstSeq + 1,
    readings: total - warmUp,
    warmUp: { from: base.at, readings: warmUp, isShort },
    differingRows,
    differingCount,
    ...gathered.report(live, except),
  };
}

function replayHistory(db: Database, options: ReplayOptions, because: string): ReplayReport {
  const { from, to, rules, config } = options;
  const last = planInForce(db, to);
  const inForce = rules.kind === "in-force" ? (last ?? config.plan) : config.plan;
  const plan = substituteOf(rules)?.(inForce) ?? inForce;
  const start = from - leadOf(plan);
  const total = historyCounter(db)(start, to);
  let [done, readings] = [0, 0];
  const gathered = gather(options);
  replayByEventTime(db, { plan, start, from, to }, (effects, count, ts) => {
    done += count;
    if (ts >= from) readings += count;
    options.progress?.({ done: Math.min(done, total), of: total, at: ts });
    gathered.take(effects, (at) => at >= from && at < to);
  });
  const live = liveOccurrences(db, { from, to, by: "ts", except: [DEAD_LETTER_RULE] });
  const counts = { rows: 0, readings, warmUp: { from: start, readings: done - readings, isShort: false }, differingRows: [], differingCount: 0 };
  return {
    grade: "event-time",
    because,
    isOther: rules.kind !== "in-force" && plan.hash !== last?.hash,
    ...counts,
    ...gathered.report(live, []),
  };
}

/** Collects what the replay tells within the range. */
function gather({ transition: tell }: ReplayOptions) {
  const told = new Occurrences();
  let [transitions, notifications] = [0, 0];
  return {
    take(effects: Effects, isWithin: (ts: EpochMs) => boolean, at?: EpochMs): void {
      const within = new Set<string>();
      effects.transitions.forEach((transition, index) => {
        if (!isWithin(transition.ts)) return;
        within.add(`${transition.alert} ${transition.ordinal}`);
        const alert = effects.alerts[index] as AlertRecord;
        transitions += 1;
        tell?.(transition, alert, at ?? transition.ts);
        told.add({ ...transition, peak: transition.figures.peak }, alert);
      });
      for (const { alert, ordinal } of effects.notifications) if (within.has(`${alert} ${ordinal}`)) notifications += 1;
    },
    report(live: Occurrences, except: readonly string[]) {
      const fired = told.list().filter(({ rule }) => !except.includes(rule));
      return { transitions, notifications, fired, differences: differencesOf(live.list(), fired), left: told.left + live.left };
    },
  };
}

function substituteOf(rules: ReplayRules): Substitute | undefined {
  switch (rules.kind) {
    case "in-force":
      return undefined;
    case "config":
      return () => rules.config.plan;
    case "rules": {
      const made = new Map<string, RulePlan>();
      return (inForce) => {
        const plan = made.get(inForce.hash) ?? createPlan({ ...inForce, rules: rules.rules });
        made.set(inForce.hash, plan);
        return plan;
      };
    }
    default: {
      const never: never = rules;
      return never;
    }
  }
}
