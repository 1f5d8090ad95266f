// Rules at work on what is judged as one, a series or a group of them: what falls due is done in the order of the design, one thing at
// a time, each found anew from the readings that were kept.

import type { ZoneTable } from "../../../src/engine/calendar.ts";
import type { Rule } from "../../../src/engine/rule.ts";
import type { TreeSettings } from "./combination.ts";
import type { Closing, Frame } from "./frame.ts";
import { boundTo, type DeviceLimits } from "./judgement.ts";
import type { History, Kept } from "./kept.ts";
import type { Leaf } from "./leaf.ts";
import { Machine } from "./machine.ts";
import type { Member } from "./members.ts";
import { least, NEVER, type Opinion } from "./opinion.ts";

/** `limits`: of its device. */
export type InForce = { readonly rules: readonly Rule[]; readonly limits: DeviceLimits; readonly zone: ZoneTable; readonly up: number };

export abstract class Subject {
  abstract readonly history: History;
  readonly name: string;
  readonly opinion: Opinion;
  #machines: Machine[] = [];
  /** Rules that are gone, by name. */
  readonly #gone = new Map<string, Machine>();
  /** Where the clock stood when everything that was due was done. */
  #settled = Number.NaN;

  constructor(name: string, opinion: Opinion) {
    this.name = name;
    this.opinion = opinion;
  }

  /** Where its clock stands. */
  abstract clock(up: number): number;
  /** How long nothing was heard of it. */
  abstract quiet(up: number): number;
  /** Whose last values count at `up`, of a group. */
  abstract members(up: number): readonly Member[];
  /** The frame of its minutes, of a series. */
  abstract readonly minute: Frame | undefined;
  abstract closeMinute(closing: Closing): void;
  abstract evaluating(reading: Kept): void;

  /** Puts rules in force. @param reason why others end that were there */
  obey({ rules, limits, zone, up }: InForce, reason: (name: string) => string): void {
    const { history } = this;
    const before = this.#machines;
    const standing = {
      lastValue: history.evaluated.at(-1)?.value ?? Number.NaN,
      latest: history.accepted.find(({ ts }) => ts === history.newest)?.value ?? Number.NaN,
      members: this.members(up),
      quiet: this.quiet(up),
      accepted: history.accepted.length,
      newest: history.newest,
    };
    this.#machines = rules.flatMap((rule) => {
      const settings = boundTo(rule.condition as TreeSettings, limits);
      if (settings === undefined) return [];
      const old = before.find((machine) => machine.rule.name === rule.name);
      if (old !== undefined && old.rule.logic === rule.logic && JSON.stringify(old.settings) === JSON.stringify(settings)) {
        old.rule = rule;
        return [old];
      }
      const machine = this.#machineFor(rule, settings, zone);
      if (old !== undefined) machine.succeed(old, standing);
      else machine.remember(this.#gone.get(rule.name));
      return [machine];
    });
    for (const machine of before) {
      if (this.#machines.some(({ rule }) => rule.name === machine.rule.name)) continue;
      machine.end(standing.newest, reason(machine.rule.name));
      this.#gone.set(machine.rule.name, machine);
    }
    this.changed(up);
  }

  /** When the rules of one that was the same before fired last. */
  remember(gone: Subject | undefined): void {
    if (gone !== undefined) for (const [name, machine] of gone.#gone) this.#gone.set(name, machine);
  }

  /** Something is not as it was when everything was done that was due. */
  changed(up: number): void {
    this.#settled = Number.NaN;
    this.settle(up);
  }

  /** A late reading comes, which is not among those kept yet. */
  hearLate(reading: Kept): void {
    for (const leaf of this.#framed) leaf.frame?.hearLate(reading, this.history.kept);
  }

  /** Does everything that is due at this listening time, in order. */
  settle(up: number): void {
    const { history } = this;
    const clock = this.clock(up);
    const quiet = this.quiet(up);
    if (history.accepted.length === 0) return;
    if (clock === this.#settled && !this.#machines.some(({ absent }) => absent.some(({ after }) => quiet > after))) return;
    while (this.#step(clock, quiet)) this.#settled = clock;
    this.#settled = clock;
  }

  /** Does what is due first. @returns whether anything was */
  #step(clock: number, quiet: number): boolean {
    const { history } = this;
    const first = history.waiting;
    const last = history.evaluated.at(-1);
    const blind = history.blind(first);
    const heard = first === undefined ? NEVER : first.ts - blind;
    const readingAt = first !== undefined && first.ts <= clock + 1 ? first.ts : NEVER;
    const endAt = least(this.#closings(clock, false).map(({ closing }) => closing.end));
    const sessionAt = least(this.#closings(clock, true).map(({ closing }) => closing.end));
    const timerAt = least(this.#machines.map(({ due }) => due).filter((due) => due <= clock && due <= heard));
    const ends = (leaf: Leaf): number => (last as Kept).ts + leaf.after;
    const revealed = readingAt === NEVER || last === undefined ? [] : this.#absent.filter(({ leaf }) => ends(leaf) < heard);
    const revealedAt = least(revealed.map(({ leaf }) => ends(leaf)));
    const instant = Math.min(readingAt, endAt, sessionAt, timerAt, revealedAt);
    const silentAt = least(this.#absent.filter(({ leaf }) => quiet > leaf.after).map(({ leaf }) => history.newest + leaf.after));
    if (instant === NEVER && silentAt === NEVER) return false;
    if (silentAt <= instant) this.#fallSilent(silentAt, quiet);
    else if (endAt === instant) this.#close(instant, clock, false);
    else if (readingAt === instant) this.#evaluate(first as Kept, blind);
    else if (sessionAt === instant) this.#close(instant, clock, true);
    else {
      for (const machine of this.#machines) if (machine.due === instant) machine.elapse(instant);
      for (const { machine, leaf } of revealed) {
        if (ends(leaf) !== instant || leaf.judgement === "breach") continue;
        leaf.vanish((last as Kept).value, (first as Kept).ordinal - 1);
        machine.judge(instant);
      }
    }
    return true;
  }

  #fallSilent(instant: number, quiet: number): void {
    const { accepted, newest } = this.history;
    for (const { machine, leaf } of this.#absent) {
      if (quiet <= leaf.after || newest + leaf.after !== instant) continue;
      leaf.vanish(accepted.find(({ ts }) => ts === newest)?.value ?? Number.NaN, accepted.length);
      machine.judge(instant);
    }
  }

  #evaluate(reading: Kept, blind: number): void {
    if (blind > 0) for (const machine of this.#machines) machine.suspend(reading.ts);
    this.history.evaluate(reading);
    this.evaluating(reading);
    const members = this.members(reading.up);
    for (const machine of this.#machines) {
      const judged = machine.leaves.filter((leaf) => leaf.hear(this.history, members));
      if (judged.length > 0) machine.judge(reading.ts);
      const ended = machine.leaves.filter((leaf) => leaf.hearWindow(leaf.frame?.ended(this.history.kept) ?? []));
      if (ended.length > 0) machine.judge(reading.ts);
    }
  }

  #close(end: number, clock: number, isSession: boolean): void {
    const minute = isSession ? undefined : this.minute?.next(this.history.kept, clock);
    if (minute?.end === end) this.closeMinute(minute);
    const closings = this.#closings(clock, isSession).filter(({ closing }) => closing.end === end);
    for (const machine of this.#machines) {
      const judged = closings.filter(
        ({ leaf, closing }) => leaf !== undefined && machine.leaves.includes(leaf) && leaf.hearWindow(leaf.frame?.close(closing) ?? []),
      );
      if (judged.length > 0) machine.judge(end);
    }
  }

  #closings(clock: number, isSession: boolean): { leaf: Leaf | undefined; closing: Closing }[] {
    const frames = [{ leaf: undefined, frame: this.minute }, ...this.#framed.map((leaf) => ({ leaf, frame: leaf.frame }))];
    return frames.flatMap(({ leaf, frame }) => {
      const closing = frame?.isSession === isSession ? frame.next(this.history.kept, clock) : undefined;
      return closing === undefined ? [] : [{ leaf, closing }];
    });
  }

  get #framed(): Leaf[] {
    return this.#machines.flatMap(({ leaves }) => leaves.filter(({ frame }) => frame !== undefined));
  }

  get #absent(): { machine: Machine; leaf: Leaf }[] {
    return this.#machines.flatMap((machine) => machine.absent.map((leaf) => ({ machine, leaf })));
  }

  #machineFor(rule: Rule, settings: TreeSettings, zone: ZoneTable): Machine {
    const notebook = {
      tell: (name: string, told: Opinion["transitions"][string][number]) => void (this.opinion.transitions[`${this.name} ${name}`] ??= []).push(told),
      pend: (name: string, since: number | null) => void (this.opinion.pending[`${this.name} ${name}`] ??= []).push(since),
    };
    return new Machine(rule, settings, zone, this.history.turns, notebook);
  }
}
