// Back to ready after kill -9 with more than ten million readings stored, of 10,000 series with 20 rules each. The last snapshot was begun
// almost a million readings ago, which is as long as it gets: they are stepped again.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { startGateway } from "../../../simulators/gateway.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";
import { fill, mixedBlocks } from "../stored.ts";

const READINGS = 10_990_000;
const LOAD = { series: 10_000, readings: READINGS, row: 10_000, tail: 990_000, tailRow: 400 };

export const recovery: Row = {
  name: "recovery",
  title: "from kill -9 to ready, 10,990,000 readings stored",
  async run(options) {
    const folder = await mkdtemp(join(options.folder, "recovery-"));
    try {
      options.say("storing readings");
      const { accepted } = await fill(folder, LOAD);
      const starts: Start[] = [];
      for (let turn = 1; turn <= Math.min(3, options.runs); turn++) starts.push(await start(options, folder, turn));
      return figuresOf(starts, accepted);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

type Start = { readonly seconds: number; readonly accepted: number };

/** Kills it again at once, so that the next start finds the same. */
async function start({ say, nodeOptions }: BenchOptions, folder: string, turn: number): Promise<Start> {
  const begun = performance.now();
  const gateway = await startGateway(folder, { name: "bench", blocks: mixedBlocks() }, { nodeOptions });
  const seconds = (performance.now() - begun) / 1000;
  const { accepted } = (await gateway.status()).readings;
  process.kill(gateway.pid, "SIGKILL");
  await gateway.exited;
  say(`start ${turn}: ready after ${seconds.toFixed(2)} s`);
  return { seconds, accepted };
}

function figuresOf(starts: readonly Start[], stored: number): Figure[] {
  const lost = starts.find(({ accepted }) => accepted !== stored);
  const value = median(starts.map(({ seconds }) => seconds));
  const budget = { sense: "at most", limit: 10, aim: 2 } as const;
  return [{ what: "to ready", value, unit: "s", budget, ...(lost === undefined ? {} : { problem: `${stored} readings stored, ${lost.accepted} there` }) }];
}
