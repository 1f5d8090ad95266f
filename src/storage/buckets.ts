// Buckets while they fill: single readings and stored rollups go in, in any order; the API's buckets come out, in order.

import { Aggregate, type AggregateValues } from "../engine/aggregate.ts";
import type { OrderedReadings } from "../engine/history.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Grid } from "./grid.ts";
import type { Bucket } from "./query.ts";

type Filling = { readonly start: EpochMs; readonly end: EpochMs; readonly aggregate: Aggregate; fromStream: boolean };

export class BucketSet {
  readonly #grid: Grid;
  readonly #byStart = new Map<EpochMs, Filling>();
  #last: Filling | undefined;

  constructor(grid: Grid) {
    this.#grid = grid;
  }

  /** Readings between `from` (inclusive) and `to` (exclusive). */
  addReadings({ ts, value }: OrderedReadings, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): void {
    for (let index = 0; index < ts.length; index += 1) {
      const at = ts[index] as number;
      if (at >= from && at < to) this.#bucketOf(at).aggregate.add(at, value[index] as number);
    }
  }

  /** A rollup that lies in one bucket. */
  addRollup(start: EpochMs, values: AggregateValues): void {
    const bucket = this.#bucketOf(start);
    bucket.aggregate.merge(values);
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
      bucket = { start, end, aggregate: new Aggregate(), fromStream: false };
      this.#byStart.set(start, bucket);
    }
    this.#last = bucket;
    return bucket;
  }
}

function finish({ start, end, aggregate, fromStream }: Filling, provisional: boolean): Bucket {
  const { count, min, max, sum } = aggregate;
  return { t: start, end, count, min, max, avg: sum / count, sum, source: fromStream ? "stream" : "raw", provisional };
}
