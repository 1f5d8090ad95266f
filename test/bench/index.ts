// `npm run bench [row…]`: measures the gateway against its budgets and its peers, in processes of their own, and prints a table.
// Exit code 0 when every budget is met, 1 when one is missed, 2 for bad usage. Nothing of it is part of the tests: it needs a quiet machine.

import { closeSync, fsyncSync, openSync, statfsSync, unlinkSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { numberOption, runScript, textOptions } from "../../simulators/script.ts";
import { type Figure, median, verdictOf } from "./row.ts";
import { rows } from "./rows/index.ts";
import { tableOf } from "./table.ts";

const usage = `npm run bench -- [options] [row…]
  rows          ${rows.map((row) => row.name).join(", ")} (all)
  --runs N      interleaved runs of each contestant; the median counts (5)
  --seconds N   measured seconds of a run (4)
  --readings N  readings that the rows of the store are about (each row's own;
                100,000,000 in the row queries)
  --recordings DIR  CSV files with the columns timestamp,value: what they take
                when they are compacted (row bytes)
  --dir DIR     where the data are written: its disk is measured (the system's
                temporary folder, or the current one where that is in memory)
  --prof DIR    writes CPU profiles of the gateway there
  --json        one JSON object instead of tables`;

const TMPFS = 0x01021994;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...textOptions("runs", "seconds", "readings", "recordings", "dir", "prof"), json: { type: "boolean" }, help: { type: "boolean" } },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const unknown = positionals.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) throw new RangeError(`there is no row ${unknown}; rows are ${rows.map((row) => row.name).join(", ")}`);
  const chosen = rows.filter((row) => positionals.length === 0 || positionals.includes(row.name));
  const folder = await mkdtemp(join(values.dir ?? (isInMemory(tmpdir()) ? "." : tmpdir()), ".highwater-bench-"));
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const options = {
    runs: Math.max(1, numberOption(values, "runs", 5)),
    seconds: numberOption(values, "seconds", 4),
    ...(values.readings === undefined ? {} : { readings: Math.max(1, numberOption(values, "readings", 0)) }),
    ...(values.recordings === undefined ? {} : { recordings: values.recordings }),
    folder,
    nodeOptions: values.prof === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.prof}`],
    say,
  };
  const results: { row: string; title: string; figures: readonly (Figure & { verdict: string })[] }[] = [];
  try {
    const machine = describeMachine(folder);
    if (!values.json) process.stdout.write(`${machine}\n`);
    for (const row of chosen) {
      const figures = (await row.run(options)).map((figure) => ({ ...figure, verdict: verdictOf(figure) }));
      results.push({ row: row.name, title: row.title, figures });
      if (!values.json) process.stdout.write(`\n${tableOf(row.title, figures)}\n`);
    }
    if (values.json) process.stdout.write(`${JSON.stringify({ machine, results })}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return results.some((result) => result.figures.some((figure) => figure.verdict === "MISSED")) ? 1 : 0;
}

const isInMemory = (folder: string): boolean => statfsSync(folder).type === TMPFS;

function describeMachine(folder: string): string {
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  const disk = isInMemory(folder) ? "IN MEMORY: fsync costs nothing here" : `fsync of 4 KiB ${medianFsyncMs(folder).toFixed(2)} ms`;
  return `Node ${process.versions.node}, ${availableParallelism()} × ${processor}; ${disk}`;
}

function medianFsyncMs(folder: string): number {
  const file = join(folder, "fsync");
  const handle = openSync(file, "w");
  const block = Buffer.alloc(4096, 1);
  const samples = Array.from({ length: 50 }, () => {
    const from = performance.now();
    writeSync(handle, block);
    fsyncSync(handle);
    return performance.now() - from;
  });
  closeSync(handle);
  unlinkSync(file);
  return median(samples);
}

if (import.meta.main) runScript(main);
