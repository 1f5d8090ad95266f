// The timestamps that a series remembers, so that a repeated reading is known: all above the watermark and at least the
// last 128 below it. It grows freely within a step and forgets only at its end; what it has forgotten, the store is asked.

import type { StateReader, StateWriter } from "./state.ts";
import type { EpochMs } from "./units.ts";

/** How many timestamps at or below the watermark are kept at the end of a step. */
export const REMEMBERED_BELOW = 128;
/** Forgetting is worth its copying only now and then. */
const TRIM_FROM = REMEMBERED_BELOW + 32;
/** What most series grow to and no further: room for more would be kept by each of them for nothing. */
const ROOM = TRIM_FROM + 8;

export class Memory {
  #ts = new Float64Array(8);
  #value = new Float64Array(8);
  count = 0;
  /** The latest timestamp that was forgotten; one at or below it may have been there. */
  forgotten: EpochMs = Number.NEGATIVE_INFINITY;

  /** @returns the value at exactly `ts`, or undefined when it is not remembered */
  find(ts: EpochMs): number | undefined {
    if (this.count === 0 || ts > (this.#ts[this.count - 1] as number)) return undefined;
    const index = this.#indexOf(ts);
    return this.#ts[index] === ts ? this.#value[index] : undefined;
  }

  /** @param ts one that is not remembered */
  add(ts: EpochMs, value: number): void {
    if (this.count === this.#ts.length) this.#resize(roomFrom(this.count));
    const index = this.count === 0 || ts > (this.#ts[this.count - 1] as number) ? this.count : this.#indexOf(ts);
    if (index < this.count) {
      this.#ts.copyWithin(index + 1, index, this.count);
      this.#value.copyWithin(index + 1, index, this.count);
    }
    this.#ts[index] = ts;
    this.#value[index] = value;
    this.count += 1;
  }

  /** Forgets what it may, now that the step is over. */
  trim(watermark: EpochMs): void {
    if (this.count <= TRIM_FROM) return;
    const drop = this.#indexOf(watermark + 1) - REMEMBERED_BELOW;
    if (drop <= 0) return;
    this.forgotten = Math.max(this.forgotten, this.#ts[drop - 1] as number);
    this.#ts.copyWithin(0, drop, this.count);
    this.#value.copyWithin(0, drop, this.count);
    this.count -= drop;
    if (this.#ts.length > 4 * TRIM_FROM && this.count <= TRIM_FROM) this.#resize(TRIM_FROM);
  }

  save(to: StateWriter): void {
    to.number(this.count);
    to.number(this.forgotten);
    to.all(this.#ts.subarray(0, this.count));
    to.all(this.#value.subarray(0, this.count));
  }

  static restore(from: StateReader): Memory {
    const memory = new Memory();
    memory.count = from.number();
    memory.forgotten = from.number();
    memory.#resize(roomFrom(memory.count));
    memory.#ts.set(from.all(memory.count));
    memory.#value.set(from.all(memory.count));
    return memory;
  }

  /** Index of the first timestamp at or after `ts`. */
  #indexOf(ts: EpochMs): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ts[middle] as number) < ts) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #resize(size: number): void {
    const [ts, value] = [new Float64Array(size), new Float64Array(size)];
    ts.set(this.#ts.subarray(0, Math.min(this.count, size)));
    value.set(this.#value.subarray(0, Math.min(this.count, size)));
    [this.#ts, this.#value] = [ts, value];
  }
}

/** For more than there are. */
const roomFrom = (count: number): number => (count < ROOM ? Math.min(ROOM, Math.max(8, count * 2)) : count * 2);
