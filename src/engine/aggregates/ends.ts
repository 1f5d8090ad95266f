// `first` and `last`: the values of the oldest and the newest reading.

import type { AggregateName } from "../aggregate.ts";
import type { Packable, StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";

export class Ends implements Packable {
  count = 0;
  firstTs: EpochMs = Number.POSITIVE_INFINITY;
  lastTs: EpochMs = Number.NEGATIVE_INFINITY;
  #first = Number.NaN;
  #last = Number.NaN;

  reset(): void {
    this.count = 0;
    this.firstTs = Number.POSITIVE_INFINITY;
    this.lastTs = Number.NEGATIVE_INFINITY;
    this.#first = Number.NaN;
    this.#last = Number.NaN;
  }

  add(ts: EpochMs, value: number): void {
    this.count += 1;
    this.#take(ts, value, ts, value);
  }

  append(other: Ends): void {
    this.count += other.count;
    this.#take(other.firstTs, other.#first, other.lastTs, other.#last);
  }

  mingle(other: Ends): void {
    this.append(other);
  }

  figure(name: AggregateName): number {
    if (name === "first") return this.#first;
    return name === "last" ? this.#last : Number.NaN;
  }

  get width(): number {
    return 5;
  }

  pack(into: number[], at: number): void {
    into[at] = this.count;
    into[at + 1] = this.firstTs;
    into[at + 2] = this.lastTs;
    into[at + 3] = this.#first;
    into[at + 4] = this.#last;
  }

  unpack(from: readonly number[], at: number): void {
    this.count = from[at] as number;
    this.firstTs = from[at + 1] as number;
    this.lastTs = from[at + 2] as number;
    this.#first = from[at + 3] as number;
    this.#last = from[at + 4] as number;
  }

  save(to: StateWriter): void {
    to.packed(this);
  }

  load(from: StateReader): void {
    from.packed(this);
  }

  #take(firstTs: EpochMs, first: number, lastTs: EpochMs, last: number): void {
    if (firstTs < this.firstTs) {
      this.firstTs = firstTs;
      this.#first = first;
    }
    // Of an empty other this is -Infinity, and takes nothing.
    if (lastTs >= this.lastTs && lastTs !== Number.NEGATIVE_INFINITY) {
      this.lastTs = lastTs;
      this.#last = last;
    }
  }
}
