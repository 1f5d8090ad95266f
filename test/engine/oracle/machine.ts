// One rule on one series: its condition, the delays around it, and what was told of it. Whatever happened by one date is told by that
// date, in order: first the alert's own change, then that of its level.

import type { ZoneTable } from "../../../src/engine/calendar.ts";
import type { Rule } from "../../../src/engine/rule.ts";
import { grow, judgementOfTree, leavesOf, measureOfTree, type Tree, type TreeSettings } from "./combination.ts";
import { judgementOf } from "./judgement.ts";
import type { Leaf } from "./leaf.ts";
import type { Member } from "./members.ts";
import { LONG_AGO, least, NEVER, roundFigure, type Told } from "./opinion.ts";
import { type Change, Relay } from "./relay.ts";

type Level = { readonly relay: Relay; readonly settings: object & { severity: string }; isOn: boolean };
type Notebook = { tell(rule: string, told: Told): void; pend(rule: string, since: number | null): void };
/** What is known of a series as its rules change. */
export type Standing = {
  /** Of the reading evaluated last, and of the latest accepted. */
  readonly lastValue: number;
  readonly latest: number;
  readonly members: readonly Member[];
  readonly quiet: number;
  readonly accepted: number;
  readonly newest: number;
};

export class Machine {
  rule: Rule;
  readonly settings: TreeSettings;
  readonly tree: Tree;
  readonly leaves: readonly Leaf[];
  phase: "inactive" | "pending" | "firing" | "recovering" = "inactive";
  #relay: Relay;
  #levels: Level[] = [];
  #value = Number.NaN;
  #severity = "";
  /** Of the last occurrence, and of the last transition; never to be repeated or gone behind. */
  #occurrence = LONG_AGO;
  #dated = LONG_AGO;
  readonly #notebook: Notebook;

  constructor(rule: Rule, settings: TreeSettings, zone: ZoneTable, born: number, notebook: Notebook) {
    this.rule = rule;
    this.settings = settings;
    this.tree = grow(settings, zone, born);
    this.leaves = leavesOf(this.tree);
    this.#relay = new Relay(rule);
    this.#notebook = notebook;
  }

  /** The earliest delay that is over at some time and is not suspended. */
  get due(): number {
    return least(this.#relays.filter(({ isSuspended }) => !isSuspended).map(({ due }) => due));
  }

  get #relays(): Relay[] {
    return [this.#relay, ...this.#levels.map(({ relay }) => relay)];
  }

  /** Absences that could be told now. */
  get absent(): Leaf[] {
    return this.leaves.filter(({ after, judgement }) => after !== NEVER && judgement !== "breach");
  }

  /** Its parts were judged: what of it all? */
  judge(ts: number): void {
    const judgement = judgementOfTree(this.tree);
    this.#value = measureOfTree(this.tree);
    if (this.phase === "inactive" && judgement !== "breach") return;
    if (this.phase === "inactive") this.#levels = this.#graver();
    const own = this.#relay.hear(ts, judgement);
    const levels = this.#levels.map(({ relay, settings }) => relay.hear(ts, judgementOf(settings, this.#value)));
    this.#follow(own, levels);
    // Where the rule was another before, its levels are those of this one from here on.
    this.#followLevel(ts);
  }

  elapse(instant: number): void {
    const isDue = (relay: Relay): boolean => relay.due === instant && !relay.isSuspended;
    const levels = this.#levels.map(({ relay }) => (isDue(relay) ? relay.elapse() : []));
    this.#follow(isDue(this.#relay) ? this.#relay.elapse() : [], levels);
  }

  suspend(through: number): void {
    for (const relay of this.#relays) if (relay.due <= through) relay.isSuspended = true;
  }

  /** When a rule of its name fired last. */
  remember(gone: Machine | undefined): void {
    if (gone === undefined) return;
    this.#occurrence = gone.#occurrence;
    this.#dated = gone.#dated;
  }

  /** Its logic changed: goes on where the old one stood, or ends that. */
  succeed(old: Machine, standing: Standing): void {
    this.remember(old);
    const isKnown = this.leaves.every(({ needsOnlyTheLast }) => needsOnlyTheLast);
    for (const leaf of this.leaves) judgeAnew(leaf, standing);
    const isBreached = isKnown && judgementOfTree(this.tree) === "breach";
    if (!isBreached && (isKnown || old.phase === "pending")) {
      old.end(standing.newest, "rule_changed");
      this.#forgetAbsences();
      return this.remember(old);
    }
    this.phase = old.phase;
    this.#severity = old.#severity;
    this.#relay.stage = old.#relay.stage;
    this.#relay.since = old.#relay.since;
    this.#relay.isSuspended = old.#relay.isSuspended;
    this.#value = isKnown ? measureOfTree(this.tree) : old.#value;
    if (this.phase === "inactive") return this.#forgetAbsences();
    // An absence that goes on was told when it was told.
    const [was, is] = [old.leaves[0] as Leaf, this.leaves[0] as Leaf];
    if (was.after !== NEVER && old.phase === "firing" && old.tree.type === "leaf" && this.tree.type === "leaf") is.deafThrough = was.deafThrough;
    this.#levels = this.#graver();
    for (const level of this.#levels) {
      level.isOn = judgementOf(level.settings, this.#value) === "breach";
      level.relay.stage = level.isOn ? "on" : "off";
    }
    if (!isKnown) return;
    if (this.phase === "recovering") this.#follow(this.#relay.hear(standing.newest, "breach"), [], "rule_changed");
    this.#followLevel(standing.newest);
  }

  /** Where nothing goes on, an absence is still to be told. */
  #forgetAbsences(): void {
    for (const leaf of this.leaves) if (leaf.after !== NEVER) leaf.judgement = undefined;
  }

  /** Is no more. */
  end(ts: number, reason: string): void {
    const { phase } = this;
    this.phase = "inactive";
    if (phase === "pending") this.#notebook.pend(this.rule.name, null);
    else if (phase !== "inactive") this.#tell("resolved", ts, reason);
  }

  #graver(): Level[] {
    const [leaf] = this.leaves;
    return (leaf?.levels ?? []).slice(1).map((settings) => ({ relay: new Relay(this.rule), settings, isOn: false }));
  }

  #follow(own: readonly Change[], levels: readonly Change[][], reason = "condition"): void {
    const dates = new Set([...own, ...levels.flat()].map(({ ts }) => ts));
    for (const date of [...dates].sort((a, b) => a - b)) {
      for (const [index, changes] of levels.entries()) {
        for (const { to, ts } of changes) if (ts === date && (to === "on" || to === "off")) (this.#levels[index] as Level).isOn = to === "on";
      }
      for (const change of own) if (change.ts === date) this.#move(change, reason);
      if (this.phase === "inactive") return;
      this.#followLevel(date);
    }
  }

  #move({ to, ts }: Change, reason: string): void {
    const { name } = this.rule;
    if (to === "rising") {
      this.phase = "pending";
      this.#notebook.pend(name, ts);
    } else if (to === "falling") {
      this.phase = "recovering";
      this.#tell("recovering", ts, reason);
    } else if (to === "off") this.#turnOff(ts, reason);
    else this.#turnOn(ts, reason);
  }

  #turnOff(ts: number, reason: string): void {
    const wasPending = this.phase === "pending";
    this.phase = "inactive";
    this.#levels = [];
    if (wasPending) this.#notebook.pend(this.rule.name, null);
    else this.#tell("resolved", ts, reason);
  }

  #turnOn(ts: number, reason: string): void {
    const before = this.phase;
    this.phase = "firing";
    if (before === "recovering") return this.#tell("firing", ts, reason);
    if (before === "pending") this.#notebook.pend(this.rule.name, null);
    this.#occurrence = Math.max(ts, this.#dated, this.#occurrence + 1);
    this.#severity = this.#gravest;
    this.#tell("firing", this.#occurrence, reason);
  }

  get #gravest(): string {
    const mildest = this.leaves[0]?.levels[0]?.severity ?? this.rule.severity;
    return this.#levels.findLast(({ isOn }) => isOn)?.settings.severity ?? mildest;
  }

  #followLevel(ts: number): void {
    if ((this.phase !== "firing" && this.phase !== "recovering") || (this.leaves[0]?.levels.length ?? 0) === 0) return;
    if (this.#gravest === this.#severity) return;
    this.#severity = this.#gravest;
    this.#tell(this.phase, ts, "level");
  }

  #tell(to: string, ts: number, reason: string): void {
    this.#dated = Math.max(ts, this.#dated);
    const value = roundFigure(this.#value);
    this.#notebook.tell(this.rule.name, { to, reason, ts: this.#dated, occurrence: this.#occurrence, value, severity: this.#severity });
  }
}

function judgeAnew(leaf: Leaf, { lastValue, latest, members, quiet, accepted }: Standing): void {
  if (leaf.after === NEVER) return leaf.judgeAnew(lastValue, members);
  if (quiet > leaf.after) return leaf.vanish(latest, accepted);
  leaf.judgement = "clear";
  leaf.value = latest;
}
