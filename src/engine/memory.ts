// The timestamps that a series remembers, so that a repeated reading is known: all above the watermark and at least the
// last 128 below it. It grows freely within a step and forgets only at its end; what it has forgotten, the store is asked.

import { type Loan, roomFor, type StateReader, type StateWriter } from "./state.ts";
import type { EpochMs } from "./units.ts";

/** How many timestamps at or below the watermark are kept at the end of a step. */
export const REMEMBERED_BELOW = 128;
/** Forgetting is worth its copying only now and then. */
const TRIM_FROM = REMEMBERED_BELOW + 8;
/** What most series grow to and no further: room for more would be kept by each of them for nothing. */
const ROOM = TRIM_FROM + 2;

export class Memory {
  /** Timestamp and value by turns, in the order of the timestamps. */
  #numbers = roomFor(16);
  /** Of the numbers to a snapshot, which does without a copy mostly: what is new is appended. */
  #loan: Loan | undefined;
  count = 0;
  /** The latest timestamp that was forgotten; one at or below it may have been there. */
  forgotten: EpochMs = Number.NEGATIVE_INFINITY;

  /** @returns the value at exactly `ts`, or undefined when it is not remembered */
  find(ts: EpochMs): number | undefined {
    if (this.count === 0 || ts > this.#ts(this.count - 1)) return undefined;
    const index = this.#indexOf(ts);
    return this.#ts(index) === ts ? this.#numbers[2 * index + 1] : undefined;
  }

  /** @param ts one that is not remembered */
  add(ts: EpochMs, value: number): void {
    if (2 * this.count === this.#numbers.length) this.#resize(roomAfter(this.count));
    const index = this.count === 0 || ts > this.#ts(this.count - 1) ? this.count : this.#indexOf(ts);
    if (index < this.count) this.#own();
    const numbers = this.#numbers;
    for (let at = 2 * this.count - 1; at >= 2 * index; at--) numbers[at + 2] = numbers[at] as number;
    numbers[2 * index] = ts;
    numbers[2 * index + 1] = value;
    this.count += 1;
  }

  /** Forgets what it may, now that the step is over. */
  trim(watermark: EpochMs): void {
    if (this.count <= TRIM_FROM) return;
    const drop = this.#indexOf(watermark + 1) - REMEMBERED_BELOW;
    if (drop <= 0) return;
    this.forgotten = Math.max(this.forgotten, this.#ts(drop - 1));
    this.#own();
    const numbers = this.#numbers;
    for (let at = 2 * drop; at < 2 * this.count; at++) numbers[at - 2 * drop] = numbers[at] as number;
    this.count -= drop;
    if (numbers.length > 4 * ROOM && this.count <= TRIM_FROM) this.#resize(ROOM);
  }

  save(to: StateWriter): void {
    to.number(this.count);
    to.number(this.forgotten);
    this.#loan = to.lent(2 * this.count, this.#numbers) ?? this.#loan;
  }

  static restore(from: StateReader): Memory {
    const memory = new Memory();
    memory.count = from.number();
    memory.forgotten = from.number();
    memory.#resize(roomAfter(memory.count));
    from.all(2 * memory.count).forEach((number, at) => {
      memory.#numbers[at] = number;
    });
    return memory;
  }

  #ts(index: number): EpochMs {
    return this.#numbers[2 * index] as EpochMs;
  }

  /** Index of the first timestamp at or after `ts`. */
  #indexOf(ts: EpochMs): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ts(middle) < ts) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Before numbers are moved: those that are lent stay as they are. */
  #own(): void {
    if (this.#loan?.isOut) this.#numbers = this.#numbers.slice();
    this.#loan = undefined;
  }

  #resize(size: number): void {
    const before = this.#numbers;
    this.#numbers = roomFor(2 * size);
    for (let at = 0; at < 2 * this.count && at < before.length; at++) this.#numbers[at] = before[at] as number;
    this.#loan = undefined;
  }
}

/** For more than there are. */
const roomAfter = (count: number): number => (count < ROOM ? Math.min(ROOM, Math.max(8, count * 2)) : count * 2);
