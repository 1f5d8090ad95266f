// Exact replay from disk: the journal of 1,000 series, each matched by 20 rules, decoded, stepped and compared with the live run, on one
// core. The rows are as large as those of a gateway that takes 20,000 readings a second.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { measure } from "../child.ts";
import type { ReplayFigures } from "../replay-process.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";
import { fill } from "../stored.ts";

const READINGS = 2_000_000;
const ROW = 400;

export const replay: Row = {
  name: "replay",
  title: "exact replay from disk, 1,000 series, 20 rules on each, one core",
  async run(options) {
    const folder = await mkdtemp(join(options.folder, "replay-"));
    try {
      await fill(folder, { series: 1000, readings: READINGS, row: ROW, tail: 0, tailRow: ROW });
      return figuresOf(await repeat(options, join(folder, "data")));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function repeat({ runs, say }: BenchOptions, dataDir: string): Promise<ReplayFigures[]> {
  const all: ReplayFigures[] = [];
  for (let turn = 1; turn <= runs; turn++) {
    const figures = await measure<ReplayFigures>("replay-process.ts", [dataDir]);
    say(`run ${turn}: ${Math.round(figures.perSecond).toLocaleString("en-US")} readings/s`);
    all.push(figures);
  }
  return all;
}

function figuresOf(all: readonly ReplayFigures[]): Figure[] {
  const [first] = all;
  const differing = all.reduce((sum, figures) => sum + figures.differing, 0);
  const problem = first === undefined || differing > 0 || first.readings < READINGS ? `${first?.readings} readings, ${differing} rows differ` : undefined;
  return [
    {
      what: "by processor time",
      value: median(all.map(({ perSecond }) => perSecond)) / 1000,
      unit: "k readings/s",
      budget: { sense: "at least", limit: 300, aim: 1000 },
      ...(problem === undefined ? {} : { problem }),
    },
    { what: "by the wall clock", value: median(all.map(({ perSecondElapsed }) => perSecondElapsed)) / 1000, unit: "k readings/s" },
  ];
}
