// The anomaly score of one series, one pass, no training run, no settings: how surprising a reading is after all that came before, from 0 to 1.
// Seven signs are judged, each by its own history, and added up; a detection damps what follows for a while, so that one event is told once.
// Deterministic; time and memory do not grow with history (docs/reference/deviation.md has the method, its sources and its figures).

import { Course } from "./deviation-course.ts";
import { Footing } from "./deviation-footing.ts";
import { PatternMemory } from "./deviation-pattern.ts";
import { Tail } from "./deviation-tail.ts";
import type { StateReader, StateWriter } from "./state.ts";
import { type EpochMs, floorMod } from "./units.ts";

/** The score above which a reading is an anomaly, when nothing else is said: it was best on the development recordings. */
export const DEVIATION_THRESHOLD_DEFAULT = 0.5;

const DAY_MS = 86_400_000;
/** Values beyond this count as this, so that no difference overflows. */
const VALUE_MAX = 1e150;
/** Until then it only learns, and the score is 0. */
const LEARNING_READINGS = 100;
/** Widths of the patterns, in readings, and what the time of day weighs in them. */
const PATTERNS = [
  { width: 2, clockWeight: 0.5 },
  { width: 4, clockWeight: 0 },
  { width: 8, clockWeight: 0 },
  { width: 8, clockWeight: 0.3 },
] as const;
const SIGNS = PATTERNS.length + 3;
/** The surprise that makes a score of a half. */
const HALF_SURPRISE = 5.4;
/** The longer the history, the more must be surprising by mere chance: ln(readings / CHANCE_READINGS) is taken off, up to HISTORY_MAX. */
const CHANCE_READINGS = 1000;
const HISTORY_MAX = 20_000;
/** After a surprise, for REST_READINGS and a share of the history, only what exceeds it by REST_MARGIN is told; the rest is damped. */
const REST_READINGS = 150;
const REST_SHARE = 0.02;
const REST_MARGIN = 1.2;
const DAMPING = 0.1;

export class DeviationDetector {
  #seen = 0;
  /** The surprise told last, and how many readings ago. */
  #told = 0;
  #rested = 0;
  readonly #footing = new Footing();
  readonly #course = new Course();
  readonly #patterns = PATTERNS.map(({ width, clockWeight }) => new PatternMemory(width, clockWeight));
  #tails = Array.from({ length: SIGNS }, () => new Tail());

  /**
   * Takes the next reading of the series in. Call it once for each accepted reading, in order of event time.
   * @returns from 0 (ordinary) to below 1 (never seen the like), finely graded at the top
   */
  score(ts: EpochMs, value: number): number {
    if (Number.isNaN(value)) return 0;
    const bounded = Math.max(-VALUE_MAX, Math.min(VALUE_MAX, value));
    const surprise = this.#damped(this.#surprise(bounded, ts));
    return surprise / (surprise + HALF_SURPRISE);
  }

  #surprise(value: number, ts: EpochMs): number {
    this.#seen += 1;
    const dayPhase = floorMod(ts, DAY_MS) / DAY_MS;
    const spread = this.#footing.spread;
    const level = this.#seen === 1 ? value : this.#footing.level;
    const { still, moved } = this.#footing.learn(value);
    const floor = this.#footing.floorAt(value);
    const signs = [still, moved, this.#course.offCourse(value, ts, dayPhase, level, floor)];
    for (const pattern of this.#patterns) signs.push(pattern.novelty(value, dayPhase, spread, floor));
    const cubes = signs.reduce((sum, sign, index) => sum + (this.#tails[index] as Tail).surprise(sign) ** 3, 0);
    if (this.#seen <= LEARNING_READINGS) return 0;
    return Math.max(0, Math.cbrt(cubes) - Math.log(Math.max(1, Math.min(this.#seen, HISTORY_MAX) / CHANCE_READINGS)));
  }

  #damped(surprise: number): number {
    this.#rested += 1;
    const isResting = this.#rested <= REST_READINGS + REST_SHARE * Math.min(this.#seen, HISTORY_MAX);
    const bar = isResting ? this.#told : 0;
    if (surprise <= REST_MARGIN * bar) return DAMPING * surprise;
    this.#told = surprise;
    this.#rested = 0;
    return surprise;
  }

  save(to: StateWriter): void {
    for (const value of [this.#seen, this.#told, this.#rested]) to.number(value);
    this.#footing.save(to);
    this.#course.save(to);
    for (const pattern of this.#patterns) pattern.save(to);
    for (const tail of this.#tails) tail.save(to);
  }

  /** Puts the state of `from`, saved by a detector of the same version, in the place of its own. */
  restore(from: StateReader): void {
    [this.#seen, this.#told, this.#rested] = [from.number(), from.number(), from.number()];
    this.#footing.restore(from);
    this.#course.restore(from);
    for (const pattern of this.#patterns) pattern.restore(from);
    this.#tails = this.#tails.map(() => Tail.restore(from));
  }
}
