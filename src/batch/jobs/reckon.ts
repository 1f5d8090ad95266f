// Rollup buckets as the raw readings make them; hours with a sketch, from which percentiles of any longer time are had.

import { Aggregate } from "../../engine/aggregate.ts";
import type { OrderedReadings } from "../../engine/history.ts";
import { Sketch } from "../../engine/sketch.ts";
import { type EpochMs, floorMod } from "../../engine/units.ts";
import { placeOf } from "../../storage/chunks.ts";
import type { PackedBucket } from "../../storage/packed-rollups.ts";
import { HOUR_MS, mergeOf, type Tier } from "../../storage/rollups.ts";

/** The bucket that begins at `start`; without readings an empty one. */
export const bucketOf = (readings: OrderedReadings, tier: Tier, start: EpochMs): PackedBucket => bucketFrom(readings, placeOf(readings.ts, start), tier, start);

/** Those that hold readings, in order. */
export function* bucketsOf(readings: OrderedReadings, tier: Tier): Generator<PackedBucket> {
  for (let index = 0; index < readings.ts.length; ) {
    const ts = readings.ts[index] as number;
    const bucket = bucketFrom(readings, index, tier, ts - floorMod(ts, tier));
    yield bucket;
    index += bucket.values.count;
  }
}

function bucketFrom({ ts, value }: OrderedReadings, from: number, tier: Tier, start: EpochMs): PackedBucket {
  const [aggregate, sketch] = [new Aggregate(), tier === HOUR_MS ? new Sketch() : undefined];
  for (let index = from; index < ts.length && (ts[index] as number) < start + tier; index += 1) {
    aggregate.add(ts[index] as number, value[index] as number);
    sketch?.add(value[index] as number);
  }
  return { start, isApproximate: false, values: aggregate.values(), sketch };
}

/** A bucket whose raw readings are no longer whole, with readings that came for it since. */
export function amended(before: PackedBucket | undefined, came: PackedBucket): PackedBucket {
  if (before === undefined) return { ...came, isApproximate: true };
  if (came.sketch !== undefined) before.sketch?.merge(came.sketch);
  return { start: before.start, isApproximate: true, values: mergeOf([before.values, came.values]), sketch: before.sketch };
}
