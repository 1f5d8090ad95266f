// Readings of one series as they are gathered from the journal: growing columns that come out in order of event time, each
// instant once. Of readings with the same instant the first in the journal wins, as the engine decided when it heard them.

import type { EpochMs } from "./units.ts";

/** Columns of equal length, `ts` ascending without repetition. */
export type OrderedReadings = {
  readonly ts: Float64Array;
  readonly value: Float64Array;
  /** 1 where the reading came late. */
  readonly late: Uint8Array;
  /** When it arrived. */
  readonly at: Float64Array;
};

export class History {
  #ts = new Float64Array(32);
  #value = new Float64Array(32);
  #late = new Uint8Array(32);
  #at = new Float64Array(32);
  #length = 0;
  #isAscending = true;

  /** Readings held, repeated instants counted. */
  get length(): number {
    return this.#length;
  }

  /** In the order of the journal. */
  add(ts: EpochMs, value: number, isLate: boolean, at: EpochMs): void {
    const place = this.#length;
    this.#reserve(1);
    if (place > 0 && ts <= (this.#ts[place - 1] as number)) this.#isAscending = false;
    this.#ts[place] = ts;
    this.#value[place] = value;
    this.#late[place] = isLate ? 1 : 0;
    this.#at[place] = at;
    this.#length = place + 1;
  }

  /** Readings that are in order among themselves, in the order of the journal behind those that are there. */
  append({ ts, value, late, at }: OrderedReadings): void {
    if (ts.length === 0) return;
    const place = this.#length;
    this.#reserve(ts.length);
    if (place > 0 && (ts[0] as number) <= (this.#ts[place - 1] as number)) this.#isAscending = false;
    this.#ts.set(ts, place);
    this.#value.set(value, place);
    this.#late.set(late, place);
    this.#at.set(at, place);
    this.#length = place + ts.length;
  }

  /** The readings so far; views into this history while it is in order, valid until the next `add`. */
  ordered(): OrderedReadings {
    const length = this.#length;
    const [ts, value] = [this.#ts.subarray(0, length), this.#value.subarray(0, length)];
    const [late, at] = [this.#late.subarray(0, length), this.#at.subarray(0, length)];
    if (this.#isAscending) return { ts, value, late, at };
    const order = Uint32Array.from(ts, (_, index) => index).sort((a, b) => (ts[a] as number) - (ts[b] as number) || a - b);
    const kept = order.filter((index, place) => place === 0 || ts[index] !== ts[order[place - 1] as number]);
    const pick = (column: Float64Array): Float64Array => Float64Array.from(kept, (index) => column[index] as number);
    return { ts: pick(ts), value: pick(value), late: Uint8Array.from(kept, (index) => late[index] as number), at: pick(at) };
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#ts.length) return;
    const size = Math.max(needed, this.#ts.length * 2);
    const [ts, value, late, at] = [new Float64Array(size), new Float64Array(size), new Uint8Array(size), new Float64Array(size)];
    ts.set(this.#ts);
    value.set(this.#value);
    late.set(this.#late);
    at.set(this.#at);
    [this.#ts, this.#value, this.#late, this.#at] = [ts, value, late, at];
  }
}
