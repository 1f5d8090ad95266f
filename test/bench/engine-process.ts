// One engine under one load, as a process of its own, so that neither its heap nor what V8 has learned is another's. Takes its load as
// JSON on the command line, prints its figures as a line of JSON. Needs --expose-gc.

import { createEngine } from "../../src/engine/engine.ts";
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

function run({ series, matching, others = 0, window, warmup, measured }: EngineLoad): EngineFigures {
  const shape = window === undefined ? {} : { window };
  const plan = planOf([...mixedRules(matching, shape), ...mixedRules(others, { metric: "humidity" })]);
  const before = usedBytes();
  const engine = createEngine();
  engine.step([{ kind: "rules", at: START, up: 0, plan }], { now: START, up: 0 });
  const readings = createReadings({ series, start: START });
  const feed = (until: number): void => {
    while (readings.taken() < until) {
      const input = readings.take(Math.min(BATCH, until - readings.taken()));
      engine.step([input], { now: input.at, up: input.up });
    }
  };
  feed(series * warmup);
  const begun = process.cpuUsage();
  feed(series * warmup + measured);
  const { user, system } = process.cpuUsage(begun);
  const bytes = usedBytes() - before;
  const { accepted } = engine.books();
  if (accepted !== readings.taken()) throw new Error(`${readings.taken()} readings given, ${accepted} accepted`);
  return { perSecond: (measured * 1e6) / (user + system), bytes };
}

function usedBytes(): number {
  (globalThis.gc as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

process.stdout.write(`${JSON.stringify(run(JSON.parse(process.argv[2] as string) as EngineLoad))}\n`);
