// One aggregate of readings in event-time order: mergeable, so that panes make windows and minutes make hours.
// Sums are compensated (Neumaier); mean and M2 by Welford, merged by Chan et al.; area is time-weighted, each value
// holding until the next reading, between the aggregate's first and last reading.

import { lostIn } from "./compensated-sum.ts";
import type { Packable, StateReader, StateWriter } from "./state.ts";
import type { EpochMs } from "./units.ts";

/** Aggregates that a rule may ask for. What each keeps of the readings is said in aggregates/index.ts. */
export const aggregateNames = [
  "avg",
  "min",
  "max",
  "sum",
  "count",
  "stddev",
  "first",
  "last",
  "range",
  "median",
  "p90",
  "p95",
  "p99",
  "twa",
  "rate",
  "slope",
] as const;
export type AggregateName = (typeof aggregateNames)[number];

/** The figures of a bucket as they are stored. `area` is value × ms. */
export type AggregateValues = {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly first: number;
  readonly firstTs: EpochMs;
  readonly last: number;
  readonly lastTs: EpochMs;
  readonly mean: number;
  readonly m2: number;
  readonly area: number;
};

const LIFT = 2 ** 64;

/** What a window is judged by: count, sum, min and max, and when its latest reading was. */
export class Tally implements Packable {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  lastTs: EpochMs = Number.NEGATIVE_INFINITY;
  /** The sum is kept as two numbers that are added when it is asked for; once it has left the range of a double, divided by 2^64. */
  protected high = 0;
  protected low = 0;
  protected isLifted = false;

  /** Infinite beyond the largest number. */
  get sum(): number {
    return this.#kept * (this.isLifted ? LIFT : 1);
  }

  get #kept(): number {
    // Beyond the largest number what was carried means nothing.
    return Number.isFinite(this.high) ? this.high + this.low : this.high;
  }

  /** As new. */
  reset(): void {
    this.count = 0;
    this.min = Number.POSITIVE_INFINITY;
    this.max = Number.NEGATIVE_INFINITY;
    this.lastTs = Number.NEGATIVE_INFINITY;
    this.high = 0;
    this.low = 0;
    this.isLifted = false;
  }

  add(ts: EpochMs, value: number): void {
    this.count += 1;
    this.addToSum(value);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (ts > this.lastTs) this.lastTs = ts;
  }

  /** Takes a tally of other readings. */
  append(other: Tally): void {
    this.count += other.count;
    if (other.isLifted && !this.isLifted) this.#lift();
    const scale = this.isLifted && !other.isLifted ? 1 / LIFT : 1;
    this.#addKept(other.high * scale);
    this.#addKept(other.low * scale);
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    if (other.lastTs > this.lastTs) this.lastTs = other.lastTs;
  }

  /** The same: the order of its readings means nothing to a tally. */
  mingle(other: Tally): void {
    this.append(other);
  }

  /** The figure that a rule asks for; an empty tally has none but count and sum, and what a tally does not keep is NaN. */
  figure(name: AggregateName): number {
    switch (name) {
      case "avg":
        return (this.#kept / this.count) * (this.isLifted ? LIFT : 1);
      case "min":
        return this.min;
      case "max":
        return this.max;
      case "range":
        return this.max - this.min;
      case "sum":
        return this.sum;
      case "count":
        return this.count;
      default:
        return Number.NaN;
    }
  }

  get width(): number {
    return 6;
  }

  pack(into: number[], at: number): void {
    into[at] = this.isLifted ? -this.count : this.count;
    into[at + 1] = this.high;
    into[at + 2] = this.low;
    into[at + 3] = this.min;
    into[at + 4] = this.max;
    into[at + 5] = this.lastTs;
  }

  unpack(from: readonly number[], at: number): void {
    const count = from[at] as number;
    this.isLifted = count < 0;
    this.count = Math.abs(count);
    this.high = from[at + 1] as number;
    this.low = from[at + 2] as number;
    this.min = from[at + 3] as number;
    this.max = from[at + 4] as number;
    this.lastTs = from[at + 5] as number;
  }

  save(to: StateWriter): void {
    to.packed(this);
  }

  load(from: StateReader): void {
    from.packed(this);
  }

  protected addToSum(value: number): void {
    this.#addKept(this.isLifted ? value / LIFT : value);
  }

  #addKept(term: number): void {
    const sum = this.high + term;
    if (!Number.isFinite(sum) && !this.isLifted) {
      this.#lift();
      return this.#addKept(term / LIFT);
    }
    this.low += lostIn(sum, this.high, term);
    this.high = sum;
  }

  #lift(): void {
    this.isLifted = true;
    this.high /= LIFT;
    this.low /= LIFT;
  }
}

/** A tally with what rollups keep beside it. */
export class Aggregate extends Tally {
  first = Number.NaN;
  firstTs: EpochMs = Number.POSITIVE_INFINITY;
  last = Number.NaN;
  mean = 0;
  m2 = 0;
  area = 0;

  /** One that is older than the last (late, its window still open) counts in all but the area. */
  override add(ts: EpochMs, value: number): void {
    if (ts >= this.lastTs) {
      if (this.count > 0) this.area += (ts - this.lastTs) * this.last;
      this.last = value;
    }
    if (ts < this.firstTs) {
      this.first = value;
      this.firstTs = ts;
    }
    super.add(ts, value);
    const delta = value - this.mean;
    this.mean += delta / this.count;
    this.m2 += delta * (value - this.mean);
  }

  /** Takes the figures of readings that are disjoint from these. */
  merge(other: AggregateValues): void {
    if (other.count === 0) return;
    const count = this.count + other.count;
    const delta = other.mean - this.mean;
    this.m2 += other.m2 + (delta * delta * this.count * other.count) / count;
    this.mean += (delta * other.count) / count;
    this.addToSum(other.sum);
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    this.area += other.area;
    if (this.count > 0 && other.firstTs >= this.lastTs) this.area += (other.firstTs - this.lastTs) * this.last;
    if (other.lastTs >= this.lastTs) {
      this.last = other.last;
      this.lastTs = other.lastTs;
    }
    if (other.firstTs < this.firstTs) {
      this.first = other.first;
      this.firstTs = other.firstTs;
    }
    this.count = count;
  }

  override reset(): void {
    super.reset();
    this.first = Number.NaN;
    this.firstTs = Number.POSITIVE_INFINITY;
    this.last = Number.NaN;
    this.mean = 0;
    this.m2 = 0;
    this.area = 0;
  }

  values(): AggregateValues {
    const { count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area } = this;
    return { count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area };
  }

  override get width(): number {
    return 12;
  }

  override pack(into: number[], at: number): void {
    super.pack(into, at);
    into[at + 6] = this.first;
    into[at + 7] = this.firstTs;
    into[at + 8] = this.last;
    into[at + 9] = this.mean;
    into[at + 10] = this.m2;
    into[at + 11] = this.area;
  }

  override unpack(from: readonly number[], at: number): void {
    super.unpack(from, at);
    this.first = from[at + 6] as number;
    this.firstTs = from[at + 7] as number;
    this.last = from[at + 8] as number;
    this.mean = from[at + 9] as number;
    this.m2 = from[at + 10] as number;
    this.area = from[at + 11] as number;
  }
}
