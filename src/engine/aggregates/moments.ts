// `stddev` of the sample: mean and M2 by Welford, merged by Chan et al. (1979). Squares of values beyond 1e145 would leave the range
// of a double and those of tiny ones would vanish, so values are reckoned on one of three scales, the smallest that holds them all.

import type { AggregateName } from "../aggregate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";

const STEP = 2 ** 600;
/** What values are multiplied by: tiny, ordinary, huge. */
const FACTORS = [STEP, 1, 1 / STEP] as const;
/** The largest size of a value of each scale. */
const SIZES = [1e-145, 1e145, Number.POSITIVE_INFINITY] as const;

export class Moments {
  count = 0;
  lastTs: EpochMs = Number.NEGATIVE_INFINITY;
  #scale = 0;
  /** Of the values times the scale's factor. */
  #mean = 0;
  #m2 = 0;

  reset(): void {
    this.count = 0;
    this.lastTs = Number.NEGATIVE_INFINITY;
    this.#scale = 0;
    this.#mean = 0;
    this.#m2 = 0;
  }

  add(ts: EpochMs, value: number): void {
    const size = Math.abs(value);
    while (size > (SIZES[this.#scale] as number)) this.#widen();
    this.count += 1;
    const scaled = value * (FACTORS[this.#scale] as number);
    const delta = scaled - this.#mean;
    this.#mean += delta / this.count;
    this.#m2 += delta * (scaled - this.#mean);
    if (ts > this.lastTs) this.lastTs = ts;
  }

  append(other: Moments): void {
    if (other.count === 0) return;
    while (this.#scale < other.#scale) this.#widen();
    let [mean, m2] = [other.#mean, other.#m2];
    for (let scale = other.#scale; scale < this.#scale; scale++) [mean, m2] = [mean / STEP, m2 / STEP / STEP];
    const count = this.count + other.count;
    const delta = mean - this.#mean;
    this.#m2 += m2 + delta * delta * ((this.count * other.count) / count);
    this.#mean += delta * (other.count / count);
    this.count = count;
    if (other.lastTs > this.lastTs) this.lastTs = other.lastTs;
  }

  mingle(other: Moments): void {
    this.append(other);
  }

  /** @returns NaN for fewer than two readings */
  figure(name: AggregateName): number {
    if (name !== "stddev" || this.count < 2) return Number.NaN;
    return Math.sqrt(this.#m2 / (this.count - 1)) / (FACTORS[this.#scale] as number);
  }

  save(to: StateWriter): void {
    to.number(this.count);
    to.number(this.lastTs);
    to.number(this.#scale);
    to.number(this.#mean);
    to.number(this.#m2);
  }

  load(from: StateReader): void {
    this.count = from.number();
    this.lastTs = from.number();
    this.#scale = from.number();
    this.#mean = from.number();
    this.#m2 = from.number();
  }

  #widen(): void {
    this.#scale += 1;
    this.#mean /= STEP;
    this.#m2 = this.#m2 / STEP / STEP;
  }
}
