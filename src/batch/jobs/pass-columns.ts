// What a pass of compaction gathers: readings of all series in the order of the journal, as columns, and then series by series; the columns are used
// again by the next pass. A history for each series would cost more than its few readings.

import { History, type OrderedReadings } from "../../engine/history.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";

export class PassColumns {
  #series: Uint32Array;
  #ts: Float64Array;
  #value: Float64Array;
  #at: Float64Array;
  #late: Uint8Array;
  #length = 0;

  /** @param size readings for which there is room at first; it grows */
  constructor(size: number) {
    this.#series = new Uint32Array(size);
    [this.#ts, this.#value, this.#at] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
    this.#late = new Uint8Array(size);
  }

  get length(): number {
    return this.#length;
  }

  add(series: SeriesId, ts: EpochMs, value: number, isLate: boolean, at: EpochMs): void {
    const place = this.#length;
    if (place === this.#series.length) this.#grow();
    this.#series[place] = series;
    this.#ts[place] = ts;
    this.#value[place] = value;
    this.#at[place] = at;
    this.#late[place] = isLate ? 1 : 0;
    this.#length = place + 1;
  }

  clear(): void {
    this.#length = 0;
  }

  /** By their ids, each instant of a series once, the first to arrive. */
  *bySeries(): Generator<{ readonly series: SeriesId; readonly readings: OrderedReadings }> {
    const ends = this.#ends();
    const places = new Uint32Array(this.#length);
    for (let place = this.#length - 1; place >= 0; place -= 1) {
      const id = this.#series[place] as number;
      ends[id] = (ends[id] as number) - 1;
      places[ends[id] as number] = place;
    }
    // Now each is where the series begins.
    for (let series = 0; series < ends.length; series += 1) {
      const [from, to] = [ends[series] as number, ends[series + 1] ?? this.#length];
      if (from < to) yield { series, readings: this.#pick(places.subarray(from, to)) };
    }
  }

  /** By id, how many readings are of series up to it. */
  #ends(): Uint32Array {
    let top = 0;
    for (let place = 0; place < this.#length; place += 1) top = Math.max(top, this.#series[place] as number);
    const ends = new Uint32Array(this.#length === 0 ? 0 : top + 1);
    for (let place = 0; place < this.#length; place += 1) ends[this.#series[place] as number] = (ends[this.#series[place] as number] as number) + 1;
    for (let id = 1; id < ends.length; id += 1) ends[id] = (ends[id] as number) + (ends[id - 1] as number);
    return ends;
  }

  #pick(places: Uint32Array): OrderedReadings {
    const count = places.length;
    const readings = { ts: new Float64Array(count), value: new Float64Array(count), late: new Uint8Array(count), at: new Float64Array(count) };
    let isAscending = true;
    for (let index = 0; index < count; index += 1) {
      const place = places[index] as number;
      readings.ts[index] = this.#ts[place] as number;
      readings.value[index] = this.#value[place] as number;
      readings.late[index] = this.#late[place] as number;
      readings.at[index] = this.#at[place] as number;
      if (index > 0 && (readings.ts[index] as number) <= (readings.ts[index - 1] as number)) isAscending = false;
    }
    if (isAscending) return readings;
    const history = new History();
    for (let index = 0; index < count; index += 1)
      history.add(readings.ts[index] as number, readings.value[index] as number, readings.late[index] === 1, readings.at[index] as number);
    return history.ordered();
  }

  #grow(): void {
    const size = Math.ceil(this.#series.length * 1.25);
    const [series, ts, value] = [new Uint32Array(size), new Float64Array(size), new Float64Array(size)];
    const [at, late] = [new Float64Array(size), new Uint8Array(size)];
    series.set(this.#series);
    ts.set(this.#ts);
    value.set(this.#value);
    at.set(this.#at);
    late.set(this.#late);
    [this.#series, this.#ts, this.#value, this.#at, this.#late] = [series, ts, value, at, late];
  }
}
