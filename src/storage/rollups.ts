// Rollup buckets: as the stream closes and amends them, a row each; packed by a job, a row of columns for a stretch of time. One that
// is in both is the merge of both: a reading came for it after it was packed. The body of a row of one reading, the common one for
// slow sensors, is 18 bytes.

import { Aggregate, type AggregateValues } from "../engine/aggregate.ts";
import type { DirtyBucket, RollupBucket } from "../engine/effect.ts";
import { type DurationMs, type EpochMs, floorMod, type SeriesId } from "../engine/units.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import type { Database } from "./database.ts";
import { decodePacked, decodePackedCounts, type PackedBucket } from "./packed-rollups.ts";
import { HOUR_MS, MINUTE_MS, type Tier } from "./rollup-days.ts";

export { HOUR_MS, MINUTE_MS, TIERS, type Tier } from "./rollup-days.ts";

/** What a packed row holds: a day of minutes, thirty-two days of hours; on the epoch. */
const unitMs: Readonly<Record<Tier, DurationMs>> = { [MINUTE_MS]: 24 * HOUR_MS, [HOUR_MS]: 32 * 24 * HOUR_MS };

/** Start of the packed row that a bucket belongs to. */
export const unitOf = (tier: Tier, start: EpochMs): EpochMs => start - floorMod(start, unitMs[tier]);

/** Exclusive. */
export const unitEnd = (tier: Tier, unit: EpochMs): EpochMs => unit + unitMs[tier];

/** `isDirty`: readings came after it was closed, so that the raw readings are asked; `isApproximate`: such were merged in when those were no longer whole. */
export type Rollup = PackedBucket & { readonly isDirty: boolean };

const out = new ByteWriter();

/** @param start of the bucket; times are stored from it. Of an empty one nothing, which only marks it */
export function encodeRollup(values: AggregateValues, start: EpochMs): Uint8Array {
  out.clear();
  if (values.count === 0) return new Uint8Array(0);
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
  if (body.length === 0) return new Aggregate().values();
  const reader = new ByteReader(body);
  const count = reader.varint();
  const firstTs = start + reader.varint();
  const first = reader.double();
  if (count === 1) return { count, sum: first, min: first, max: first, first, firstTs, last: first, lastTs: firstTs, mean: first, m2: 0, area: 0 };
  const lastTs = firstTs + reader.varint();
  const [last, min, max, sum, mean, m2, area] = Array.from({ length: 7 }, () => reader.double()) as [number, number, number, number, number, number, number];
  return { count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area };
}

/** Writes what the stream closed and amended in a step; call it within its transaction. */
export function createRollupWriter(db: Database): (closed: readonly RollupBucket[], dirty: readonly DirtyBucket[], seq: number) => void {
  const insert = db.prepare("INSERT OR REPLACE INTO rollup VALUES (?, ?, ?, ?, ?, ?)");
  const read = db.prepare<[number, number, number], Uint8Array>("SELECT body FROM rollup WHERE tier = ? AND series = ? AND start = ?").pluck();
  return (closed, dirty, seq) => {
    for (const { tier, series, start, values } of closed) insert.run(tier, series, start, 0, encodeRollup(values, start), seq);
    for (const { tier, series, start, values } of dirty) {
      const stored = read.get(tier, series, start);
      insert.run(tier, series, start, 1, encodeRollup(stored === undefined ? values : mergeOf([decodeRollup(stored, start), values]), start), seq);
    }
  };
}

export function mergeOf(parts: readonly AggregateValues[]): AggregateValues {
  const merged = new Aggregate();
  for (const part of parts) merged.merge(part);
  return merged.values();
}

/** Rows that a job packed: `starts` are those of `rollup` that are in it now, if none of them changed after the row `throughSeq` of the journal. */
export type PackedRollupsRow = {
  readonly kind: "packed-rollups";
  readonly tier: Tier;
  readonly series: SeriesId;
  readonly unit: EpochMs;
  readonly firstStart: EpochMs;
  readonly lastStart: EpochMs;
  /** When it was packed. */
  readonly at: EpochMs;
  readonly body: Uint8Array;
  readonly starts: readonly EpochMs[];
  readonly throughSeq: number;
  /** UTC days whose readings of imports are in it now. */
  readonly settles?: readonly EpochMs[];
};

/** @returns a function that writes packed rows; call it within a transaction */
export function createPackedRollupWriter(db: Database): (row: PackedRollupsRow) => void {
  const changed = db.prepare<number[], number>("SELECT seq FROM rollup WHERE tier = ? AND series = ? AND start = ?").pluck();
  const remove = db.prepare("DELETE FROM rollup WHERE tier = ? AND series = ? AND start = ?");
  const write = db.prepare(`INSERT INTO packed_rollup (tier, series, unit, first_start, last_start, at, body)
    VALUES (@tier, @series, @unit, @firstStart, @lastStart, @at, @body) ON CONFLICT (tier, series, unit)
    DO UPDATE SET first_start = excluded.first_start, last_start = excluded.last_start, at = excluded.at, body = excluded.body`);
  const settle = db.prepare("DELETE FROM rollup_open WHERE tier = ? AND series = ? AND day = ?");
  return (row) => {
    // Amended meanwhile: the next run packs it.
    if (row.starts.some((start) => (changed.get(row.tier, row.series, start) ?? 0) > row.throughSeq)) return;
    for (const start of row.starts) remove.run(row.tier, row.series, start);
    write.run(row);
    for (const day of row.settles ?? []) settle.run(row.tier, row.series, day);
  };
}

type FreshRow = { readonly start: EpochMs; readonly dirty: 0 | 1; readonly body: Uint8Array; readonly seq: number };
export type FreshRollup = Rollup & { readonly seq: number };
/** Buckets of a series that begin between `from`, inclusive, and `to`, exclusive. */
export type RollupSpan = { readonly tier: Tier; readonly series: SeriesId; readonly from: EpochMs; readonly to: EpochMs };
export type RollupReader = ReturnType<typeof createRollupReader>;

export function createRollupReader(db: Database) {
  const fresh = db.prepare<number[], FreshRow>(
    "SELECT start, dirty, body, seq FROM rollup WHERE tier = ? AND series = ? AND start >= ? AND start < ? ORDER BY start",
  );
  const packed = db.prepare<number[], { unit: EpochMs; body: Uint8Array }>(
    "SELECT unit, body FROM packed_rollup WHERE tier = ? AND series = ? AND unit > ? AND unit < ? AND last_start >= ? AND first_start < ? ORDER BY unit",
  );
  const one = db.prepare<number[], Uint8Array>("SELECT body FROM packed_rollup WHERE tier = ? AND series = ? AND unit = ?").pluck();
  const newest = db.prepare<number[], number | null>("SELECT max(start) FROM rollup WHERE tier = ? AND series = ?").pluck();
  const oldest = db.prepare<number[], number | null>("SELECT min(start) FROM rollup WHERE tier = ? AND series = ?").pluck();
  const newestPacked = db.prepare<number[], number>("SELECT last_start FROM packed_rollup WHERE tier = ? AND series = ? ORDER BY unit DESC LIMIT 1").pluck();
  const oldestPacked = db.prepare<number[], number>("SELECT first_start FROM packed_rollup WHERE tier = ? AND series = ? ORDER BY unit LIMIT 1").pluck();

  function freshRows(tier: Tier, series: SeriesId, from: EpochMs, to: EpochMs): FreshRollup[] {
    return fresh
      .all(tier, series, from, to)
      .map(({ start, dirty, body, seq }) => ({ start, isDirty: dirty === 1, isApproximate: false, values: decodeRollup(body, start), seq }));
  }
  function newestStart(tier: Tier, series: SeriesId): EpochMs {
    return Math.max(newest.get(tier, series) ?? Number.NEGATIVE_INFINITY, newestPacked.get(tier, series) ?? Number.NEGATIVE_INFINITY);
  }
  // In one transaction: what is packed between the two would be lost, or count twice.
  const rows = db.transaction((tier: Tier, series: SeriesId, from: EpochMs, to: EpochMs, wanted = { sketches: false }): Rollup[] => {
    const recent = freshRows(tier, series, from, to);
    const old = packed.all(tier, series, from - unitMs[tier], to, from, to).flatMap(({ unit, body }) => decodePacked(body, unit, tier, wanted));
    return old.length === 0
      ? recent
      : mergeRows(
          old.filter(({ start }) => start >= from && start < to),
          recent,
        );
  });
  // As `rows` would say it, at a tenth of the price.
  const tally = db.transaction(({ tier, series, from, to }: RollupSpan, throughSeq: number): { count: number; left: EpochMs[] } => {
    const recent = new Map(freshRows(tier, series, from, to).map((row) => [row.start, row]));
    const isLeft = ({ isDirty, seq }: FreshRollup): boolean => isDirty || seq > throughSeq;
    let count = 0;
    for (const { unit, body } of packed.iterate(tier, series, from - unitMs[tier], to, from, to)) {
      const { starts, counts } = decodePackedCounts(body, unit, tier);
      for (let index = 0; index < starts.length; index += 1) {
        const start = starts[index] as number;
        // A fresh row stands for the packed bucket under it, or amends it.
        if (start >= from && start < to && !recent.has(start)) count += counts[index] as number;
      }
    }
    const rows = [...recent.values()];
    count = rows.reduce((sum, row) => sum + (isLeft(row) ? 0 : row.values.count), count);
    return { count, left: rows.filter(isLeft).map(({ start }) => start) };
  });
  return {
    /** How many readings those hold that no late reading touched and that did not change after a row of the journal; `left`: where the others begin. */
    tally,
    /** Of a tier, those that begin between `from`, inclusive, and `to`, exclusive; in order. */
    rows,
    freshRows,
    /** Those of one packed row. */
    packedRows(tier: Tier, series: SeriesId, unit: EpochMs): PackedBucket[] {
      const body = one.get(tier, series, unit);
      return body === undefined ? [] : decodePacked(body, unit, tier);
    },
    /** End of the newest closed bucket; -Infinity when none is. */
    closedEnd: (tier: Tier, series: SeriesId): EpochMs => newestStart(tier, series) + tier,
    /** Start of the oldest; Infinity when there is none. */
    oldest: (tier: Tier, series: SeriesId): EpochMs =>
      Math.min(oldest.get(tier, series) ?? Number.POSITIVE_INFINITY, oldestPacked.get(tier, series) ?? Number.POSITIVE_INFINITY),
    /** The newest that holds readings. */
    last(tier: Tier, series: SeriesId): Rollup | undefined {
      const start = newestStart(tier, series);
      return Number.isFinite(start) ? rows(tier, series, start, start + 1).at(-1) : undefined;
    },
  };
}

/**
 * A fresh row that marks a bucket, or amends it, lies over the packed one. One that the stream closed after the bucket was packed of its
 * readings lacks what an import brought: the raw readings are asked.
 */
export function mergeRows(packed: readonly PackedBucket[], fresh: readonly Rollup[]): Rollup[] {
  const merged: Rollup[] = [];
  let next = 0;
  for (const { start, isApproximate, values, sketch } of packed) {
    while (next < fresh.length && (fresh[next] as Rollup).start < start) merged.push(fresh[next++] as Rollup);
    const over = fresh[next];
    if (over?.start === start) {
      next += 1;
      merged.push(over.isDirty ? { start, isApproximate, isDirty: true, values: mergeOf([values, over.values]) } : { ...over, isDirty: true });
    } else merged.push({ start, isApproximate, isDirty: false, values, sketch });
  }
  return [...merged, ...fresh.slice(next)];
}

/** Whether a fresh bucket's values are ones that readings of it could make. */
export function isReadable(body: Uint8Array, start: EpochMs, tier: Tier): boolean {
  try {
    const values = decodeRollup(body, start);
    return values.count === 0 || isSensible(values, start, tier);
  } catch {
    return false;
  }
}

/** What no readings of the bucket could make is damage. */
export function isSensible({ count, min, max, first, last, firstTs, lastTs }: AggregateValues, start: EpochMs, tier: Tier): boolean {
  const isWithin = floorMod(start, tier) === 0 && firstTs >= start && firstTs <= lastTs && lastTs < start + tier;
  return count > 0 && isWithin && [first, last].every((value) => value >= min && value <= max);
}
