// What the tables of a data directory take, as bytes of their blobs and as pages of the file, before and, when asked, after compaction
// and packing. A process of its own. Takes what to do as JSON on the command line; prints its figures as a line of JSON.

import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { utc } from "../../src/engine/calendar.ts";
import type { EpochMs } from "../../src/engine/units.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { writeFinished } from "../../src/storage/finished.ts";
import { placesOf } from "./walks.ts";

/** @param compactAt what time it is then; undefined: only the journal is asked for */
export type BytesTask = { readonly dataDir: string; readonly compactAt?: EpochMs };
export type Taken = { readonly blobs: number; readonly pages: number };
export type BytesFigures = {
  readonly commits: number;
  readonly readings: number;
  readonly journal: Taken;
  /** Rows of buckets as the stream wrote them. */
  readonly rollups: Taken;
  /** `decimals`: readings and blobs of the series of one decimal, and of two. */
  readonly compacted?: Taken & { readonly readings: number; readonly decimals: readonly { readonly readings: number; readonly blobs: number }[] };
  readonly packed?: Taken;
};

async function weigh({ dataDir, compactAt }: BytesTask): Promise<BytesFigures> {
  const db = openDatabase(dataDir, { readonly: false });
  db.pragma("wal_checkpoint(TRUNCATE)");
  const journal = db
    .prepare<[], { commits: number; readings: number; blobs: number }>(
      "SELECT count(*) AS commits, sum(count) AS readings, sum(length(body) + length(series)) AS blobs FROM journal WHERE count > 0",
    )
    .get() as { commits: number; readings: number; blobs: number };
  const pages = pagesOf(db);
  const stream = { blobs: blobsOf(db, "rollup"), pages: pages("rollup") };
  const figures = { commits: journal.commits, readings: journal.readings, journal: { blobs: journal.blobs, pages: pages("journal") }, rollups: stream };
  if (compactAt === undefined) return figures;
  await runCompaction(db, { zone: utc, now: compactAt, settles: true, packs: true }, (rows) => writeFinished(db, rows));
  const byDecimals = db.prepare<[number], { readings: number; blobs: number }>(
    "SELECT sum(count) AS readings, sum(length(body)) AS blobs FROM chunk WHERE series % 2 = ?",
  );
  const decimals = [0, 1].filter((id) => placesOf(id) > 0).map((id) => byDecimals.get(id) as { readings: number; blobs: number });
  const readings = decimals.reduce((sum, each) => sum + (each.readings ?? 0), 0);
  const compacted = { readings, blobs: blobsOf(db, "chunk"), pages: pages("chunk"), decimals };
  const packed = { blobs: blobsOf(db, "packed_rollup") + blobsOf(db, "rollup"), pages: pages("packed_rollup") + pages("rollup") };
  db.close();
  return { ...figures, compacted, packed };
}

const blobsOf = (db: Database, table: string): number => db.prepare<[], number>(`SELECT coalesce(sum(length(body)), 0) FROM ${table}`).pluck().get() as number;

/** @returns bytes of the pages of a table, its indexes, and the tables that SQLite keeps for it */
function pagesOf(db: Database): (table: string) => number {
  const sum = db
    .prepare<[string, string, string], number>(
      `SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE aggregate = TRUE AND
       (name = ? OR name LIKE ? || '\\_span%' ESCAPE '\\' OR name IN (SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?))`,
    )
    .pluck();
  return (table) => sum.get(table, table, table) as number;
}

process.stdout.write(`${JSON.stringify(await weigh(JSON.parse(process.argv[2] as string) as BytesTask))}\n`);
