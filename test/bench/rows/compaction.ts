// Compaction of a journal: readings a second of the job alone, with the writer in its process, and through a gateway that takes 20,000
// readings a second meanwhile, and what that does to its PUBACKs.

import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compactedThrough } from "../../../src/storage/chunks.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { newestSeq } from "../../../src/storage/journal.ts";
import { type BesideRun, runBeside } from "../beside.ts";
import { measure } from "../child.ts";
import type { CompactionFigures } from "../compaction-process.ts";
import { makePast, pastBlocks, untilOf } from "../past.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";
import { EVERY_MS } from "../workload.ts";

const READINGS = 3_000_000;
const SERIES = 2000;
const RATE = 20_000;
const SECONDS_FACTOR = 5;
/** Runs of a gateway take long. */
const GATEWAY_RUNS_MAX = 3;
const LOOK_MS = 50;

type Alone = { readonly dry: CompactionFigures; readonly written: CompactionFigures };
/** `done`: how long the gateway took to compact what it found; undefined when it did not end within the load. */
type Gateways = { readonly calm: BesideRun<never>; readonly busy: BesideRun<number | undefined> };

export const compaction: Row = {
  name: "compaction",
  title: "compaction of the journal, alone and while 20,000 readings/s arrive",
  async run(options) {
    const folder = await mkdtemp(join(options.folder, "compaction-"));
    try {
      const today = options.readings ?? READINGS;
      options.say(`storing ${today} readings`);
      const kinds = [{ series: Math.min(SERIES, today), everyMs: EVERY_MS, days: 0 }];
      await makePast(folder, { kinds, until: untilOf(Date.now()), derived: "nothing", today, unsaved: 0 });
      const alone = await runAlone(options, folder);
      return figuresOf(alone, await runGateways(options, folder, alone[0]?.written.readings ?? 0));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Leaves a copy that is compacted in `compacted`. */
async function runAlone({ runs, say }: BenchOptions, folder: string): Promise<Alone[]> {
  const all: Alone[] = [];
  const compacted = join(folder, "compacted");
  for (let turn = 1; turn <= runs; turn += 1) {
    await rm(compacted, { recursive: true, force: true });
    await cp(join(folder, "data"), join(compacted, "data"), { recursive: true });
    const dry = await measure<CompactionFigures>("compaction-process.ts", [join(compacted, "data"), "--dry"]);
    const written = await measure<CompactionFigures>("compaction-process.ts", [join(compacted, "data")]);
    say(`run ${turn}: ${dry.cpuSeconds.toFixed(2)} and, written, ${written.cpuSeconds.toFixed(2)} s of processor time`);
    all.push({ dry, written });
  }
  return all;
}

async function runGateways(options: BenchOptions, folder: string, readings: number): Promise<Gateways[]> {
  const load = { connections: 100, series: 10_000, window: 2000, warmup: 0, seconds: options.seconds * SECONDS_FACTOR, rate: RATE };
  const all: Gateways[] = [];
  for (let turn = 1; turn <= Math.min(options.runs, GATEWAY_RUNS_MAX); turn += 1) {
    const calm = await runBeside<never>(options, { past: join(folder, "compacted"), blocks: pastBlocks(), load });
    // What was slept through is done at the start, and compaction comes first.
    const busy = await runBeside(options, { past: folder, blocks: pastBlocks(), load }, (_gateway, dataDir, signal) => awaitCompaction(dataDir, signal));
    all.push({ calm, busy });
    const took = busy.done === undefined ? "compaction did not end" : `${readings} readings compacted in ${busy.done.toFixed(1)} s`;
    options.say(`run ${turn}: PUBACK p99 ${calm.report.latency.p99} ms without, ${busy.report.latency.p99} ms with; ${took}`);
  }
  return all;
}

async function awaitCompaction(dataDir: string, signal: AbortSignal): Promise<number | undefined> {
  const begun = performance.now();
  const db = openDatabase(dataDir, { readonly: true });
  try {
    for (const target = newestSeq(db); compactedThrough(db) < target; await sleep(LOOK_MS)) if (signal.aborted) return undefined;
    return (performance.now() - begun) / 1000;
  } finally {
    db.close();
  }
}

function figuresOf(alone: readonly Alone[], gateways: readonly Gateways[]): Figure[] {
  const unit = "k readings/s";
  const rate = (of: (run: Alone) => CompactionFigures, by: "cpuSeconds" | "seconds"): number =>
    median(alone.map((run) => of(run).readings / of(run)[by])) / 1000;
  const readings = alone[0]?.written.readings ?? 0;
  const took = gateways.map(({ busy }) => busy.done ?? Number.POSITIVE_INFINITY);
  const problem = gateways.flatMap(({ calm, busy }) => [calm.problem, busy.problem]).find((each) => each !== undefined);
  const p99 = (of: "calm" | "busy"): number => median(gateways.map((run) => run[of].report.latency.p99));
  return [
    { what: "job alone, processor time", value: rate(({ dry }) => dry, "cpuSeconds"), unit },
    { what: "with its writer, processor time", value: rate(({ written }) => written, "cpuSeconds"), unit },
    { what: "with its writer, by the clock", value: rate(({ written }) => written, "seconds"), unit },
    { what: "through a gateway under load", value: readings / median(took) / 1000, unit, ...(problem === undefined ? {} : { problem }) },
    { what: "PUBACK p99 without", value: p99("calm"), unit: "ms" },
    { what: "PUBACK p99 while it compacts", value: p99("busy"), unit: "ms" },
    { what: "ratio", value: median(gateways.map(({ calm, busy }) => busy.report.latency.p99 / calm.report.latency.p99)), unit: "" },
  ];
}
