// What rollups must be, by the raw readings: of one series and UTC day each bucket of a tier is reckoned again and held against what is
// stored. `highwater verify` tells what differs, `highwater rebuild` writes it. Where raw is not whole nothing is said.

import type { AggregateValues } from "../../engine/aggregate.ts";
import type { OrderedReadings } from "../../engine/history.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { type ChunkReader, createChunkReader, type Span } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import type { PackedBucket } from "../../storage/packed-rollups.ts";
import { createRawSoundness, type RawSoundness, type UnsoundDay } from "../../storage/raw-soundness.ts";
import { createRollupDayReader, UTC_DAY_MS } from "../../storage/rollup-days.ts";
import { createRollupReader, type RollupReader, TIERS, type Tier, unitOf } from "../../storage/rollups.ts";
import { createStoredRollups, type StoredBucket, type StoredRollups, type StoredUnit } from "../../storage/stored-rollups.ts";
import { bucketsOf } from "./reckon.ts";

/** `stored`: null when there is none, or it cannot be read; `rebuilt`: null when raw has no readings there. */
export type Difference = {
  readonly tier: Tier;
  readonly series: SeriesId;
  readonly start: EpochMs;
  readonly stored: AggregateValues | null;
  readonly rebuilt: AggregateValues | null;
};

/**
 * `isExpected`: it was amended and is not reckoned again yet, says that it is approximate, or was told to be unreadable. `bucket`: what is to stand there.
 * `isUnread`: it is of readings that raw does not have, and may be the last that is known of them: nothing is to take it away.
 */
export type Differing = Difference & {
  readonly isExpected: boolean;
  readonly isUnread: boolean;
  readonly isFresh: boolean;
  readonly bucket: PackedBucket | undefined;
};

/** `unit`: as it is stored, `packed` undefined when it is damaged. `left`: buckets whose raw readings are not whole. */
export type TierComparison = {
  readonly unit: StoredUnit;
  readonly compared: number;
  readonly dirty: number;
  readonly left: number;
  readonly differences: readonly Differing[];
};

export type ComparisonOptions = {
  readonly unsoundDays: readonly UnsoundDay[];
  /**
   * `rebuild`: what is not stored and can be reckoned is missing: what the stream may just have begun is too, and what retention dropped.
   * Else only what nothing but damage can have taken: of a tier retention keeps what is since then.
   */
  readonly missing: "rebuild" | KeptSince;
};
export type KeptSince = Readonly<Record<Tier, EpochMs>>;

type Reads = {
  readonly stored: StoredRollups;
  readonly rollups: RollupReader;
  readonly chunks: ChunkReader;
  readonly soundness: RawSoundness;
  /** Days for which an import brought readings that are in no rollup yet. */
  readonly waits: (series: SeriesId, day: Span) => readonly EpochMs[];
};
export type Asked = { readonly tier: Tier; readonly series: SeriesId; readonly day: Span };
export type RollupComparison = {
  compare(asked: Asked, raw: OrderedReadings): TierComparison;
  /** Whether a bucket that is not stored should be. */
  closed(asked: Pick<Asked, "tier" | "series">): (start: EpochMs) => boolean;
  readonly stored: StoredRollups;
  readonly rollups: RollupReader;
  readonly soundness: RawSoundness;
};

/** Within the read transaction in which it is used. */
export function createRollupComparison(db: Database, options: ComparisonOptions): RollupComparison {
  const reads: Reads = {
    stored: createStoredRollups(db),
    rollups: createRollupReader(db),
    chunks: createChunkReader(db),
    soundness: createRawSoundness(db, options.unsoundDays),
    waits: createRollupDayReader(db),
  };
  const { stored, rollups, soundness } = reads;
  return { compare: (asked, raw) => compare(reads, options, asked, raw), closed: (asked) => createClosed(reads, options, asked), stored, rollups, soundness };
}

/** @param raw all readings of the series in the day */
function compare(reads: Reads, options: ComparisonOptions, asked: Asked, raw: OrderedReadings): TierComparison {
  const { tier, series, day } = asked;
  const unit = reads.stored.read(tier, series, day, unitOf(tier, day.from));
  const stored = new Map(unit.buckets.map((bucket) => [bucket.start, bucket]));
  const rebuilt = new Map(Array.from(bucketsOf(raw, tier), (bucket) => [bucket.start, bucket]));
  const isClosed = createClosed(reads, options, asked);
  const isOpen = reads.waits(series, day).length > 0;
  const differences: Differing[] = [];
  let [compared, dirty, left] = [0, 0, 0];
  for (const start of new Set([...stored.keys(), ...rebuilt.keys()])) {
    const [is, must] = [stored.get(start), rebuilt.get(start)];
    if (reads.soundness.of({ from: start, to: start + tier }) !== "sound") left += 1;
    else if (is === undefined && !isClosed(start)) continue;
    else if (must === undefined && !reads.soundness.isCovered(start)) left += 1;
    else {
      compared += 1;
      if (is?.isDirty || isOpen) dirty += 1;
      const differing = differenceOf({ tier, series, start }, is, must, options.missing === "rebuild");
      if (differing !== undefined) differences.push(isOpen ? { ...differing, isExpected: true } : differing);
    }
  }
  return { unit, compared, dirty, left, differences: withUnread(differences.sort((a, b) => a.start - b.start)) };
}

/**
 * Where raw lacks all readings of one bucket it may lack some of another: of such a day a bucket of more readings than raw has is left too.
 * Where raw has readings for each, a figure that differs is taken for damage.
 */
function withUnread(differences: Differing[]): Differing[] {
  if (!differences.some(({ isUnread }) => isUnread)) return differences;
  return differences.map((each) => ({ ...each, isUnread: each.stored !== null && each.stored.count > (each.rebuilt?.count ?? 0) }));
}

/**
 * Whether a bucket that is not stored should be: the stream has closed it. That it has is known by later ones that are stored, and by
 * readings that came a day later, as none waits so long for its turn.
 */
function createClosed(reads: Reads, { missing }: ComparisonOptions, { tier, series }: Pick<Asked, "tier" | "series">): (start: EpochMs) => boolean {
  const { rollups, chunks } = reads;
  let end: EpochMs | undefined;
  return (start) => {
    end ??= Math.max(
      rollups.closedEnd(tier, series),
      chunks.newest(series) - UTC_DAY_MS,
      ...(missing === "rebuild" ? TIERS.map((each) => rollups.closedEnd(each, series)) : []),
    );
    return start + tier <= end && (missing === "rebuild" || start >= missing[tier]);
  };
}

function differenceOf(
  at: Pick<Difference, "tier" | "series" | "start">,
  is: StoredBucket | undefined,
  must: PackedBucket | undefined,
  wantsSketch: boolean,
): Differing | undefined {
  const values = is?.values;
  // Of a bucket that the stream marked before its readings are merged in there is nothing yet.
  if (must === undefined && values?.count === 0) return undefined;
  const isSame =
    values !== undefined && must !== undefined && areSame(values, must.values, { area: is?.isFresh !== true }) && isSketchRight(is, must, wantsSketch);
  if (isSame && is?.isApproximate !== true) return undefined;
  const isExpected = is !== undefined && (is.isDirty || is.isApproximate || values === undefined);
  const isUnread = must === undefined && values !== undefined;
  return { ...at, stored: values ?? null, rebuilt: must?.values ?? null, bucket: must, isExpected, isUnread, isFresh: is?.isFresh ?? false };
}

/** What has none is no fault, as of a release that made none; but a rebuild makes it. What is not packed has none yet. */
function isSketchRight(is: StoredBucket | undefined, must: PackedBucket, isWanted: boolean): boolean {
  if (is?.sketch === undefined) return !isWanted || is?.isFresh === true || must.sketch === undefined;
  return must.sketch !== undefined && is.sketch.equals(must.sketch);
}

/** What additions in another order may differ by, of the size of what was added. */
const ROUNDING = 1e-9;
/** Near the smallest doubles there are no digits left to differ by. */
const TINY = 1e-300;
const EXACT = ["count", "min", "max", "first", "firstTs", "last", "lastTs"] as const;

/**
 * Whether two buckets are of the same readings: what is counted or chosen is the same, what is added up is so but for rounding.
 * @param held area: the stream has not that of late readings, and of hours, right
 */
export function areSame(a: AggregateValues, b: AggregateValues, held: { readonly area: boolean }): boolean {
  if (EXACT.some((name) => a[name] !== b[name])) return false;
  const size = Math.max(Math.abs(b.min), Math.abs(b.max));
  const squares = b.count * size * Math.max(b.max - b.min, ROUNDING * size);
  const isNear = (x: number, y: number, scale: number): boolean => Object.is(x, y) || !(Math.abs(x - y) > ROUNDING * scale + TINY);
  return (
    isNear(a.sum, b.sum, b.count * size) &&
    isNear(a.mean, b.mean, size) &&
    isNear(a.m2, b.m2, squares) &&
    (!held.area || isNear(a.area, b.area, size * (b.lastTs - b.firstTs)))
  );
}
