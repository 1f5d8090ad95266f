// `highwater verify`: is what is stored sound, and is what was derived what the raw readings make it? It only reads, a little in each read
// transaction, so it may run beside a gateway: what changes while it is looked at is seen before or after, never between. Each check
// goes on where another found damage, and leaves out what that damage touches.

import { type Day, dayBounds, dayOf, type ZoneTable } from "../engine/calendar.ts";
import type { SeriesId } from "../engine/units.ts";
import { rawDays, type Span } from "../storage/chunks.ts";
import type { Database } from "../storage/database.ts";
import { isTailShort, lookAtSlice, type ReadRaw, utcDaysOf, utcDaysWithRaw } from "../storage/raw-slice.ts";
import { type UnsoundDay, unsoundDays } from "../storage/raw-soundness.ts";
import { UTC_DAY_MS } from "../storage/rollup-days.ts";
import { TIERS, unitEnd, unitOf } from "../storage/rollups.ts";
import { seriesIds } from "../storage/series-query.ts";
import { checkAlerts } from "../storage/verify/alerts.ts";
import { checkChunks, type UnsoundRaw } from "../storage/verify/chunks.ts";
import { checkCompaction } from "../storage/verify/compaction.ts";
import { checkFile } from "../storage/verify/file.ts";
import { checkJournal, checkSnapshots } from "../storage/verify/journal.ts";
import { type Found, type Mend, reasonIn, restore } from "../storage/verify/problem.ts";
import { checkFresh, checkPacked, rebuildOf, tierWord, utcDay } from "../storage/verify/rollups.ts";
import { checkSeries } from "../storage/verify/series.ts";
import { createRollupComparison, type Differing, type KeptSince, type RollupComparison } from "./jobs/derived-rollups.ts";
import { createSummaryComparison } from "./jobs/derived-summaries.ts";

export type VerifyOptions = {
  readonly zone: ZoneTable;
  /** Local days, both inclusive; default: all. The journal, snapshots and rules are always looked at whole. */
  readonly days?: { readonly from: Day; readonly to: Day };
  /** By tier: rollups from then on are kept. */
  readonly keptSince: KeptSince;
  /** Leaves the comparison with raw out. */
  readonly isQuick: boolean;
};

export type VerifyStage = "file" | "journal" | "series" | "chunks" | "packed rollups" | "rollups against raw" | "summaries against raw";
export type VerifyProgress = { readonly stage: VerifyStage; readonly done: number; readonly of: number };

/** What was looked at; `null`: the comparison was left out. */
export type VerifyReport = {
  readonly journalRows: number;
  readonly chunks: number;
  readonly packedRows: number;
  readonly compared: Compared | null;
};
/** `dirty` buckets and `open` summaries wait to be reckoned again; `left`: raw is not whole, or damaged, or waits for compaction. */
export type Compared = { buckets: number; dirty: number; bucketsLeft: number; summaries: number; open: number; summariesLeft: number; readings: number };

export type Hearing = { readonly found: Found; readonly progress: (progress: VerifyProgress) => void };
type Work = {
  readonly db: Database;
  readonly options: VerifyOptions;
  readonly hearing: Hearing;
  readonly within: Span;
  readonly unsound: UnsoundRaw;
  readonly unsoundDays: readonly UnsoundDay[];
};

/** Nobody writes half a row: a plain run to the end. */
export function verifyStore(db: Database, options: VerifyOptions, hearing: Hearing): VerifyReport {
  const { found, progress } = hearing;
  const within = spanOf(options);
  const during = (stage: VerifyStage) => (done: number, of: number) => progress({ stage, done, of });
  const counts = { journalRows: 0, chunks: 0, packedRows: 0 };
  const counting = (stage: VerifyStage, name: keyof typeof counts) => (done: number, of: number) => {
    counts[name] = done;
    during(stage)(done, of);
  };
  progress({ stage: "file", done: 0, of: 1 });
  checkFile(db, options.isQuick, found);
  guarded(found, () => checkJournal(db, found, counting("journal", "journalRows")));
  guarded(found, () => checkSnapshots(db, found));
  guarded(found, () => checkSeries(db, found, during("series")));
  guarded(found, () => checkAlerts(db, found));
  const unsound = guarded(found, () => checkChunks(db, within, found, counting("chunks", "chunks")));
  if (unsound !== undefined) guarded(found, () => checkCompaction(db, unsound, found));
  guarded(found, () => checkPacked(db, utcDaysOf(within), found, counting("packed rollups", "packedRows")));
  guarded(found, () => checkFresh(db, utcDaysOf(within), found));
  // Where the raw history cannot be walked over there is nothing to compare with.
  if (options.isQuick || unsound === undefined) return { ...counts, compared: null };
  const work: Work = { db, options, hearing, within, unsound, unsoundDays: unsoundDays(db) };
  const compared = { buckets: 0, dirty: 0, bucketsLeft: 0, summaries: 0, open: 0, summariesLeft: 0, readings: 0 };
  guarded(found, () => compareRollups(work, compared));
  guarded(found, () => compareSummaries(work, compared));
  return { ...counts, compared };
}

function spanOf({ zone, days }: VerifyOptions): Span {
  if (days === undefined) return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  return { from: dayBounds(zone, days.from).start, to: dayBounds(zone, days.to).end };
}

/** Pages that SQLite cannot read are a problem like others; what else goes wrong is a mistake of this program. */
function guarded<Result>(found: Found, check: () => Result): Result | undefined {
  try {
    return check();
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== "string" || !/^SQLITE_(CORRUPT|NOTADB|IOERR)/.test(code)) throw error;
    found({ kind: "file", place: {}, what: `a table cannot be read: ${reasonIn(error)}`, mend: restore });
    return undefined;
  }
}

function compareRollups(work: Work, compared: Compared): void {
  const { db, options, hearing, within } = work;
  const days = utcDaysWithRaw(db, utcDaysOf(within));
  for (const [done, from] of days.entries()) {
    hearing.progress({ stage: "rollups against raw", done, of: days.length });
    const day = { from, to: from + UTC_DAY_MS };
    if (!isTailShort(db, day)) continue;
    const ids = seriesIds(db);
    for (let next = 0; next < ids.length; ) {
      let comparison: RollupComparison | undefined;
      next = lookAtSlice(db, ids, next, (series, read) => {
        comparison ??= createRollupComparison(db, { unsoundDays: work.unsoundDays, missing: options.keptSince });
        compareDay(work, comparison, { series, day, read }, compared);
      });
    }
  }
  hearing.progress({ stage: "rollups against raw", done: days.length, of: days.length });
}

type OneDay = { readonly series: SeriesId; readonly day: Span; readonly read: ReadRaw };

function compareDay({ hearing, unsound }: Work, comparison: RollupComparison, { series, day, read }: OneDay, compared: Compared): void {
  const raw = unsound.isDamaged(series, day) ? undefined : read(series, day);
  if (raw === undefined) return;
  compared.readings += raw.ts.length;
  for (const tier of TIERS) {
    const found = comparison.compare({ tier, series, day }, raw);
    // It has been told already.
    if (found.unit.packed === undefined) continue;
    compared.buckets += found.compared;
    compared.dirty += found.dirty;
    compared.bucketsLeft += found.left;
    // What a rebuild mends, and what it leaves, are two problems.
    const wrong = Map.groupBy(
      found.differences.filter(({ isExpected, isUnread }) => isUnread || !isExpected),
      ({ isUnread }) => isUnread,
    );
    for (const each of wrong.values()) tell(hearing, each, { series, day });
  }
}

function tell({ found }: Hearing, wrong: readonly Differing[], { series, day }: Pick<OneDay, "series" | "day">): void {
  const first = wrong[0] as Differing;
  const more = wrong.length === 1 ? "" : `, and ${wrong.length - 1} more of the day`;
  const kind = first.isFresh ? "rollup" : "packed-rollup";
  found({ kind, place: { series, day: utcDay(day.from) }, what: `${wordsOf(first)}${more}`, mend: mendOf(first, day) });
}

/** A rebuild leaves what is of readings that raw does not have: these may be had from a backup, or from nowhere. */
const mendOf = (first: Differing, day: Span): Mend => (first.isUnread ? restore : rebuildOf(spanToRebuild(first, day)));

/** A day; all of what is packed together is looked at by the rebuild of any of its days. */
const spanToRebuild = ({ tier, start }: Differing, day: Span): Span => ({ from: day.from, to: Math.min(day.to, unitEnd(tier, unitOf(tier, start))) });

const FIGURES = ["count", "min", "max", "first", "last", "firstTs", "lastTs", "sum", "mean", "m2", "area"] as const;

/** `the minute of 2026-01-31T10:05:00.000Z: count is 6, raw makes it 7`. */
export function wordsOf({ tier, start, stored, rebuilt }: Pick<Differing, "tier" | "start" | "stored" | "rebuilt">): string {
  const at = `the ${tierWord(tier)} of ${new Date(start).toISOString()}`;
  if (rebuilt === null) return `${at} is stored, and raw has no readings there`;
  if (stored === null) return `${at} is not stored, and raw has ${rebuilt.count} readings there`;
  const differing = FIGURES.find((name) => stored[name] !== rebuilt[name]);
  return differing === undefined ? `${at} says that it is approximate` : `${at}: ${differing} is ${stored[differing]}, raw makes it ${rebuilt[differing]}`;
}

const SUMMARIES_PER_READ = 100;

function compareSummaries({ db, options, hearing, within, unsound, unsoundDays }: Work, compared: Compared): void {
  const { zone } = options;
  const days = localDays(db, zone, within);
  for (const [done, day] of days.entries()) {
    hearing.progress({ stage: "summaries against raw", done, of: days.length });
    const { start, end } = dayBounds(zone, day);
    const ids = seriesIds(db);
    for (let next = 0; next < ids.length; next += SUMMARIES_PER_READ) {
      db.transaction(() => {
        const compare = createSummaryComparison(db, zone, unsoundDays);
        for (const series of ids.slice(next, next + SUMMARIES_PER_READ)) {
          if (unsound.isDamaged(series, { from: start, to: end })) continue;
          const found = compare(day, series);
          if (found.kind === "open") compared.open += 1;
          else if (found.kind === "left") compared.summariesLeft += 1;
          else if (found.kind !== "none") compared.summaries += 1;
          if (found.kind === "differs" || found.kind === "lost") {
            const mend: Mend = found.kind === "lost" ? restore : { kind: "summarize", day };
            hearing.found({ kind: "summary", place: { series, day }, what: found.what, mend });
          }
        }
      })();
    }
  }
  hearing.progress({ stage: "summaries against raw", done: days.length, of: days.length });
}

/** Days that have summaries, or readings. */
function localDays(db: Database, zone: ZoneTable, within: Span): Day[] {
  const summarized = db.prepare<[string], Day>("SELECT DISTINCT day FROM daily_summary WHERE zone = ?").pluck().all(zone.name);
  const withRaw = rawDays(db).map(({ day }) => dayOf(zone, day));
  return [...new Set([...summarized, ...withRaw])].filter((day) => dayBounds(zone, day).start >= within.from && dayBounds(zone, day).end <= within.to).sort();
}
