// A sum as two numbers, by Neumaier's variant of Kahan's algorithm: the error does not grow with the number of terms.

import type { StateReader, StateWriter } from "./state.ts";

/** What the rounding of `sum`, which is `a + b`, took from it. */
export const lostIn = (sum: number, a: number, b: number): number => (Math.abs(a) >= Math.abs(b) ? a - sum + b : b - sum + a);

export class CompensatedSum {
  #high = 0;
  #low = 0;

  /** Beyond the largest number what was carried means nothing. */
  get value(): number {
    return Number.isFinite(this.#high) ? this.#high + this.#low : this.#high;
  }

  reset(): void {
    this.#high = 0;
    this.#low = 0;
  }

  add(term: number): void {
    const sum = this.#high + term;
    this.#low += lostIn(sum, this.#high, term);
    this.#high = sum;
  }

  addSum(other: CompensatedSum): void {
    this.add(other.#high);
    this.add(other.#low);
  }

  save(to: StateWriter): void {
    to.number(this.#high);
    to.number(this.#low);
  }

  load(from: StateReader): void {
    this.#high = from.number();
    this.#low = from.number();
  }
}
