// `median`, `p90`, `p95`, `p99` by nearest rank: exact among up to BUFFERED_MAX readings, of which only the values are kept, equal ones
// once; beyond those a sketch, within its relative error. Neither knows the order of the readings.

import type { AggregateName } from "../aggregate.ts";
import { DistinctValues } from "../distinct-values.ts";
import { rankOf, select } from "../select.ts";
import { Sketch } from "../sketch.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import type { WindowAggregate } from "../window.ts";
import { BUFFERED_MAX } from "./pane-aggregate.ts";

const percents: Partial<Readonly<Record<AggregateName, number>>> = { median: 50, p90: 90, p95: 95, p99: 99 };
const names = Object.keys(percents) as AggregateName[];

/** For choosing among values that must stay in their order; used within one call only. */
const scratch = new Float64Array(BUFFERED_MAX);

/** By nearest rank: the value of the smallest rank that at least so many percent of all are not above. */
function percentileOf(name: AggregateName, count: number, valueAt: (rank: number) => number): number {
  const percent = percents[name];
  return percent === undefined || count === 0 ? Number.NaN : valueAt(rankOf(count, percent));
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
  /** Undefined until the first reading, and once a sketch has taken its place. */
  #values: DistinctValues | undefined;
  /** Of too many to keep each. */
  #sketch: Sketch | undefined;

  get buffered(): number {
    return this.#sketch === undefined ? this.count : 0;
  }

  reset(): void {
    this.count = 0;
    this.lastTs = Number.NEGATIVE_INFINITY;
    this.#values?.clear();
    this.#sketch = undefined;
  }

  add(ts: EpochMs, value: number): void {
    if (ts > this.lastTs) this.lastTs = ts;
    this.#take(value, 1);
  }

  condense(): void {
    if (this.#sketch !== undefined) return;
    const sketch = new Sketch();
    this.#values?.each((value, times) => sketch.add(value, times));
    this.#sketch = sketch;
    this.#values = undefined;
  }

  append(other: Ranks): void {
    if (other.lastTs > this.lastTs) this.lastTs = other.lastTs;
    if (other.#sketch === undefined) return other.#values?.each((value, times) => this.#take(value, times));
    this.condense();
    this.#sketch?.merge(other.#sketch);
    this.count += other.count;
  }

  mingle(other: Ranks): void {
    this.append(other);
  }

  /** Copies the values, of which there are some and which must be kept one by one. @returns how many */
  copyTo(into: Float64Array, at: number): number {
    return (this.#values as DistinctValues).copyTo(into, at);
  }

  /** Puts all readings into a sketch, or takes them out of one that holds them. */
  enter(sketch: Sketch): void {
    if (this.#sketch !== undefined) return sketch.merge(this.#sketch);
    this.#values?.each((value, times) => sketch.add(value, times));
  }

  leave(sketch: Sketch): void {
    if (this.#sketch !== undefined) return sketch.subtract(this.#sketch);
    this.#values?.each((value, times) => sketch.remove(value, times));
  }

  figure(name: AggregateName): number {
    return percentileOf(name, this.count, (rank) => (this.#sketch ?? (this.#values as DistinctValues)).valueAt(rank));
  }

  save(to: StateWriter): void {
    for (const value of [this.count, this.lastTs, this.#sketch === undefined ? 0 : 1]) to.number(value);
    if (this.#sketch !== undefined) this.#sketch.save(to);
    else if (this.count > 0) this.#values?.save(to);
  }

  load(from: StateReader): void {
    this.count = from.number();
    this.lastTs = from.number();
    const isSketch = from.number() === 1;
    this.#values = undefined;
    this.#sketch = undefined;
    if (isSketch) (this.#sketch = new Sketch()).load(from);
    else if (this.count > 0) (this.#values = new DistinctValues()).load(from);
  }

  #take(value: number, times: number): void {
    if (this.#sketch === undefined && this.count + times > BUFFERED_MAX) this.condense();
    if (this.#sketch !== undefined) this.#sketch.add(value, times);
    else (this.#values ??= new DistinctValues()).add(value, times);
    this.count += times;
  }
}
