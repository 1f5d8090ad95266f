// The rules at work on one subject, a series or a group. Readings are evaluated in event-time order, as far as the subject's clock
// lets them; at one instant windows come first, then readings, then timers. What the clock is, is the subject's business.

import type { Alert, AlertSubject } from "./alert.ts";
import { type BoundRule, type Silence } from "./bound-rules.ts";
import type { ZoneTable } from "./calendar.ts";
import { Calm } from "./calm.ts";
import type { Member } from "./conditions/condition.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Downsampler } from "./downsample.ts";
import type { Unheard } from "./evidence.ts";
import { type Held, hold, restoreHeld, saveHeld } from "./held.ts";
import { Intake } from "./intake.ts";
import type { Combination, Leaf, WindowCondition } from "./parts.ts";
import { BREACH, CLEAR, type Judgement } from "./predicate.ts";
import type { Rule } from "./rule.ts";
import { type Heard, Ruling, type RulingContext } from "./ruling.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs, SeriesId, UptimeMs } from "./units.ts";
import type { Window } from "./window.ts";

/** When something falls due in silence: `up` by the listening clock, `event` the event time that it is about. */
export type Due = { readonly up: UptimeMs; readonly event: EpochMs };

/** What a group adds: it hears its members, and says whose last values count. */
export type Membership = { hear(member: SeriesId, value: number, up: UptimeMs): void; fresh(up: UptimeMs): readonly Member[] };

const NEVER = Number.POSITIVE_INFINITY;
const LONG_AGO = Number.NEGATIVE_INFINITY;

export class Evaluation {
  readonly #subject: AlertSubject;
  /** Of a series; a group is not downsampled. */
  readonly #sampler: Downsampler | undefined;
  readonly #ruling: Ruling;
  /** Of a group. */
  readonly #membership: Membership | undefined;
  /** The reading evaluated last, in plain fields, as it changes with every reading; its ts is LONG_AGO before the first. */
  lastTs: EpochMs = LONG_AGO;
  lastValue = Number.NaN;
  #lastAt: EpochMs = 0;
  lastUp: UptimeMs = 0;
  #held: Held[] = [];
  /** Earliest end of a window, earliest end of one that closes after the readings there, and earliest running timer; event time. */
  #nextEnd: EpochMs = NEVER;
  #nextLaggingEnd: EpochMs = NEVER;
  #nextTimer: EpochMs = NEVER;
  readonly #calm: Calm;
  readonly #intake: Intake;

  constructor(subject: AlertSubject, sampler: Downsampler | undefined, membership?: Membership) {
    this.#subject = subject;
    this.#sampler = sampler;
    this.#ruling = new Ruling(subject);
    this.#calm = new Calm(this.#ruling);
    this.#intake = new Intake(subject.id, sampler, this.#ruling);
    this.#membership = membership;
  }

  /** Those in force, in their order. */
  get rules(): readonly BoundRule[] {
    return this.#ruling.bound.all;
  }

  /** In the order of the rules; a rule that would have nothing to remember has none. */
  get alerts(): readonly Alert[] {
    return this.#ruling.alerts;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  /** The least time after a reading at which an absence can fall due. */
  get quietMin(): DurationMs {
    return this.#ruling.bound.quietMin;
  }

  /** Takes a reading that is not late. @param clock where the subject's clock stands with it */
  take(reading: Held, clock: EpochMs, into: Dispatcher): void {
    hold(this.#held, reading);
    this.drain(clock, into);
  }

  /** Whether nothing else comes before a reading at `ts` or with it: the common case, in which `evaluate` may be called at once. */
  isNext(ts: EpochMs, clock: EpochMs): boolean {
    if (this.#held.length > 0 || ts > clock + 1 || this.#nextEnd <= ts || this.#nextTimer <= ts || this.#nextLaggingEnd < ts) return false;
    return this.#vanishedBefore(ts) === NEVER;
  }

  /** Takes a late reading into windows that are still open; it never pages by itself. */
  takeLate(ts: EpochMs, value: number, clock: EpochMs): void {
    this.#intake.catchUp();
    for (const window of this.#ruling.windows) window.addLate(ts, value, clock);
    this.#findNextEnd();
  }

  /** A clock before which nothing waits for the subject's, if no reading comes. */
  get dueFrom(): EpochMs {
    const [first] = this.#held;
    const next = Math.min(this.#nextEnd - 1, this.#nextLaggingEnd, this.#nextTimer);
    return first === undefined ? next : Math.min(next, first.ts - 1);
  }

  /** The clock that something waits for if no reading comes, and the event time that it is about; Infinity: nothing does. */
  nextDue(): { readonly clock: EpochMs; readonly event: EpochMs } {
    const [first] = this.#held;
    const timer = first !== undefined && this.#nextTimer > first.ts - this.#blind(first.at, first.up) ? NEVER : this.#nextTimer;
    const clock = Math.min((first?.ts ?? NEVER) - 1, this.#nextEnd - 1, this.#nextLaggingEnd, timer);
    return { clock, event: Math.min(first?.ts ?? NEVER, this.#nextEnd, this.#nextLaggingEnd, timer) };
  }

  /** When the next absence falls due in silence. */
  nextSilence({ maxTs, up, count }: Heard): Due {
    let due: Due = { up: NEVER, event: NEVER };
    for (const silence of this.#ruling.bound.silences) {
      const event = maxTs + silence.after;
      const dueUp = up + silence.after + 1;
      const isEarlier = dueUp < due.up || (dueUp === due.up && event < due.event);
      if (count > 0 && isEarlier && this.#ruling.mayVanish(silence)) due = { up: dueUp, event };
    }
    return due;
  }

  /** Tells the absences that fall due in silence at exactly this instant. */
  vanish(due: Due, heard: Heard, into: Dispatcher): void {
    const isDue = ({ after }: Silence): boolean => heard.up + after + 1 === due.up && heard.maxTs + after === due.event;
    for (const silence of this.#vanishing(isDue)) {
      this.#vanish(silence, due.event, this.#heardValue, "silence", { through: heard.count, last: heard.maxTs, quiet: due.up - heard.up }, into);
    }
  }

  /** Evaluates everything up to `clock` in event-time order. */
  drain(clock: EpochMs, into: Dispatcher): void {
    for (;;) {
      const [first] = this.#held;
      const heard = first === undefined ? NEVER : first.ts - this.#blind(first.at, first.up);
      const next = first !== undefined && first.ts <= clock + 1 ? first : undefined;
      const end = this.#nextEnd <= clock + 1 ? this.#nextEnd : NEVER;
      const lagging = this.#nextLaggingEnd <= clock ? this.#nextLaggingEnd : NEVER;
      const timer = this.#nextTimer <= Math.min(clock, heard) ? this.#nextTimer : NEVER;
      const vanished = next === undefined ? NEVER : this.#vanishedBefore(heard);
      const instant = Math.min(next?.ts ?? NEVER, end, lagging, timer, vanished);
      if (instant === NEVER) return;
      if (end === instant) this.#closeWindows(end, 0, into);
      else if (next?.ts === instant) {
        this.#held.shift();
        this.evaluate(next, into);
      } else if (lagging === instant) this.#closeWindows(lagging, 1, into);
      else this.#elapseTimers(instant, vanished === instant, next, into);
    }
  }

  /** Evaluates a reading: the first of those that wait, or one for which `isNext` holds. */
  evaluate(reading: Held, into: Dispatcher): void {
    const { ts, value, at, up, ordinal, member } = reading;
    if (this.#nextTimer <= ts && this.#blind(at, up) > 0) this.#suspendTimers(ts);
    this.lastTs = ts;
    this.lastValue = value;
    this.#lastAt = at;
    this.lastUp = up;
    const { prompt, fed, alerts } = this.#ruling;
    const isCalm = this.#calm.holds(value);
    if (!isCalm) this.#judge(ts, value, into);
    this.#membership?.hear(member, value, up);
    const told = isCalm ? fed : alerts;
    if (told.length > 0) this.#evaluateOthers(told, ts, value, ordinal, into);
    if (!isCalm) this.#calm.find(value);
    const end = this.#intake.take(reading, into);
    if (end < this.#nextEnd) this.#nextEnd = end;
    if (prompt.length > 0) this.#addToPrompt(ts, value, into);
  }

  /** To be called before anything is done to the bucket. */
  catchUp(): void {
    this.#intake.catchUp();
  }

  standing(): { rule: string; measure: number; state: Alert["phase"] }[] {
    this.#calm.tell(this.lastValue);
    return this.rules.map((bound) => {
      const { measure, phase } = this.#ruling.find(bound) ?? { measure: this.lastValue, phase: "inactive" };
      return { rule: bound.rule.name, measure, state: phase };
    });
  }

  /** Puts rules in force. @param rules those that match, in their order */
  applyRules(rules: readonly Rule[], heard: Heard, context: RulingContext, into: Dispatcher): void {
    this.#calm.tell(this.lastValue);
    this.#calm.forget();
    this.#intake.catchUp();
    this.#ruling.apply(rules, { ...context, lastValue: this.lastValue, heardValue: this.#heardValue, heard }, into);
    this.#findNextEnd();
    this.#findNextTimer();
  }

  /** As if nothing had been heard of it; only when its rules fired last is still known. To be called when no rule is in force. */
  forget(): void {
    this.lastTs = LONG_AGO;
    this.lastValue = Number.NaN;
    this.#lastAt = 0;
    this.lastUp = 0;
    this.#held = [];
  }

  save(to: StateWriter): void {
    this.#calm.tell(this.lastValue);
    this.#intake.catchUp();
    to.number(this.lastTs);
    to.number(this.lastValue);
    to.number(this.#lastAt);
    to.number(this.lastUp);
    saveHeld(this.#held, to);
    this.#ruling.save(to);
  }

  /** Reads what `save` wrote. @param rules those that matched when it was saved */
  restore(from: StateReader, rules: readonly Rule[], zone: ZoneTable): void {
    this.lastTs = from.number();
    this.lastValue = from.number();
    this.#lastAt = from.number();
    this.lastUp = from.number();
    this.#held = restoreHeld(from);
    this.#ruling.restore(from, rules, zone);
    this.#findNextEnd();
    this.#findNextTimer();
  }

  /** The value of the latest reading, also of one that waits for its turn. */
  get #heardValue(): number {
    return this.#held.at(-1)?.value ?? this.lastValue;
  }

  /** For how long before this reading the gateway did not listen. */
  #blind(at: EpochMs, up: UptimeMs): DurationMs {
    return this.lastTs === LONG_AGO ? 0 : Math.max(0, at - this.#lastAt - (up - this.lastUp));
  }

  /** The earliest absence that the next reading reveals: nothing was heard for longer than `after` before `heard`. */
  #vanishedBefore(heard: EpochMs): EpochMs {
    const { silences, quietMin } = this.#ruling.bound;
    if (heard <= this.lastTs + quietMin - 1 || this.lastTs === LONG_AGO) return NEVER;
    let earliest = NEVER;
    for (const silence of silences) {
      const vanished = this.lastTs + silence.after;
      if (heard > vanished && vanished < earliest && this.#ruling.mayVanish(silence)) earliest = vanished;
    }
    return earliest;
  }

  #elapseTimers(instant: EpochMs, revealsAbsence: boolean, next: Held | undefined, into: Dispatcher): void {
    for (const alert of this.alerts) if (alert.due === instant) alert.elapse(into);
    if (revealsAbsence && next !== undefined) {
      const isDue = ({ after }: Silence): boolean => this.lastTs + after === instant;
      const unheard = { through: next.ordinal - 1, last: this.lastTs, quiet: next.ts - this.#blind(next.at, next.up) - this.lastTs };
      for (const silence of this.#vanishing(isDue)) this.#vanish(silence, instant, this.lastValue, "reading", unheard, into);
    }
    this.#findNextTimer();
  }

  /** The absences that are due and may be told, as of now. */
  #vanishing(isDue: (silence: Silence) => boolean): Silence[] {
    return this.#ruling.bound.silences.filter((silence) => isDue(silence) && this.#ruling.mayVanish(silence));
  }

  #vanish(silence: Silence, ts: EpochMs, value: number, trigger: "silence" | "reading", unheard: Unheard, into: Dispatcher): void {
    const leaf = this.#ruling.leafOf(silence);
    const alert = this.#ruling.made(silence.bound);
    if (leaf === undefined) {
      this.#calm.tell(this.lastValue);
      this.#calm.forget();
      return alert.vanish(ts, value, trigger, unheard, into);
    }
    leaf.judge(BREACH, value);
    leaf.heardThrough = unheard.through;
    leaf.quiet = unheard.quiet;
    this.#sampleParts(alert, ts, trigger, into);
  }

  /** Compares a reading with the limits of all rules that do just that. */
  #judge(ts: EpochMs, value: number, into: Dispatcher): void {
    const { alerts, bound } = this.#ruling;
    let at = 0;
    for (const { bound: rule, predicate } of bound.simple) {
      while (at < alerts.length && (alerts[at] as Alert).bound.index < rule.index) at++;
      const judgement = predicate.judge(value);
      const alert = alerts[at]?.bound === rule ? alerts[at] : judgement === BREACH ? this.#ruling.made(rule) : undefined;
      if (alert !== undefined) this.#sample(alert, ts, judgement, value, "reading", into);
    }
  }

  #evaluateOthers(alerts: readonly Alert[], ts: EpochMs, value: number, ordinal: number, into: Dispatcher): void {
    for (const alert of alerts) {
      const { condition } = alert;
      if (condition.on === "silence" && ordinal > alert.heardThrough) this.#sample(alert, ts, CLEAR, value, "reading", into);
      else if (condition.on === "detector" && alert.detector !== undefined) {
        const measure = alert.detector.take(ts, value);
        if (!Number.isNaN(measure)) this.#sample(alert, ts, condition.criterion.judge(measure), measure, "reading", into);
      } else if (condition.on === "members") {
        const measure = condition.measure((this.#membership as Membership).fresh(this.lastUp));
        if (!Number.isNaN(measure)) this.#sample(alert, ts, condition.criterion.judge(measure), measure, "reading", into);
      } else if (alert.parts !== undefined) {
        let isJudged = false;
        for (const leaf of alert.parts.leaves) isJudged = leaf.reading(ts, value, ordinal) || isJudged;
        if (isJudged) this.#sampleParts(alert, ts, "reading", into);
      }
    }
  }

  #addToPrompt(ts: EpochMs, value: number, into: Dispatcher): void {
    let isClosed = false;
    for (const window of this.#ruling.prompt) {
      window.add(ts, value);
      isClosed ||= window.result !== undefined;
      // A session's end moves away with each reading; the earliest is found again when it is due.
      if (window.lag === 1) this.#nextLaggingEnd = Math.min(this.#nextLaggingEnd, window.nextEnd);
      else this.#nextEnd = Math.min(this.#nextEnd, window.nextEnd);
    }
    if (isClosed) this.#judgeWindows(into);
    if (this.#nextLaggingEnd !== NEVER) this.#findNextEnd();
  }

  /** Timers that fell due while the gateway did not listen wait for the next judgement of their condition. */
  #suspendTimers(through: EpochMs): void {
    for (const alert of this.alerts) alert.suspend(through);
    this.#findNextTimer();
  }

  #closeWindows(end: EpochMs, lag: Window["lag"], into: Dispatcher): void {
    this.#intake.catchUp();
    if (lag === 0 && this.#sampler?.nextEnd === end) this.#sampler.close(this.#subject.id, end, into);
    for (const window of this.#ruling.windows) if (window.nextEnd === end && window.lag === lag) window.close();
    this.#judgeWindows(into);
    this.#findNextEnd();
  }

  /** Judges the windows that have just closed, each result once. */
  #judgeWindows(into: Dispatcher): void {
    const { alerts, windows } = this.#ruling;
    for (const alert of alerts) {
      const { condition, window, parts } = alert;
      if (condition.on === "window") {
        const measure = measureOf(condition, window as Window);
        if (!Number.isNaN(measure)) this.#sample(alert, window?.result?.end as EpochMs, condition.criterion.judge(measure), measure, "window", into);
      } else if (parts !== undefined) {
        let end: EpochMs = Number.NaN;
        for (const leaf of parts.leaves) {
          if (leaf.condition.on !== "window" || leaf.window === undefined) continue;
          const measure = measureOf(leaf.condition, leaf.window);
          if (Number.isNaN(measure)) continue;
          leaf.judge(leaf.condition.criterion.judge(measure), measure);
          end = leaf.window.result?.end as EpochMs;
        }
        if (!Number.isNaN(end)) this.#sampleParts(alert, end, "window", into);
      }
    }
    for (const window of windows) window.result = undefined;
  }

  #sample(alert: Alert, ts: EpochMs, judgement: Judgement, measure: number, trigger: "reading" | "window" | "silence", into: Dispatcher): void {
    alert.sample(ts, judgement, measure, trigger, into);
    const { due } = alert;
    if (due < this.#nextTimer) this.#nextTimer = due;
  }

  #sampleParts(alert: Alert, ts: EpochMs, trigger: "reading" | "window" | "silence", into: Dispatcher): void {
    const { judgement, decider } = alert.parts as Combination;
    this.#sample(alert, ts, judgement, (decider as Leaf).measure, trigger, into);
  }

  #findNextEnd(): void {
    this.#nextEnd = this.#sampler?.nextEnd ?? NEVER;
    this.#nextLaggingEnd = NEVER;
    for (const { nextEnd, lag } of this.#ruling.windows) {
      if (lag === 1) this.#nextLaggingEnd = Math.min(this.#nextLaggingEnd, nextEnd);
      else if (nextEnd < this.#nextEnd) this.#nextEnd = nextEnd;
    }
  }

  #findNextTimer(): void {
    let next = NEVER;
    for (const { due } of this.alerts) if (due < next) next = due;
    this.#nextTimer = next;
  }
}

/** The measure of a window that has just closed; NaN: none has, it holds too few readings, or they have no such figure. */
function measureOf({ aggregate, minCount }: WindowCondition, { result }: Window): number {
  return result === undefined || result.aggregate.count < minCount ? Number.NaN : result.aggregate.figure(aggregate);
}
