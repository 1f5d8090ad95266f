// Fills a data directory through the pipeline, as a gateway would, and ends as by kill -9: nothing is closed. A process of its own, so
// that its heap is not measured. Takes its load as JSON on the command line; prints what it stored as a line of JSON.

import { loadConfig } from "../../src/config.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { pipelineOver } from "./bench-pipeline.ts";
import { createReadings } from "./workload.ts";

export type StoreLoad = {
  /** The config whose rules are in force; the data go where it says. */
  readonly config: string;
  readonly series: number;
  readonly readings: number;
  /** When the first was measured, epoch ms. */
  readonly start: number;
  /** Readings of a row of the journal; of the last `tail` readings and of those before. */
  readonly tailRow: number;
  readonly tail: number;
  readonly row: number;
};
export type Stored = { readonly rows: number; readonly accepted: number };

function store({ config, series, readings, start, tail, tailRow, row }: StoreLoad): Stored {
  const loaded = loadConfig(config);
  if (loaded.kind === "invalid") throw new Error(loaded.problems.map(({ message }) => message).join("; "));
  const db = openDatabase(loaded.config.gateway.dataDir, { readonly: false });
  db.pragma("synchronous = OFF"); // what is measured begins when it is there
  const pipeline = pipelineOver(db);
  pipeline.turn({ inputs: [{ kind: "rules", at: start, up: 0, plan: loaded.config.plan }], finished: [] });
  const load = createReadings({ series, start });
  while (load.taken() < readings) {
    const size = load.taken() < readings - tail ? Math.min(row, readings - tail - load.taken()) : Math.min(tailRow, readings - load.taken());
    pipeline.turn({ inputs: [load.take(size)], finished: [] });
  }
  return { rows: pipeline.seq(), accepted: pipeline.engine.books().accepted };
}

process.stdout.write(`${JSON.stringify(store(JSON.parse(process.argv[2] as string) as StoreLoad))}\n`, () => process.kill(process.pid, "SIGKILL"));
