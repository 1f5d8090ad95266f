// One series: its clock, the readings it holds back, its windows, its alerts. Readings are taken in order of arrival and
// evaluated in event-time order; at one instant windows come first, then readings, then timers. DESIGN §3 is the contract.

import { Tally } from "./aggregate.ts";
import { Alert, type FiredLast } from "./alert.ts";
import type { Condition, WindowSpec } from "./conditions/condition.ts";
import { bindCondition } from "./conditions/index.ts";
import type { Dispatcher } from "./dispatch.ts";
import { Downsampler } from "./downsample.ts";
import { type Held, hold, restoreHeld, saveHeld } from "./held.ts";
import { Memory } from "./memory.ts";
import { BREACH, CLEAR, type Judgement } from "./predicate.ts";
import { type Labels, seriesKey } from "./reading.ts";
import type { Device, Rule, SourceTiming } from "./rule.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs, SeriesId, UptimeMs } from "./units.ts";
import { Window } from "./window.ts";

/** When something falls due in silence: `up` by the listening clock, `event` the event time that it is about. */
export type Due = { readonly up: UptimeMs; readonly event: EpochMs };

const emptyTally = (): Tally => new Tally();

const NEVER = Number.POSITIVE_INFINITY;
const LONG_AGO = Number.NEGATIVE_INFINITY;

/** Rules that are gone of which a series remembers when they fired. */
const FIRED_MAX = 64;

/** Whether an absence may (again) be told of this alert. */
const mayVanish = (alert: Alert): boolean => alert.phase === "inactive" || alert.phase === "recovering";

export class Series {
  readonly id: SeriesId;
  readonly key: string;
  readonly ownLabels: Labels;
  source: string; // topic template; another one when the config says so
  labels: Labels;
  device: Device | undefined;
  timing: SourceTiming;
  /** No reading at or below it is on time any more; never goes back. */
  watermark: EpochMs = LONG_AGO;
  /** Latest event time accepted. */
  maxTs: EpochMs = LONG_AGO;
  memory = new Memory();
  /** The reading evaluated last, in plain fields, as it changes with every reading; its ts is LONG_AGO before the first. */
  #evaluatedTs: EpochMs = LONG_AGO;
  #evaluatedValue = Number.NaN;
  #evaluatedAt: EpochMs = 0;
  #evaluatedUp: UptimeMs = 0;
  /** `up` when a reading was accepted last. */
  #heardUp: UptimeMs = LONG_AGO;
  #accepted = 0;
  #held: Held[] = [];
  #sampler = new Downsampler();
  #windows: Window[] = [];
  /** In the order of the rules. */
  #alerts: Alert[] = [];
  #absences: Alert[] = [];
  /** When rules that are gone fired last, by name: one that comes back may not give the same occurrence again. */
  #fired = new Map<string, FiredLast>();
  /** Earliest window end and earliest running timer, event time. */
  #nextEnd: EpochMs = NEVER;
  #nextTimer: EpochMs = NEVER;
  /** The least time after a reading at which anything can fall due in silence. */
  quietMin: DurationMs;

  constructor(id: SeriesId, labels: Labels, source: string, timing: SourceTiming) {
    this.id = id;
    this.key = seriesKey(labels);
    this.ownLabels = labels;
    this.labels = labels;
    this.source = source;
    this.timing = timing;
    this.quietMin = timing.idleAfterMs;
  }

  get lastValue(): number {
    return this.#evaluatedValue;
  }

  get lastTs(): EpochMs {
    return this.#evaluatedTs;
  }

  /** Whether a reading at `ts` comes too late to be evaluated. */
  isLate(ts: EpochMs): boolean {
    return ts <= this.watermark || ts < this.#evaluatedTs;
  }

  /** Takes a reading that is on time. */
  accept(ts: EpochMs, value: number, at: EpochMs, up: UptimeMs, into: Dispatcher): void {
    this.memory.add(ts, value);
    if (ts > this.maxTs) this.maxTs = ts;
    const watermark = this.maxTs - this.timing.outOfOrdernessMs - 1;
    if (watermark > this.watermark) this.watermark = watermark;
    this.#heardUp = up;
    this.#accepted += 1;
    const isSampled = this.#sampler.foresee(this.id, ts, value, into);
    if (this.#isNext(ts)) this.#evaluate(ts, value, at, up, this.#accepted, isSampled, into);
    else this.#hold({ ts, value, at, up, ordinal: this.#accepted, isSampled }, into);
  }

  /** Whether nothing else comes before this reading or with it: the common case, in which it is evaluated at once. */
  #isNext(ts: EpochMs): boolean {
    return this.#held.length === 0 && ts <= this.watermark + 1 && this.#nextEnd > ts && this.#nextTimer > ts && this.#vanishedBefore(ts) === NEVER;
  }

  #hold(reading: Held, into: Dispatcher): void {
    hold(this.#held, reading);
    this.#drain(this.watermark, into);
  }

  /** Takes a late reading into windows and buckets that are still open; it never pages by itself. */
  takeLate(ts: EpochMs, value: number, up: UptimeMs, into: Dispatcher): void {
    this.memory.add(ts, value);
    const clock = this.#clock(up);
    this.#sampler.addLate(this.id, ts, value, clock, into);
    for (const window of this.#windows) window.addLate(ts, value, clock);
    this.#findNextEnd();
  }

  /** What falls due next if no reading comes; `up` is NEVER when nothing does. */
  nextDue(): Due {
    let up = NEVER;
    let event = NEVER;
    for (const alert of this.#absences) {
      const after = afterOf(alert);
      const isEarlier = this.#heardUp + after + 1 < up || (this.#heardUp + after + 1 === up && this.maxTs + after < event);
      if (this.#accepted > 0 && mayVanish(alert) && isEarlier) [up, event] = [this.#heardUp + after + 1, this.maxTs + after];
    }
    const [first] = this.#held;
    const timer = first !== undefined && this.#nextTimer > first.ts - this.#blind(first.at, first.up) ? NEVER : this.#nextTimer;
    const clock = Math.min((first?.ts ?? NEVER) - 1, this.#nextEnd - 1, timer);
    const borrowedUp = this.#heardUp + this.timing.idleAfterMs + (clock - this.#origin);
    const borrowedEvent = Math.min(first?.ts ?? NEVER, this.#nextEnd, timer);
    if (borrowedUp < up || (borrowedUp === up && borrowedEvent < event)) return { up: borrowedUp, event: borrowedEvent };
    return { up, event };
  }

  /** Does what falls due in silence at exactly this `up`. */
  elapse(due: Due, into: Dispatcher): void {
    const vanished = this.#absences.filter(
      (alert) => mayVanish(alert) && this.#heardUp + afterOf(alert) + 1 === due.up && this.maxTs + afterOf(alert) === due.event,
    );
    for (const alert of vanished) {
      alert.vanish(due.event, this.#held.at(-1)?.value ?? this.lastValue, "silence", this.#accepted, into);
    }
    this.#drain(this.#clock(due.up), into);
  }

  standing(): { rule: string; measure: number; state: Alert["phase"] }[] {
    return this.#alerts.map((alert) => ({ rule: alert.rule.name, measure: alert.measure, state: alert.phase }));
  }

  trim(): void {
    this.memory.trim(this.watermark);
  }

  /** Where the borrowed clock starts: `wm` by the formula, though a change of the config may have kept `watermark` higher. */
  get #origin(): EpochMs {
    return this.maxTs - this.timing.outOfOrdernessMs - 1;
  }

  #clock(up: UptimeMs): EpochMs {
    const quiet = up - this.#heardUp;
    return quiet > this.timing.idleAfterMs ? Math.max(this.watermark, this.#origin + quiet - this.timing.idleAfterMs) : this.watermark;
  }

  /** For how long before this reading the gateway did not listen. */
  #blind(at: EpochMs, up: UptimeMs): DurationMs {
    return this.#evaluatedTs === LONG_AGO ? 0 : Math.max(0, at - this.#evaluatedAt - (up - this.#evaluatedUp));
  }

  /** Evaluates everything up to `clock` in event-time order. */
  #drain(clock: EpochMs, into: Dispatcher): void {
    for (;;) {
      const [first] = this.#held;
      const heard = first === undefined ? NEVER : first.ts - this.#blind(first.at, first.up);
      const next = first !== undefined && first.ts <= clock + 1 ? first : undefined;
      const end = this.#nextEnd <= clock + 1 ? this.#nextEnd : NEVER;
      const timer = this.#nextTimer <= Math.min(clock, heard) ? this.#nextTimer : NEVER;
      const vanished = next === undefined ? NEVER : this.#vanishedBefore(heard);
      const instant = Math.min(next?.ts ?? NEVER, end, timer, vanished);
      if (instant === NEVER) return;
      if (end === instant) this.#closeWindows(end, into);
      else if (next?.ts === instant) {
        this.#held.shift();
        this.#evaluate(next.ts, next.value, next.at, next.up, next.ordinal, next.isSampled, into);
      } else this.#elapseTimers(instant, vanished === instant, next, into);
    }
  }

  /** The earliest absence that the next reading reveals: nothing was heard for longer than `after` before `heard`. */
  #vanishedBefore(heard: EpochMs): EpochMs {
    if (this.#absences.length === 0 || this.#evaluatedTs === LONG_AGO) return NEVER;
    let earliest = NEVER;
    for (const alert of this.#absences) {
      const vanished = this.#evaluatedTs + afterOf(alert);
      if (mayVanish(alert) && heard > vanished && vanished < earliest) earliest = vanished;
    }
    return earliest;
  }

  #elapseTimers(instant: EpochMs, revealsAbsence: boolean, next: Held | undefined, into: Dispatcher): void {
    for (const alert of this.#alerts) {
      if (alert.due === instant) alert.elapse(into);
      const vanishes = revealsAbsence && alert.condition.on === "silence" && mayVanish(alert) && this.#evaluatedTs + afterOf(alert) === instant;
      if (vanishes && next !== undefined) alert.vanish(instant, this.lastValue, "reading", next.ordinal - 1, into);
    }
    this.#findNextTimer();
  }

  #evaluate(ts: EpochMs, value: number, at: EpochMs, up: UptimeMs, ordinal: number, isSampled: boolean, into: Dispatcher): void {
    if (this.#nextTimer <= ts && this.#blind(at, up) > 0) this.#suspendTimers(ts);
    this.#evaluatedTs = ts;
    this.#evaluatedValue = value;
    this.#evaluatedAt = at;
    this.#evaluatedUp = up;
    for (const alert of this.#alerts) {
      const { condition } = alert;
      if (condition.on === "reading") this.#sample(alert, ts, condition.predicate.judge(value), value, "reading", into);
      else if (condition.on === "silence" && ordinal > alert.heardThrough) this.#sample(alert, ts, CLEAR, value, "reading", into);
    }
    if (!isSampled) this.#sampler.add(this.id, ts, value, into);
    this.#nextEnd = Math.min(this.#nextEnd, this.#sampler.nextEnd);
    for (const window of this.#windows) {
      window.add(ts, value);
      if (window.nextEnd < this.#nextEnd) this.#nextEnd = window.nextEnd;
    }
  }

  /** Timers that fell due while the gateway did not listen wait for the next judgement of their condition. */
  #suspendTimers(through: EpochMs): void {
    for (const alert of this.#alerts) alert.suspend(through);
    this.#findNextTimer();
  }

  #closeWindows(end: EpochMs, into: Dispatcher): void {
    if (this.#sampler.nextEnd === end) this.#sampler.close(this.id, end, into);
    for (const window of this.#windows) {
      // One that ended here before, in silence, is not judged again because a backlog has filled another.
      window.result = undefined;
      if (window.nextEnd === end) window.close();
    }
    for (const alert of this.#alerts) {
      const { condition, window } = alert;
      if (condition.on !== "window" || window?.result?.end !== end || window.result.aggregate.count < condition.minCount) continue;
      const measure = window.result.aggregate.figure(condition.aggregate);
      if (Number.isNaN(measure)) continue; // infinite in both directions
      this.#sample(alert, end, condition.predicate.judge(measure), measure, "window", into);
    }
    this.#findNextEnd();
  }

  #sample(alert: Alert, ts: EpochMs, judgement: Judgement, measure: number, trigger: "reading" | "window" | "silence", into: Dispatcher): void {
    alert.sample(ts, judgement, measure, trigger, into);
    if (alert.due < this.#nextTimer) this.#nextTimer = alert.due;
  }

  #findNextEnd(): void {
    let next = this.#sampler.nextEnd;
    for (const window of this.#windows) if (window.nextEnd < next) next = window.nextEnd;
    this.#nextEnd = next;
  }

  #findNextTimer(): void {
    let next = NEVER;
    for (const alert of this.#alerts) if (alert.due < next) next = alert.due;
    this.#nextTimer = next;
  }

  /**
   * Puts rules in force. An alert goes on where one of the same rule and logic stood; one whose logic changed is judged anew.
   * @param rules those that match, in their order
   * @param born number of this change of the rules, so that windows of a new logic start empty
   */
  applyRules(rules: readonly Rule[], up: UptimeMs, born: number, into: Dispatcher): void {
    const before = new Map(this.#alerts.map((alert) => [alert.rule.name, alert]));
    this.#build(rules, (rule, condition) => {
      const old = before.get(rule.name);
      const isSame = old !== undefined && old.rule.logic === rule.logic && sameCondition(old.condition, condition);
      return isSame ? old.window : this.#windowFor(condition, born);
    });
    for (const alert of this.#alerts) {
      const old = before.get(alert.rule.name);
      before.delete(alert.rule.name);
      if (old === undefined) {
        alert.fired = this.#fired.get(alert.rule.name) ?? alert.fired;
        continue;
      }
      if (old.rule.logic !== alert.rule.logic || !sameCondition(old.condition, alert.condition)) this.#judgeAnew(old, alert, up, into);
      alert.takeOver(old);
    }
    for (const gone of before.values()) {
      gone.end(this.maxTs, "rule_removed", into);
      this.#remember(gone);
    }
    this.#findNextEnd();
    this.#findNextTimer();
  }

  #remember({ rule, fired }: Alert): void {
    if (fired.at === LONG_AGO) return;
    this.#fired.delete(rule.name);
    this.#fired.set(rule.name, fired);
    if (this.#fired.size > FIRED_MAX) this.#fired.delete(this.#fired.keys().next().value as string);
  }

  /** Of an alert whose logic changed: what is not breached any more ends; a firing window alert waits for its first window. */
  #judgeAnew(old: Alert, alert: Alert, up: UptimeMs, into: Dispatcher): void {
    const { condition } = alert;
    const isFiring = old.phase === "firing" || old.phase === "recovering";
    let stands = condition.on === "window" && isFiring;
    if (condition.on === "reading") stands = condition.predicate.judge(this.lastValue) === BREACH;
    if (condition.on === "silence") stands = up - this.#heardUp > condition.after;
    if (!stands) old.end(this.maxTs, "rule_changed", into);
  }

  #build(rules: readonly Rule[], windowFor: (rule: Rule, condition: Condition) => Window | undefined): void {
    this.#windows = [];
    this.#alerts = [];
    for (const rule of rules) {
      const condition = bindCondition(rule.condition, this.device?.limits ?? {});
      if (condition === undefined) continue;
      const window = condition.on === "window" ? windowFor(rule, condition) : undefined;
      if (window !== undefined && !this.#windows.includes(window)) this.#windows.push(window);
      this.#alerts.push(new Alert(rule, condition, window, this));
    }
    this.#absences = this.#alerts.filter((alert) => alert.condition.on === "silence");
    this.quietMin = Math.min(this.timing.idleAfterMs, ...this.#absences.map((alert) => afterOf(alert) + 1));
  }

  #windowFor(condition: Condition, born: number): Window | undefined {
    if (condition.on !== "window") return undefined;
    const { size, slide }: WindowSpec = condition.window;
    return (
      this.#windows.find((window) => window.born === born && window.spec.size === size && window.spec.slide === slide) ??
      new Window(condition.window, emptyTally, born)
    );
  }

  save(to: StateWriter): void {
    to.text(this.source);
    to.text(JSON.stringify(this.ownLabels));
    for (const value of [this.watermark, this.maxTs, this.#heardUp, this.#accepted]) to.number(value);
    for (const value of [this.#evaluatedTs, this.#evaluatedValue, this.#evaluatedAt, this.#evaluatedUp]) to.number(value);
    saveHeld(this.#held, to);
    this.memory.save(to);
    this.#sampler.save(to);
    to.number(this.#windows.length);
    for (const window of this.#windows) window.save(to);
    to.number(this.#fired.size);
    for (const [name, { at, dated }] of this.#fired) {
      to.text(name);
      to.number(at);
      to.number(dated);
    }
    to.number(this.#alerts.length);
    for (const alert of this.#alerts) {
      to.number(alert.window === undefined ? -1 : this.#windows.indexOf(alert.window));
      alert.save(to);
    }
  }

  /** Reads what `save` wrote, after its two texts. @param rules those that matched when it was saved */
  restore(from: StateReader, rules: readonly Rule[]): void {
    this.watermark = from.number();
    this.maxTs = from.number();
    this.#heardUp = from.number();
    this.#accepted = from.number();
    this.#evaluatedTs = from.number();
    this.#evaluatedValue = from.number();
    this.#evaluatedAt = from.number();
    this.#evaluatedUp = from.number();
    this.#held = restoreHeld(from);
    this.memory = Memory.restore(from);
    this.#sampler = Downsampler.restore(from);
    const windows = Array.from({ length: from.number() }, () => Window.restore(from, emptyTally));
    this.#fired = new Map(Array.from({ length: from.number() }, () => [from.text(), { at: from.number(), dated: from.number() }]));
    this.#build(rules, () => undefined);
    if (from.number() !== this.#alerts.length) throw new Error(`saved alerts of ${this.key} do not fit the rules in force`);
    this.#alerts = this.#alerts.map((built) => {
      const window = windows[from.number()];
      const alert = new Alert(built.rule, built.condition, window, this);
      alert.restore(from);
      return alert;
    });
    this.#windows = windows;
    this.#absences = this.#alerts.filter((alert) => alert.condition.on === "silence");
    this.#findNextEnd();
    this.#findNextTimer();
  }
}

const afterOf = (alert: Alert): DurationMs => (alert.condition.on === "silence" ? alert.condition.after : NEVER);

/** Whether two bound conditions judge alike; they differ where a device's limit changed. */
const sameCondition = (left: Condition, right: Condition): boolean =>
  left.on === "silence" || right.on === "silence" ? left.on === right.on : left.predicate.text === right.predicate.text;
