// `slope`: the least-squares line through the readings, per second. Times and values are centred on their running means (Welford's
// update of the co-moment; merged by Chan et al.), and both are counted from the first reading heard: from far away they lose digits.

import type { AggregateName } from "../aggregate.ts";
import type { Packable, StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";

export class Trend implements Packable {
  count = 0;
  lastTs: EpochMs = Number.NEGATIVE_INFINITY;
  /** Times are ms since this, values those above `#base`: the first reading heard. */
  #origin: EpochMs = 0;
  #base = 0;
  #meanTime = 0;
  #meanValue = 0;
  /** Sum of (time - mean)², and of (time - mean)(value - mean). */
  #spread = 0;
  #coMoment = 0;

  reset(): void {
    this.count = 0;
    this.lastTs = Number.NEGATIVE_INFINITY;
    this.#origin = 0;
    this.#base = 0;
    this.#meanTime = 0;
    this.#meanValue = 0;
    this.#spread = 0;
    this.#coMoment = 0;
  }

  add(ts: EpochMs, value: number): void {
    if (this.count === 0) [this.#origin, this.#base] = [ts, value];
    this.count += 1;
    const time = ts - this.#origin;
    const rise = value - this.#base;
    const delta = time - this.#meanTime;
    this.#meanTime += delta / this.count;
    this.#meanValue += (rise - this.#meanValue) / this.count;
    this.#spread += delta * (time - this.#meanTime);
    this.#coMoment += delta * (rise - this.#meanValue);
    if (ts > this.lastTs) this.lastTs = ts;
  }

  append(other: Trend): void {
    if (other.count === 0) return;
    if (this.count === 0) [this.#origin, this.#base] = [other.#origin, other.#base];
    const count = this.count + other.count;
    const deltaTime = other.#origin - this.#origin + (other.#meanTime - this.#meanTime);
    const deltaValue = other.#base - this.#base + (other.#meanValue - this.#meanValue);
    const weight = (this.count * other.count) / count;
    this.#spread += other.#spread + deltaTime * deltaTime * weight;
    this.#coMoment += other.#coMoment + deltaTime * deltaValue * weight;
    this.#meanTime += deltaTime * (other.count / count);
    this.#meanValue += deltaValue * (other.count / count);
    this.count = count;
    if (other.lastTs > this.lastTs) this.lastTs = other.lastTs;
  }

  mingle(other: Trend): void {
    this.append(other);
  }

  /** @returns NaN when the readings are not of two instants at least */
  figure(name: AggregateName): number {
    return name === "slope" && this.#spread > 0 ? (this.#coMoment / this.#spread) * 1000 : Number.NaN;
  }

  get width(): number {
    return 8;
  }

  pack(into: number[], at: number): void {
    into[at] = this.count;
    into[at + 1] = this.lastTs;
    into[at + 2] = this.#origin;
    into[at + 3] = this.#base;
    into[at + 4] = this.#meanTime;
    into[at + 5] = this.#meanValue;
    into[at + 6] = this.#spread;
    into[at + 7] = this.#coMoment;
  }

  unpack(from: readonly number[], at: number): void {
    this.count = from[at] as number;
    this.lastTs = from[at + 1] as number;
    this.#origin = from[at + 2] as number;
    this.#base = from[at + 3] as number;
    this.#meanTime = from[at + 4] as number;
    this.#meanValue = from[at + 5] as number;
    this.#spread = from[at + 6] as number;
    this.#coMoment = from[at + 7] as number;
  }

  save(to: StateWriter): void {
    to.packed(this);
  }

  load(from: StateReader): void {
    from.packed(this);
  }
}
