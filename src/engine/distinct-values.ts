// A bag of numbers in ascending order, each distinct one kept once with how often it came. What sensors send has few decimals, so an
// hour of readings is a few dozen values: less room than the readings, and a rank is found by counting.

import type { StateReader, StateWriter } from "./state.ts";

/** Room for so many to begin with. */
const ROOM = 8;

export class DistinctValues {
  #values = new Float64Array(ROOM);
  #counts = new Uint16Array(ROOM);
  /** How many distinct ones there are. */
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  /** @param times fewer than 65,536 in all of one value */
  add(value: number, times = 1): void {
    const index = this.#indexOf(value);
    if (index < this.#length && this.#values[index] === value) this.#counts[index] = (this.#counts[index] as number) + times;
    else this.#insert(index, value, times);
  }

  /** The value of a rank. @param rank from 1, in ascending order; at most as many as were added */
  valueAt(rank: number): number {
    let index = 0;
    for (let left = rank - (this.#counts[0] as number); left > 0; left -= this.#counts[index] as number) index++;
    return this.#values[index] as number;
  }

  /** Copies every one as often as it came. @returns how many */
  copyTo(into: Float64Array, at: number): number {
    let to = at;
    this.each((value, times) => {
      into.fill(value, to, to + times);
      to += times;
    });
    return to - at;
  }

  each(take: (value: number, times: number) => void): void {
    for (let index = 0; index < this.#length; index++) take(this.#values[index] as number, this.#counts[index] as number);
  }

  save(to: StateWriter): void {
    to.number(this.#length);
    this.each((value, times) => {
      to.number(value);
      to.number(times);
    });
  }

  /** Reads what `save` wrote, into an empty one. */
  load(from: StateReader): void {
    const length = from.number();
    this.#resize(Math.max(ROOM, length));
    for (let index = 0; index < length; index++) this.#insert(index, from.number(), from.number());
  }

  /** The first that is not below. */
  #indexOf(value: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#values[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(index: number, value: number, times: number): void {
    if (this.#length === this.#values.length) this.#resize(Math.ceil(this.#length * 1.5));
    this.#values.copyWithin(index + 1, index, this.#length);
    this.#counts.copyWithin(index + 1, index, this.#length);
    this.#values[index] = value;
    this.#counts[index] = times;
    this.#length += 1;
  }

  #resize(room: number): void {
    const [values, counts] = [new Float64Array(room), new Uint16Array(room)];
    values.set(this.#values.subarray(0, this.#length));
    counts.set(this.#counts.subarray(0, this.#length));
    [this.#values, this.#counts] = [values, counts];
  }
}
