// The conditions of `all` and `any` at work on one subject: each part remembers how it was judged last, and together they judge.
// A part that was not judged yet neither breaches nor clears; `any` leaves it out.

import type { Condition, Detector } from "./conditions/condition.ts";
import { BETWEEN, BREACH, CLEAR, type Judgement, type Test } from "./predicate.ts";
import type { StateReader, StateWriter } from "./state.ts";
import type { DurationMs, EpochMs } from "./units.ts";
import type { Window } from "./window.ts";

type LeafCondition = Exclude<Condition, { on: "parts" }>;
export type WindowCondition = Extract<Condition, { on: "window" }>;
type PartsCondition = Extract<Condition, { on: "parts" }>;

/** A part that is no combination itself. */
export class Leaf {
  readonly condition: LeafCondition;
  readonly window: Window | undefined;
  readonly detector: Detector | undefined;
  isJudged = false;
  judgement: Judgement = BETWEEN;
  measure = Number.NaN;
  /** Of an absence: readings accepted up to this ordinal do not end it. */
  heardThrough = 0;
  /** Of an absence: for how long nothing had been heard when it was judged. */
  quiet: DurationMs = 0;

  constructor(condition: LeafCondition, window: Window | undefined) {
    this.condition = condition;
    this.window = window;
    this.detector = condition.on === "detector" ? condition.create() : undefined;
  }

  judge(judgement: Judgement, measure: number): void {
    this.isJudged = true;
    this.judgement = judgement;
    this.measure = measure;
  }

  /** As before its first judgement. */
  forget(): void {
    this.isJudged = false;
    this.judgement = BETWEEN;
    this.measure = Number.NaN;
  }

  /** An evaluated reading. @returns whether it judged */
  reading(ts: EpochMs, value: number, ordinal: number): boolean {
    const { condition } = this;
    if (condition.on === "reading") this.judge(condition.criterion.judge(value), value);
    else if (condition.on === "silence" && ordinal > this.heardThrough) {
      this.judge(CLEAR, value);
      this.quiet = 0;
    } else if (condition.on === "detector") {
      const measure = (this.detector as Detector).take(ts, value);
      if (Number.isNaN(measure)) return false;
      this.judge(condition.criterion.judge(measure), measure);
    } else return false;
    return true;
  }

  save(to: StateWriter): void {
    for (const value of [this.isJudged ? 1 : 0, this.judgement, this.measure, this.heardThrough, this.quiet]) to.number(value);
    this.detector?.save(to);
  }

  restore(from: StateReader): void {
    this.isJudged = from.number() === 1;
    this.judgement = from.number() as Judgement;
    this.measure = from.number();
    this.heardThrough = from.number();
    this.quiet = from.number();
    this.detector?.restore(from);
  }
}

/** What `all` or `any` makes of its parts. */
export class Combination {
  readonly leaves: readonly Leaf[];
  readonly #every: boolean;
  readonly #parts: readonly (Combination | Leaf)[];

  /** @param windowFor gives a window to a part that needs one */
  constructor({ every, parts }: PartsCondition, windowFor: (condition: WindowCondition) => Window) {
    this.#every = every;
    this.#parts = parts.map((part) => {
      if (part.on === "parts") return new Combination(part, windowFor);
      return new Leaf(part, part.on === "window" ? windowFor(part) : undefined);
    });
    this.leaves = this.#parts.flatMap((part) => (part instanceof Leaf ? [part] : part.leaves));
  }

  get isJudged(): boolean {
    return this.#parts.some(({ isJudged }) => isJudged);
  }

  get judgement(): Judgement {
    if (!this.#every) {
      const judged = this.#parts.filter(({ isJudged }) => isJudged);
      if (judged.some(({ judgement }) => judgement === BREACH)) return BREACH;
      return judged.length > 0 && judged.every(({ judgement }) => judgement === CLEAR) ? CLEAR : BETWEEN;
    }
    if (this.#parts.every(({ judgement }) => judgement === BREACH)) return BREACH;
    return this.#parts.some(({ judgement }) => judgement === CLEAR) ? CLEAR : BETWEEN;
  }

  /** The first part that was judged as the whole was: its measure is the alert's. */
  get decider(): Leaf | undefined {
    const { judgement } = this;
    const part = this.#parts.find((each) => each.isJudged && each.judgement === judgement) ?? this.#parts.find(({ isJudged }) => isJudged);
    return part instanceof Combination ? part.decider : part;
  }
}

/** A bound condition in words. */
export function textOf(condition: Condition): string {
  if (condition.on === "silence") return `no reading for ${condition.after} ms`;
  if (condition.on === "parts") return `${condition.every ? "all" : "any"} of (${condition.parts.map(textOf).join("; ")})`;
  return condition.criterion.text;
}

/** A bound condition as it can be judged again. */
export function testOf(condition: Condition): Test {
  if (condition.on === "silence") return { silent_for: condition.after };
  if (condition.on !== "parts") return condition.criterion.test;
  const tests = condition.parts.map(testOf);
  return condition.every ? { all: tests } : { any: tests };
}
