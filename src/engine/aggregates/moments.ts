// `stddev` of the sample: mean and M2 by Welford, merged by Chan et al. (1979). Squares of values beyond 1e145 would leave the range
// of a double and those of tiny ones would vanish, so values are reckoned on one of three scales, the smallest that holds them all.

import type { AggregateName } from "../aggregate.ts";
import type { Packable, StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";

const STEP = 2 ** 600;
/** What values are multiplied by: tiny, ordinary, huge. */
const FACTORS = [STEP, 1, 1 / STEP] as const;
/** The largest size of a value of each scale. */
const SIZES = [1e-145, 1e145, Number.POSITIVE_INFINITY] as const;

export class Moments implements Packable {
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

  get width(): number {
    return 5;
  }

  pack(into: number[], at: number): void {
    into[at] = this.count;
    into[at + 1] = this.lastTs;
    into[at + 2] = this.#scale;
    into[at + 3] = this.#mean;
    into[at + 4] = this.#m2;
  }

  unpack(from: readonly number[], at: number): void {
    this.count = from[at] as number;
    this.lastTs = from[at + 1] as number;
    this.#scale = from[at + 2] as number;
    this.#mean = from[at + 3] as number;
    this.#m2 = from[at + 4] as number;
  }

  save(to: StateWriter): void {
    to.packed(this);
  }

  load(from: StateReader): void {
    from.packed(this);
  }

  #widen(): void {
    this.#scale += 1;
    this.#mean /= STEP;
    this.#m2 = this.#m2 / STEP / STEP;
  }
}
