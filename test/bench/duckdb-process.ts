// DuckDB, the peer of the nightly summary, as a process of its own: `load` takes the readings of a day out of a data directory into a
// native table and a Parquet file; `table` and `parquet` work out the same figures of each series from one of them, with one thread, and
// hold them against the stored summaries. Takes what to do as JSON on the command line; prints its figures as a line of JSON.

import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { dayBounds, utc } from "../../src/engine/calendar.ts";
import type { DaySummary } from "../../src/engine/summary.ts";
import { createChunkReader } from "../../src/storage/chunks.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { seriesIds } from "../../src/storage/series-query.ts";

export type DuckdbTask = { readonly what: "load" | "table" | "parquet"; readonly dataDir: string; readonly day: string; readonly folder: string };
/** `differing`: the first series whose figures are not those of the summaries, with both. */
export type DuckdbFigures = {
  readonly readings: number;
  readonly series: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly differing: string | null;
};

const figuresOf = (from: string): string => `SELECT series, count(*)::DOUBLE, min(value), max(value), avg(value), stddev_samp(value),
  quantile_disc(value, 0.5), quantile_disc(value, 0.95), quantile_disc(value, 0.99), arg_min(value, ts), arg_max(value, ts) FROM ${from} GROUP BY series`;
/** In the order of the query; of the summaries. */
const names = ["count", "min", "max", "avg", "stddev", "p50", "p95", "p99", "first", "last"] as const;
/** Sums may be rounded otherwise. */
const TOLERANCE = 1e-9;

const task = JSON.parse(process.argv[2] as string) as DuckdbTask;
const parquet = join(task.folder, "day.parquet");
const duckdb = await DuckDBInstance.create(join(task.folder, "day.duckdb"), { threads: "1" });
const connection = await duckdb.connect();
process.stdout.write(`${JSON.stringify(await (task.what === "load" ? load() : ask(task.what)))}\n`);
connection.closeSync();
duckdb.closeSync();

async function load(): Promise<DuckdbFigures> {
  const [db, { start, end }] = [openDatabase(task.dataDir, { readonly: true }), dayBounds(utc, task.day)];
  const chunks = createChunkReader(db);
  await connection.run("CREATE TABLE reading (series INTEGER, ts BIGINT, value DOUBLE)");
  const appender = await connection.createAppender("reading");
  let readings = 0;
  const ids = seriesIds(db);
  for (const series of ids) {
    for (const { ts, value } of chunks.read(series, { from: start, to: end })) {
      for (let index = 0; index < ts.length; index += 1) {
        appender.appendInteger(series);
        appender.appendBigInt(BigInt(ts[index] as number));
        appender.appendDouble(value[index] as number);
        appender.endRow();
      }
      readings += ts.length;
    }
  }
  appender.closeSync();
  await connection.run("CHECKPOINT");
  await connection.run(`COPY reading TO '${parquet}' (FORMAT parquet)`);
  db.close();
  return { readings, series: ids.length, cpuSeconds: 0, seconds: 0, differing: null };
}

async function ask(what: "table" | "parquet"): Promise<DuckdbFigures> {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  const rows = (await connection.runAndReadAll(figuresOf(what === "table" ? "reading" : `'${parquet}'`))).getRows() as number[][];
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - begun) / 1000;
  const readings = rows.reduce((sum, row) => sum + (row[1] as number), 0);
  return { readings, series: rows.length, cpuSeconds: (user + system) / 1e6, seconds, differing: firstDifference(rows) };
}

function firstDifference(rows: readonly number[][]): string | null {
  const db = openDatabase(task.dataDir, { readonly: true });
  const stored = db.prepare<[string, string], { series: number; body: string }>("SELECT series, body FROM daily_summary WHERE zone = ? AND day = ?");
  const summaries = new Map(stored.all(utc.name, task.day).map(({ series, body }) => [series, JSON.parse(body) as DaySummary]));
  db.close();
  if (summaries.size !== rows.length) return `${summaries.size} series are summarised, DuckDB has ${rows.length}`;
  for (const [series, ...theirs] of rows) {
    const summary = summaries.get(series as number);
    const ours = names.map((name) => summary?.[name]);
    if (!ours.every((each, index) => isSame(each ?? Number.NaN, theirs[index] as number)))
      return `series ${series}: ${ours.join(", ")} and ${theirs.join(", ")}`;
  }
  return null;
}

function isSame(ours: number, theirs: number): boolean {
  return Math.abs(ours - theirs) <= TOLERANCE * Math.max(Math.abs(ours), Math.abs(theirs));
}
