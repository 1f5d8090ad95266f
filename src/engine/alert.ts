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

/** What an alert holds from its breach to its end. Of the many alerts of many series few have one. */
type Episode = {
  /** When the timer of `for` or `keep_firing_for` falls due, event time; Infinity: none runs. */
  due: EpochMs;
  /** The timer fell due while the gateway was not listening: the next judgement decides. */
  suspended: boolean;
  /** Of an absence: readings accepted up to this ordinal do not resolve it. */
  heardThrough: number;
  /** Pending or firing: since when breached. Recovering: since when clear. */
  since: EpochMs;
  /** What was judged last, and its event time. */
  measure: number;
  measureTs: EpochMs;
  judged: JudgedWindow;
  peak: number;
  ordinal: number;
  /** From its firing on. */
  record: AlertRecord | undefined;
};

export class Alert {
  readonly rule: Rule;
  readonly condition: Condition;
  readonly window: Window | undefined;
  readonly #subject: AlertSubject;
  phase: Phase = "inactive";
  fired = NEVER_FIRED;
  /** What was judged last; NaN before the first judgement. */
  measure = Number.NaN;
  #episode: Episode | undefined;

  constructor(rule: Rule, condition: Condition, window: Window | undefined, subject: AlertSubject) {
    this.rule = rule;
    this.condition = condition;
    this.window = window;
    this.#subject = subject;
  }

  /** When a timer falls due that is not suspended; Infinity: none. */
  get due(): EpochMs {
    return this.#episode === undefined || this.#episode.suspended ? Number.POSITIVE_INFINITY : this.#episode.due;
  }

  get heardThrough(): number {
    return this.#episode?.heardThrough ?? 0;
  }

  get predicateText(): string {
    return this.condition.on === "silence" ? `no reading for ${this.condition.after} ms` : this.condition.predicate.text;
  }

  /** A judgement at `ts`, in event-time order. */
  sample(ts: EpochMs, judgement: Judgement, measure: number, trigger: Trigger, into: Dispatcher): void {
    this.measure = measure;
    const episode = this.#episode;
    if (episode !== undefined) this.#continue(episode, ts, judgement, trigger, into);
    else if (judgement === BREACH) this.#begin(ts, trigger, 0, into);
  }

  /** Nothing was heard any more. @param heardThrough the last accepted reading, which does not resolve it */
  vanish(ts: EpochMs, lastValue: number, trigger: Trigger, heardThrough: number, into: Dispatcher): void {
    this.measure = lastValue;
    if (this.#episode === undefined) return this.#begin(ts, trigger, heardThrough, into);
    this.#episode.heardThrough = heardThrough;
    this.#continue(this.#episode, ts, BREACH, trigger, into);
  }

  /** The timer fell due. */
  elapse(into: Dispatcher): void {
    const episode = this.#episode;
    if (episode === undefined) return;
    if (this.phase === "pending") this.#fire(episode, episode.due, "timer", into);
    else if (this.phase === "recovering") this.#resolve(episode, episode.due, "condition", "timer", into);
  }

  /** The timer fell due while the gateway did not listen. */
  suspend(through: EpochMs): void {
    if (this.#episode !== undefined && this.#episode.due <= through) this.#episode.suspended = true;
  }

  /** The rule went away or its logic changed so that nothing of it stands. */
  end(ts: EpochMs, reason: TransitionReason, into: Dispatcher): void {
    const episode = this.#episode;
    if (episode === undefined) return;
    if (this.phase === "pending") this.#drop(into);
    else this.#resolve(episode, ts, reason, "input", into);
  }

  /** Goes on where an alert of the same rule stood before the rules changed; that one is done with. */
  takeOver(from: Alert): void {
    this.phase = from.phase;
    this.fired = from.fired;
    this.measure = from.measure;
    this.#episode = from.#episode;
    if (this.#episode === undefined) return;
    if (this.phase === "pending") this.#episode.due = this.#episode.since + this.rule.forMs;
    if (this.phase === "recovering") this.#episode.due = this.#episode.since + this.rule.keepFiringForMs;
  }

  save(to: StateWriter): void {
    to.number(phases.indexOf(this.phase));
    to.number(this.fired.at);
    to.number(this.fired.dated);
    to.number(this.measure);
    if (this.#episode === undefined) return;
    const { due, suspended, heardThrough, since, measure, measureTs, judged, peak, ordinal, record } = this.#episode;
    for (const value of [due, suspended ? 1 : 0, heardThrough, since, measure, measureTs, judged.start, judged.end, judged.count, peak, ordinal])
      to.number(value);
    if (record !== undefined) to.text(JSON.stringify(record));
  }

  restore(from: StateReader): void {
    this.phase = phases[from.number()] as Phase;
    this.fired = { at: from.number(), dated: from.number() };
    this.measure = from.number();
    if (this.phase === "inactive") return;
    this.#episode = {
      due: from.number(),
      suspended: from.number() === 1,
      heardThrough: from.number(),
      since: from.number(),
      measure: from.number(),
      measureTs: from.number(),
      judged: { start: from.number(), end: from.number(), count: from.number() },
      peak: from.number(),
      ordinal: from.number(),
      record: this.phase === "pending" ? undefined : (JSON.parse(from.text()) as AlertRecord),
    };
  }

  #begin(ts: EpochMs, trigger: Trigger, heardThrough: number, into: Dispatcher): void {
    const { measure } = this;
    const judged = trigger === "window" ? judgedBy(this.window) : NOT_JUDGED;
    const due = ts + this.rule.forMs;
    const episode: Episode = { due, suspended: false, heardThrough, since: ts, measure, measureTs: ts, judged, peak: measure, ordinal: 0, record: undefined };
    this.#episode = episode;
    if (this.rule.forMs === 0) return this.#fire(episode, ts, trigger, into);
    this.phase = "pending";
    into.pending({ rule: this.rule.name, series: this.#subject.id, since: ts, value: measure });
  }

  #continue(episode: Episode, ts: EpochMs, judgement: Judgement, trigger: Trigger, into: Dispatcher): void {
    episode.suspended = false;
    episode.measure = this.measure;
    episode.measureTs = ts;
    if (trigger === "window") episode.judged = judgedBy(this.window);
    if (judgement === BREACH && this.#isDeeper(episode)) episode.peak = this.measure;
    if (this.phase === "pending") {
      if (judgement !== BREACH) this.#drop(into);
      else if (ts >= episode.due) this.#fire(episode, episode.due, trigger, into);
    } else if (this.phase === "firing") {
      if (judgement === CLEAR) this.#clear(episode, ts, trigger, into);
    } else if (judgement === BREACH) this.#relapse(episode, ts, trigger, into);
    else if (ts >= episode.due) this.#resolve(episode, episode.due, "condition", trigger, into);
  }

  #drop(into: Dispatcher): void {
    this.phase = "inactive";
    this.#episode = undefined;
    into.pending({ rule: this.rule.name, series: this.#subject.id, since: null, value: this.measure });
  }

  #fire(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    const firedAt = Math.max(ts, this.fired.dated, this.fired.at + 1);
    const from = this.phase;
    if (from === "pending") this.#drop(into);
    this.#episode = episode;
    this.phase = "firing";
    episode.due = Number.POSITIVE_INFINITY;
    episode.record = this.#open(firedAt, episode);
    this.fired = { at: firedAt, dated: firedAt };
    this.#transit(episode, episode.record, "firing", "condition", this.#evidence(episode, from, trigger), into);
  }

  #clear(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    episode.since = ts;
    if (this.rule.keepFiringForMs === 0) return this.#resolve(episode, ts, "condition", trigger, into);
    episode.due = ts + this.rule.keepFiringForMs;
    this.#move(episode, ts, "recovering", trigger, into);
  }

  #relapse(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    episode.due = Number.POSITIVE_INFINITY;
    episode.since = ts;
    this.#move(episode, ts, "firing", trigger, into);
  }

  /** Between firing and recovering. */
  #move(episode: Episode, ts: EpochMs, to: "firing" | "recovering", trigger: Trigger, into: Dispatcher): void {
    const evidence = this.#evidence(episode, this.phase, trigger);
    this.phase = to;
    this.#date(ts);
    this.#transit(episode, episode.record as AlertRecord, to, "condition", evidence, into);
  }

  #resolve(episode: Episode, ts: EpochMs, reason: TransitionReason, trigger: Trigger, into: Dispatcher): void {
    const evidence = this.#evidence(episode, this.phase, trigger);
    this.phase = "inactive";
    this.#episode = undefined;
    this.#date(ts);
    this.#transit(episode, episode.record as AlertRecord, "resolved", reason, evidence, into);
  }

  #transit(episode: Episode, before: AlertRecord, to: AlertRecord["state"], reason: TransitionReason, evidence: Evidence, into: Dispatcher): void {
    const { measure: value, peak } = episode;
    const ts = this.fired.dated;
    episode.ordinal += 1;
    episode.record = { ...before, state: to, since: ts, resolvedAt: to === "resolved" ? ts : null, value, peak };
    into.transition({ alert: before.id, ordinal: episode.ordinal, to, reason, ts, figures: { value, peak }, evidence }, episode.record);
  }

  /** A transition is never dated before the one before it. */
  #date(ts: EpochMs): void {
    this.fired = { at: this.fired.at, dated: Math.max(ts, this.fired.dated) };
  }

  #open(firedAt: EpochMs, { measure, peak }: Episode): AlertRecord {
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
      value: measure,
      peak,
      limit: this.condition.on === "silence" ? null : this.condition.predicate.limit,
      unit: subject.device?.unit ?? null,
    };
  }

  #evidence({ measure, measureTs, judged, since }: Episode, from: Phase, trigger: Trigger): Evidence {
    const { condition, rule } = this;
    const window =
      condition.on === "window" && !Number.isNaN(judged.start)
        ? { window: { start: judged.start, end: judged.end, aggregate: condition.aggregate, count: judged.count } }
        : {};
    const { watermark } = this.#subject;
    return {
      rule: rule.name,
      logic: rule.logic,
      predicate: this.predicateText,
      measure,
      ts: measureTs,
      ...window,
      since,
      trigger,
      watermark: Number.isFinite(watermark) ? watermark : null,
      from,
    };
  }

  #isDeeper({ peak }: Episode): boolean {
    const { condition, measure } = this;
    return condition.on === "silence" || condition.predicate.depth(measure) > condition.predicate.depth(peak);
  }
}

function judgedBy(window: Window | undefined): JudgedWindow {
  const result = window?.result;
  return result === undefined ? NOT_JUDGED : { start: result.start, end: result.end, count: result.aggregate.count };
}
