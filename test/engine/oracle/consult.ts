// A second opinion about event time: slow, naive, and written from the text of the design alone. It keeps every reading in a
// plain list, walks listening time a second at a time, and works out clocks, windows, aggregates and absences anew each time.
// It knows nothing of snapshots, lookups, batches, wakes or dispatch. Inputs come on whole seconds.

import type { ZoneTable } from "../../../src/engine/calendar.ts";
import type { Input } from "../../../src/engine/input.ts";
import type { Labels } from "../../../src/engine/reading.ts";
import type { Rule, RulePlan, SourceTiming } from "../../../src/engine/rule.ts";
import type { TreeSettings } from "./combination.ts";
import { type Closing, Frame } from "./frame.ts";
import { boundTo } from "./judgement.ts";
import { History, type Kept } from "./kept.ts";
import type { Leaf } from "./leaf.ts";
import { Machine } from "./machine.ts";
import { emptyOpinion, greatest, LONG_AGO, least, NEVER, type Opinion } from "./opinion.ts";

const MINUTE = 60_000;
const minuteOf = (ts: number): number => Math.floor(ts / MINUTE) * MINUTE;

/** @param until listening time up to which silence goes on after the last input */
export function consult(inputs: readonly Input[], until: number): Opinion {
  const opinion = emptyOpinion();
  const subjects: Subject[] = [];
  let plan: RulePlan | undefined;
  let up = 0;
  const walk = (to: number): void => {
    const offsets = offsetsOf(subjects);
    for (let second = Math.floor(up / 1000); second * 1000 <= to; second++) {
      for (const offset of offsets) {
        const instant = second * 1000 + offset;
        if (instant < up || instant > to) continue;
        for (const subject of subjects) subject.settle(instant);
      }
    }
    up = to;
  };
  for (const input of inputs) {
    walk(input.up);
    if (input.kind === "rules") {
      plan = input.plan;
      for (const subject of subjects) subject.obey(plan, up);
    }
    if (input.kind !== "readings") continue;
    for (const { id, labels, source } of input.batch.defined) {
      const subject = new Subject(id, labels, (plan as RulePlan).sources[source] as SourceTiming, opinion);
      subject.obey(plan as RulePlan, up);
      subjects.push(subject);
    }
    input.batch.series.forEach((id, index) => {
      const subject = subjects[id] as Subject;
      opinion.verdicts.push(subject.take(input.batch.ts[index] as number, input.batch.value[index] as number, input.at, input.up));
    });
  }
  walk(until);
  for (const list of Object.values(opinion.dirty)) list.sort((a, b) => a - b);
  return opinion;
}

/** Milliseconds of a second at which something can fall due, when input comes on whole seconds. */
function offsetsOf(subjects: readonly Subject[]): number[] {
  const marks = [...new Set([0, ...subjects.flatMap(({ history }) => history.kept.map(({ ts }) => ts % 1000))])];
  const differences = marks.flatMap((a) => marks.flatMap((b) => [a - b, a - b + 1]));
  return [...new Set(differences.map((difference) => (difference + 2000) % 1000))].sort((a, b) => a - b);
}

class Subject {
  readonly history: History;
  readonly #id: number;
  readonly #labels: Labels;
  readonly #opinion: Opinion;
  readonly #minute: Frame;
  #machines: Machine[] = [];
  /** Rules that are gone, by name. */
  readonly #gone = new Map<string, Machine>();
  /** Where the clock stood when everything that was due was done. */
  #settled = Number.NaN;

  constructor(id: number, labels: Labels, timing: SourceTiming, opinion: Opinion) {
    this.#id = id;
    this.#labels = labels;
    this.#opinion = opinion;
    this.history = new History(timing);
    this.#minute = new Frame({ kind: "hopping", size: MINUTE, slide: MINUTE }, { name: "UTC", from: [LONG_AGO], offsets: [0] }, 0);
  }

  /** Puts rules in force. */
  obey(plan: RulePlan, up: number): void {
    const { history } = this;
    const device = plan.devices[this.#labels["device"] ?? ""];
    const before = this.#machines;
    const standing = {
      lastValue: history.evaluated.at(-1)?.value ?? Number.NaN,
      quiet: history.quiet(up),
      accepted: history.accepted.length,
      newest: history.newest,
    };
    this.#machines = plan.rules.flatMap((rule) => {
      if (!matches(rule, { ...device?.labels, ...this.#labels })) return [];
      const settings = boundTo(rule.condition as TreeSettings, device?.limits ?? {});
      if (settings === undefined) return [];
      const old = before.find((machine) => machine.rule.name === rule.name);
      if (old !== undefined && old.rule.logic === rule.logic && JSON.stringify(old.settings) === JSON.stringify(settings)) {
        old.rule = rule;
        return [old];
      }
      const machine = this.#machineFor(rule, settings, plan.zone);
      if (old !== undefined) machine.succeed(old, standing);
      else machine.remember(this.#gone.get(rule.name));
      return [machine];
    });
    for (const machine of before) {
      if (this.#machines.some(({ rule }) => rule.name === machine.rule.name)) continue;
      machine.end(standing.newest, "rule_removed");
      this.#gone.set(machine.rule.name, machine);
    }
    this.#settled = Number.NaN;
    this.settle(up);
  }

  /** @returns its verdict */
  take(sent: number, value: number, at: number, up: number): string {
    const { history } = this;
    const { timing, kept } = history;
    const ts = Number.isNaN(sent) ? Math.max(at, history.newest + 1) : sent;
    if (ts > at + timing.maxFutureMs || (timing.maxPastMs !== null && ts < at - timing.maxPastMs)) return "quarantined";
    const same = kept.find((reading) => reading.ts === ts);
    if (same !== undefined) return same.value === value ? "duplicate" : "conflict";
    const isLate = history.isLate(ts);
    const clockThen = isLate ? history.clock(up) : LONG_AGO;
    const minuteEnd = minuteOf(ts) + MINUTE;
    const isDirty = minuteEnd <= this.#minute.closed || minuteEnd - 1 <= clockThen;
    const ordinal = isLate ? 0 : history.accepted.length + 1;
    const reading: Kept = { ts, value, at, up, ordinal, isLate, clockThen, turn: isLate ? ++history.turns : NEVER, isDirty };
    if (isLate) for (const leaf of this.#framed) leaf.frame?.hearLate(reading, kept);
    history.keep(reading);
    if (isDirty) this.#markDirty(reading);
    // A minute that was passed while it was empty is begun by a mark; what comes for it later amends it.
    if (isDirty) this.#minute.pass(minuteEnd);
    this.#settled = Number.NaN;
    this.settle(up);
    return isLate ? "late" : "accepted";
  }

  /** Does everything that is due at this listening time, in order. */
  settle(up: number): void {
    const { history } = this;
    const clock = history.clock(up);
    const quiet = history.quiet(up);
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
    if (!reading.isDirty && minuteOf(reading.ts) + MINUTE <= this.#minute.closed) this.#markDirty(reading);
    for (const machine of this.#machines) {
      const judged = machine.leaves.filter((leaf) => leaf.hear(this.history));
      if (judged.length > 0) machine.judge(reading.ts);
      const ended = machine.leaves.filter((leaf) => leaf.hearWindow(leaf.frame?.ended(this.history.kept) ?? []));
      if (ended.length > 0) machine.judge(reading.ts);
    }
  }

  #close(end: number, clock: number, isSession: boolean): void {
    const minute = this.#minute.next(this.history.kept, clock);
    if (!isSession && minute?.end === end) {
      const values = this.#minute.close(minute).map(({ value }) => value);
      const sum = values.reduce((total, value) => total + value, 0);
      const bucket = { start: end - MINUTE, count: values.length, sum, min: least(values), max: greatest(values) };
      if (values.length > 0) (this.#opinion.buckets[this.#id] ??= []).push(bucket);
    }
    const closings = this.#closings(clock, isSession).filter(({ closing }) => closing.end === end);
    for (const machine of this.#machines) {
      const judged = closings.filter(
        ({ leaf, closing }) => leaf !== undefined && machine.leaves.includes(leaf) && leaf.hearWindow(leaf.frame?.close(closing) ?? []),
      );
      if (judged.length > 0) machine.judge(end);
    }
  }

  #closings(clock: number, isSession: boolean): { leaf: Leaf | undefined; closing: Closing }[] {
    const frames = [{ leaf: undefined, frame: this.#minute }, ...this.#framed.map((leaf) => ({ leaf, frame: leaf.frame }))];
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

  #markDirty({ ts }: Kept): void {
    (this.#opinion.dirty[this.#id] ??= []).push(minuteOf(ts));
  }

  #machineFor(rule: Rule, settings: TreeSettings, zone: ZoneTable): Machine {
    const notebook = {
      tell: (name: string, told: Opinion["transitions"][string][number]) => void (this.#opinion.transitions[`${this.#id} ${name}`] ??= []).push(told),
      pend: (name: string, since: number | null) => void (this.#opinion.pending[`${this.#id} ${name}`] ??= []).push(since),
    };
    return new Machine(rule, settings, zone, this.history.turns, notebook);
  }
}

/** Whole labels, or what ends in a star. */
function matches({ match }: Rule, labels: Labels): boolean {
  return match.every(({ label, patterns }) =>
    patterns.some((pattern) => {
      const text = labels[label] ?? "";
      return pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
    }),
  );
}
