// Rebuilding rollups: those of UTC days are reckoned again from the raw readings and held against what is stored; what differs is written
// in its place, packed, the rows of one unit together, so that a run that is killed leaves each unit old or new, and a second run
// writes nothing. Buckets whose raw readings are not whole, or that hold readings raw does not have, stay as they are. It only reads;
// rows go out by `emit`.

import { type Day, dayNumber, type ZoneTable } from "../../engine/calendar.ts";
import type { Labels } from "../../engine/reading.ts";
import type { EpochMs, SeriesId } from "../../engine/units.ts";
import { rawDays, type Span } from "../../storage/chunks.ts";
import type { Database } from "../../storage/database.ts";
import { newestSeq } from "../../storage/journal.ts";
import { isTailShort, lookAtSlice, type ReadRaw, utcDaysWithRaw } from "../../storage/raw-slice.ts";
import { type UnsoundDay, unsoundDays } from "../../storage/raw-soundness.ts";
import { UTC_DAY_MS } from "../../storage/rollup-days.ts";
import { MINUTE_MS, type PackedRollupsRow, TIERS, unitOf } from "../../storage/rollups.ts";
import { createSeriesReader, seriesIds } from "../../storage/series-query.ts";
import { createStoredRollups } from "../../storage/stored-rollups.ts";
import { utcDay } from "../../storage/verify/rollups.ts";
import { runCompaction } from "./compaction.ts";
import { areSame, createRollupComparison, type Difference, type Differing, type RollupComparison, type TierComparison } from "./derived-rollups.ts";
import { createEmitter, type Emit } from "./emitter.ts";
import { packedRow } from "./packing.ts";
import { rebuildUnit } from "./rebuild-unit.ts";

export type RebuildRollupsOptions = {
  /** UTC days, as rollups lie on UTC; both inclusive. */
  readonly days: { readonly from: Day; readonly to: Day };
  /** Compares and writes nothing. */
  readonly isDryRun: boolean;
  /** Whose days chunks are cut by: what waits for compaction is compacted first. */
  readonly zone: ZoneTable;
  readonly now: EpochMs;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: RebuildProgress) => void;
};

/** `done` of `days` are looked at. */
export type RebuildProgress = { readonly day: Day; readonly done: number; readonly days: number; readonly buckets: number };

/**
 * Why buckets are left as they are: retention took their raw readings, these are not sound (`highwater verify`), they wait for compaction, or
 * raw does not have the readings that the bucket is of (`unread`).
 */
export type LeftReason = "gone" | "unsound" | "uncompacted" | "unread";
export type LeftDay = { readonly day: Day; readonly reason: LeftReason; readonly buckets: number };

export type RebuildReport = {
  /** False when it was ended early; what was written stands. */
  readonly isWhole: boolean;
  readonly days: number;
  readonly readings: number;
  readonly buckets: number;
  readonly differing: { readonly minutes: number; readonly hours: number };
  /** Rows of packed rollups. */
  readonly written: number;
  /** Changed while they were looked at: another run has them. */
  readonly changed: number;
  readonly left: readonly LeftDay[];
  readonly first: readonly (Difference & { readonly labels: Labels })[];
};

const SHOWN_MAX = 20;
/** Of days in the answer. */
const LEFT_MAX = 1000;

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type Work = {
  readonly db: Database;
  readonly options: RebuildRollupsOptions;
  readonly emit: Emit;
  readonly unsoundDays: readonly UnsoundDay[];
  readonly labelsOf: (series: SeriesId) => { labels: Labels };
  readonly done: Mutable<Omit<RebuildReport, "isWhole" | "left" | "first" | "differing">> & { minutes: number; hours: number };
  readonly first: (Difference & { readonly labels: Labels })[];
  readonly left: Map<string, LeftDay>;
  /** Damaged units that were met: of hours, one is met on each of its days. */
  readonly met: Set<string>;
};

/**
 * @param db read-only
 * @param emit is awaited; rows must be written in the order in which they come
 */
export async function runRebuildRollups(db: Database, options: RebuildRollupsOptions, emit: Emit): Promise<RebuildReport> {
  const { zone, now, signal } = options;
  const done = { days: 0, readings: 0, buckets: 0, minutes: 0, hours: 0, written: 0, changed: 0 };
  const [first, left]: [Work["first"], Work["left"]] = [[], new Map()];
  const report = (isWhole: boolean): RebuildReport => {
    const { minutes, hours, ...rest } = done;
    return { isWhole, ...rest, differing: { minutes, hours }, left: [...left.values()].slice(0, LEFT_MAX), first };
  };
  if (!options.isDryRun && !(await runCompaction(db, { zone, now, ...(signal && { signal }) }, emit)).isWhole) return report(false);
  const labelsOf = createSeriesReader(db, {});
  const work: Work = { db, options, emit, unsoundDays: unsoundDays(db), labelsOf, done, first, left, met: new Set() };
  const within = { from: dayNumber(options.days.from) * UTC_DAY_MS, to: (dayNumber(options.days.to) + 1) * UTC_DAY_MS };
  for (const { day, until, gone } of rawDays(db))
    if (gone !== 0 && day < within.to && until > within.from) leave(work, utcDay(Math.max(day, within.from)), "gone", 0);
  const days = utcDaysWithRaw(db, within);
  for (const [index, from] of days.entries()) {
    options.progress?.({ day: utcDay(from), done: index, days: days.length, buckets: done.buckets });
    if (!(await rebuildDay(work, { from, to: from + UTC_DAY_MS }))) return report(false);
    done.days += 1;
  }
  const last = days.at(-1);
  if (last !== undefined) options.progress?.({ day: utcDay(last), done: days.length, days: days.length, buckets: done.buckets });
  return report(true);
}

function leave({ left }: Work, day: Day, reason: LeftReason, buckets: number): void {
  const key = `${day} ${reason}`;
  left.set(key, { day, reason, buckets: (left.get(key)?.buckets ?? 0) + buckets });
}

/** A slice of the series at a time: read in one transaction, written, and only then is the next read. @returns false when it was ended early */
async function rebuildDay(work: Work, day: Span): Promise<boolean> {
  const { db, options } = work;
  if (!isTailShort(db, day)) {
    leave(work, utcDay(day.from), "uncompacted", 0);
    return true;
  }
  const ids = seriesIds(db);
  for (let next = 0; next < ids.length; ) {
    const rows: PackedRollupsRow[] = [];
    let slice: Slice | undefined;
    next = lookAtSlice(db, ids, next, (series, read) => {
      slice ??= { comparison: comparisonOf(work), throughSeq: newestSeq(db) };
      rows.push(...rebuildSeries(work, slice, { series, day, read }));
    });
    if (!options.isDryRun) await write(work, rows);
    if (options.signal?.aborted) return false;
  }
  return true;
}

const comparisonOf = ({ db, unsoundDays }: Work): RollupComparison => createRollupComparison(db, { unsoundDays, missing: "rebuild" });

/** `throughSeq`: newest row of the journal that is seen. */
type Slice = { readonly comparison: RollupComparison; readonly throughSeq: number };
type OneDay = { readonly series: SeriesId; readonly day: Span; readonly read: ReadRaw };

function rebuildSeries(work: Work, { comparison, throughSeq }: Slice, { series, day, read }: OneDay): PackedRollupsRow[] {
  const raw = read(series, day);
  if (raw === undefined) {
    leave(work, utcDay(day.from), "unsound", 0);
    return [];
  }
  work.done.readings += raw.ts.length;
  return TIERS.flatMap((tier) => {
    const place = { tier, series, unit: unitOf(tier, day.from) };
    const found = comparison.compare({ tier, series, day }, raw);
    work.done.buckets += found.compared;
    if (found.unit.packed === undefined) return mendUnit(work, { comparison, throughSeq }, place, read);
    if (found.left > 0) leave(work, utcDay(day.from), reasonOf(comparison, day), found.left);
    const unread = found.differences.filter(({ isUnread }) => isUnread).length;
    if (unread > 0) leave(work, utcDay(day.from), "unread", unread);
    const differences = found.differences.filter(({ isUnread }) => !isUnread);
    for (const difference of differences) note(work, difference);
    return differences.length === 0 ? [] : [swapped(place, { ...found, differences }, { at: work.options.now, throughSeq })];
  });
}

const reasonOf = ({ soundness }: RollupComparison, day: Span): LeftReason => (soundness.of(day) === "unsound" ? "unsound" : "gone");

function note({ done, first, labelsOf }: Work, { tier, series, start, stored, rebuilt }: Difference): void {
  done[tier === MINUTE_MS ? "minutes" : "hours"] += 1;
  // Of one that only lacks its sketch there are no figures to show.
  const isSeen = stored === null || rebuilt === null || !areSame(stored, rebuilt, { area: true });
  if (isSeen && first.length < SHOWN_MAX) first.push({ tier, series, start, stored, rebuilt, labels: labelsOf(series).labels });
}

type Place = Pick<PackedRollupsRow, "tier" | "series" | "unit">;

/** What is packed of the unit, with the buckets that differ in their place. */
function swapped(place: Place, { unit, differences }: TierComparison, taken: Pick<PackedRollupsRow, "at" | "throughSeq">): PackedRollupsRow {
  const buckets = new Map((unit.packed ?? []).map((bucket) => [bucket.start, bucket]));
  for (const { start, bucket } of differences) {
    if (bucket === undefined) buckets.delete(start);
    else buckets.set(start, bucket);
  }
  const starts = differences.filter(({ isFresh }: Differing) => isFresh).map(({ start }) => start);
  return packedRow(place, [...buckets.values()], { ...taken, starts });
}

/** A row that is damaged as a whole. */
function mendUnit(work: Work, { comparison, throughSeq }: Slice, place: Place, read: ReadRaw): PackedRollupsRow[] {
  const key = `${place.tier} ${place.series} ${place.unit}`;
  if (work.met.has(key)) return [];
  work.met.add(key);
  const rebuilt = rebuildUnit(comparison, place, read);
  if (rebuilt === undefined) {
    leave(work, utcDay(place.unit), "unsound", 0);
    return [];
  }
  for (const { start, values } of rebuilt.buckets) note(work, { ...place, start, stored: null, rebuilt: values });
  return [packedRow(place, rebuilt.buckets, { at: work.options.now, starts: rebuilt.starts, throughSeq })];
}

async function write({ db, emit, done }: Work, rows: readonly PackedRollupsRow[]): Promise<void> {
  const emitter = createEmitter(emit);
  for (const row of rows) await emitter.add(row);
  await emitter.flush();
  const stored = createStoredRollups(db);
  for (const row of rows) done[stored.has(row) ? "written" : "changed"] += 1;
}
