// `twa` and `rate`: what depends on the order of the readings. `twa` is the time-weighted average between the first and the last
// reading, each value holding to the next. `rate` is the rise per second between them, a fall being a counter that began anew at 0.
// The newest readings are kept one by one, so that a late one finds its place; older ones are folded into figures. A late reading
// that is older than the newest folded one is counted, but moves neither figure, unless it is older than all.

import type { AggregateName } from "../aggregate.ts";
import { CompensatedSum } from "../compensated-sum.ts";
import type { StateReader, StateWriter } from "../state.ts";
import type { EpochMs } from "../units.ts";
import { BUFFERED_MAX } from "./pane-aggregate.ts";

/** Areas are reckoned in value × 2^40 ms (35 years), so that those of the largest values stay within the range of a double. */
const AREA_UNIT = 2 ** 40;

const NONE = new Float64Array(0);

/** Figures of readings that follow each other. */
class Stretch {
  firstTs: EpochMs = Number.NaN;
  first = Number.NaN;
  lastTs: EpochMs = Number.NEGATIVE_INFINITY;
  last = Number.NaN;
  readonly area = new CompensatedSum();
  readonly rise = new CompensatedSum();

  get isEmpty(): boolean {
    return this.lastTs === Number.NEGATIVE_INFINITY;
  }

  reset(): void {
    this.firstTs = Number.NaN;
    this.first = Number.NaN;
    this.lastTs = Number.NEGATIVE_INFINITY;
    this.last = Number.NaN;
    this.area.reset();
    this.rise.reset();
  }

  /** A reading after all others. */
  extend(ts: EpochMs, value: number): void {
    if (this.isEmpty) {
      this.firstTs = ts;
      this.first = value;
    } else this.#step(this.lastTs, this.last, ts, value);
    this.lastTs = ts;
    this.last = value;
  }

  /** A reading before all others, of which there are some. */
  precede(ts: EpochMs, value: number): void {
    this.#step(ts, value, this.firstTs, this.first);
    this.firstTs = ts;
    this.first = value;
  }

  /** Readings after all others. */
  append(other: Stretch): void {
    if (other.isEmpty) return;
    this.extend(other.firstTs, other.first);
    this.area.addSum(other.area);
    this.rise.addSum(other.rise);
    this.lastTs = other.lastTs;
    this.last = other.last;
  }

  save(to: StateWriter): void {
    for (const value of [this.firstTs, this.first, this.lastTs, this.last]) to.number(value);
    this.area.save(to);
    this.rise.save(to);
  }

  load(from: StateReader): void {
    this.firstTs = from.number();
    this.first = from.number();
    this.lastTs = from.number();
    this.last = from.number();
    this.area.load(from);
    this.rise.load(from);
  }

  #step(fromTs: EpochMs, from: number, ts: EpochMs, value: number): void {
    this.area.add(((ts - fromTs) / AREA_UNIT) * from);
    this.rise.add(value >= from ? value - from : value);
  }
}

export class Path {
  count = 0;
  /** Readings that are not kept one by one any more. */
  readonly #folded = new Stretch();
  /** Those after them, in order of time, and their figures: made again when a late one came among them. */
  #ts = NONE;
  #values = NONE;
  #length = 0;
  readonly #tail = new Stretch();
  #isTailStale = false;

  get lastTs(): EpochMs {
    return this.#length > 0 ? (this.#ts[this.#length - 1] as number) : this.#folded.lastTs;
  }

  get buffered(): number {
    return this.#length;
  }

  reset(): void {
    this.count = 0;
    this.#folded.reset();
    this.#tail.reset();
    this.#length = 0;
    this.#isTailStale = false;
  }

  add(ts: EpochMs, value: number): void {
    this.count += 1;
    if (ts < this.#folded.lastTs) {
      if (ts < this.#folded.firstTs) this.#folded.precede(ts, value);
      return;
    }
    this.#place(ts, value);
    if (this.#length > BUFFERED_MAX) this.#fold(BUFFERED_MAX / 2);
  }

  condense(): void {
    this.#folded.append(this.#fresh());
    this.#tail.reset();
    this.#length = 0;
    this.#ts = NONE;
    this.#values = NONE;
  }

  append(other: Path): void {
    if (this.#length > 0) this.condense();
    this.count += other.count;
    this.#folded.append(other.#folded);
    this.#folded.append(other.#fresh());
  }

  mingle(other: Path): void {
    const oneByOne = other.#length;
    if (!other.#folded.isEmpty) {
      // Where the folded ones lie among these is not known; they only count, but for the usual case that they lie after all.
      if (other.#folded.firstTs >= this.lastTs) {
        if (this.#length > 0) this.condense();
        this.#folded.append(other.#folded);
      }
      this.count += other.count - oneByOne;
    }
    for (let index = 0; index < oneByOne; index++) this.add(other.#ts[index] as number, other.#values[index] as number);
  }

  /** @returns NaN for a rate when the readings are not of two instants at least */
  figure(name: AggregateName): number {
    if (name !== "twa" && name !== "rate") return Number.NaN;
    const whole = new Stretch();
    whole.append(this.#folded);
    whole.append(this.#fresh());
    const duration = whole.lastTs - whole.firstTs;
    // Several readings of one instant hold for no time; the last one heard is as good as any.
    if (name === "twa") return duration === 0 ? whole.last : whole.area.value / (duration / AREA_UNIT);
    return duration === 0 ? Number.NaN : whole.rise.value / (duration / 1000);
  }

  save(to: StateWriter): void {
    to.number(this.count);
    this.#folded.save(to);
    to.number(this.#length);
    to.all(this.#ts.subarray(0, this.#length));
    to.all(this.#values.subarray(0, this.#length));
  }

  load(from: StateReader): void {
    this.reset();
    this.count = from.number();
    this.#folded.load(from);
    this.#length = from.number();
    this.#ts = from.all(this.#length).slice();
    this.#values = from.all(this.#length).slice();
    this.#isTailStale = true;
  }

  #place(ts: EpochMs, value: number): void {
    if (this.#length === this.#ts.length) this.#grow();
    let index = this.#length;
    while (index > 0 && (this.#ts[index - 1] as number) > ts) index--;
    if (index < this.#length) {
      this.#ts.copyWithin(index + 1, index, this.#length);
      this.#values.copyWithin(index + 1, index, this.#length);
      this.#isTailStale = true;
    } else if (!this.#isTailStale) this.#tail.extend(ts, value);
    this.#ts[index] = ts;
    this.#values[index] = value;
    this.#length += 1;
  }

  #grow(): void {
    const capacity = Math.min(BUFFERED_MAX + 1, Math.max(8, this.#length * 2));
    const [ts, values] = [this.#ts, this.#values];
    this.#ts = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#ts.set(ts);
    this.#values.set(values);
  }

  /** Folds the oldest of those that are kept one by one. */
  #fold(count: number): void {
    for (let index = 0; index < count; index++) this.#folded.extend(this.#ts[index] as number, this.#values[index] as number);
    this.#ts.copyWithin(0, count, this.#length);
    this.#values.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#isTailStale = true;
  }

  #fresh(): Stretch {
    if (this.#isTailStale) {
      this.#tail.reset();
      for (let index = 0; index < this.#length; index++) this.#tail.extend(this.#ts[index] as number, this.#values[index] as number);
      this.#isTailStale = false;
    }
    return this.#tail;
  }
}
