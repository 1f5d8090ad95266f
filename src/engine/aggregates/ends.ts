// `first` and `last`: the values of the oldest and the newest reading.

import type { AggregateName } from "../aggregate.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";

export class Ends {
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

  save(to: StateWriter): void {
    for (const value of [this.count, this.firstTs, this.lastTs, this.#first, this.#last]) to.number(value);
  }

  load(from: StateReader): void {
    this.count = from.number();
    this.firstTs = from.number();
    this.lastTs = from.number();
    this.#first = from.number();
    this.#last = from.number();
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
