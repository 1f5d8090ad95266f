// Imports into a time of which retention took readings. The rollups that stand there are amended: together with the chunk that holds the
// new readings, so that no kill can part them. And where a bucket holds more readings than are still kept, nobody knows whether a
// reading is one of those that went: it is left out, and counted, rather than counted twice.

import { packedRow } from "../batch/jobs/packing.ts";
import { amended, bucketOf } from "../batch/jobs/reckon.ts";
import type { OrderedReadings } from "../engine/history.ts";
import { type EpochMs, floorMod, type SeriesId } from "../engine/units.ts";
import type { Span } from "../storage/chunks.ts";
import type { Database } from "../storage/database.ts";
import type { PackedBucket } from "../storage/packed-rollups.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS, type PackedRollupsRow, TIERS, type Tier, unitOf } from "../storage/rollups.ts";
import type { SeriesReadings } from "./block.ts";

type IsWhole = (span: Span) => boolean;
/** `doubtful`: how many were left out. */
export type Knowable = { readonly readings: SeriesReadings; readonly doubtful: number };

/** The hours that a span reaches into; of an empty one none. */
export const wholeHours = ({ from, to }: Span): Span => (from < to ? { from: from - floorMod(from, HOUR_MS), to: to + floorMod(-to, HOUR_MS) } : { from, to });

export function createAmender(db: Database, at: EpochMs) {
  const rollups = createRollupReader(db);

  /** By tier and start: how many readings of a bucket are no longer kept. */
  function goneOf(series: SeriesId, { from, to }: Span, there: SeriesReadings | undefined): (tier: Tier, ts: EpochMs) => number {
    const counts = TIERS.map((tier) => {
      const found = rollups.rows(tier, series, from, to).map(({ start, values }): [EpochMs, number] => [start, values.count]);
      const ofTier = new Map(found);
      for (const ts of there?.ts ?? []) {
        const start = ts - floorMod(ts, tier);
        ofTier.set(start, (ofTier.get(start) ?? 0) - 1);
      }
      return [tier, ofTier] as const;
    });
    const byTier = new Map<Tier, ReadonlyMap<EpochMs, number>>(counts);
    return (tier, ts) => byTier.get(tier)?.get(ts - floorMod(ts, tier)) ?? 0;
  }

  return {
    /** @param fresh readings none of which is among those that are kept @param keptIn gives these */
    knowable(series: SeriesId, fresh: SeriesReadings, isWhole: IsWhole, keptIn: (span: Span) => SeriesReadings | undefined): Knowable {
      if (fresh.ts.length === 0) return { readings: fresh, doubtful: 0 };
      const span = wholeHours({ from: fresh.ts[0] as number, to: (fresh.ts.at(-1) as number) + 1 });
      if (isWhole(span)) return { readings: fresh, doubtful: 0 };
      const gone = goneOf(series, span, keptIn(span));
      const oldestMinute = rollups.oldest(MINUTE_MS, series);
      // Hours are kept longer than minutes.
      const isKnown = (ts: EpochMs): boolean => isWhole({ from: ts, to: ts + 1 }) || gone(ts >= oldestMinute ? MINUTE_MS : HOUR_MS, ts) <= 0;
      const kept = Array.from(fresh.ts.keys()).filter((index) => isKnown(fresh.ts[index] as number));
      const pick = (column: Float64Array): Float64Array => Float64Array.from(kept, (index) => column[index] as number);
      return { readings: { ts: pick(fresh.ts), value: pick(fresh.value) }, doubtful: fresh.ts.length - kept.length };
    },

    /** @returns to be called for the readings of one day after the other: the packed rows as they are to be then */
    ofSeries(series: SeriesId, isWhole: IsWhole, throughSeq: number): (readings: OrderedReadings) => PackedRollupsRow[] {
      const units = new Map<string, Map<EpochMs, PackedBucket>>();
      const bucketsOf = (tier: Tier, unit: EpochMs): Map<EpochMs, PackedBucket> => {
        const key = `${tier} ${unit}`;
        const buckets = units.get(key) ?? new Map(rollups.packedRows(tier, series, unit).map((bucket) => [bucket.start, bucket]));
        units.set(key, buckets);
        return buckets;
      };
      return (readings) => {
        const { ts } = readings;
        if (isWhole({ from: (ts[0] as number) - HOUR_MS, to: (ts.at(-1) as number) + HOUR_MS })) return [];
        return TIERS.flatMap((tier) => {
          const starts = [...new Set(Array.from(ts, (each) => each - floorMod(each, tier)))].filter((start) => !isWhole({ from: start, to: start + tier }));
          return [...Map.groupBy(starts, (start) => unitOf(tier, start))].map(([unit, ofUnit]) => {
            const buckets = bucketsOf(tier, unit);
            for (const start of ofUnit) buckets.set(start, amended(buckets.get(start), bucketOf(readings, tier, start)));
            return packedRow({ tier, series, unit }, [...buckets.values()], { starts: [], throughSeq, at });
          });
        });
      };
    },
  };
}
