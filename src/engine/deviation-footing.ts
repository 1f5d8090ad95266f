// The level, spread and range of a series, learned online, and two simple signs of trouble read off them: unusually still, and moved
// away from where it lately was. What is far out is learned only in part, so that one wrong reading does not blind it.

import { clip, toward } from "./deviation-mean.ts";
import type { StateReader, StateWriter } from "./state.ts";

/** Time constants, in readings. */
const LEVEL_MEMORY = 1000;
const SPREAD_MEMORY = 2000;
const STEP_MEMORY = 800;
const STILL_MEMORY = 12;
const NEAR_MEMORY = 10;
const FAR_MEMORY = 60;
/** Until so many readings were seen, all is learned as it is. */
const OPEN_UNTIL = 50;
/** Share of the range ever seen below which a difference is nothing. */
const FLOOR_SHARE = 0.005;
/** The range fades, and grows at most so many times at once. */
const RANGE_MEMORY = 5000;
const RANGE_GROWTH = 10;

/** From 0 up, on a logarithmic scale. */
export type Signs = { readonly still: number; readonly moved: number };

export class Footing {
  /** The numbers below, in the order in which they are saved. */
  #seen = 0;
  #level = 0;
  #spread = 0;
  #high = 0;
  #low = 0;
  #last = 0;
  #stepNow = 0;
  #stepUsual = 0;
  #near = 0;
  #far = 0;

  /** Where values lie in the long run. */
  get level(): number {
    return this.#level;
  }

  /** The usual distance of a value from the level. */
  get spread(): number {
    return this.#spread;
  }

  /** Differences below this are nothing: a small share of the range, and what the number's own precision leaves. */
  floorAt(value: number): number {
    return 1e-12 * (1 + Math.abs(value)) + FLOOR_SHARE * (this.#high - this.#low);
  }

  learn(value: number): Signs {
    this.#seen += 1;
    if (this.#seen === 1) this.#level = this.#high = this.#low = this.#last = this.#near = this.#far = value;
    this.#widen(value);
    const floor = this.floorAt(value);
    const signs = { still: this.#stillness(value, floor), moved: this.#movedBy(value, floor) };
    this.#learnLevel(value, floor);
    return signs;
  }

  #widen(value: number): void {
    const range = this.#high - this.#low;
    const reach = range > 0 ? RANGE_GROWTH * range : Number.POSITIVE_INFINITY;
    this.#high = Math.max(this.#high - range / RANGE_MEMORY, Math.min(value, this.#high + reach));
    this.#low = Math.min(this.#low + range / RANGE_MEMORY, Math.max(value, this.#low - reach));
  }

  /** How much smaller the steps from reading to reading are than they use to be. */
  #stillness(value: number, floor: number): number {
    const step = Math.min(Math.abs(value - this.#last), this.#seen < OPEN_UNTIL ? Number.POSITIVE_INFINITY : 8 * this.#stepUsual + floor);
    this.#last = value;
    this.#stepNow += (step - this.#stepNow) / STILL_MEMORY;
    this.#stepUsual = toward(this.#stepUsual, step, STEP_MEMORY, this.#seen);
    return Math.max(0, Math.log((1.01 * this.#stepUsual + floor) / (this.#stepNow + 0.01 * this.#stepUsual + floor)));
  }

  #movedBy(value: number, floor: number): number {
    const near = this.#level + clip(value - this.#level, 6 * this.#spread);
    this.#near += (near - this.#near) / NEAR_MEMORY;
    this.#far += (near - this.#far) / FAR_MEMORY;
    return Math.log1p(Math.abs(this.#near - this.#far) / (this.#spread + floor));
  }

  #learnLevel(value: number, floor: number): void {
    const reach = this.#seen < OPEN_UNTIL ? Number.POSITIVE_INFINITY : 5 * this.#spread + floor;
    const difference = clip(value - this.#level, reach);
    this.#spread = toward(this.#spread, Math.abs(difference), SPREAD_MEMORY, this.#seen);
    this.#level = toward(this.#level, this.#level + difference, LEVEL_MEMORY, this.#seen);
  }

  save(to: StateWriter): void {
    for (const value of [this.#seen, this.#level, this.#spread, this.#high, this.#low, this.#last]) to.number(value);
    for (const value of [this.#stepNow, this.#stepUsual, this.#near, this.#far]) to.number(value);
  }

  restore(from: StateReader): void {
    [this.#seen, this.#level, this.#spread] = [from.number(), from.number(), from.number()];
    [this.#high, this.#low, this.#last] = [from.number(), from.number(), from.number()];
    [this.#stepNow, this.#stepUsual] = [from.number(), from.number()];
    [this.#near, this.#far] = [from.number(), from.number()];
  }
}
