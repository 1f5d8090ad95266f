// The body of a stored rollup bucket. A bucket of one reading, the common one for slow sensors, is 18 bytes.

import type { AggregateValues } from "../engine/aggregate.ts";
import type { EpochMs } from "../engine/units.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

const out = new ByteWriter();

/** @param start of the bucket; times are stored from it */
export function encodeRollup(values: AggregateValues, start: EpochMs): Uint8Array {
  out.clear();
  out.varint(values.count);
  out.varint(values.firstTs - start);
  out.double(values.first);
  if (values.count > 1) {
    out.varint(values.lastTs - values.firstTs);
    for (const figure of [values.last, values.min, values.max, values.sum, values.mean, values.m2, values.area]) out.double(figure);
  }
  return out.view().slice();
}

export function decodeRollup(body: Uint8Array, start: EpochMs): AggregateValues {
  const reader = new ByteReader(body);
  const count = reader.varint();
  const firstTs = start + reader.varint();
  const first = reader.double();
  if (count === 1) return { count, sum: first, min: first, max: first, first, firstTs, last: first, lastTs: firstTs, mean: first, m2: 0, area: 0 };
  const lastTs = firstTs + reader.varint();
  const [last, min, max, sum, mean, m2, area] = Array.from({ length: 7 }, () => reader.double()) as [number, number, number, number, number, number, number];
  return { count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area };
}
