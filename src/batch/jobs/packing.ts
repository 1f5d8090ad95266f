// Packing: rollup buckets that the stream closed become columns. Those that the stream may not have exactly (late readings amended them
// or entered them out of turn; hours, which it merges of minutes) are reckoned again from the raw readings, hours with a sketch of them;
// where those are no longer whole, amended ones stay as they are and say `approximate`. What a bucket holds is asked as of a row of the
// journal through which all is in chunks; a bucket that changed since is left to the next run.

import { History, type OrderedReadings } from "../../engine/history.ts";
import { type EpochMs, floorMod, type SeriesId } from "../../engine/units.ts";
import { undamaged } from "../../storage/chunk-codec.ts";
import { type ChunkReader, compactedThrough, createChunkReader, createWholeness, type Span } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import { encodePacked, type PackedBucket } from "../../storage/packed-rollups.ts";
import { utcDayOf } from "../../storage/rollup-days.ts";
import {
  createRollupReader,
  type FreshRollup,
  HOUR_MS,
  MINUTE_MS,
  mergeOf,
  type PackedRollupsRow,
  type RollupReader,
  TIERS,
  type Tier,
  unitOf,
} from "../../storage/rollups.ts";
import { seriesIds } from "../../storage/series-query.ts";
import type { Emitter } from "./emitter.ts";
import { packOpenDays } from "./packing-days.ts";
import { bucketOf } from "./reckon.ts";

export type Packing = { readonly buckets: number; readonly bytes: number; readonly recomputed: number };

type Work = {
  readonly chunks: ChunkReader;
  readonly rollups: RollupReader;
  readonly isWhole: (span: Span) => boolean;
  readonly emitter: Emitter;
  readonly throughSeq: number;
  readonly now: EpochMs;
  readonly done: { buckets: number; bytes: number; recomputed: number };
};

/**
 * Packs what is older than an hour, of hours what is older than the UTC day. Call it when compaction has ended.
 * @returns undefined when the signal ended it early
 */
export async function packRollups(db: Database, { now, signal }: { now: EpochMs; signal?: AbortSignal }, emitter: Emitter): Promise<Packing | undefined> {
  const reads = { chunks: createChunkReader(db), rollups: createRollupReader(db), isWhole: createWholeness(db) };
  const work: Work = { ...reads, emitter, now, throughSeq: compactedThrough(db), done: { buckets: 0, bytes: 0, recomputed: 0 } };
  const until: Readonly<Record<Tier, EpochMs>> = { [MINUTE_MS]: now - HOUR_MS - floorMod(now, HOUR_MS), [HOUR_MS]: utcDayOf(now) };
  for (const tier of TIERS) {
    const before = until[tier];
    for (const series of seriesIds(db)) {
      const fresh = work.rollups.freshRows(tier, series, Number.MIN_SAFE_INTEGER, before).filter(({ seq }) => seq <= work.throughSeq);
      for (const [unit, rows] of Map.groupBy(fresh, ({ start }) => unitOf(tier, start))) {
        // What is damaged waits as it is, for `highwater verify` to tell of it.
        const row = undamaged(() => packUnit(work, { tier, series, unit }, rows));
        if (row !== undefined) await emitter.add(row);
      }
      if (signal?.aborted) return undefined;
    }
  }
  await emitter.flush();
  // No hour is known whose minutes are not: readers go on from the minutes.
  const known = { ...until, [HOUR_MS]: Math.min(until[MINUTE_MS], until[HOUR_MS]) };
  const isWhole = await packImported(db, work, known, signal);
  await emitter.flush();
  return isWhole ? work.done : undefined;
}

/** @returns false when it was ended early */
async function packImported(db: Database, work: Work, until: Readonly<Record<Tier, EpochMs>>, signal: AbortSignal | undefined): Promise<boolean> {
  const { rollups, chunks, isWhole, emitter, throughSeq, now } = work;
  const rows = packOpenDays(db, {
    ...{ rollups, isWhole, until },
    readings: (series, span) => readingsOf(chunks, series, span),
    row: (unit, buckets, settles) => ({ ...packedRow(unit, buckets, { starts: [], throughSeq, at: now }), settles }),
  });
  for (;;) {
    // Behind what is damaged nothing more is packed by this run.
    const next = undamaged(() => rows.next());
    if (next === undefined || next.done === true) return true;
    work.done.bytes += next.value.body.length;
    await emitter.add(next.value);
    if (signal?.aborted) return false;
  }
}

export type Unit = { readonly tier: Tier; readonly series: SeriesId; readonly unit: EpochMs };

function packUnit(work: Work, { tier, series, unit }: Unit, fresh: readonly FreshRollup[]): PackedRollupsRow {
  const packed = new Map(work.rollups.packedRows(tier, series, unit).map((bucket) => [bucket.start, bucket]));
  const span = { from: (fresh[0] as FreshRollup).start, to: (fresh.at(-1) as FreshRollup).start + tier };
  // A late reading in an open bucket does not mark it, but has no part in its area; an hour takes minutes that are amended in any order.
  const isInexact = tier === HOUR_MS || work.chunks.hasLate(series, span);
  const exact = recompute(work, { tier, series }, isInexact ? fresh : fresh.filter(({ start, isDirty }) => isDirty || packed.has(start)));
  for (const { start, values, isDirty } of fresh) {
    const before = packed.get(start);
    const raw = exact.get(start);
    if (raw !== undefined) packed.set(start, raw);
    else packed.set(start, { start, isApproximate: isDirty, values: isDirty && before !== undefined ? mergeOf([before.values, values]) : values });
  }
  const row = packedRow({ tier, series, unit }, [...packed.values()], { at: work.now, starts: fresh.map(({ start }) => start), throughSeq: work.throughSeq });
  work.done.buckets += fresh.length;
  work.done.bytes += row.body.length;
  return row;
}

/** @param buckets in any order; the empty ones are left out */
export function packedRow(unit: Unit, buckets: readonly PackedBucket[], taken: Pick<PackedRollupsRow, "at" | "starts" | "throughSeq">): PackedRollupsRow {
  const kept = buckets.filter(({ values }) => values.count > 0).sort((a, b) => a.start - b.start);
  const [firstStart, lastStart] = [kept[0]?.start ?? unit.unit, kept.at(-1)?.start ?? unit.unit];
  return { kind: "packed-rollups", ...unit, firstStart, lastStart, body: encodePacked(kept, unit.unit, unit.tier), ...taken };
}

/** From the raw readings; those of which the raw readings are no longer whole do not come. */
function recompute(work: Work, { tier, series }: Omit<Unit, "unit">, buckets: readonly PackedBucket[]): Map<EpochMs, PackedBucket> {
  const wanted = buckets.filter(({ start }) => work.isWhole({ from: start, to: start + tier }));
  const exact = new Map<EpochMs, PackedBucket>();
  for (const ofDay of Map.groupBy(wanted, ({ start }) => utcDayOf(start)).values()) {
    const starts = ofDay.map(({ start }) => start);
    const readings = readingsOf(work.chunks, series, { from: Math.min(...starts), to: Math.max(...starts) + tier });
    for (const start of starts) exact.set(start, bucketOf(readings, tier, start));
  }
  work.done.recomputed += wanted.length;
  return exact;
}

function readingsOf(chunks: ChunkReader, series: SeriesId, span: Span): OrderedReadings {
  const [first, ...more] = Array.from(chunks.read(series, span)).filter(({ ts }) => ts.length > 0);
  if (first !== undefined && more.length === 0) return first;
  const history = new History();
  for (const columns of first === undefined ? [] : [first, ...more]) history.append(columns);
  return history.ordered();
}
