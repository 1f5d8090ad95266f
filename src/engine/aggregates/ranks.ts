// `median`, `p90`, `p95`, `p99` by nearest rank: exact among up to BUFFERED_MAX readings, of which only the values are kept; beyond
// those a sketch, within its relative error. Neither knows the order of the readings.

import type { AggregateName } from "../aggregate.ts";
import { select } from "../select.ts";
import { Sketch } from "../sketch.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import type { WindowAggregate } from "../window.ts";
import { BUFFERED_MAX } from "./pane-aggregate.ts";

const percents: Partial<Readonly<Record<AggregateName, number>>> = { median: 50, p90: 90, p95: 95, p99: 99 };
const names = Object.keys(percents) as AggregateName[];

/** For choosing among values that must stay in their order; used within one call only. */
const scratch = new Float64Array(BUFFERED_MAX);

const NONE = new Float64Array(0);

/** By nearest rank: the value of the smallest rank that at least so many percent of all are not above. */
function percentileOf(name: AggregateName, count: number, valueAt: (rank: number) => number): number {
  const percent = percents[name];
  return percent === undefined || count === 0 ? Number.NaN : valueAt(Math.ceil((count * percent) / 100));
}

/** @param gather copies all values into what it is given, once for each figure asked for; there are `count`, at most BUFFERED_MAX */
export function percentilesOf(count: number, gather: (into: Float64Array) => void): WindowAggregate {
  const valueAt = (rank: number): number => {
    gather(scratch);
    return select(scratch, count, rank);
  };
  return { count, figure: (name) => percentileOf(name, count, valueAt) };
}

/** All at once: a sketch goes on to the next window before anybody asks. */
export function percentilesOfSketch(sketch: Sketch): WindowAggregate {
  const { count } = sketch;
  const figures = new Map(names.map((name) => [name, percentileOf(name, count, (rank) => sketch.valueAt(rank))]));
  return { count, figure: (name) => figures.get(name) ?? Number.NaN };
}

export class Ranks {
  count = 0;
  lastTs: EpochMs = Number.NEGATIVE_INFINITY;
  #values = NONE;
  /** Takes the place of the values once they are too many. */
  #sketch: Sketch | undefined;

  get buffered(): number {
    return this.#sketch === undefined ? this.count : 0;
  }

  reset(): void {
    this.count = 0;
    this.lastTs = Number.NEGATIVE_INFINITY;
    this.#sketch = undefined;
  }

  add(ts: EpochMs, value: number): void {
    if (ts > this.lastTs) this.lastTs = ts;
    this.#take(value);
  }

  condense(): void {
    if (this.#sketch !== undefined) return;
    const sketch = new Sketch();
    for (let index = 0; index < this.count; index++) sketch.add(this.#values[index] as number);
    this.#sketch = sketch;
    this.#values = NONE;
  }

  append(other: Ranks): void {
    if (other.lastTs > this.lastTs) this.lastTs = other.lastTs;
    if (other.#sketch === undefined) {
      for (let index = 0; index < other.count; index++) this.#take(other.#values[index] as number);
      return;
    }
    this.condense();
    this.#sketch?.merge(other.#sketch);
    this.count += other.count;
  }

  mingle(other: Ranks): void {
    this.append(other);
  }

  /** Copies the values, which must be kept one by one. @returns how many */
  copyTo(into: Float64Array, at: number): number {
    into.set(this.#values.subarray(0, this.count), at);
    return this.count;
  }

  /** Puts all readings into a sketch, or takes them out of one that holds them. */
  enter(sketch: Sketch): void {
    if (this.#sketch !== undefined) return sketch.merge(this.#sketch);
    for (let index = 0; index < this.count; index++) sketch.add(this.#values[index] as number);
  }

  leave(sketch: Sketch): void {
    if (this.#sketch !== undefined) return sketch.subtract(this.#sketch);
    for (let index = 0; index < this.count; index++) sketch.remove(this.#values[index] as number);
  }

  figure(name: AggregateName): number {
    return percentileOf(name, this.count, (rank) => this.#valueAt(rank));
  }

  save(to: StateWriter): void {
    for (const value of [this.count, this.lastTs, this.#sketch === undefined ? 0 : 1]) to.number(value);
    if (this.#sketch === undefined) to.all(this.#values.subarray(0, this.count));
    else this.#sketch.save(to);
  }

  load(from: StateReader): void {
    this.count = from.number();
    this.lastTs = from.number();
    if (from.number() === 0) {
      this.#sketch = undefined;
      this.#values = from.all(this.count).slice();
      return;
    }
    this.#sketch = new Sketch();
    this.#sketch.load(from);
    this.#values = NONE;
  }

  #valueAt(rank: number): number {
    if (this.#sketch !== undefined) return this.#sketch.valueAt(rank);
    this.copyTo(scratch, 0);
    return select(scratch, this.count, rank);
  }

  #take(value: number): void {
    if (this.#sketch === undefined && this.count === BUFFERED_MAX) this.condense();
    if (this.#sketch !== undefined) this.#sketch.add(value);
    else {
      if (this.count === this.#values.length) this.#grow();
      this.#values[this.count] = value;
    }
    this.count += 1;
  }

  #grow(): void {
    const values = this.#values;
    this.#values = new Float64Array(Math.min(BUFFERED_MAX, Math.max(8, values.length * 2)));
    this.#values.set(values);
  }
}
