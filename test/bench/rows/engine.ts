// The engine alone: readings per second of processor time through `engine.step`, without I/O, each load in a fresh process; bytes of
// state; and what a reading costs more when series, history, windows and rules that do not match grow a hundredfold, with its commit, as
// the processor thread spends it, and in the engine alone.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { measure } from "../child.ts";
import type { EngineFigures, EngineLoad } from "../engine-process.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";
import { MINUTE, type WindowShape } from "../workload.ts";

/** Readings of each series that fill an hour, so that every window turns over. */
const HOUR = 360;
const BASE: EngineLoad = { series: 1000, matching: 20, warmup: HOUR, measured: 300_000 };
const DAY_WINDOW: WindowShape = { sizeMs: 1440 * MINUTE, slideMs: MINUTE };

const LOADS: readonly (readonly [string, EngineLoad])[] = [
  ["1 rule, 1,000 series", { ...BASE, matching: 1 }],
  ["20 rules, 1,000 series", BASE],
  ["200 rules, 1,000 series", { ...BASE, matching: 200, measured: 100_000 }],
  ["windows of 1m every 10s", { ...BASE, series: 100, window: { sizeMs: MINUTE, slideMs: 10_000 } }],
  ["windows of 24h every 1m", { ...BASE, series: 100, window: DAY_WINDOW, warmup: 24 * HOUR }],
  ["20 rules, 100 series", { ...BASE, series: 100 }],
  ["20 rules, 10,000 series", { ...BASE, series: 10_000, warmup: 120 }],
  ["20 rules, 100,000 series", { ...BASE, series: 100_000, warmup: 8 }],
];

/** Each a hundredfold of the other. */
const GROWTHS: readonly (readonly [string, EngineLoad, EngineLoad])[] = [
  ["100 × the series", { ...BASE, series: 100, warmup: 120 }, { ...BASE, series: 10_000, warmup: 120 }],
  ["100 × the history", { ...BASE, series: 100, warmup: 200 }, { ...BASE, series: 100, warmup: 20_000 }],
  [
    "100 × the windows' length",
    { ...BASE, series: 100, warmup: 18 * HOUR, window: { sizeMs: 10 * MINUTE, slideMs: MINUTE } },
    { ...BASE, series: 100, warmup: 18 * HOUR, window: { sizeMs: 1000 * MINUTE, slideMs: MINUTE } },
  ],
  ["100 × the other rules", { ...BASE, others: 20 }, { ...BASE, others: 2000 }],
];
const FLAT = { sense: "at most", limit: 1.5, aim: 1.1 } as const;

export const engine: Row = {
  name: "engine",
  title: "the engine alone: readings a second of processor time; cost as things grow",
  run: async (options) => [...(await speeds(options)), ...(await growths(options))],
};

const run = (load: EngineLoad): Promise<EngineFigures> => measure<EngineFigures>("engine-process.ts", [JSON.stringify(load)], ["--expose-gc"]);

async function speeds({ say }: BenchOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [what, load] of LOADS) {
    const { perSecond, bytes } = await run(load);
    say(`${what}: ${Math.round(perSecond).toLocaleString("en-US")} readings/s`);
    figures.push({ what, value: perSecond, unit: "readings/s" });
    if (load === BASE) figures.push(...stateOf(load, bytes));
  }
  return figures;
}

function stateOf({ series, matching }: EngineLoad, bytes: number): Figure[] {
  return [
    { what: "  state of a series", value: bytes / series, unit: "bytes" },
    { what: "  of a series and rule", value: bytes / series / matching, unit: "bytes" },
  ];
}

async function growths(options: BenchOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [what, small, large] of GROWTHS) {
    figures.push({ what, value: await growth(what, small, large, options), unit: "× the cost", budget: FLAT });
    figures.push({ what: "  in the engine alone", value: await growth(`${what}, alone`, small, large, { ...options, folder: undefined }), unit: "× the cost" });
  }
  return figures;
}

/** Contestants take turns, so that what the machine does besides weighs on both. @param options.folder undefined: nothing is committed */
async function growth(
  what: string,
  small: EngineLoad,
  large: EngineLoad,
  { runs, say, folder }: Pick<BenchOptions, "runs" | "say"> & { readonly folder: string | undefined },
): Promise<number> {
  const ratios: number[] = [];
  for (let turn = 0; turn < runs; turn++) {
    const one = await runIn(folder, small);
    const other = await runIn(folder, large);
    ratios.push(one.perSecond / other.perSecond);
  }
  say(`${what}: ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")}`);
  return median(ratios);
}

async function runIn(folder: string | undefined, load: EngineLoad): Promise<EngineFigures> {
  if (folder === undefined) return run(load);
  const own = await mkdtemp(join(folder, "engine-"));
  try {
    return await run({ ...load, folder: own });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
