// The usual course of a day and of a week, as means of half-hours of the day and hours of the week, learned online, and how far the last hours went off it.
// The week's course counts only once it is clearly better than the day's. What is far out is learned only in part. UTC: the rhythm matters, not its name.

import { clip, toward } from "./deviation-mean.ts";
import type { StateReader, StateWriter } from "./state.ts";
import { floorMod } from "./units.ts";

const DAY_MS = 86_400_000;
const DAY_SLOTS = 48;
const WEEK_SLOTS = 168;
const DAY_SLOT_MEMORY = 50;
const WEEK_SLOT_MEMORY = 20;
/** A slot of the week counts after so many readings of it; its course when its error is below this share of the day's. */
const WEEK_SLOT_READINGS = 4;
const WEEK_BETTER = 0.8;
/** Time constants, in readings. */
const SPREAD_MEMORY = 1000;
const OFF_MEMORY = 48;
/** Until so many readings were seen, all is learned as it is. */
const OPEN_UNTIL = 100;
/** The errors of the two courses are means over this many readings, after as many for learning. */
const ERROR_MEMORY = 1000;
const ERROR_FROM = 500;
const LEARN_CLIP = 5;
const OFF_CLIP = 6;

export class Course {
  #seen = 0;
  #off = 0;
  /** The usual distance from the day's course. */
  #spread = 0;
  #dayError = 0;
  #weekError = 0;
  readonly #dayMean = new Float64Array(DAY_SLOTS);
  readonly #daySeen = new Float64Array(DAY_SLOTS);
  readonly #weekMean = new Float64Array(WEEK_SLOTS);
  readonly #weekSeen = new Float64Array(WEEK_SLOTS);

  /**
   * @param dayPhase time of day, 0 to below 1
   * @param level stands in for a time of day never seen
   * @param floor differences below this are nothing
   * @returns ln(1 + the mean of the last readings' distances from the course, in usual distances)
   */
  offCourse(value: number, ts: number, dayPhase: number, level: number, floor: number): number {
    this.#seen += 1;
    const slot = Math.min(DAY_SLOTS - 1, Math.floor(dayPhase * DAY_SLOTS));
    const day = value - ((this.#daySeen[slot] as number) > 0 ? (this.#dayMean[slot] as number) : level);
    this.#spread = toward(this.#spread, Math.abs(this.#clipped(day)), SPREAD_MEMORY, this.#seen);
    learnSlot(this.#dayMean, this.#daySeen, slot, value, this.#clipped(day), DAY_SLOT_MEMORY);
    const difference = this.#byWeek(value, ts, dayPhase, day);
    this.#off += (clip(difference, OFF_CLIP * this.#spread) - this.#off) / OFF_MEMORY;
    return Math.log1p(Math.abs(this.#off) / (this.#spread + floor));
  }

  /** @returns the difference from the week's course if that is the better one, else `day` */
  #byWeek(value: number, ts: number, dayPhase: number, day: number): number {
    const weekday = floorMod(Math.floor(ts / DAY_MS), 7);
    const slot = Math.min(WEEK_SLOTS - 1, weekday * 24 + Math.floor(dayPhase * 24));
    const seen = this.#weekSeen[slot] as number;
    const week = value - (this.#weekMean[slot] as number);
    const reach = LEARN_CLIP * this.#spread;
    learnSlot(this.#weekMean, this.#weekSeen, slot, value, clip(week, reach), WEEK_SLOT_MEMORY);
    if (seen < WEEK_SLOT_READINGS) return day;
    const judged = Math.max(0, this.#seen - ERROR_FROM);
    this.#weekError = toward(this.#weekError, Math.min(Math.abs(week), reach), ERROR_MEMORY, judged);
    this.#dayError = toward(this.#dayError, Math.min(Math.abs(day), reach), ERROR_MEMORY, judged);
    return this.#weekError < WEEK_BETTER * this.#dayError ? week : day;
  }

  #clipped(difference: number): number {
    return this.#seen < OPEN_UNTIL ? difference : clip(difference, LEARN_CLIP * this.#spread);
  }

  save(to: StateWriter): void {
    for (const value of [this.#seen, this.#off, this.#spread, this.#dayError, this.#weekError]) to.number(value);
    for (const values of [this.#dayMean, this.#daySeen, this.#weekMean, this.#weekSeen]) to.all(values);
  }

  restore(from: StateReader): void {
    [this.#seen, this.#off, this.#spread] = [from.number(), from.number(), from.number()];
    [this.#dayError, this.#weekError] = [from.number(), from.number()];
    for (const values of [this.#dayMean, this.#daySeen, this.#weekMean, this.#weekSeen]) values.set(from.all(values.length));
  }
}

function learnSlot(means: Float64Array, seen: Float64Array, slot: number, value: number, difference: number, memory: number): void {
  const before = seen[slot] as number;
  means[slot] = before === 0 ? value : (means[slot] as number) + difference * Math.max(1 / memory, 1 / (before + 1));
  seen[slot] = before + 1;
}
