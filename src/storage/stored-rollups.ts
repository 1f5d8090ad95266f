// Rollups as they are stored, for those who check and mend them: damage is told, not thrown. Of a bucket that is both packed and
// fresh they give the merge, as rollups.ts does.

import type { AggregateValues } from "../engine/aggregate.ts";
import type { Sketch } from "../engine/sketch.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import type { Span } from "./chunks.ts";
import type { Database } from "./database.ts";
import { decodePacked, type PackedBucket } from "./packed-rollups.ts";
import { decodeRollup, isReadable, mergeOf, type PackedRollupsRow, type Tier } from "./rollups.ts";

/** `values`: undefined when they cannot be read. `isFresh`: it is not packed, or amended since. */
export type StoredBucket = {
  readonly start: EpochMs;
  readonly values: AggregateValues | undefined;
  readonly isDirty: boolean;
  readonly isApproximate: boolean;
  readonly isFresh: boolean;
  readonly sketch?: Sketch | undefined;
};

/** `packed`: undefined when it is damaged. */
export type StoredUnit = { readonly packed: readonly PackedBucket[] | undefined; readonly buckets: readonly StoredBucket[] };

type FreshRow = { readonly start: EpochMs; readonly dirty: 0 | 1; readonly body: Uint8Array };

export function createStoredRollups(db: Database) {
  const fresh = db.prepare<number[], FreshRow>(
    "SELECT start, dirty, body FROM rollup WHERE tier = ? AND series = ? AND start >= ? AND start < ? ORDER BY start",
  );
  const body = db.prepare<number[], Uint8Array>("SELECT body FROM packed_rollup WHERE tier = ? AND series = ? AND unit = ?").pluck();
  return {
    /** Whether a row that was handed to the writer stands. */
    has: ({ tier, series, unit, body: written }: PackedRollupsRow): boolean => {
      const found = body.get(tier, series, unit);
      return found !== undefined && Buffer.compare(found, written) === 0;
    },
    /** Those of a span within one unit, in order. Call it within a read transaction. */
    read(tier: Tier, series: SeriesId, { from, to }: Span, unit: EpochMs): StoredUnit {
      const packed = readPacked(body.get(tier, series, unit), unit, tier);
      const buckets = new Map<EpochMs, StoredBucket>();
      for (const { start, isApproximate, values, sketch } of packed ?? []) {
        if (start >= from && start < to) buckets.set(start, { start, values, isApproximate, isDirty: false, isFresh: false, sketch });
      }
      for (const row of fresh.all(tier, series, from, to)) buckets.set(row.start, over(buckets.get(row.start), row, tier));
      return { packed, buckets: [...buckets.values()].sort((a, b) => a.start - b.start) };
    },
  };
}

export type StoredRollups = ReturnType<typeof createStoredRollups>;

function readPacked(body: Uint8Array | undefined, unit: EpochMs, tier: Tier): PackedBucket[] | undefined {
  try {
    return body === undefined ? [] : decodePacked(body, unit, tier);
  } catch {
    return undefined;
  }
}

/** A fresh row over what is packed of its bucket. */
function over(packed: StoredBucket | undefined, { start, dirty, body }: FreshRow, tier: Tier): StoredBucket {
  const under = dirty === 1 ? packed?.values : undefined;
  // What the stream closed after the bucket was packed lacks what was packed.
  const isDirty = dirty === 1 || packed !== undefined;
  const own = isReadable(body, start, tier) ? decodeRollup(body, start) : undefined;
  const values = own !== undefined && under !== undefined ? mergeOf([under, own]) : own;
  return { start, values, isDirty, isApproximate: isDirty && packed?.isApproximate === true, isFresh: true };
}
