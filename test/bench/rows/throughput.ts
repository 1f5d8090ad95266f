// QoS 1 readings per second, acknowledged after the fsync, beside bare aedes, which stores nothing, in the same invocation.
// The generator's own ceiling is measured too: were it near aedes' figure, the row would measure the generator.

import type { LoadReport } from "../../../simulators/load/run.ts";
import { runGateway } from "../gateway-run.ts";
import { type PeerName, runLoadProcess, startPeer } from "../load-process.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";

const LOAD = { connections: 100, series: 1000, window: 64, warmup: 2 };
const CEILING_SECONDS_MAX = 2;

type Rates = { readonly gateway: number[]; readonly bare: number[]; readonly ceiling: number[] };

export const throughput: Row = {
  name: "throughput",
  title: "QoS 1 readings/s after fsync; 1,000 series, 100 connections, 20 rules on each",
  async run(options) {
    const rates: Rates = { gateway: [], bare: [], ceiling: [] };
    const problems: string[] = [];
    for (let run = 1; run <= options.runs; run++) {
      rates.ceiling.push((await runPeer("ack-only", Math.min(CEILING_SECONDS_MAX, options.seconds))).perSecond);
      rates.bare.push((await runPeer("bare-aedes", options.seconds)).perSecond);
      const { report, problem } = await runGateway(options, { ...LOAD, seconds: options.seconds }, false);
      rates.gateway.push(report?.perSecond ?? 0);
      if (problem !== undefined) problems.push(`run ${run}: ${problem}`);
      tell(options, run, rates);
    }
    return figuresOf(rates, problems);
  },
};

function tell(options: BenchOptions, run: number, rates: Rates): void {
  const [gateway = 0, bare = 0, ceiling = 0] = [rates.gateway, rates.bare, rates.ceiling].map((list) => list.at(-1));
  const text = (value: number) => Math.round(value).toLocaleString("en-US");
  options.say(`run ${run}: gateway ${text(gateway)}, bare aedes ${text(bare)}, ceiling ${text(ceiling)} readings/s; ratio ${(gateway / bare).toFixed(2)}`);
}

function figuresOf(rates: Rates, problems: readonly string[]): Figure[] {
  const ratio = median(rates.gateway.map((gateway, run) => gateway / (rates.bare[run] as number)));
  const bare = median(rates.bare);
  const ceiling = median(rates.ceiling);
  return [
    { what: "gateway", value: median(rates.gateway), unit: "readings/s", ...(problems.length > 0 ? { problem: problems.join("; ") } : {}) },
    { what: "bare aedes", value: bare, unit: "readings/s" },
    { what: "generator's ceiling", value: ceiling, unit: "readings/s" },
    { what: "ratio to bare aedes", value: ratio, unit: "", budget: { sense: "at least", limit: 0.6, aim: 0.9 } },
    { what: "ceiling to bare aedes", value: ceiling / bare, unit: "", budget: { sense: "at least", limit: 1.5, aim: 1.5 } },
  ];
}

async function runPeer(name: PeerName, seconds: number): Promise<LoadReport> {
  const peer = await startPeer(name);
  try {
    return await runLoadProcess({ ...LOAD, port: peer.ready.port, seconds });
  } finally {
    await peer.stop();
  }
}
