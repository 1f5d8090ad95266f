// The state machine of one rule on one subject (a series or a group): inactive → pending → firing → recovering → resolved.
// It is fed judgements in event-time order and timers that fell due, and writes transitions. It knows no clock:
// its timers run from the reading's own time, only the date of a transition never goes back.

import type { BoundRule } from "./bound-rules.ts";
import type { Condition, Detector } from "./conditions/condition.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { AlertRecord, Evidence, RuleChange, TransitionReason } from "./effect.ts";
import { evidenceOf, type JudgedWindow, judgedBy, limitOf, NOT_JUDGED, openRecord, type Unheard, unitOf } from "./evidence.ts";
import { LevelDelay } from "./level-delay.ts";
import type { Level } from "./limits.ts";
import { Combination, type WindowCondition } from "./parts.ts";
import { BREACH, CLEAR, type Criterion, type Judgement } from "./predicate.ts";
import type { Device, Rule } from "./rule.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs, SeriesId } from "./units.ts";
import type { Window } from "./window.ts";

export type Trigger = Evidence["trigger"];

/** Numbers are stored in snapshots: never renumber. */
const phases = ["inactive", "pending", "firing", "recovering"] as const;
type Phase = (typeof phases)[number];

/** What the alert knows of its subject, which owns it. */
export type AlertSubject = {
  /** Of a group a number below NO_SERIES. */
  readonly id: SeriesId;
  /** The canonical text of its labels. */
  readonly key: string;
  /** The device's labels under the series' own; of a group those that it is grouped by. */
  readonly labels: Readonly<Record<string, string>>;
  readonly device: Device | undefined;
  readonly watermark: EpochMs;
};

/** `at`: when the last occurrence fired; `dated`: the date of the last transition, which the next may not precede. */
export type FiredLast = { readonly at: EpochMs; readonly dated: EpochMs };

export const NEVER_FIRED: FiredLast = { at: Number.NEGATIVE_INFINITY, dated: Number.NEGATIVE_INFINITY };

const NO_LEVELS: readonly Level[] = [];
const NOT_SILENT: Unheard = { through: 0, last: Number.NaN, quiet: 0 };

/** What an alert holds from its breach to its end. Of the many alerts of many series few have one. */
type Episode = {
  /** When the timer of `for` or `keep_firing_for` falls due, event time; Infinity: none runs. */
  due: EpochMs;
  /** The timer fell due while the gateway was not listening: the next judgement decides. */
  suspended: boolean;
  /** Of an absence; of other conditions it says nothing. */
  unheard: Unheard;
  /** Pending or firing: since when breached. Recovering: since when clear. */
  since: EpochMs;
  /** What was judged last, and its event time. */
  measure: number;
  measureTs: EpochMs;
  /** The rule was changed since then. */
  isUnjudged: boolean;
  judged: JudgedWindow;
  peak: number;
  ordinal: number;
  /** Of each level above the mildest. */
  readonly levels: readonly LevelDelay[];
  /** From its firing on. */
  record: AlertRecord | undefined;
};

export class Alert {
  readonly bound: BoundRule;
  readonly window: Window | undefined;
  detector: Detector | undefined;
  parts: Combination | undefined;
  readonly #subject: AlertSubject;
  phase: Phase = "inactive";
  fired = NEVER_FIRED;
  /** What was judged last; NaN before the first judgement. */
  measure = Number.NaN;
  #episode: Episode | undefined;

  /** @param windowFor gives a window to a condition that needs one */
  constructor(bound: BoundRule, subject: AlertSubject, windowFor: (condition: WindowCondition) => Window) {
    const { condition } = bound;
    this.bound = bound;
    this.#subject = subject;
    this.window = condition.on === "window" ? windowFor(condition) : undefined;
    this.detector = condition.on === "detector" ? condition.create() : undefined;
    this.parts = condition.on === "parts" ? new Combination(condition, windowFor) : undefined;
  }

  get rule(): Rule {
    return this.bound.rule;
  }

  get condition(): Condition {
    return this.bound.condition;
  }

  /** Whether one of a direct rule would not be the same if it were made anew. */
  get isWorthKeeping(): boolean {
    return this.phase !== "inactive" || this.fired !== NEVER_FIRED;
  }

  /** When a timer falls due that is not suspended; Infinity: none. */
  get due(): EpochMs {
    const episode = this.#episode;
    if (episode === undefined) return Number.POSITIVE_INFINITY;
    let due = episode.suspended ? Number.POSITIVE_INFINITY : episode.due;
    for (const level of episode.levels) due = Math.min(due, level.due);
    return due;
  }

  get heardThrough(): number {
    return this.#episode?.unheard.through ?? 0;
  }

  get #levels(): readonly Level[] {
    return "levels" in this.condition ? this.condition.levels : NO_LEVELS;
  }

  /** A judgement at `ts`, in event-time order. */
  sample(ts: EpochMs, judgement: Judgement, measure: number, trigger: Trigger, into: Dispatcher): void {
    this.measure = measure;
    const episode = this.#episode;
    if (episode !== undefined) this.#continue(episode, ts, judgement, trigger, into);
    else if (judgement === BREACH) this.#begin(ts, trigger, NOT_SILENT, into);
  }

  /** Nothing was heard any more. */
  vanish(ts: EpochMs, lastValue: number, trigger: Trigger, unheard: Unheard, into: Dispatcher): void {
    this.measure = lastValue;
    if (this.#episode === undefined) return this.#begin(ts, trigger, unheard, into);
    this.#episode.unheard = unheard;
    this.#continue(this.#episode, ts, BREACH, trigger, into);
  }

  /** What is due falls due; something is. */
  elapse(into: Dispatcher, trigger: Trigger = "timer"): void {
    const episode = this.#episode as Episode;
    const { due } = this;
    const isDue = episode.due === due && !episode.suspended;
    if (isDue && this.phase === "recovering") return this.#finish(episode, due, trigger, into);
    for (const level of episode.levels) if (level.due === due) level.elapse();
    if (isDue && this.phase === "pending") return this.#fire(episode, due, trigger, into);
    this.#followLevel(episode, due, trigger, into);
  }

  /** Timers up to `through` fell due while the gateway did not listen. */
  suspend(through: EpochMs): void {
    if (this.#episode === undefined) return;
    if (this.#episode.due <= through) this.#episode.suspended = true;
    for (const level of this.#episode.levels) level.suspend(through);
  }

  /** Somebody reset it while it was latched. */
  reset(ts: EpochMs, into: Dispatcher): void {
    this.#resolve(this.#episode as Episode, ts, "reset", "input", into, { kind: "reset" });
  }

  /** The rule went away or its logic changed so that nothing of it stands. */
  end(ts: EpochMs, reason: "rule_changed" | "rule_removed", change: RuleChange, into: Dispatcher): void {
    const episode = this.#episode;
    if (episode === undefined) return;
    if (this.phase === "pending") this.#drop(into);
    else this.#resolve(episode, ts, reason, "input", into, change);
  }

  /**
   * Goes on where an alert of the same rule stood before the rules changed; that one is done with.
   * @param isSame whether the logic is the same, so that what it remembers goes on too
   */
  takeOver(from: Alert, isSame: boolean): void {
    this.phase = from.phase;
    this.fired = from.fired;
    this.measure = from.measure;
    if (isSame) {
      this.detector = from.detector;
      this.parts = from.parts;
    }
    const episode = from.#episode;
    if (episode === undefined) return;
    this.#episode = isSame ? episode : { ...episode, isUnjudged: true, levels: this.#newLevels(episode.measure) };
    if (this.phase === "pending") this.#episode.due = this.#episode.since + this.rule.forMs;
    const isLatched = this.rule.latch === true && (this.#episode.record?.latchedAt ?? null) !== null;
    if (this.phase === "recovering") this.#episode.due = isLatched ? Number.POSITIVE_INFINITY : this.#episode.since + this.rule.keepFiringForMs;
  }

  /** It holds something, its logic changed, and it holds still by what is known: what recovered fires again, and the level is that of the measure. */
  holdAnew(ts: EpochMs, measure: number, unheard: Unheard, into: Dispatcher): void {
    const episode = this.#episode as Episode;
    this.measure = measure;
    const anew = { ...episode, measure, unheard, isUnjudged: false, judged: NOT_JUDGED, levels: this.#newLevels(measure) };
    this.#episode = anew;
    if (this.phase === "recovering") this.#relapse(anew, ts, "input", into, "rule_changed");
    this.#followLevel(anew, ts, "input", into);
  }

  save(to: StateWriter): void {
    to.number(phases.indexOf(this.phase));
    to.number(this.fired.at);
    to.number(this.fired.dated);
    to.number(this.measure);
    this.detector?.save(to);
    for (const leaf of this.parts?.leaves ?? []) leaf.save(to);
    if (this.#episode === undefined) return;
    const { due, suspended, unheard, since, measure, measureTs, isUnjudged, judged, peak, ordinal, record } = this.#episode;
    const { through, last, quiet } = unheard;
    const figures = [through, last, quiet, since, measure, measureTs, isUnjudged ? 1 : 0, judged.start, judged.end, judged.count, peak, ordinal];
    for (const value of [due, suspended ? 1 : 0, ...figures]) to.number(value);
    for (const level of this.#episode.levels) level.save(to);
    if (record !== undefined) to.text(JSON.stringify(record));
  }

  restore(from: StateReader): void {
    this.phase = phases[from.number()] as Phase;
    const [at, dated] = [from.number(), from.number()];
    if (at !== NEVER_FIRED.at) this.fired = { at, dated };
    this.measure = from.number();
    this.detector?.restore(from);
    for (const leaf of this.parts?.leaves ?? []) leaf.restore(from);
    if (this.phase === "inactive") return;
    this.#episode = {
      due: from.number(),
      suspended: from.number() === 1,
      unheard: { through: from.number(), last: from.number(), quiet: from.number() },
      since: from.number(),
      measure: from.number(),
      measureTs: from.number(),
      isUnjudged: from.number() === 1,
      judged: { start: from.number(), end: from.number(), count: from.number() },
      peak: from.number(),
      ordinal: from.number(),
      levels: this.#levels.slice(1).map(() => LevelDelay.restore(from)),
      record: this.phase === "pending" ? undefined : (JSON.parse(from.text()) as AlertRecord),
    };
  }

  #begin(ts: EpochMs, trigger: Trigger, unheard: Unheard, into: Dispatcher): void {
    const { measure } = this;
    const judged = trigger === "window" ? judgedBy(this.window) : NOT_JUDGED;
    const due = ts + this.rule.forMs;
    const levels = this.#newLevels(Number.NaN);
    const first = { since: ts, measure, measureTs: ts, isUnjudged: false, judged, peak: measure, ordinal: 0 };
    const episode = { due, suspended: false, unheard, ...first, levels, record: undefined };
    this.#episode = episode;
    this.#sampleLevels(episode, ts);
    if (this.rule.forMs === 0) return this.#fire(episode, ts, trigger, into);
    this.phase = "pending";
    into.pending({ rule: this.rule.name, series: this.#subject.id, labels: this.#subject.labels, since: ts, value: measure });
  }

  #continue(episode: Episode, ts: EpochMs, judgement: Judgement, trigger: Trigger, into: Dispatcher): void {
    episode.measure = this.measure;
    episode.measureTs = ts;
    episode.isUnjudged = false;
    if (trigger === "window") episode.judged = judgedBy(this.window);
    if (this.condition.on === "silence" && judgement === CLEAR) episode.unheard = { ...episode.unheard, last: ts, quiet: 0 };
    if (judgement === BREACH && this.#isDeeper(episode)) episode.peak = this.measure;
    this.#catchUp(episode, ts, judgement, trigger, into);
    if (this.#episode === undefined) return;
    episode.suspended = false;
    this.#sampleLevels(episode, ts);
    if (this.phase === "pending") {
      if (judgement !== BREACH) return this.#drop(into);
      if (ts >= episode.due) this.#fire(episode, episode.due, trigger, into);
    } else if (this.phase === "firing") {
      if (judgement === CLEAR) this.#clear(episode, ts, trigger, into);
    } else if (judgement === BREACH) this.#relapse(episode, ts, trigger, into);
    else if (ts >= episode.due) this.#finish(episode, episode.due, trigger, into);
    if (this.#episode !== undefined) this.#followLevel(episode, ts, trigger, into);
  }

  /** Delays that were over before `ts`, while the gateway did not listen: those that this judgement bears out fall due in their order. */
  #catchUp(episode: Episode, ts: EpochMs, judgement: Judgement, trigger: Trigger, into: Dispatcher): void {
    episode.suspended = (this.phase === "pending") !== (judgement === BREACH);
    for (const [index, level] of episode.levels.entries()) level.resume((this.#levels[index + 1] as Level).criterion.judge(this.measure));
    while (this.due < ts) this.elapse(into, trigger);
  }

  /** @param measure at which levels are judged without delay; NaN: all are off */
  #newLevels(measure: number): LevelDelay[] {
    return this.#levels.slice(1).map(({ criterion }) => {
      const delay = new LevelDelay();
      delay.set(criterion.judge(measure) === BREACH);
      return delay;
    });
  }

  #sampleLevels({ levels }: Episode, ts: EpochMs): void {
    for (const [index, level] of levels.entries()) level.sample(ts, (this.#levels[index + 1] as Level).criterion.judge(this.measure), this.rule);
  }

  /** The gravest level that is on; undefined where there are no levels. */
  #levelOf({ levels }: Episode): Level | undefined {
    return this.#levels[levels.findLastIndex(({ isOn }) => isOn) + 1];
  }

  /** A change of level is a transition of the same occurrence. */
  #followLevel(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    const level = this.#levelOf(episode);
    const { record } = episode;
    if (level === undefined || record === undefined || level.severity === record.severity) return;
    const evidence = this.#evidence(episode, ts, this.phase, trigger);
    this.#date(ts);
    const { severity } = level;
    const changed = { ...record, severity, labels: { ...record.labels, severity }, limit: level.criterion.limit };
    this.#transit(episode, changed, record.state, "level", evidence, into);
  }

  #drop(into: Dispatcher): void {
    this.phase = "inactive";
    this.#episode = undefined;
    into.pending({ rule: this.rule.name, series: this.#subject.id, labels: this.#subject.labels, since: null, value: this.measure });
  }

  #fire(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    const firedAt = Math.max(ts, this.fired.dated, this.fired.at + 1);
    const from = this.phase;
    if (from === "pending") this.#drop(into);
    this.#episode = episode;
    this.phase = "firing";
    episode.due = Number.POSITIVE_INFINITY;
    const { measure: value, peak } = episode;
    const level = this.#levelOf(episode);
    const severity = level?.severity ?? this.rule.severity;
    const [limit, unit] = [limitOf(this.condition, level), unitOf(this.condition, this.#subject.device?.unit ?? null)];
    episode.record = openRecord(this.rule, this.#subject, { firedAt, severity, value, peak, limit, unit });
    this.fired = { at: firedAt, dated: firedAt };
    this.#transit(episode, episode.record, "firing", "condition", this.#evidence(episode, ts, from, trigger), into);
  }

  #clear(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    episode.since = ts;
    if (this.rule.keepFiringForMs === 0) return this.#finish(episode, ts, trigger, into);
    episode.due = ts + this.rule.keepFiringForMs;
    this.#move(episode, ts, "recovering", trigger, into);
  }

  #relapse(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher, reason: TransitionReason = "condition"): void {
    episode.due = Number.POSITIVE_INFINITY;
    episode.since = ts;
    this.#move(episode, ts, "firing", trigger, into, reason);
  }

  /** Between firing and recovering. */
  #move(episode: Episode, ts: EpochMs, to: "firing" | "recovering", trigger: Trigger, into: Dispatcher, reason: TransitionReason = "condition"): void {
    const evidence = this.#evidence(episode, ts, this.phase, trigger);
    this.phase = to;
    this.#date(ts);
    this.#transit(episode, episode.record as AlertRecord, to, reason, evidence, into);
  }

  /** It has been clear for long enough: it resolves, or waits for somebody to reset it. */
  #finish(episode: Episode, ts: EpochMs, trigger: Trigger, into: Dispatcher): void {
    if (this.rule.latch !== true) return this.#resolve(episode, ts, "condition", trigger, into);
    episode.due = Number.POSITIVE_INFINITY;
    this.#move(episode, ts, "recovering", trigger, into, "latched");
  }

  #resolve(episode: Episode, ts: EpochMs, reason: TransitionReason, trigger: Trigger, into: Dispatcher, change?: RuleChange): void {
    const evidence = this.#evidence(episode, ts, this.phase, trigger, change);
    this.phase = "inactive";
    this.#episode = undefined;
    this.#date(ts);
    this.#transit(episode, episode.record as AlertRecord, "resolved", reason, evidence, into);
  }

  #transit(episode: Episode, before: AlertRecord, to: AlertRecord["state"], reason: TransitionReason, evidence: Evidence, into: Dispatcher): void {
    const { measure: value, peak } = episode;
    const ts = this.fired.dated;
    episode.ordinal += 1;
    const latchedAt = reason === "latched" ? ts : to === "recovering" ? before.latchedAt : null;
    episode.record = { ...before, state: to, since: ts, resolvedAt: to === "resolved" ? ts : null, latchedAt, value, peak };
    into.transition({ alert: before.id, ordinal: episode.ordinal, to, reason, ts, figures: { value, peak }, evidence }, episode.record);
  }

  /** A transition is never dated before the one before it. */
  #date(ts: EpochMs): void {
    this.fired = { at: this.fired.at, dated: Math.max(ts, this.fired.dated) };
  }

  #evidence(episode: Episode, instant: EpochMs, from: Phase, trigger: Trigger, change?: RuleChange): Evidence {
    const [{ dated }, { watermark }] = [this.fired, this.#subject];
    return evidenceOf(this, { ...episode, instant, dated, from, trigger, change, level: this.#levelOf(episode), watermark });
  }

  #isDeeper({ peak }: Episode): boolean {
    const criterion = this.#criterion;
    return criterion === undefined || Number.isNaN(peak) || criterion.depth(this.measure) > criterion.depth(peak);
  }

  get #criterion(): Criterion | undefined {
    const condition = this.condition.on === "parts" ? this.parts?.decider?.condition : this.condition;
    return condition !== undefined && "criterion" in condition ? condition.criterion : undefined;
  }
}
