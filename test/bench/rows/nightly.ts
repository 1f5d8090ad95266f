// The nightly summary of a day of 10-second readings beside DuckDB, which works out the figures that both have from a table of its own,
// loaded before the clock starts, with one thread. The summary also reckons gaps, holds the stream's rollups against the batch, and
// writes what it found, durably.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { measure } from "../child.ts";
import type { DuckdbFigures, DuckdbTask } from "../duckdb-process.ts";
import type { NightlyFigures } from "../nightly-process.ts";
import { DAY_MS, dayBefore, makePast, untilOf } from "../past.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";
import { EVERY_MS } from "../workload.ts";

const READINGS = 8_640_000;
const READINGS_PER_SERIES = DAY_MS / EVERY_MS;

type Turn = { readonly ours: NightlyFigures; readonly table: DuckdbFigures; readonly parquet: DuckdbFigures };

export const nightly: Row = {
  name: "nightly",
  title: "nightly summary of a day, one core, beside DuckDB with one thread",
  async run(options) {
    const folder = await mkdtemp(join(options.folder, "nightly-"));
    try {
      const until = untilOf(Date.now());
      const series = Math.max(1, Math.round((options.readings ?? READINGS) / READINGS_PER_SERIES));
      options.say(`storing a day of ${series} series`);
      await makePast(folder, { kinds: [{ series, everyMs: EVERY_MS, days: 1 }], until, derived: "rollups", today: series, unsaved: 0 });
      return figuresOf(await takeTurns(options, folder, dayBefore(until)), series * READINGS_PER_SERIES);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function takeTurns({ runs, say }: BenchOptions, folder: string, day: string): Promise<Turn[]> {
  const dataDir = join(folder, "data");
  const duckdb = (what: DuckdbTask["what"]) =>
    measure<DuckdbFigures>("duckdb-process.ts", [JSON.stringify({ what, dataDir, day, folder } satisfies DuckdbTask)]);
  await duckdb("load");
  const turns: Turn[] = [];
  for (let turn = 1; turn <= runs; turn += 1) {
    const ours = await measure<NightlyFigures>("nightly-process.ts", [dataDir, day]);
    turns.push({ ours, table: await duckdb("table"), parquet: await duckdb("parquet") });
    say(`run ${turn}: ${secondsOf(turns.at(-1) as Turn).join(", ")} s of processor time`);
  }
  return turns;
}

const secondsOf = ({ ours, table, parquet }: Turn): string[] => [ours, table, parquet].map(({ cpuSeconds }) => cpuSeconds.toFixed(2));

function figuresOf(turns: readonly Turn[], readings: number): Figure[] {
  const rate = (of: (turn: Turn) => number): number => median(turns.map((turn) => readings / of(turn))) / 1000;
  const ratio = (peer: "table" | "parquet"): number => median(turns.map((turn) => turn[peer].cpuSeconds / turn.ours.cpuSeconds));
  const unit = "k readings/s";
  const problems = turns.flatMap(({ ours, table, parquet }) => [
    ...[ours, table, parquet].flatMap((each) => (each.readings === readings ? [] : [`${each.readings} of ${readings} readings`])),
    ...[table, parquet].flatMap(({ differing }) => (differing === null ? [] : [differing])),
  ]);
  const problem = problems[0] === undefined ? {} : { problem: problems[0] };
  return [
    { what: "by processor time", value: rate(({ ours }) => ours.cpuSeconds), unit, budget: { sense: "at least", limit: 1000, aim: 5000 }, ...problem },
    { what: "by the clock on the wall", value: rate(({ ours }) => ours.seconds), unit },
    { what: "DuckDB, its own table", value: rate(({ table }) => table.cpuSeconds), unit },
    { what: "DuckDB, Parquet", value: rate(({ parquet }) => parquet.cpuSeconds), unit },
    { what: "ratio to DuckDB, table", value: ratio("table"), unit: "", budget: { sense: "at least", limit: 0.3, aim: 1 } },
    { what: "ratio to DuckDB, Parquet", value: ratio("parquet"), unit: "" },
  ];
}
