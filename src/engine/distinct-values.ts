// A bag of numbers in ascending order, each distinct one kept once with how often it came. What sensors send has few decimals, so an
// hour of readings is a few dozen values: less room than the readings, and a rank is found by counting.

import { roomFor, type StateReader, type StateWriter } from "./state.ts";

/** Room for so many to begin with. */
const ROOM = 8;

export class DistinctValues {
  /** Value and how often it came, by turns, in the order of the values. */
  #numbers = roomFor(2 * ROOM);
  /** How many distinct ones there are. */
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  add(value: number, times = 1): void {
    const index = this.#indexOf(value);
    if (index < this.#length && this.#value(index) === value) this.#numbers[2 * index + 1] = this.#times(index) + times;
    else this.#insert(index, value, times);
  }

  /** The value of a rank. @param rank from 1, in ascending order; at most as many as were added */
  valueAt(rank: number): number {
    let index = 0;
    for (let left = rank - this.#times(0); left > 0; left -= this.#times(index)) index++;
    return this.#value(index);
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
    for (let index = 0; index < this.#length; index++) take(this.#value(index), this.#times(index));
  }

  save(to: StateWriter): void {
    to.number(this.#length);
    to.some(2 * this.#length, this.#numbers);
  }

  /** Reads what `save` wrote, into an empty one. */
  load(from: StateReader): void {
    this.#length = from.number();
    this.#numbers = Array.from(from.all(2 * this.#length));
  }

  #value(index: number): number {
    return this.#numbers[2 * index] as number;
  }

  #times(index: number): number {
    return this.#numbers[2 * index + 1] as number;
  }

  /** The first that is not below. */
  #indexOf(value: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#value(middle) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(index: number, value: number, times: number): void {
    const before = this.#numbers;
    // One more fits, or there is a quarter more room.
    if (2 * this.#length >= before.length) this.#numbers = roomFor(2 * Math.ceil((this.#length + 1) * 1.25));
    const numbers = this.#numbers;
    for (let at = 2 * this.#length - 1; at >= 2 * index; at--) numbers[at + 2] = before[at] as number;
    if (numbers !== before) for (let at = 0; at < 2 * index; at++) numbers[at] = before[at] as number;
    numbers[2 * index] = value;
    numbers[2 * index + 1] = times;
    this.#length += 1;
  }
}
