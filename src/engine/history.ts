// Readings of one series as they are gathered from the journal: growing columns that come out in order of event time, each
// instant once. Of readings with the same instant the first in the journal wins, as the engine decided when it heard them.

import type { EpochMs } from "./units.ts";

/** Columns of equal length, `ts` ascending without repetition. */
export type OrderedReadings = { readonly ts: Float64Array; readonly value: Float64Array /** 1 where the reading came late. */; readonly late: Uint8Array };

export class History {
  #ts = new Float64Array(32);
  #value = new Float64Array(32);
  #late = new Uint8Array(32);
  #length = 0;
  #isAscending = true;

  /** Readings held, repeated instants counted. */
  get length(): number {
    return this.#length;
  }

  /** In the order of the journal. */
  add(ts: EpochMs, value: number, isLate: boolean): void {
    const at = this.#length;
    if (at === this.#ts.length) this.#grow();
    if (at > 0 && ts <= (this.#ts[at - 1] as number)) this.#isAscending = false;
    this.#ts[at] = ts;
    this.#value[at] = value;
    this.#late[at] = isLate ? 1 : 0;
    this.#length = at + 1;
  }

  /** The readings so far; views into this history while it is in order, valid until the next `add`. */
  ordered(): OrderedReadings {
    const length = this.#length;
    const [ts, value, late] = [this.#ts.subarray(0, length), this.#value.subarray(0, length), this.#late.subarray(0, length)];
    if (this.#isAscending) return { ts, value, late };
    const order = Uint32Array.from(ts, (_, index) => index).sort((a, b) => (ts[a] as number) - (ts[b] as number) || a - b);
    const kept = order.filter((index, place) => place === 0 || ts[index] !== ts[order[place - 1] as number]);
    const pick = (column: Float64Array): Float64Array => Float64Array.from(kept, (index) => column[index] as number);
    return { ts: pick(ts), value: pick(value), late: Uint8Array.from(kept, (index) => late[index] as number) };
  }

  #grow(): void {
    const size = this.#ts.length * 2;
    const [ts, value, late] = [new Float64Array(size), new Float64Array(size), new Uint8Array(size)];
    ts.set(this.#ts);
    value.set(this.#value);
    late.set(this.#late);
    [this.#ts, this.#value, this.#late] = [ts, value, late];
  }
}
