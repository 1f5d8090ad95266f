// Buckets while they fill: single readings and stored rollups go in, in any order; the API's buckets come out, in order.

import { Aggregate } from "../engine/aggregate.ts";
import type { OrderedReadings } from "../engine/history.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Grid } from "./grid.ts";
import type { PackedBucket } from "./packed-rollups.ts";
import { Percentiles } from "./percentiles.ts";
import type { Bucket, Percentile } from "./query.ts";

/** `percentiles`: undefined when none are asked for. */
type Filling = {
  readonly start: EpochMs;
  readonly end: EpochMs;
  readonly aggregate: Aggregate;
  readonly percentiles: Percentiles | undefined;
  fromStream: boolean;
};

export class BucketSet {
  readonly #grid: Grid;
  readonly #byStart = new Map<EpochMs, Filling>();
  readonly #asked: readonly Percentile[];
  #last: Filling | undefined;

  constructor(grid: Grid, asked: readonly Percentile[]) {
    this.#grid = grid;
    this.#asked = asked;
  }

  /** Readings between `from` (inclusive) and `to` (exclusive). */
  addReadings({ ts, value }: OrderedReadings, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): void {
    for (let index = 0; index < ts.length; index += 1) {
      const at = ts[index] as number;
      if (at < from || at >= to) continue;
      const bucket = this.#bucketOf(at);
      bucket.aggregate.add(at, value[index] as number);
      bucket.percentiles?.add(value[index] as number);
    }
  }

  /** A rollup that lies in one bucket. */
  addRollup({ start, values, sketch }: Omit<PackedBucket, "isApproximate">): void {
    const bucket = this.#bucketOf(start);
    bucket.aggregate.merge(values);
    bucket.percentiles?.merge(sketch);
    bucket.fromStream = true;
  }

  /** @param closedEnd buckets that end after it are provisional */
  buckets(closedEnd: EpochMs): Bucket[] {
    return [...this.#byStart.values()].sort((a, b) => a.start - b.start).map((bucket) => finish(bucket, bucket.end > closedEnd));
  }

  #bucketOf(ts: EpochMs): Filling {
    if (this.#last !== undefined && ts >= this.#last.start && ts < this.#last.end) return this.#last;
    const { start, end } = this.#grid.boundsOf(ts);
    let bucket = this.#byStart.get(start);
    if (bucket === undefined) {
      const percentiles = this.#asked.length === 0 ? undefined : new Percentiles(this.#asked);
      bucket = { start, end, aggregate: new Aggregate(), percentiles, fromStream: false };
      this.#byStart.set(start, bucket);
    }
    this.#last = bucket;
    return bucket;
  }
}

function finish({ start, end, aggregate, percentiles, fromStream }: Filling, provisional: boolean): Bucket {
  const { count, min, max, sum } = aggregate;
  return { t: start, end, count, min, max, avg: sum / count, sum, ...percentiles?.figures(), source: fromStream ? "stream" : "raw", provisional };
}
