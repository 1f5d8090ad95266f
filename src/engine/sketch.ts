// Percentiles of any number of readings in bounded memory: DDSketch (Masson, Rim, Lee 2019) with a relative error of 0.01. Bins are
// sparse, in order of their values, at most 1,024; when more are needed every two neighbours become one (uniform collapse, UDDSketch,
// Epicoco et al. 2020), which doubles the error of all instead of giving up on the small values. What it holds is a function of
// the readings alone, not of their order: it merges, and readings that it took can be taken out again, exactly.
//
// Of @datadog/sketches-js only the mapping would be of use, and that is one logarithm: its stores are dense (kilobytes for a handful of
// readings), collapse only one end, cannot take out, and its serialisation needs a library that it does not declare.

import type { StateReader, StateWriter } from "./state.ts";

/** At most this far from a reading of the rank asked for, relative to it, as long as 1,024 bins suffice. */
export const RELATIVE_ERROR = 0.01;
export const BINS_MAX = 1024;

const LOG_GAMMA = Math.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR));
/** Makes the bin of every positive double positive; a negative value has the bin of its size, negated, and 0 is bin 0. */
const OFFSET = 40_000;

export class Sketch {
  /** How often neighbours were joined; the error is below RELATIVE_ERROR × 2^level. */
  #level = 0;
  #bins = new Int32Array(4);
  #counts = new Float64Array(4);
  #length = 0;
  count = 0;

  /** @param level as coarse as this from the start */
  constructor(level = 0) {
    this.#level = level;
  }

  /** Of what `eachBin` gave, in its order; the columns are taken over. */
  static ofBins(level: number, bins: Int32Array<ArrayBuffer>, counts: Float64Array<ArrayBuffer>): Sketch {
    const sketch = new Sketch(level);
    sketch.#bins = bins;
    sketch.#counts = counts;
    sketch.#length = bins.length;
    for (const count of counts) sketch.count += count;
    return sketch;
  }

  get level(): number {
    return this.#level;
  }

  /** Whether both hold the same readings, as far as they can be told apart. */
  equals(other: Sketch): boolean {
    if (this.#level !== other.#level || this.#length !== other.#length) return false;
    for (let index = 0; index < this.#length; index++)
      if (this.#bins[index] !== other.#bins[index] || this.#counts[index] !== other.#counts[index]) return false;
    return true;
  }

  /** How many bins it takes. */
  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#level = 0;
    this.#length = 0;
    this.count = 0;
  }

  add(value: number, times = 1): void {
    this.#put(binOf(value, this.#level), times);
    this.count += times;
    while (this.#length > BINS_MAX) this.#coarsen();
  }

  /** Takes out readings that it holds. */
  remove(value: number, times = 1): void {
    this.#put(binOf(value, this.#level), -times);
    this.count -= times;
  }

  merge(other: Sketch): void {
    while (this.#level < other.#level) this.#coarsen();
    this.#each(other, 1);
    this.count += other.count;
    while (this.#length > BINS_MAX) this.#coarsen();
  }

  /** Takes out what it took of a sketch that is not coarser. */
  subtract(other: Sketch): void {
    this.#each(other, -1);
    this.count -= other.count;
  }

  /**
   * @param rank from 1, in ascending order; at most `count`
   * @returns a value within the relative error of the reading of that rank
   */
  valueAt(rank: number): number {
    let seen = 0;
    for (let index = 0; index < this.#length; index++) {
      seen += this.#counts[index] as number;
      if (seen >= rank) return valueOf(this.#bins[index] as number, this.#level);
    }
    return Number.NaN;
  }

  /** The bins that hold readings, in order, and how many each holds. */
  eachBin(take: (bin: number, count: number) => void): void {
    for (let index = 0; index < this.#length; index++) take(this.#bins[index] as number, this.#counts[index] as number);
  }

  save(to: StateWriter): void {
    to.number(this.#level);
    to.number(this.#length);
    this.eachBin((bin, count) => {
      to.number(bin);
      to.number(count);
    });
  }

  load(from: StateReader): void {
    this.reset();
    this.#level = from.number();
    const length = from.number();
    for (let index = 0; index < length; index++) {
      const bin = from.number();
      const count = from.number();
      this.#put(bin, count);
      this.count += count;
    }
  }

  #each(other: Sketch, sign: 1 | -1): void {
    for (let index = 0; index < other.#length; index++) {
      let bin = other.#bins[index] as number;
      for (let level = other.#level; level < this.#level; level++) bin = coarser(bin);
      this.#put(bin, sign * (other.#counts[index] as number));
    }
  }

  #put(bin: number, count: number): void {
    const index = this.#indexOf(bin);
    if (index === this.#length || this.#bins[index] !== bin) return this.#insert(index, bin, count);
    const left = (this.#counts[index] as number) + count;
    this.#counts[index] = left;
    if (left === 0) this.#drop(index);
  }

  /** The first bin that is not below. */
  #indexOf(bin: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#bins[middle] as number) < bin) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(index: number, bin: number, count: number): void {
    if (this.#length === this.#bins.length) {
      const [bins, counts] = [this.#bins, this.#counts];
      this.#bins = new Int32Array(Math.ceil(this.#length * 1.5) + 1);
      this.#counts = new Float64Array(this.#bins.length);
      this.#bins.set(bins);
      this.#counts.set(counts);
    }
    this.#bins.copyWithin(index + 1, index, this.#length);
    this.#counts.copyWithin(index + 1, index, this.#length);
    this.#bins[index] = bin;
    this.#counts[index] = count;
    this.#length += 1;
  }

  #drop(index: number): void {
    this.#bins.copyWithin(index, index + 1, this.#length);
    this.#counts.copyWithin(index, index + 1, this.#length);
    this.#length -= 1;
  }

  #coarsen(): void {
    this.#level += 1;
    let length = 0;
    for (let index = 0; index < this.#length; index++) {
      const bin = coarser(this.#bins[index] as number);
      const count = this.#counts[index] as number;
      if (length > 0 && this.#bins[length - 1] === bin) {
        this.#counts[length - 1] = (this.#counts[length - 1] as number) + count;
        continue;
      }
      this.#bins[length] = bin;
      this.#counts[length] = count;
      length += 1;
    }
    this.#length = length;
  }
}

/** γ^(k - 1) < value ≤ γ^k is bin k. */
function binOf(value: number, level: number): number {
  if (value === 0) return 0;
  let bin = Math.ceil(Math.log(Math.abs(value)) / LOG_GAMMA) + OFFSET;
  for (let step = 0; step < level; step++) bin = coarser(bin);
  return value < 0 ? -bin : bin;
}

function coarser(bin: number): number {
  if (bin === 0) return 0;
  const size = Math.ceil((Math.abs(bin) - OFFSET) / 2) + OFFSET;
  return bin < 0 ? -size : size;
}

/** The value of a bin that is as far, relatively, from its lower end as from its upper. */
function valueOf(bin: number, level: number): number {
  if (bin === 0) return 0;
  const logGamma = LOG_GAMMA * 2 ** level;
  const size = Math.exp((Math.abs(bin) - OFFSET) * logGamma + Math.log(2 / (1 + Math.exp(logGamma))));
  return Math.sign(bin) * Math.min(size, Number.MAX_VALUE);
}
