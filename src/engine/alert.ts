// The state machine of one rule on one series: inactive → pending → firing → recovering → resolved.
// It is fed judgements in event-time order and timers that fell due, and writes transitions. It knows no clock:
// its timers run from the reading's own time, only the date of a transition never goes back.

import type { Condition } from "./conditions/condition.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { AlertRecord, Evidence, TransitionReason } from "./effect.ts";
import { fingerprint } from "./fingerprint.ts";
import { BREACH, CLEAR, type Judgement } from "./predicate.ts";
import type { Device, Rule } from "./rule.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs, SeriesId } from "./units.ts";
import type { Window } from "./window.ts";

export type Trigger = Evidence["trigger"];

/** Numbers are stored in snapshots: never renumber. */
const phases = ["inactive", "pending", "firing", "recovering"] as const;
type Phase = (typeof phases)[number];

/** What the alert knows of its series; the series owns it. */
export type AlertSubject = {
  readonly id: SeriesId;
  readonly key: string;
  /** The device's labels under the series' own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly device: Device | undefined;
  readonly watermark: EpochMs;
};

/** `at`: when the last occurrence fired; `dated`: the date of the last transition, which the next may not precede. */
export type FiredLast = { readonly at: EpochMs; readonly dated: EpochMs };

const NEVER_FIRED: FiredLast = { at: Number.NEGATIVE_INFINITY, dated: Number.NEGATIVE_INFINITY };

type JudgedWindow = { readonly start: EpochMs; readonly end: EpochMs; readonly count: number };
const NOT_JUDGED: JudgedWindow = { start: Number.NaN, end: Number.NaN, count: 0 };

export class Alert {
  rule: Rule;
  readonly condition: Condition;
  readonly window: Window | undefined;
  readonly #subject: AlertSubject;
  phase: Phase = "inactive";
  /** When the timer of `for` or `keep_firing_for` falls due, event time; Infinity: none runs. */
  due: EpochMs = Number.POSITIVE_INFINITY;
  /** The timer fell due while the gateway was not listening: the next judgement decides. */
  suspended = false;
  /** Of an absence told in silence: readings accepted up to this ordinal do not resolve it. */
  heardThrough = 0;
  fired = NEVER_FIRED;
  /** Pending: since when breached. Recovering: since when clear. */
  #since: EpochMs = Number.NaN;
  /** What was judged last, and its event time. */
  #measure = Number.NaN;
  #measureTs: EpochMs = Number.NaN;
  /** The window that was judged last: start, end and how many readings it held; start is NaN where none was. */
  #judged = NOT_JUDGED;
  #peak = Number.NaN;
  #ordinal = 0;
  #record: AlertRecord | undefined;

  constructor(rule: Rule, condition: Condition, window: Window | undefined, subject: AlertSubject) {
    this.rule = rule;
    this.condition = condition;
    this.window = window;
    this.#subject = subject;
  }

  /** What was judged last; NaN before the first judgement. */
  get measure(): number {
    return this.#measure;
  }

  get predicateText(): string {
    return this.condition.on === "silence" ? `no reading for ${this.condition.after} ms` : this.condition.predicate.text;
  }

  /**
   * A judgement at `ts`, in event-time order.
   * @param breachedSince when the breach began, where it is not `ts` itself
   */
  sample(ts: EpochMs, judgement: Judgement, measure: number, trigger: Trigger, into: Dispatcher): void {
    this.suspended = false;
    this.#measure = measure;
    this.#measureTs = ts;
    if (trigger === "window" && (judgement === BREACH || this.phase !== "inactive")) this.#judged = judgedBy(this.window);
    if (judgement === BREACH) this.#deepen(measure);
    switch (this.phase) {
      case "inactive":
        if (judgement === BREACH) this.#breach(ts, trigger, into);
        return;
      case "pending":
        if (judgement !== BREACH) this.#drop(into);
        else if (ts >= this.due) this.#fire(this.due, trigger, into);
        return;
      case "firing":
        if (judgement === CLEAR) this.#clear(ts, trigger, into);
        return;
      case "recovering":
        if (judgement === BREACH) this.#relapse(ts, trigger, into);
        else if (ts >= this.due) this.#resolve(this.due, "condition", trigger, into);
        return;
      default: {
        const never: never = this.phase;
        return never;
      }
    }
  }

  /** The timer fell due. */
  elapse(into: Dispatcher): void {
    if (this.phase === "pending") this.#fire(this.due, "timer", into);
    else if (this.phase === "recovering") this.#resolve(this.due, "condition", "timer", into);
  }

  /** The rule went away or its logic changed so that nothing of it stands. */
  end(ts: EpochMs, reason: TransitionReason, into: Dispatcher): void {
    if (this.phase === "pending") this.#drop(into);
    else if (this.phase !== "inactive") this.#resolve(ts, reason, "input", into);
  }

  /** Goes on where an alert of the same rule stood before the rules changed. */
  takeOver(from: Alert): void {
    this.phase = from.phase;
    this.heardThrough = from.heardThrough;
    this.suspended = from.suspended;
    this.#since = from.#since;
    this.#measure = from.#measure;
    this.#measureTs = from.#measureTs;
    this.#judged = from.#judged;
    this.#peak = from.#peak;
    this.fired = from.fired;
    this.#ordinal = from.#ordinal;
    this.#record = from.#record;
    if (this.phase === "pending") this.due = this.#since + this.rule.forMs;
    if (this.phase === "recovering") this.due = this.#since + this.rule.keepFiringForMs;
  }

  save(to: StateWriter): void {
    to.number(phases.indexOf(this.phase) + (this.suspended ? 8 : 0));
    to.number(this.fired.at);
    to.number(this.fired.dated);
    if (this.phase === "inactive") return;
    for (const value of [this.due, this.heardThrough, this.#since, this.#measure, this.#measureTs, this.#peak, this.#ordinal]) to.number(value);
    for (const value of [this.#judged.start, this.#judged.end, this.#judged.count]) to.number(value);
    if (this.phase !== "pending") to.text(JSON.stringify(this.#record));
  }

  restore(from: StateReader): void {
    const mark = from.number();
    this.phase = phases[mark % 8] as Phase;
    this.suspended = mark >= 8;
    this.fired = { at: from.number(), dated: from.number() };
    if (this.phase === "inactive") return;
    this.due = from.number();
    this.heardThrough = from.number();
    this.#since = from.number();
    this.#measure = from.number();
    this.#measureTs = from.number();
    this.#peak = from.number();
    this.#ordinal = from.number();
    this.#judged = { start: from.number(), end: from.number(), count: from.number() };
    if (this.phase !== "pending") this.#record = JSON.parse(from.text()) as AlertRecord;
  }

  #breach(ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    this.#since = ts;
    this.#peak = this.#measure;
    if (this.rule.forMs === 0) return this.#fire(ts, trigger, into);
    this.phase = "pending";
    this.due = ts + this.rule.forMs;
    into.pending({ rule: this.rule.name, series: this.#subject.id, since: ts, value: this.#measure });
  }

  #drop(into: Dispatcher): void {
    this.phase = "inactive";
    this.due = Number.POSITIVE_INFINITY;
    this.suspended = false;
    into.pending({ rule: this.rule.name, series: this.#subject.id, since: null, value: this.#measure });
  }

  #fire(ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    const firedAt = Math.max(ts, this.fired.dated, this.fired.at + 1);
    const from = this.phase;
    if (from === "pending") this.#drop(into);
    this.phase = "firing";
    this.due = Number.POSITIVE_INFINITY;
    this.fired = { at: firedAt, dated: firedAt };
    this.#ordinal = 0;
    this.#record = this.#open(firedAt);
    this.#transit("firing", "condition", this.#evidence(from, trigger), into);
  }

  #clear(ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    this.#since = ts;
    if (this.rule.keepFiringForMs === 0) return this.#resolve(ts, "condition", trigger, into);
    const evidence = this.#evidence(this.phase, trigger);
    this.phase = "recovering";
    this.due = ts + this.rule.keepFiringForMs;
    this.#date(ts);
    this.#transit("recovering", "condition", evidence, into);
  }

  #relapse(ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    const evidence = this.#evidence(this.phase, trigger);
    this.phase = "firing";
    this.due = Number.POSITIVE_INFINITY;
    this.#since = ts;
    this.#date(ts);
    this.#transit("firing", "condition", evidence, into);
  }

  #resolve(ts: EpochMs, reason: TransitionReason, trigger: Trigger, into: Dispatcher): void {
    const evidence = this.#evidence(this.phase, trigger);
    this.phase = "inactive";
    this.due = Number.POSITIVE_INFINITY;
    this.suspended = false;
    this.#date(ts);
    this.#transit("resolved", reason, evidence, into);
    this.#record = undefined;
    this.#ordinal = 0;
    this.#peak = Number.NaN;
  }

  #transit(to: AlertRecord["state"], reason: TransitionReason, evidence: Evidence, into: Dispatcher): void {
    this.#ordinal += 1;
    this.#record = {
      ...(this.#record as AlertRecord),
      state: to,
      since: this.fired.dated,
      resolvedAt: to === "resolved" ? this.fired.dated : null,
      value: this.#measure,
      peak: this.#peak,
    };
    const figures = { value: this.#measure, peak: this.#peak };
    into.transition({ alert: this.#record.id, ordinal: this.#ordinal, to, reason, ts: this.fired.dated, figures, evidence }, this.#record);
  }

  /** A transition is never dated before the one before it. */
  #date(ts: EpochMs): void {
    this.fired = { at: this.fired.at, dated: Math.max(ts, this.fired.dated) };
  }

  #open(firedAt: EpochMs): AlertRecord {
    const { rule } = this;
    const subject = this.#subject;
    return {
      id: `${fingerprint(rule.name + subject.key)}-${firedAt.toString(36)}`,
      rule: rule.name,
      series: subject.id,
      severity: rule.severity,
      labels: { ...subject.labels, ...rule.labels, alertname: rule.name, severity: rule.severity },
      annotations: rule.annotations,
      state: "firing",
      since: firedAt,
      firedAt,
      resolvedAt: null,
      value: this.#measure,
      peak: this.#peak,
      limit: this.condition.on === "silence" ? null : this.condition.predicate.limit,
      unit: subject.device?.unit ?? null,
    };
  }

  #evidence(from: Phase, trigger: Trigger): Evidence {
    const { condition, rule } = this;
    const { start, end, count } = this.#judged;
    const judged = condition.on === "window" && !Number.isNaN(start) ? { window: { start, end, aggregate: condition.aggregate, count } } : {};
    const { watermark } = this.#subject;
    return {
      rule: rule.name,
      logic: rule.logic,
      predicate: this.predicateText,
      measure: this.#measure,
      ts: this.#measureTs,
      ...judged,
      since: this.#since,
      trigger,
      watermark: Number.isFinite(watermark) ? watermark : null,
      from,
    };
  }

  #deepen(measure: number): void {
    const { condition } = this;
    const isDeeper = condition.on === "silence" || Number.isNaN(this.#peak) || condition.predicate.depth(measure) > condition.predicate.depth(this.#peak);
    if (isDeeper) this.#peak = measure;
  }
}

function judgedBy(window: Window | undefined): JudgedWindow {
  const result = window?.result;
  return result === undefined ? NOT_JUDGED : { start: result.start, end: result.end, count: result.aggregate.count };
}
