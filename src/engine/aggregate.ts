// One aggregate of readings in event-time order: mergeable, so that panes make windows and minutes make hours.
// Sums are compensated (Neumaier); mean and M2 by Welford, merged by Chan et al.; area is time-weighted, each value
// holding until the next reading, between the aggregate's first and last reading.

import type { EpochMs } from "./units.ts";

/** Aggregates that a rule may ask for. */
export const aggregateNames = ["avg", "min", "max", "sum", "count"] as const;
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

export class Aggregate {
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  first = Number.NaN;
  firstTs: EpochMs = Number.POSITIVE_INFINITY;
  last = Number.NaN;
  lastTs: EpochMs = Number.NEGATIVE_INFINITY;
  mean = 0;
  m2 = 0;
  area = 0;
  #sum = 0;
  #compensation = 0;

  get sum(): number {
    return this.#sum + this.#compensation;
  }

  /** Takes a reading. One that is older than the last (late, its window still open) counts in all but the area. */
  add(ts: EpochMs, value: number): void {
    this.count += 1;
    this.#addToSum(value);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const delta = value - this.mean;
    this.mean += delta / this.count;
    this.m2 += delta * (value - this.mean);
    if (ts >= this.lastTs) {
      if (this.count > 1) this.area += (ts - this.lastTs) * this.last;
      this.last = value;
      this.lastTs = ts;
    }
    if (ts < this.firstTs) {
      this.first = value;
      this.firstTs = ts;
    }
  }

  /** Takes an aggregate of readings that are disjoint from these. */
  merge(other: AggregateValues): void {
    if (other.count === 0) return;
    const count = this.count + other.count;
    const delta = other.mean - this.mean;
    this.m2 += other.m2 + (delta * delta * this.count * other.count) / count;
    this.mean += (delta * other.count) / count;
    this.#addToSum(other.sum);
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    if (this.count > 0 && other.firstTs >= this.lastTs) this.area += other.area + (other.firstTs - this.lastTs) * this.last;
    else this.area += other.area;
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

  /** The figure that a rule asks for. An empty aggregate has none but count and sum. */
  figure(name: AggregateName): number {
    switch (name) {
      case "avg":
        return this.sum / this.count;
      case "min":
        return this.min;
      case "max":
        return this.max;
      case "sum":
        return this.sum;
      case "count":
        return this.count;
      default: {
        const never: never = name;
        return never;
      }
    }
  }

  values(): AggregateValues {
    const { count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area } = this;
    return { count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area };
  }

  /** All numbers of the state, for a snapshot; `restore` takes them back bit for bit. */
  save(): number[] {
    return [this.count, this.#sum, this.#compensation, this.min, this.max, this.first, this.firstTs, this.last, this.lastTs, this.mean, this.m2, this.area];
  }

  static restore(numbers: readonly number[]): Aggregate {
    const aggregate = new Aggregate();
    const [count, sum, compensation, min, max, first, firstTs, last, lastTs, mean, m2, area] = numbers as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    Object.assign(aggregate, { count, min, max, first, firstTs, last, lastTs, mean, m2, area });
    aggregate.#sum = sum;
    aggregate.#compensation = compensation;
    return aggregate;
  }

  #addToSum(value: number): void {
    const sum = this.#sum + value;
    this.#compensation += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }
}
