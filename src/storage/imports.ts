// Files of history that are brought in: how far each is taken, written with the last row of a block, so that one that was cut short goes
// on there. What is known of a file is kept until others need the room.

import { LATE } from "../engine/reading.ts";
import type { EpochMs, SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { createChunkReader, type Span } from "./chunks.ts";
import type { Database } from "./database.ts";

/** Files that are remembered; the ones that ended longest ago go first. */
const IMPORTS_MAX = 1000;

/** Counts since the file's beginning, however often it was begun. */
export type ImportProgress = {
  /** Bytes (decompressed) and lines that are in. */
  readonly offset: number;
  readonly lines: number;
  /** Readings that are new. */
  readonly readings: number;
  /** Readings of instants that were there already: with the same value, and with another. */
  readonly duplicates: number;
  readonly conflicts: number;
  /** Readings that were left out, as they may be among those that retention took; not there in what an earlier release wrote. */
  readonly doubtful?: number;
  /** Lines, or parts of lines, that could not be taken, by what they are about. */
  readonly problems: Readonly<Record<string, number>>;
  /** Values that were none, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
};

export type ImportRow = {
  readonly kind: "import";
  readonly key: string;
  readonly file: string;
  readonly at: EpochMs;
  readonly isOver: boolean;
  /** Event times of what the block brought; null: nothing. */
  readonly span: Span | null;
  readonly progress: ImportProgress;
};

export type Import = {
  readonly file: string;
  readonly beganAt: EpochMs;
  /** Null: not all of it is in. */
  readonly endedAt: EpochMs | null;
  /** Event times that it brought, `to` exclusive. */
  readonly span: Span | null;
  readonly progress: ImportProgress;
};

/** @returns a function that writes how far a file is taken; call it within a transaction */
export function createImportWriter(db: Database): (row: ImportRow) => void {
  const write = db.prepare(`INSERT INTO import VALUES (@key, @file, @at, @at, @endedAt, @from, @to, @progress) ON CONFLICT DO UPDATE
    SET changed_at = excluded.changed_at, ended_at = excluded.ended_at, progress = excluded.progress,
      first_ts = min(coalesce(first_ts, excluded.first_ts), coalesce(excluded.first_ts, first_ts)),
      last_ts = max(coalesce(last_ts, excluded.last_ts), coalesce(excluded.last_ts, last_ts))`);
  const forget = db.prepare("DELETE FROM import WHERE key IN (SELECT key FROM import WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT -1 OFFSET ?)");
  const runsOf = db.prepare<[string], string | null>("SELECT progress ->> '$.runs' FROM import WHERE key = ?").pluck();
  return ({ key, file, at, isOver, span, progress }) => {
    // A file that was cut short has readings of several arrivals, and each of them is known by its own.
    const runs = new Set([...(JSON.parse(runsOf.get(key) ?? "[]") as EpochMs[]), at]);
    write.run({
      key,
      file,
      at,
      endedAt: isOver ? at : null,
      from: span?.from ?? null,
      to: span === null ? null : span.to - 1,
      progress: JSON.stringify({ ...progress, runs: [...runs] }),
    });
    if (isOver) forget.run(IMPORTS_MAX);
  };
}

type Stored = { file: string; began_at: EpochMs; ended_at: EpochMs | null; first_ts: EpochMs | null; last_ts: EpochMs | null; progress: string };

export function readImport(db: Database, key: string): Import | undefined {
  const row = db.prepare<[string], Stored>("SELECT * FROM import WHERE key = ?").get(key);
  if (row === undefined) return undefined;
  const { file, began_at: beganAt, ended_at: endedAt, first_ts: first, last_ts: last, progress } = row;
  const span = first === null || last === null ? null : { from: first, to: last + 1 };
  const { runs: _, ...rest } = JSON.parse(progress) as ImportProgress & { runs?: unknown };
  return { file, beganAt, endedAt, span, progress: rest };
}

/** Whether readings of a time were imported, as far as it is remembered. */
export function wasImported(db: Database, { from, to }: Span): boolean {
  return db.prepare<[number, number], 1>("SELECT 1 FROM import WHERE first_ts < ? AND last_ts >= ? LIMIT 1").pluck().get(to, from) === 1;
}

/**
 * @returns whether a series has readings of a time that were imported, as far as it is remembered: they are late, and arrived when a run of
 * an import began. Where chunks came from is forgotten when they are merged; arrivals are not.
 */
export function createImportedFinder(db: Database, { from, to }: Span): (series: SeriesId) => boolean {
  const rows = db.prepare<[], { began: EpochMs; changed: EpochMs; runs: string | null }>(
    "SELECT began_at AS began, changed_at AS changed, progress ->> '$.runs' AS runs FROM import",
  );
  const arrivals = new Set(rows.all().flatMap(({ began, changed, runs }) => [began, changed, ...(JSON.parse(runs ?? "[]") as EpochMs[])]));
  const chunks = createChunkReader(db);
  return (series) => {
    if (arrivals.size === 0 || !chunks.hasLate(series, { from, to })) return false;
    for (const { late, at } of chunks.read(series, { from, to }, { at: true })) {
      if (late.some((mark, index) => mark === LATE && arrivals.has(at[index] as number))) return true;
    }
    return false;
  };
}

/** Source of series that no topic brought yet; their first live reading puts its own in place. */
export const IMPORT_SOURCE = "import";

export const seriesLimit = (there: number, more: number, max: number): GatewayError =>
  new GatewayError("series_limit", `the file brings ${more} series that are new, and there are ${there} of at most ${max}`, {
    hint: "raise mqtt.limits.series, or look whether a label holds what differs from reading to reading",
  });
