// A packed row of rollups that cannot be read, anew: its buckets from the raw readings where these are whole, hours else from their minutes.
// If neither holds all of it, nothing is said: what is damaged may still be had from a backup.

import type { OrderedReadings } from "../../engine/history.ts";
import type { EpochMs } from "../../engine/units.ts";
import type { Span } from "../../storage/chunks.ts";
import type { PackedBucket } from "../../storage/packed-rollups.ts";
import type { ReadRaw } from "../../storage/raw-slice.ts";
import { UTC_DAY_MS } from "../../storage/rollup-days.ts";
import { HOUR_MS, MINUTE_MS, mergeOf, type PackedRollupsRow, unitEnd, unitOf } from "../../storage/rollups.ts";
import type { StoredBucket } from "../../storage/stored-rollups.ts";
import { areSame, type RollupComparison } from "./derived-rollups.ts";
import { bucketsOf } from "./reckon.ts";

/** `starts`: of the fresh rows whose readings are in the buckets. */
export type RebuiltUnit = { readonly buckets: readonly PackedBucket[]; readonly starts: readonly EpochMs[] };

type Place = Pick<PackedRollupsRow, "tier" | "series" | "unit">;

/** @returns undefined when it cannot be had whole */
export function rebuildUnit(comparison: RollupComparison, place: Place, read: ReadRaw): RebuiltUnit | undefined {
  const { tier, series, unit } = place;
  const [buckets, starts]: [PackedBucket[], EpochMs[]] = [[], []];
  const isClosed = comparison.closed(place);
  for (let from = unit; from < unitEnd(tier, unit); from += UTC_DAY_MS) {
    const day = { from, to: from + UTC_DAY_MS };
    const ofDay = comparison.soundness.of(day) === "sound" ? ofRaw(read(series, day), tier) : ofMinutes(comparison, place, day);
    if (ofDay === undefined) return undefined;
    const fresh = new Map(comparison.stored.read(tier, series, day, unit).buckets.map((bucket) => [bucket.start, bucket]));
    for (const bucket of ofDay) {
      const waiting = fresh.get(bucket.start);
      if (waiting === undefined ? !isClosed(bucket.start) : isRight(waiting, bucket)) continue;
      if (waiting !== undefined) starts.push(bucket.start);
      buckets.push(bucket);
    }
  }
  return { buckets, starts };
}

/** One that was never packed and is whole stays as it is. */
const isRight = ({ isDirty, values }: StoredBucket, must: PackedBucket): boolean =>
  !isDirty && values !== undefined && areSame(values, must.values, { area: false });

function ofRaw(raw: OrderedReadings | undefined, tier: Place["tier"]): PackedBucket[] | undefined {
  return raw && [...bucketsOf(raw, tier)];
}

/** Of a day whose raw readings are not whole. */
function ofMinutes({ stored, rollups }: RollupComparison, { tier, series }: Place, day: Span): PackedBucket[] | undefined {
  if (tier !== HOUR_MS) return undefined;
  const { packed, buckets } = stored.read(MINUTE_MS, series, day, unitOf(MINUTE_MS, day.from));
  if (packed === undefined || rollups.oldest(MINUTE_MS, series) >= day.to) return undefined;
  return [...Map.groupBy(buckets, ({ start }) => unitOfHour(start))].map(([start, minutes]) => ({
    start,
    isApproximate: minutes.some(({ isApproximate, isDirty, values }) => isApproximate || isDirty || values === undefined),
    values: mergeOf(minutes.flatMap(({ values }) => (values === undefined ? [] : [values]))),
  }));
}

const unitOfHour = (start: EpochMs): EpochMs => Math.floor(start / HOUR_MS) * HOUR_MS;
