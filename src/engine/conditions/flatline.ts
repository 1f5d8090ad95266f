// `flatline`: a value that has not moved: the readings of the trailing `over` lie within `tolerance` of each other. The value that
// stood at `ts − over` belongs to them, so that nothing is flat before readings span `over`. Readings are remembered as the extremes
// of 64ths of `over`: with several readings in one, a flat line is seen up to a 64th of `over` late, never early.

import { z } from "zod";
import { durationSchema } from "../duration-schema.ts";
import { BREACH, CLEAR, type Criterion } from "../predicate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import { type DurationMs, type EpochMs, formatDuration } from "../units.ts";
import type { Condition, ConditionType, Detector } from "./condition.ts";

const SLOTS = 64;

const schema = z.strictObject({
  type: z.literal("flatline"),
  over: durationSchema.meta({ description: "How long the value must have stood still" }),
  tolerance: z.number().min(0).default(0).meta({ description: "How far the largest and the smallest value may lie apart" }),
});
export type FlatlineSettings = z.output<typeof schema>;

export const flatline: ConditionType<"flatline", FlatlineSettings> = {
  type: "flatline",
  schema,
  bind: ({ over, tolerance }): Condition => ({
    on: "detector",
    create: () => new FlatlineDetector(over, tolerance),
    criterion: within(over, tolerance),
    levels: [],
  }),
};

/** The measure is the distance between the largest and the smallest value; the peak is the smallest of them. */
const within = (over: DurationMs, tolerance: number): Criterion => ({
  text: `flat within ${tolerance} for ${formatDuration(over)}`,
  limit: tolerance,
  test: { at_most: tolerance },
  judge: (range) => (range <= tolerance ? BREACH : CLEAR),
  depth: (range) => tolerance - range,
});

/** Significant digits that doubles hold for sure, less one for what the difference adds. */
const DIGITS = 14;

/** `high − low` as people reckon it: from 7 to 7.2 it is 0.2, where doubles make it 0.2000000000000002. */
function distance(low: number, high: number): number {
  const exact = high - low;
  const digits = DIGITS - Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high))));
  if (exact === 0 || !(digits >= 0 && digits <= 22)) return exact;
  return Math.round(exact * 10 ** digits) / 10 ** digits;
}

/** Consecutive readings of one 64th of `over`, or the last of them alone. */
type Slot = { low: number; high: number; lastTs: EpochMs; lastValue: number };

/** At most SLOTS + 2 slots are remembered. */
class FlatlineDetector implements Detector {
  readonly #over: DurationMs;
  readonly #tolerance: number;
  readonly #width: DurationMs;
  /** Oldest first. */
  readonly #slots: Slot[] = [];
  /** Of all slots. */
  #low = Number.POSITIVE_INFINITY;
  #high = Number.NEGATIVE_INFINITY;

  constructor(over: DurationMs, tolerance: number) {
    this.#over = over;
    this.#tolerance = tolerance;
    this.#width = over / SLOTS;
  }

  take(ts: EpochMs, value: number): number {
    this.#add(ts, value);
    const isWhole = this.#forget(ts - this.#over);
    const range = distance(this.#low, this.#high);
    return isWhole || range > this.#tolerance ? range : Number.NaN;
  }

  #add(ts: EpochMs, value: number): void {
    const newest = this.#slots.at(-1);
    if (newest !== undefined && Math.floor(newest.lastTs / this.#width) === Math.floor(ts / this.#width)) {
      newest.low = Math.min(newest.low, value);
      newest.high = Math.max(newest.high, value);
      newest.lastTs = ts;
      newest.lastValue = value;
    } else this.#slots.push({ low: value, high: value, lastTs: ts, lastValue: value });
    this.#low = Math.min(this.#low, value);
    this.#high = Math.max(this.#high, value);
  }

  /** Keeps what stood at `start` and all after it. @returns whether anything stood there */
  #forget(start: EpochMs): boolean {
    const slots = this.#slots;
    let isChanged = false;
    for (; slots.length > 1 && (slots[1] as Slot).lastTs <= start; isChanged = true) slots.shift();
    const oldest = slots[0] as Slot;
    if (oldest.lastTs > start) return false;
    if (oldest.low < oldest.high) {
      slots[0] = { low: oldest.lastValue, high: oldest.lastValue, lastTs: oldest.lastTs, lastValue: oldest.lastValue };
      isChanged = true;
    }
    if (isChanged) this.#measure();
    return true;
  }

  #measure(): void {
    this.#low = Number.POSITIVE_INFINITY;
    this.#high = Number.NEGATIVE_INFINITY;
    for (const { low, high } of this.#slots) {
      this.#low = Math.min(this.#low, low);
      this.#high = Math.max(this.#high, high);
    }
  }

  save(to: StateWriter): void {
    to.number(this.#slots.length);
    for (const { low, high, lastTs, lastValue } of this.#slots) for (const value of [low, high, lastTs, lastValue]) to.number(value);
  }

  restore(from: StateReader): void {
    const count = from.number();
    for (let index = 0; index < count; index++) this.#slots.push({ low: from.number(), high: from.number(), lastTs: from.number(), lastValue: from.number() });
    this.#measure();
  }
}
