// `rate`: how fast the value changes, over the trailing `over`, in the unit of `per`. From the reading at or before `ts − over`, else
// from the oldest there is, to this one, divided by the time between the two. Of many readings the first of each 64th of `over` is
// remembered, so the change may be measured over up to a 64th more than `over`.

import { z } from "zod";
import { durationSchema } from "../duration-schema.ts";
import { bindLimits, type Limits, limitsMeta, limitsShape, measuring, refineLimits } from "../limits.ts";
import type { StateReader, StateWriter } from "../state.ts";
import { type DurationMs, type EpochMs, formatDuration } from "../units.ts";
import type { ConditionType, Detector } from "./condition.ts";

const SLOTS = 64;
/** Of `over`, that the readings must span before there is a rate. */
const SPAN_MIN = 1 / 2;

const schema = z
  .strictObject({
    type: z.literal("rate"),
    over: durationSchema.meta({ description: "The trailing time over which the change is measured" }),
    per: durationSchema.prefault("1s").meta({ description: "The unit of time of the rate" }),
    counter: z.boolean().default(false).meta({ description: "The value is a counter: a decrease is its reset, and counts as an increase from 0" }),
    ...limitsShape,
  })
  .superRefine(refineLimits)
  .meta(limitsMeta);
export type RateSettings = z.output<typeof schema>;

export const rate: ConditionType<"rate", RateSettings> = {
  type: "rate",
  schema,
  bind(settings, limits) {
    const bound = bindLimits(settings, limits);
    if (bound === undefined) return undefined;
    const { over, per, counter } = settings;
    return { on: "detector", create: () => new RateDetector(over, per, counter), ...perUnit(bound, per) };
  },
};

const unitWords: Readonly<Record<number, string>> = { 1000: "second", 60_000: "minute", 3_600_000: "hour", 86_400_000: "day" };

/** `above 2, clears below 1` becomes `above 2 per minute, clears below 1 per minute`. */
function perUnit(limits: Limits, per: DurationMs): Limits {
  const unit = ` per ${unitWords[per] ?? formatDuration(per)}`;
  const words = (text: string): string =>
    text
      .split(", clears ")
      .map((limit) => limit + unit)
      .join(", clears ");
  return measuring(limits, words, (own) => `${own ?? ""}${unit}`.trim());
}

/** At most SLOTS + 2 readings are remembered. */
class RateDetector implements Detector {
  readonly #over: DurationMs;
  readonly #per: DurationMs;
  readonly #counter: boolean;
  readonly #slot: DurationMs;
  /** The first reading of each slot, oldest first; of a counter the value as if it had never been reset since. */
  readonly #ts: EpochMs[] = [];
  readonly #value: number[] = [];
  #last = Number.NaN;

  constructor(over: DurationMs, per: DurationMs, counter: boolean) {
    this.#over = over;
    this.#per = per;
    this.#counter = counter;
    this.#slot = over / SLOTS;
  }

  take(ts: EpochMs, value: number): number {
    if (this.#counter && value < this.#last) this.#reset(this.#last);
    this.#last = value;
    while ((this.#ts[1] ?? Number.POSITIVE_INFINITY) <= ts - this.#over) {
      this.#ts.shift();
      this.#value.shift();
    }
    const span = ts - (this.#ts[0] ?? ts);
    const change = value - (this.#value[0] ?? value);
    if (Math.floor(ts / this.#slot) !== Math.floor((this.#ts.at(-1) ?? Number.NaN) / this.#slot)) {
      this.#ts.push(ts);
      this.#value.push(value);
    }
    return span >= this.#over * SPAN_MIN ? (change / span) * this.#per : Number.NaN;
  }

  /** What was remembered goes on from 0 where the counter did, so that nothing grows with the number of resets. */
  #reset(last: number): void {
    for (let index = 0; index < this.#value.length; index++) this.#value[index] = (this.#value[index] as number) - last;
  }

  save(to: StateWriter): void {
    to.number(this.#last);
    to.number(this.#ts.length);
    for (const ts of this.#ts) to.number(ts);
    for (const value of this.#value) to.number(value);
  }

  restore(from: StateReader): void {
    this.#last = from.number();
    const count = from.number();
    for (let index = 0; index < count; index++) this.#ts.push(from.number());
    for (let index = 0; index < count; index++) this.#value.push(from.number());
  }
}
