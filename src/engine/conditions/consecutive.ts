// `consecutive`: at least `n` of the last `of` readings breach a predicate; `of` is `n` unless it is given. Counts readings, not time.
// There is no deadband: it clears when fewer than `n` breach.

import { z } from "zod";
import { BREACH, bindPredicate, CLEAR, type Criterion, predicateMeta, predicateShape, refinePredicate } from "../predicate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { ConditionType, Detector } from "./condition.ts";

const READINGS_MAX = 1000;
const { above, below, outside, inside } = predicateShape;

const schema = z
  .strictObject({
    type: z.literal("consecutive"),
    n: z.int().min(1).max(READINGS_MAX).meta({ description: "Readings that must breach" }),
    of: z.int().min(1).max(READINGS_MAX).exactOptional().meta({ description: "Of how many last ones; default: n" }),
    ...{ above, below, outside, inside },
  })
  .superRefine((settings, context) => {
    refinePredicate(settings, context);
    if (settings.of !== undefined && settings.of < settings.n)
      context.addIssue({ code: "custom", path: ["of"], message: `of is less than n; ${settings.n} readings cannot breach among ${settings.of}` });
  })
  .meta({ oneOf: predicateMeta.oneOf });
export type ConsecutiveSettings = z.output<typeof schema>;

export const consecutive: ConditionType<"consecutive", ConsecutiveSettings> = {
  type: "consecutive",
  schema,
  bind(settings, limits) {
    const each = bindPredicate(settings, limits);
    if (each === undefined) return undefined;
    const { n, of = n } = settings;
    return { on: "detector", create: () => new ConsecutiveDetector(n, of, each), criterion: atLeast(n, of, each), levels: [] };
  },
};

/** The measure is how many of the last `of` readings breach. */
const atLeast = (n: number, of: number, each: Criterion): Criterion => ({
  text: `${n} of ${of} readings ${each.text}`,
  limit: n,
  test: { at_least: n },
  judge: (count) => (count >= n ? BREACH : CLEAR),
  depth: (count) => count - n,
  unitOf: () => null,
});

const BITS = 32;

/** Remembers one bit per reading, in a ring. */
class ConsecutiveDetector implements Detector {
  readonly #n: number;
  readonly #of: number;
  readonly #each: Criterion;
  readonly #bits: Uint32Array;
  #next = 0;
  #seen = 0;
  #count = 0;

  constructor(n: number, of: number, each: Criterion) {
    this.#n = n;
    this.#of = of;
    this.#each = each;
    this.#bits = new Uint32Array(Math.ceil(of / BITS));
  }

  take(_ts: number, value: number): number {
    const word = Math.floor(this.#next / BITS);
    const bit = 1 << (this.#next % BITS);
    const words = this.#bits;
    if (((words[word] as number) & bit) !== 0) this.#count--;
    if (this.#each.judge(value) === BREACH) {
      words[word] = (words[word] as number) | bit;
      this.#count++;
    } else words[word] = (words[word] as number) & ~bit;
    this.#next = (this.#next + 1) % this.#of;
    this.#seen = Math.min(this.#seen + 1, this.#of);
    // Readings from before the first one known might have breached: nothing is said while they could decide.
    const isOpen = this.#count < this.#n && this.#count + (this.#of - this.#seen) >= this.#n;
    return isOpen ? Number.NaN : this.#count;
  }

  save(to: StateWriter): void {
    for (const value of [this.#next, this.#seen, this.#count, ...this.#bits]) to.number(value);
  }

  restore(from: StateReader): void {
    this.#next = from.number();
    this.#seen = from.number();
    this.#count = from.number();
    this.#bits.set(from.all(this.#bits.length));
  }
}
