// The rules in force on one subject: its alerts in the order of the rules, the windows that they share, the absences among them.
// When rules change, an alert goes on where one of the same rule and logic stood; one whose logic changed is judged anew.

import { Alert, type AlertSubject, type FiredLast } from "./alert.ts";
import type { ZoneTable } from "./calendar.ts";
import type { Condition, Member } from "./conditions/condition.ts";
import { bindCondition } from "./conditions/index.ts";
import type { Dispatcher } from "./dispatch.ts";
import { type Leaf, textOf, type WindowCondition } from "./parts.ts";
import { BREACH, CLEAR, type Predicate } from "./predicate.ts";
import type { Rule } from "./rule.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs, UptimeMs } from "./units.ts";
import type { Window } from "./window.ts";
import { createWindow, restoreWindow, sharingOf, type WindowSettings } from "./windows/index.ts";

/** What was heard of a subject so far; `count`: how many readings were accepted. */
export type Heard = { readonly maxTs: EpochMs; readonly up: UptimeMs; readonly count: number };

/**
 * `born`: the number of this change of the rules, so that windows of a new logic start empty.
 * `members`: of a group, those whose last values count.
 */
export type RulingContext = { readonly up: UptimeMs; readonly born: number; readonly zone: ZoneTable; readonly members?: readonly Member[] };
/** `lastValue`: evaluated last; `heardValue`: of the latest reading, also of one that waits for its turn. */
type Change = RulingContext & { readonly lastValue: number; readonly heardValue: number; readonly heard: Heard };

/** A window that is made of panes. */
export type PatientWindow = Window & { isOpen(ts: EpochMs): boolean; addToBegun(readings: readonly number[], length: number): void };

/** An alert whose condition is the plain comparison of each reading. */
export type SimpleAlert = Alert & { readonly simple: Predicate };

/** Rules that are gone of which a subject remembers when they fired. */
const FIRED_MAX = 64;

/** An absence: a condition of its own, or a part of one. */
export class Silence {
  readonly alert: Alert;
  readonly leaf: Leaf | undefined;
  readonly after: DurationMs;

  constructor(alert: Alert, leaf: Leaf | undefined, after: DurationMs) {
    this.alert = alert;
    this.leaf = leaf;
    this.after = after;
  }

  /** Whether an absence may (again) be told. */
  get mayVanish(): boolean {
    if (this.leaf !== undefined) return this.leaf.judgement !== BREACH;
    return this.alert.phase === "inactive" || this.alert.phase === "recovering";
  }
}

export class Ruling {
  readonly #subject: AlertSubject;
  windows: Window[] = [];
  /** Those of `windows` that only time ends and whose length is fixed, and the others. */
  patient: readonly PatientWindow[] = [];
  prompt: readonly Window[] = [];
  /** In the order of the rules. */
  alerts: Alert[] = [];
  /** Those of `alerts` that only compare each reading. */
  simple: readonly SimpleAlert[] = [];
  /** Those that each reading may change though it breaches no limit: the others that are fed readings, and all of them but absences. */
  others: readonly Alert[] = [];
  fed: readonly Alert[] = [];
  /** Those that windows change. */
  windowed: readonly Alert[] = [];
  silences: readonly Silence[] = [];
  /** The least time after a reading at which an absence can fall due; Infinity where there is none. */
  quietMin: DurationMs = Number.POSITIVE_INFINITY;
  /** When rules that are gone fired last, by name: one that comes back may not give the same occurrence again. */
  #fired = new Map<string, FiredLast>();

  constructor(subject: AlertSubject) {
    this.#subject = subject;
  }

  /** @param rules those that match, in their order */
  apply(rules: readonly Rule[], change: Change, into: Dispatcher): void {
    const before = new Map(this.alerts.map((alert) => [alert.rule.name, alert]));
    this.windows = [];
    this.alerts = [];
    for (const [rule, condition] of this.#bind(rules)) {
      const old = before.get(rule.name);
      before.delete(rule.name);
      const isSame = old !== undefined && old.rule.logic === rule.logic && boundTextOf(old.condition) === boundTextOf(condition);
      const kept = isSame ? windowsOf(old) : [];
      const alert = new Alert(rule, condition, this.#subject, (leaf) => this.#join(kept.shift() ?? this.#windowFor(leaf, change)));
      this.alerts.push(alert);
      if (old === undefined) alert.fired = this.#fired.get(rule.name) ?? alert.fired;
      else if (isSame) alert.takeOver(old, true);
      else succeed(alert, old, change, into);
    }
    for (const gone of before.values()) {
      gone.end(change.heard.maxTs, "rule_removed", into);
      this.#remember(gone);
    }
    this.#sort();
  }

  /** Each window is saved where it is first used. */
  save(to: StateWriter): void {
    to.number(this.#fired.size);
    for (const [name, { at, dated }] of this.#fired) {
      to.text(name);
      to.number(at);
      to.number(dated);
    }
    to.number(this.alerts.length);
    const saved: Window[] = [];
    for (const alert of this.alerts) {
      if (alert.window === undefined && alert.parts === undefined) {
        alert.save(to);
        continue;
      }
      for (const window of windowsOf(alert)) {
        const index = saved.indexOf(window);
        to.number(index);
        if (index < 0) window.save(to);
        if (index < 0) saved.push(window);
      }
      alert.save(to);
    }
  }

  /** Reads what `save` wrote. @param rules those that matched when it was saved */
  restore(from: StateReader, rules: readonly Rule[], zone: ZoneTable): void {
    this.#fired = new Map(Array.from({ length: from.number() }, () => [from.text(), { at: from.number(), dated: from.number() }]));
    const count = from.number();
    for (const [rule, condition] of this.#bind(rules)) {
      const alert = new Alert(rule, condition, this.#subject, (leaf) => {
        const index = from.number();
        return this.#join(index < 0 ? restoreWindow(settingsOf(leaf, zone), from) : (this.windows[index] as Window));
      });
      alert.restore(from);
      this.alerts.push(alert);
    }
    if (count !== this.alerts.length) throw new Error(`saved alerts of ${this.#subject.key} do not fit the rules in force`);
    this.#sort();
  }

  *#bind(rules: readonly Rule[]): Generator<[Rule, Condition]> {
    for (const rule of rules) {
      const condition = bindCondition(rule.condition, this.#subject.device?.limits ?? {});
      if (condition !== undefined) yield [rule, condition];
    }
  }

  #join(window: Window): Window {
    if (!this.windows.includes(window)) this.windows.push(window);
    return window;
  }

  #windowFor(leaf: WindowCondition, { born, zone }: RulingContext): Window {
    const settings = settingsOf(leaf, zone);
    const sharing = sharingOf(settings);
    return this.windows.find((window) => window.born === born && window.sharing === sharing) ?? createWindow(settings, born);
  }

  #remember({ rule, fired }: Alert): void {
    if (fired.at === Number.NEGATIVE_INFINITY) return;
    this.#fired.delete(rule.name);
    this.#fired.set(rule.name, fired);
    if (this.#fired.size > FIRED_MAX) this.#fired.delete(this.#fired.keys().next().value as string);
  }

  /** Sorts the alerts by what they are fed. */
  #sort(): void {
    this.patient = this.windows.filter(isPatient);
    this.prompt = this.windows.filter((window) => !isPatient(window));
    this.simple = this.alerts.filter(isSimple);
    this.others = this.alerts.filter(({ condition: { on } }) => on !== "reading" && on !== "window");
    this.fed = this.others.filter(({ condition }) => condition.on !== "silence");
    this.windowed = this.alerts.filter(({ condition: { on } }) => on === "window" || on === "parts");
    this.silences = this.alerts.flatMap((alert) => {
      if (alert.condition.on === "silence") return [new Silence(alert, undefined, alert.condition.after)];
      const leaves = alert.parts?.leaves ?? [];
      return leaves.flatMap((leaf) => (leaf.condition.on === "silence" ? [new Silence(alert, leaf, leaf.condition.after)] : []));
    });
    this.quietMin = Math.min(Number.POSITIVE_INFINITY, ...this.silences.map(({ after }) => after + 1));
  }
}

const settingsOf = ({ window: spec, aggregate }: WindowCondition, zone: ZoneTable): WindowSettings => ({ spec, aggregate, zone });

const isPatient = (window: Window): window is PatientWindow => window.spec.kind === "hopping";

const isSimple = (alert: Alert): alert is SimpleAlert => alert.simple !== undefined;

/** With the device's limits as numbers, those of all levels too. */
const boundTextOf = (condition: Condition): string => {
  const levels = "levels" in condition ? condition.levels.map(({ criterion }) => criterion.text) : [];
  return [textOf(condition), ...levels].join("; ");
};

const windowsOf = ({ window, parts }: Alert): Window[] => [window, ...(parts?.leaves ?? []).map((leaf) => leaf.window)].filter((each) => each !== undefined);

/** Of a rule whose logic changed: goes on where the old alert stood, if it still holds. What needs readings to judge stays, if it fires, until it has judged. */
function succeed(alert: Alert, old: Alert, change: Change, into: Dispatcher): void {
  const { maxTs, count } = change.heard;
  const anew = judgedAnew(alert, change);
  const goesOn = anew === undefined ? old.phase === "firing" || old.phase === "recovering" : anew.isBreached;
  if (!goesOn) old.end(maxTs, "rule_changed", into);
  alert.takeOver(old, false);
  if (alert.phase === "inactive") {
    // An absence that nothing was told of is still to be told.
    for (const leaf of alert.parts?.leaves ?? []) if (leaf.condition.on === "silence") leaf.forget();
  } else if (anew !== undefined) {
    // One that was told already ends with the same reading as before.
    const isToldAlready = old.condition.on === "silence" && old.phase === "firing";
    alert.holdAnew(maxTs, anew.measure, isToldAlready ? old.heardThrough : count, into);
  }
}

/** By what is known already; undefined: that says nothing. */
function judgedAnew(
  { condition, parts }: Alert,
  { lastValue, heardValue, heard, up, members }: Change,
): { readonly isBreached: boolean; readonly measure: number } | undefined {
  if (condition.on === "reading") return { isBreached: condition.criterion.judge(lastValue) === BREACH, measure: lastValue };
  if (condition.on === "silence") return { isBreached: up - heard.up > condition.after, measure: heardValue };
  if (condition.on === "members" && members !== undefined) {
    const measure = condition.measure(members);
    return { isBreached: condition.criterion.judge(measure) === BREACH, measure };
  }
  if (parts === undefined) return undefined;
  let isKnown = true;
  for (const leaf of parts.leaves) {
    if (leaf.condition.on === "reading") leaf.judge(leaf.condition.criterion.judge(lastValue), lastValue);
    else if (leaf.condition.on === "silence") {
      const isSilent = up - heard.up > leaf.condition.after;
      leaf.judge(isSilent ? BREACH : CLEAR, heardValue);
      leaf.heardThrough = isSilent ? heard.count : 0;
    } else isKnown = false;
  }
  return isKnown ? { isBreached: parts.judgement === BREACH, measure: (parts.decider as Leaf).measure } : undefined;
}
