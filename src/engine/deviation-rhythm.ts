// The level, spread and daily rhythm of a series, learned online, and three simple signs of trouble read off them:
// off the day's usual course for hours, unusually still, and moved away from where it lately was. What is far out is learned only in part.

import type { StateReader, StateWriter } from "./state.ts";

const DAY_SLOTS = 48;
/** Time constants, in readings. */
const LEVEL_MEMORY = 1000;
const SPREAD_MEMORY = 2000;
const STEP_MEMORY = 800;
const STILL_MEMORY = 12;
const COURSE_MEMORY = 48;
const NEAR_MEMORY = 10;
const FAR_MEMORY = 60;
/** A slot of the day forgets after so many readings of it. */
const SLOT_MEMORY = 50;
/** Until so many readings were seen, all is learned as it is. */
const OPEN_UNTIL = 50;
/** Share of the range ever seen below which a difference is nothing. */
const FLOOR_SHARE = 0.005;
/** The range fades, and grows at most so many times at once. */
const RANGE_MEMORY = 5000;
const RANGE_GROWTH = 10;

/** From 0 up, on a logarithmic scale. */
export type Signs = { readonly offCourse: number; readonly still: number; readonly moved: number };

export class Rhythm {
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
  #course = 0;
  #courseSpread = 0;
  readonly #slotMean = new Float64Array(DAY_SLOTS);
  readonly #slotSeen = new Float64Array(DAY_SLOTS);

  /** The usual distance of a value from the level. */
  get spread(): number {
    return this.#spread;
  }

  /** Differences below this are nothing: a small share of the range, and what the number's own precision leaves. */
  floorAt(value: number): number {
    return 1e-12 * (1 + Math.abs(value)) + FLOOR_SHARE * (this.#high - this.#low);
  }

  /** @param dayPhase time of day, 0 to 1 */
  learn(value: number, dayPhase: number): Signs {
    this.#seen += 1;
    if (this.#seen === 1) this.#level = this.#high = this.#low = this.#last = this.#near = this.#far = value;
    this.#widen(value);
    const floor = this.floorAt(value);
    const course = this.#offCourse(value, Math.min(DAY_SLOTS - 1, Math.floor(dayPhase * DAY_SLOTS)));
    const signs = {
      offCourse: Math.log1p(Math.abs(course) / (this.#courseSpread + floor)),
      still: this.#stillness(value, floor),
      moved: this.#movedBy(value, floor),
    };
    this.#learnLevel(value, floor);
    return signs;
  }

  #widen(value: number): void {
    const range = this.#high - this.#low;
    const reach = range > 0 ? RANGE_GROWTH * range : Number.POSITIVE_INFINITY;
    this.#high = Math.max(this.#high - range / RANGE_MEMORY, Math.min(value, this.#high + reach));
    this.#low = Math.min(this.#low + range / RANGE_MEMORY, Math.max(value, this.#low - reach));
  }

  /** @returns the mean of the last hours' differences from the day's usual course */
  #offCourse(value: number, slot: number): number {
    const seen = this.#slotSeen[slot] as number;
    const mean = this.#slotMean[slot] as number;
    const difference = value - (seen > 0 ? mean : this.#level);
    const isOpen = this.#seen < 2 * OPEN_UNTIL;
    const before = this.#courseSpread;
    this.#courseSpread = toward(before, Math.abs(isOpen ? difference : clip(difference, 5 * before)), LEVEL_MEMORY, this.#seen);
    this.#slotSeen[slot] = seen + 1;
    const learned = isOpen ? difference : clip(difference, 5 * this.#courseSpread);
    this.#slotMean[slot] = seen === 0 ? value : mean + learned * Math.max(1 / SLOT_MEMORY, 1 / (seen + 1));
    this.#course += (clip(difference, 6 * this.#courseSpread) - this.#course) / COURSE_MEMORY;
    return this.#course;
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
    for (const value of [this.#stepNow, this.#stepUsual, this.#near, this.#far, this.#course, this.#courseSpread]) to.number(value);
    to.all(this.#slotMean);
    to.all(this.#slotSeen);
  }

  restore(from: StateReader): void {
    [this.#seen, this.#level, this.#spread] = [from.number(), from.number(), from.number()];
    [this.#high, this.#low, this.#last] = [from.number(), from.number(), from.number()];
    [this.#stepNow, this.#stepUsual, this.#near] = [from.number(), from.number(), from.number()];
    [this.#far, this.#course, this.#courseSpread] = [from.number(), from.number(), from.number()];
    this.#slotMean.set(from.all(DAY_SLOTS));
    this.#slotSeen.set(from.all(DAY_SLOTS));
  }
}

function clip(value: number, reach: number): number {
  return Math.max(-reach, Math.min(reach, value));
}

/** A mean that is plain at first and fades with this memory later. */
function toward(mean: number, value: number, memory: number, seen: number): number {
  return mean + (value - mean) * Math.max(1 / memory, 1 / (seen + 1));
}
