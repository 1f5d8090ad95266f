// Sketches of buckets as a column: of each its bins, as differences, and how many readings they hold. Those of one series lie in nearly the
// same bins, so that together they take a few bytes each.

import { BINS_MAX, Sketch } from "../engine/sketch.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { openSection, section } from "./series-columns.ts";

/** Of a bucket that has none, and of an empty one, it gives undefined. */
export type SketchColumn = readonly (Sketch | undefined)[];

export function writeSketches(out: ByteWriter, sketches: SketchColumn): void {
  section(out, (into) => {
    let first = 0;
    for (const sketch of sketches) {
      into.varint(sketch?.length ?? 0);
      if (sketch === undefined || sketch.length === 0) continue;
      into.varint(sketch.level);
      let [previous, isFirst] = [first, true];
      sketch.eachBin((bin, count) => {
        into.zigzag(bin - previous);
        into.varint(count);
        if (isFirst) first = bin;
        [previous, isFirst] = [bin, false];
      });
    }
  });
}

/** @param count of the buckets */
export function readSketches(from: ByteReader, count: number): SketchColumn {
  const reader = openSection(from);
  let first = 0;
  return Array.from({ length: count }, () => {
    const length = reader.varint();
    if (length === 0) return undefined;
    if (length > BINS_MAX) throw new Error(`a sketch of ${length} bins; there are at most ${BINS_MAX}`);
    const level = reader.varint();
    const [bins, counts] = [new Int32Array(length), new Float64Array(length)];
    let bin = first;
    for (let index = 0; index < length; index += 1) {
      bin += reader.zigzag();
      bins[index] = bin;
      counts[index] = reader.varint();
    }
    first = bins[0] as number;
    return Sketch.ofBins(level, bins, counts);
  });
}
