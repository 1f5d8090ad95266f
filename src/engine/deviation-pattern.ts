// Which short patterns a series has shown: prototypes of its last few values, as adaptive resonance keeps them (Carpenter and Grossberg's vigilance;
// Jones et al.'s exemplars, 2016). What is near to a prototype moves it; what is far from all becomes one; the least recently met is forgotten.
// A pattern with a clock also holds the time of day, so that the right values at the wrong hour are far. Bounded: at most PROTOTYPES_MAX of them.

import { toward } from "./deviation-mean.ts";
import type { StateReader, StateWriter } from "./state.ts";

const PROTOTYPES_MAX = 32;
/** Farther from every prototype than so many usual distances is a new pattern. */
const VIGILANCE = 3;
const LEARNING_RATE = 0.1;
const DISTANCE_MEMORY = 1000;
/** Until so many readings were seen, the usual distance takes all as it is; then one reading counts as at most DISTANCE_CLIP times it. */
const OPEN_UNTIL = 50;
const DISTANCE_CLIP = 5;

export class PatternMemory {
  readonly #width: number;
  readonly #clockWeight: number;
  readonly #window: Float64Array;
  /** Of each prototype its values, then its time of day. */
  readonly #prototypes: Float64Array;
  readonly #usedAt: Float64Array;
  #count = 0;
  #seen = 0;
  #usual = 0;

  /**
   * @param width how many values a pattern has
   * @param clockWeight what half a day costs, in half spreads per value; 0: the time of day does not count
   */
  constructor(width: number, clockWeight: number) {
    this.#width = width;
    this.#clockWeight = clockWeight;
    this.#window = new Float64Array(width);
    this.#prototypes = new Float64Array(PROTOTYPES_MAX * (width + 1));
    this.#usedAt = new Float64Array(PROTOTYPES_MAX);
  }

  /**
   * Takes the next value in.
   * @param dayPhase time of day, 0 to 1
   * @param spread the usual distance of a value from the level
   * @param floor differences below this are nothing
   * @returns ln(1 + distance to the nearest prototype in usual distances); 0 while there are too few values
   */
  novelty(value: number, dayPhase: number, spread: number, floor: number): number {
    const window = this.#window;
    if (this.#seen === 0) window.fill(value);
    window.copyWithin(0, 1);
    window[this.#width - 1] = value;
    this.#seen += 1;
    if (this.#seen <= this.#width) return 0;
    const { nearest, distance } = this.#nearest(dayPhase, this.#clockWeight * this.#width * spread);
    const novelty = Math.log1p(distance / (this.#usual + floor));
    const counted = this.#seen < OPEN_UNTIL ? distance : Math.min(distance, DISTANCE_CLIP * this.#usual + floor);
    this.#usual = toward(this.#usual, counted, DISTANCE_MEMORY, this.#seen);
    if (nearest < 0 || (distance > 0 && distance > VIGILANCE * this.#usual)) this.#add(dayPhase);
    else this.#approach(nearest);
    return novelty;
  }

  #nearest(dayPhase: number, clockCost: number): { nearest: number; distance: number } {
    const width = this.#width;
    let [nearest, distance] = [-1, Number.POSITIVE_INFINITY];
    for (let index = 0, at = 0; index < this.#count; index++, at += width + 1) {
      let sum = 0;
      for (let lag = 0; lag < width; lag++) sum += Math.abs((this.#prototypes[at + lag] as number) - (this.#window[lag] as number));
      const apart = Math.abs((this.#prototypes[at + width] as number) - dayPhase);
      sum += clockCost * Math.min(apart, 1 - apart);
      if (sum < distance) [nearest, distance] = [index, sum];
    }
    return { nearest, distance: nearest < 0 ? 0 : distance };
  }

  #add(dayPhase: number): void {
    let place = this.#count;
    if (place < PROTOTYPES_MAX) this.#count += 1;
    else place = this.#usedAt.indexOf(this.#usedAt.reduce((least, at) => Math.min(least, at)));
    const at = place * (this.#width + 1);
    this.#prototypes.set(this.#window, at);
    this.#prototypes[at + this.#width] = dayPhase;
    this.#usedAt[place] = this.#seen;
  }

  #approach(nearest: number): void {
    const at = nearest * (this.#width + 1);
    for (let lag = 0; lag < this.#width; lag++) {
      const old = this.#prototypes[at + lag] as number;
      this.#prototypes[at + lag] = old + LEARNING_RATE * ((this.#window[lag] as number) - old);
    }
    this.#usedAt[nearest] = this.#seen;
  }

  save(to: StateWriter): void {
    for (const value of [this.#count, this.#seen, this.#usual]) to.number(value);
    to.all(this.#window);
    to.all(this.#prototypes.subarray(0, this.#count * (this.#width + 1)));
    to.all(this.#usedAt.subarray(0, this.#count));
  }

  restore(from: StateReader): void {
    this.#count = from.number();
    this.#seen = from.number();
    this.#usual = from.number();
    this.#window.set(from.all(this.#width));
    this.#prototypes.set(from.all(this.#count * (this.#width + 1)));
    this.#usedAt.set(from.all(this.#count));
  }
}
