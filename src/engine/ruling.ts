// The rules in force on one subject: its alerts, and the windows that they share. An alert that would have nothing to remember is only
// made when it breaches. When rules change, an alert goes on where one of the same rule and logic stood; one whose logic changed is
// judged anew.

import { Alert, type AlertSubject, type FiredLast, NEVER_FIRED } from "./alert.ts";
import { type BoundRule, type BoundRules, bindRules, type Silence } from "./bound-rules.ts";
import type { ZoneTable } from "./calendar.ts";
import type { Member } from "./conditions/condition.ts";
import type { Dispatcher } from "./dispatch.ts";
import { changeOf } from "./evidence.ts";
import type { Leaf, WindowCondition } from "./parts.ts";
import { BREACH, CLEAR } from "./predicate.ts";
import type { Rule } from "./rule.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs, UptimeMs } from "./units.ts";
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

/** Rules that are gone of which a subject remembers when they fired. */
const FIRED_MAX = 64;

const NO_RULES = bindRules([]);
/** Most subjects have none of most kinds. */
const NO_WINDOWS: readonly Window[] = [];
const NO_ALERTS: readonly Alert[] = [];

export class Ruling {
  readonly #subject: AlertSubject;
  bound: BoundRules = NO_RULES;
  windows: Window[] = [];
  /** Those of `windows` that only time ends and whose length is fixed, and the others. */
  patient: readonly PatientWindow[] = [];
  prompt: readonly Window[] = NO_WINDOWS;
  /** Those that are made, in the order of the rules. */
  alerts: Alert[] = [];
  /** Those of `alerts` that each reading may change though it breaches no limit. */
  fed: readonly Alert[] = NO_ALERTS;
  /** When rules that are gone fired last, by name: one that comes back may not give the same occurrence again. */
  #fired: Map<string, FiredLast> | undefined;

  constructor(subject: AlertSubject) {
    this.#subject = subject;
  }

  /** @returns undefined while there is none */
  find({ index }: BoundRule): Alert | undefined {
    for (const alert of this.alerts) if (alert.bound.index === index) return alert;
    return undefined;
  }

  /** The alert of a direct rule, made if need be. */
  made(bound: BoundRule): Alert {
    const known = this.find(bound);
    if (known !== undefined) return known;
    const alert = new Alert(bound, this.#subject, noWindow);
    alert.fired = this.#fired?.get(bound.rule.name) ?? NEVER_FIRED;
    const after = this.alerts.findIndex((other) => other.bound.index > bound.index);
    this.alerts.splice(after < 0 ? this.alerts.length : after, 0, alert);
    return alert;
  }

  /** The part of an alert that is an absence; undefined where the absence is the alert's own condition. */
  leafOf({ bound, leaf }: Silence): Leaf | undefined {
    return leaf === undefined ? undefined : (this.find(bound)?.parts?.leaves[leaf] as Leaf);
  }

  /** Whether an absence may (again) be told. */
  mayVanish(silence: Silence): boolean {
    const leaf = this.leafOf(silence);
    if (leaf !== undefined) return leaf.judgement !== BREACH;
    const phase = this.find(silence.bound)?.phase ?? "inactive";
    return phase === "inactive" || phase === "recovering";
  }

  /** @param rules those that match, in their order */
  apply(rules: readonly Rule[], change: Change, into: Dispatcher): void {
    // For as long as this takes there is an alert for each rule.
    const before = new Map(this.bound.all.map((bound) => [bound.rule.name, this.made(bound)]));
    this.windows = [];
    this.alerts = [];
    this.bound = bindRules(rules, this.#subject.device?.limits);
    for (const bound of this.bound.all) {
      const old = before.get(bound.rule.name);
      before.delete(bound.rule.name);
      const isSame = old !== undefined && old.rule.logic === bound.rule.logic && old.bound.text === bound.text;
      const kept = isSame ? windowsOf(old) : [];
      const alert = new Alert(bound, this.#subject, (leaf) => this.#join(kept.shift() ?? this.#windowFor(leaf, change)));
      this.alerts.push(alert);
      if (old === undefined) alert.fired = this.#fired?.get(bound.rule.name) ?? NEVER_FIRED;
      else if (isSame) alert.takeOver(old, true);
      else succeed(alert, old, change, into);
    }
    for (const gone of before.values()) {
      gone.end(change.heard.maxTs, "rule_removed", { kind: "removed" }, into);
      this.#remember(gone);
    }
    this.alerts = this.alerts.filter((alert) => !alert.bound.isDirect || alert.isWorthKeeping);
    this.#sort();
  }

  /** Each window is saved where it is first used. */
  save(to: StateWriter): void {
    to.number(this.#fired?.size ?? 0);
    for (const [name, { at, dated }] of this.#fired ?? []) {
      to.text(name);
      to.number(at);
      to.number(dated);
    }
    to.number(this.alerts.length);
    const saved: Window[] = [];
    for (const alert of this.alerts) {
      to.number(alert.bound.index);
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
    const fired = from.number();
    if (fired > 0) this.#fired = new Map(Array.from({ length: fired }, () => [from.text(), { at: from.number(), dated: from.number() }]));
    this.bound = bindRules(rules, this.#subject.device?.limits);
    const count = from.number();
    for (let number = 0; number < count; number++) {
      const bound = this.bound.all[from.number()];
      if (bound === undefined) throw new Error(`saved alerts of ${this.#subject.key} do not fit the rules in force`);
      const alert = new Alert(bound, this.#subject, (leaf) => {
        const index = from.number();
        return this.#join(index < 0 ? restoreWindow(settingsOf(leaf, zone), from) : (this.windows[index] as Window));
      });
      alert.restore(from);
      this.alerts.push(alert);
    }
    this.#sort();
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
    this.#fired ??= new Map();
    this.#fired.delete(rule.name);
    this.#fired.set(rule.name, fired);
    if (this.#fired.size > FIRED_MAX) this.#fired.delete(this.#fired.keys().next().value as string);
  }

  /** Sorts windows and alerts by what they are fed. */
  #sort(): void {
    // Arrays that were filled one by one have room for seventeen.
    this.windows = this.windows.slice();
    this.alerts = this.alerts.slice();
    const prompt = this.windows.filter((window) => !isPatient(window));
    this.patient = prompt.length === 0 ? (this.windows as PatientWindow[]) : this.windows.filter(isPatient);
    this.prompt = prompt.length === 0 ? NO_WINDOWS : prompt;
    const fed = this.alerts.filter(({ condition: { on } }) => on === "detector" || on === "members" || on === "parts");
    this.fed = fed.length === 0 ? NO_ALERTS : fed;
  }
}

const noWindow = (): never => {
  throw new Error("a direct rule has no window");
};

const settingsOf = ({ window: spec, aggregate }: WindowCondition, zone: ZoneTable): WindowSettings => ({ spec, aggregate, zone });

const isPatient = (window: Window): window is PatientWindow => window.spec.kind === "hopping";

const windowsOf = ({ window, parts }: Alert): Window[] => [window, ...(parts?.leaves ?? []).map((leaf) => leaf.window)].filter((each) => each !== undefined);

/** Of a rule whose logic changed: goes on where the old alert stood, if it still holds. What needs readings to judge stays, if it fires, until it has judged. */
function succeed(alert: Alert, old: Alert, change: Change, into: Dispatcher): void {
  const { maxTs, count } = change.heard;
  const anew = judgedAnew(alert, change);
  const goesOn = anew === undefined ? old.phase === "firing" || old.phase === "recovering" : anew.isBreached;
  const unheard = { through: count, last: maxTs, quiet: change.up - change.heard.up };
  // One that was only pending leaves no evidence.
  if (!goesOn) old.end(maxTs, "rule_changed", anew === undefined ? { kind: "regrouped" } : changeOf(alert, anew.measure, unheard), into);
  alert.takeOver(old, false);
  if (alert.phase === "inactive") {
    // An absence that nothing was told of is still to be told.
    for (const leaf of alert.parts?.leaves ?? []) if (leaf.condition.on === "silence") leaf.forget();
  } else if (anew !== undefined) {
    // One that was told already ends with the same reading as before.
    const isToldAlready = old.condition.on === "silence" && old.phase === "firing";
    alert.holdAnew(maxTs, anew.measure, isToldAlready ? { ...unheard, through: old.heardThrough } : unheard, into);
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
      leaf.quiet = up - heard.up;
    } else isKnown = false;
  }
  return isKnown ? { isBreached: parts.judgement === BREACH, measure: (parts.decider as Leaf).measure } : undefined;
}
