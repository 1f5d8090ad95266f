// A block of an import: so many readings in the file's order, then by series, each in order of time. Of readings with the same series and
// instant the first in the file stands. Memory: 40 bytes per reading, and little more.

import type { EpochMs } from "../engine/units.ts";
import type { HistoryBatch } from "./read.ts";

/** Of one series; `ts` ascending without repetition. */
export type SeriesReadings = { readonly ts: Float64Array; readonly value: Float64Array };
/** Readings that were left out: their instant was there, with the same value or another. */
export type Repeated = { duplicates: number; conflicts: number };

export type Block = ReturnType<typeof createBlock>;

/** @param room readings for which there is room at once; it grows where a batch needs more */
export function createBlock(room: number) {
  let series = new Uint32Array(room);
  let ts = new Float64Array(room);
  let value = new Float64Array(room);
  let size = 0;
  /** By series; made once, for every block. */
  let sorted: SeriesReadings = { ts: new Float64Array(0), value: new Float64Array(0) };

  function reserve(count: number): void {
    if (size + count <= ts.length) return;
    const larger = Math.max(size + count, ts.length * 2);
    series = grown(series, new Uint32Array(larger));
    ts = grown(ts, new Float64Array(larger));
    value = grown(value, new Float64Array(larger));
  }

  return {
    count: (): number => size,
    add(batch: Pick<HistoryBatch, "series" | "ts" | "value">): void {
      reserve(batch.ts.length);
      series.set(batch.series, size);
      ts.set(batch.ts, size);
      value.set(batch.value, size);
      size += batch.ts.length;
    },
    clear(): void {
      size = 0;
    },
    /** From the first instant to the last; empty without readings. */
    span(): { readonly from: EpochMs; readonly to: EpochMs } {
      let [from, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (let index = 0; index < size; index += 1) {
        const at = ts[index] as number;
        if (at < from) from = at;
        if (at > last) last = at;
      }
      return { from, to: last + 1 };
    },
    /**
     * The readings by series, in the order of the series' numbers; valid until the next block.
     * @param seriesCount more than any number
     */
    *bySeries(seriesCount: number, repeated: Repeated): Generator<{ readonly series: number; readonly readings: SeriesReadings }> {
      const ends = endsOf(series.subarray(0, size), seriesCount);
      if (sorted.ts.length < size) sorted = { ts: new Float64Array(ts.length), value: new Float64Array(ts.length) };
      const places = ends.slice();
      // From behind, so that what a series has stays in the file's order.
      for (let index = size - 1; index >= 0; index -= 1) {
        const number = series[index] as number;
        const place = (places[number] as number) - 1;
        places[number] = place;
        sorted.ts[place] = ts[index] as number;
        sorted.value[place] = value[index] as number;
      }
      for (let number = 0; number < seriesCount; number += 1) {
        const [from, to] = [places[number] as number, ends[number] as number];
        if (from < to) yield { series: number, readings: inOrder({ ts: sorted.ts.subarray(from, to), value: sorted.value.subarray(from, to) }, repeated) };
      }
    },
  };
}

function grown<Column extends Uint32Array | Float64Array>(from: Column, into: Column): Column {
  into.set(from);
  return into;
}

/** Where each series ends when they lie one after the other. */
function endsOf(series: Uint32Array, seriesCount: number): Uint32Array {
  const ends = new Uint32Array(seriesCount);
  for (let index = 0; index < series.length; index += 1) {
    const number = series[index] as number;
    ends[number] = (ends[number] as number) + 1;
  }
  for (let number = 1; number < seriesCount; number += 1) ends[number] = (ends[number] as number) + (ends[number - 1] as number);
  return ends;
}

function inOrder(readings: SeriesReadings, repeated: Repeated): SeriesReadings {
  const { ts, value } = readings;
  if (isAscending(ts)) return readings;
  const order = Uint32Array.from(ts, (_, index) => index).sort((a, b) => (ts[a] as number) - (ts[b] as number) || a - b);
  let kept = 0;
  for (let place = 0; place < order.length; place += 1) {
    const [index, before] = [order[place] as number, order[kept - 1]];
    if (kept > 0 && ts[index] === ts[before as number]) count(repeated, value[index] as number, value[before as number] as number);
    else order[kept++] = index;
  }
  const chosen = order.subarray(0, kept);
  return { ts: Float64Array.from(chosen, (index) => ts[index] as number), value: Float64Array.from(chosen, (index) => value[index] as number) };
}

function isAscending(ts: Float64Array): boolean {
  for (let index = 1; index < ts.length; index += 1) if ((ts[index] as number) <= (ts[index - 1] as number)) return false;
  return true;
}

function count(repeated: Repeated, value: number, stands: number): void {
  if (value === stands) repeated.duplicates += 1;
  else repeated.conflicts += 1;
}

/** Leaves out the instants that are there already. @param there in order of time */
export function without(readings: SeriesReadings, there: SeriesReadings, repeated: Repeated): SeriesReadings {
  const { ts, value } = readings;
  const [keptTs, keptValue] = [new Float64Array(ts.length), new Float64Array(ts.length)];
  let [kept, next] = [0, 0];
  for (let index = 0; index < ts.length; index += 1) {
    const at = ts[index] as EpochMs;
    while (next < there.ts.length && (there.ts[next] as number) < at) next += 1;
    if (there.ts[next] === at) {
      count(repeated, value[index] as number, there.value[next] as number);
      continue;
    }
    keptTs[kept] = at;
    keptValue[kept] = value[index] as number;
    kept += 1;
  }
  return kept === ts.length ? readings : { ts: keptTs.subarray(0, kept), value: keptValue.subarray(0, kept) };
}
