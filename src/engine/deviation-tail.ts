// How surprising a number is, given the numbers of its kind so far: peaks over a threshold (Siffer et al., 2017, here with the exponential tail, learned online).
// The threshold follows the 95 % quantile; beyond it the mean excess is learned. O(1) in time and memory; outliers move it little.

import type { StateReader, StateWriter } from "./state.ts";

/** Share of the numbers that lies in the tail. */
const TAIL_SHARE = 0.05;
const TAIL_SURPRISE = -Math.log(TAIL_SHARE);
/** What is learned later than this many readings ago has faded. */
const QUANTILE_MEMORY = 500;
const EXCESS_MEMORY = 200;
const SPREAD_MEMORY = 100;
/** Before anything was seen in the tail its mean excess is this, with the weight of so many numbers. */
const EXCESS_PRIOR = 0.25;
const EXCESS_PRIOR_WEIGHT = 3;
const EXCESS_FLOOR = 0.02;
/** One number raises the mean excess as if it were at most so many times it. */
const EXCESS_CLIP = 6;

export class Tail {
  #count = 0;
  #peaks = 0;
  #quantile = 0;
  #spread = 0;
  #excess = EXCESS_PRIOR;

  /**
   * Judges `value` by what came before, then learns it.
   * @param value from 0 up, on a logarithmic scale, so that a heavy tail is an exponential one
   * @returns nats: −ln of the chance to see as much again; 0 for an ordinary number
   */
  surprise(value: number): number {
    this.#count += 1;
    if (this.#count === 1) {
      this.#quantile = value;
      this.#spread = Math.max(1e-3, value);
    }
    const over = value - this.#quantile;
    const surprise = value > 0 ? Math.max(0, TAIL_SURPRISE + over / (this.#excess + EXCESS_FLOOR)) : 0;
    this.#learn(over);
    return surprise;
  }

  #learn(over: number): void {
    this.#spread += (Math.min(Math.abs(over), 4 * this.#spread + 0.01) - this.#spread) * Math.max(1 / SPREAD_MEMORY, 1 / this.#count);
    const step = 6 * this.#spread * Math.max(1 / QUANTILE_MEMORY, 1 / (this.#count + 10));
    if (over <= 0) {
      this.#quantile = Math.max(0, this.#quantile - step * TAIL_SHARE);
      return;
    }
    this.#quantile += step * (1 - TAIL_SHARE);
    // A value that many readings share lies a hair above the quantile; it says nothing about the tail.
    if (over <= EXCESS_FLOOR) return;
    this.#peaks += 1;
    const weight = Math.max(1 / EXCESS_MEMORY, 1 / (this.#peaks + EXCESS_PRIOR_WEIGHT));
    this.#excess += weight * (Math.min(over, EXCESS_CLIP * this.#excess) - this.#excess);
  }

  save(to: StateWriter): void {
    for (const value of [this.#count, this.#peaks, this.#quantile, this.#spread, this.#excess]) to.number(value);
  }

  static restore(from: StateReader): Tail {
    const tail = new Tail();
    tail.#count = from.number();
    tail.#peaks = from.number();
    tail.#quantile = from.number();
    tail.#spread = from.number();
    tail.#excess = from.number();
    return tail;
  }
}
