// Packing of the UTC days for which an import brought readings: their minutes and hours are reckoned from the raw readings, all that there
// are, a day at a time. A bucket whose readings are no longer whole stays as it is. What is too young to be packed waits for a later run.

import type { OrderedReadings } from "../../engine/history.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { cutOut, type Span } from "../../storage/chunks.ts";
import type { PackedBucket } from "../../storage/packed-rollups.ts";
import { openRollupDays, UTC_DAY_MS } from "../../storage/rollup-days.ts";
import { HOUR_MS, MINUTE_MS, type PackedRollupsRow, type RollupReader, type Tier, unitOf } from "../../storage/rollups.ts";
import { bucketsOf } from "./reckon.ts";

export type DayPacking = {
  readonly rollups: RollupReader;
  readonly readings: (series: SeriesId, span: Span) => OrderedReadings;
  readonly isWhole: (span: Span) => boolean;
  /** Where what is too young begins. */
  readonly until: Readonly<Record<Tier, EpochMs>>;
  readonly row: (unit: { tier: Tier; series: SeriesId; unit: EpochMs }, buckets: readonly PackedBucket[], settles: readonly EpochMs[]) => PackedRollupsRow;
};

type Db = Parameters<typeof openRollupDays>[0];
/** Buckets of a packed row while days are put into it. */
type Filling = { readonly unit: EpochMs; readonly buckets: Map<EpochMs, PackedBucket>; readonly settles: EpochMs[] };

/** The rows of all days that wait, series by series. */
export function* packOpenDays(db: Db, work: DayPacking): Generator<PackedRollupsRow> {
  const days = { [MINUTE_MS]: openRollupDays(db, MINUTE_MS), [HOUR_MS]: openRollupDays(db, HOUR_MS) };
  for (const series of [...new Set([...days[MINUTE_MS].keys(), ...days[HOUR_MS].keys()])].sort((a, b) => a - b)) {
    yield* packSeries(work, series, { minutes: new Set(days[MINUTE_MS].get(series)), hours: new Set(days[HOUR_MS].get(series)) });
  }
}

type Waiting = { readonly minutes: ReadonlySet<EpochMs>; readonly hours: ReadonlySet<EpochMs> };

function* packSeries(work: DayPacking, series: SeriesId, { minutes, hours }: Waiting): Generator<PackedRollupsRow> {
  const open = (tier: Tier, day: EpochMs): Filling => {
    const unit = unitOf(tier, day);
    return { unit, buckets: new Map(work.rollups.packedRows(tier, series, unit).map((bucket) => [bucket.start, bucket])), settles: [] };
  };
  const rowOf = (tier: Tier, { unit, buckets, settles }: Filling): PackedRollupsRow => work.row({ tier, series, unit }, [...buckets.values()], settles);
  let filling: Filling | undefined;
  for (const day of [...new Set([...minutes, ...hours])].sort((a, b) => a - b)) {
    const readings = work.readings(series, { from: day, to: day + UTC_DAY_MS });
    if (minutes.has(day) && day < work.until[MINUTE_MS]) {
      const ofDay = open(MINUTE_MS, day);
      fill(work, MINUTE_MS, day, readings, ofDay);
      yield rowOf(MINUTE_MS, ofDay);
    }
    if (!hours.has(day) || day >= work.until[HOUR_MS]) continue;
    if (filling !== undefined && filling.unit !== unitOf(HOUR_MS, day)) {
      yield rowOf(HOUR_MS, filling);
      filling = undefined;
    }
    filling ??= open(HOUR_MS, day);
    fill(work, HOUR_MS, day, readings, filling);
  }
  if (filling !== undefined) yield rowOf(HOUR_MS, filling);
}

/** Puts the day's buckets in place of those that are there. */
function fill({ isWhole, until }: DayPacking, tier: Tier, day: EpochMs, readings: OrderedReadings, { buckets, settles }: Filling): void {
  const to = Math.min(day + UTC_DAY_MS, until[tier]);
  const isDayWhole = isWhole({ from: day, to });
  const mayReckon = (start: EpochMs): boolean => isDayWhole || isWhole({ from: start, to: start + tier });
  for (let start = day; start < to; start += tier) if (buckets.size > 0 && mayReckon(start)) buckets.delete(start);
  for (const bucket of bucketsOf(cutOut(readings, { from: day, to }), tier)) if (mayReckon(bucket.start)) buckets.set(bucket.start, bucket);
  if (to === day + UTC_DAY_MS) settles.push(day);
}
