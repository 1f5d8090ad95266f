// One engine under one load, alone or in its pipeline, as a process of its own, so that neither its heap nor what V8 has learned is
// another's. Takes its load as JSON on the command line, prints its figures as a line of JSON. Needs --expose-gc.

import { join } from "node:path";
import type { Engine } from "../../src/engine/contract.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { pipelineOver } from "./bench-pipeline.ts";
import { planOf } from "./bench-plan.ts";
import { createReadings, mixedRules, type WindowShape } from "./workload.ts";

export type EngineLoad = {
  readonly series: number;
  /** Rules that match every series. */
  readonly matching: number;
  /** Rules that match none. */
  readonly others?: number;
  readonly window?: WindowShape;
  /** Readings of each series before the measured ones. */
  readonly warmup: number;
  /** Readings that are measured, of all series together. */
  readonly measured: number;
  /** Where there is one, each turn is committed as well, to a database there. */
  readonly folder?: string;
};
export type EngineFigures = {
  /** Of processor time, all threads of the process counted. */
  readonly perSecond: number;
  /** Of the engine's state at the end, on and off the heap. */
  readonly bytes: number;
};

/** Readings of one step: a turn at 20,000 readings/s and more. */
const BATCH = 400;
const START = Date.UTC(2026, 0, 1);
/** Of a load that is only there to be learned by. */
const LEARNED = { series: 1000, warmup: 0, measured: 600_000 } as const;

/** @returns what hears the inputs, and its engine */
function open(folder: string | undefined): { readonly engine: Engine; hear(input: Input): void } {
  if (folder === undefined) {
    const engine = createEngine();
    return { engine, hear: (input) => void engine.step([input], { now: input.at, up: input.up }) };
  }
  const pipeline = pipelineOver(openDatabase(folder, { readonly: false }));
  return { engine: pipeline.engine, hear: (input) => void pipeline.turn({ inputs: [input], finished: [] }) };
}

/** Hears a load, and says how long its measured part took, in µs of processor time. */
function hearAll({ series, matching, others = 0, window, warmup, measured, folder }: EngineLoad): { readonly engine: Engine; readonly micros: number } {
  const shape = window === undefined ? {} : { window };
  const plan = planOf([...mixedRules(matching, shape), ...mixedRules(others, { metric: "humidity" })]);
  const { engine, hear } = open(folder);
  hear({ kind: "rules", at: START, up: 0, plan });
  const readings = createReadings({ series, start: START });
  const feed = (until: number): void => {
    while (readings.taken() < until) {
      hear(readings.take(Math.min(BATCH, until - readings.taken())));
    }
  };
  feed(series * warmup);
  const begun = process.cpuUsage();
  feed(series * warmup + measured);
  const { user, system } = process.cpuUsage(begun);
  const { accepted } = engine.books();
  if (accepted !== readings.taken()) throw new Error(`${readings.taken()} readings given, ${accepted} accepted`);
  return { engine, micros: user + system };
}

function run(load: EngineLoad): EngineFigures {
  // V8 compiles what is hot as it goes: all loads begin with what it has learned by the same readings.
  hearAll({ ...load, ...LEARNED, ...(load.folder === undefined ? {} : { folder: join(load.folder, "learned") }) });
  const before = usedBytes();
  const { engine, micros } = hearAll(load);
  const bytes = usedBytes() - before;
  // It must still be there when its bytes are counted.
  if (engine.up() === 0) throw new Error("no time has passed");
  return { perSecond: (load.measured * 1e6) / micros, bytes };
}

function usedBytes(): number {
  (globalThis.gc as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

process.stdout.write(`${JSON.stringify(run(JSON.parse(process.argv[2] as string) as EngineLoad))}\n`);
