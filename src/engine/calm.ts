// While no alert that readings judge directly holds anything, values of a certain range change none of them: most readings are done
// with by one comparison. What they measured is told to the alerts when somebody asks.

import type { Alert } from "./alert.ts";
import type { Ruling } from "./ruling.ts";

const NEVER = Number.POSITIVE_INFINITY;
const LONG_AGO = Number.NEGATIVE_INFINITY;

export class Calm {
  readonly #ruling: Ruling;
  #low = NEVER;
  #high = LONG_AGO;
  #isUntold = false;

  constructor(ruling: Ruling) {
    this.#ruling = ruling;
  }

  /** Whether a reading changes nothing; it is to be told later. */
  holds(value: number): boolean {
    if (value < this.#low || value > this.#high) return false;
    this.#isUntold = true;
    return true;
  }

  /** Tells the alerts what calm readings measured. @param value the last of them */
  tell(value: number): void {
    if (!this.#isUntold) return;
    this.#isUntold = false;
    for (const alert of this.#ruling.alerts) if (alert.bound.isDirect) alert.measure = value;
  }

  forget(): void {
    this.#low = NEVER;
    this.#high = LONG_AGO;
  }

  /** Around a value that all alerts have just been told. */
  find(value: number): void {
    this.forget();
    for (const alert of this.#ruling.alerts) if (holdsSomething(alert)) return;
    let [low, high] = [LONG_AGO, NEVER];
    for (const { predicate } of this.#ruling.bound.simple) {
      const [from, to] = predicate.calmAround(value);
      low = Math.max(low, from);
      high = Math.min(high, to);
    }
    this.#low = low;
    this.#high = high;
  }
}

const holdsSomething = ({ bound, phase }: Alert): boolean => bound.isDirect && phase !== "inactive";
