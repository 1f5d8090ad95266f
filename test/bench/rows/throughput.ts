// QoS 1 readings per second, acknowledged after the fsync, beside bare aedes, which stores nothing, in the same invocation.
// The generator's own ceiling is measured too: were it near aedes' figure, the row would measure the generator.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startGateway } from "../../../simulators/gateway.ts";
import type { LoadReport } from "../../../simulators/load/run.ts";
import { benchBlocks } from "../bench-config.ts";
import { type PeerName, runLoadProcess, startPeer } from "../load-process.ts";
import { type BenchOptions, type Figure, median, type Row } from "../row.ts";

const LOAD = { connections: 100, series: 1000, window: 64, warmup: 2 };

export const throughput: Row = {
  name: "throughput",
  title: "QoS 1 readings/s after fsync; 1,000 series, 100 connections, 20 rules on each",
  async run(options) {
    const ceiling: number[] = [];
    const bare: number[] = [];
    const gateway: number[] = [];
    const ratios: number[] = [];
    const problems: string[] = [];
    for (let run = 1; run <= options.runs; run++) {
      ceiling.push((await runPeer("ack-only", Math.min(2, options.seconds))).perSecond);
      bare.push((await runPeer("bare-aedes", options.seconds)).perSecond);
      const found = await runGateway(options);
      gateway.push(found.report.perSecond);
      if (found.problem !== undefined) problems.push(`run ${run}: ${found.problem}`);
      ratios.push((gateway.at(-1) as number) / (bare.at(-1) as number));
      const figures = [gateway, bare, ceiling].map((list) => Math.round(list.at(-1) as number).toLocaleString("en-US"));
      options.say(`run ${run}: gateway ${figures[0]}, bare aedes ${figures[1]}, ceiling ${figures[2]} readings/s; ratio ${ratios.at(-1)?.toFixed(2)}`);
    }
    return figuresOf({ ceiling: median(ceiling), bare: median(bare), gateway: median(gateway), ratio: median(ratios) }, problems);
  },
};

function figuresOf(medians: { ceiling: number; bare: number; gateway: number; ratio: number }, problems: readonly string[]): Figure[] {
  return [
    { what: "gateway", value: medians.gateway, unit: "readings/s", ...(problems.length > 0 ? { problem: problems.join("; ") } : {}) },
    { what: "bare aedes", value: medians.bare, unit: "readings/s" },
    { what: "generator's ceiling", value: medians.ceiling, unit: "readings/s" },
    { what: "ratio to bare aedes", value: medians.ratio, unit: "", budget: { sense: "at least", limit: 0.6, aim: 0.9 } },
    { what: "ceiling to bare aedes", value: medians.ceiling / medians.bare, unit: "", budget: { sense: "at least", limit: 1.5, aim: 1.5 } },
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

async function runGateway(options: BenchOptions): Promise<{ report: LoadReport; problem: string | undefined }> {
  const folder = await mkdtemp(join(options.folder, "throughput-"));
  try {
    const gateway = await startGateway(folder, { name: "bench", blocks: benchBlocks(await freePort()) }, { nodeOptions: options.nodeOptions });
    let problem: string | undefined;
    let report: LoadReport;
    try {
      report = await runLoadProcess({ ...LOAD, port: gateway.mqtt.port, seconds: options.seconds });
      const { readings } = await gateway.status();
      if (readings.accepted !== report.acknowledged)
        problem = `${report.acknowledged} acknowledged, ${readings.accepted} accepted (${JSON.stringify(readings)})`;
    } finally {
      const code = await gateway.stop();
      if (code !== 0) problem ??= `the gateway ended with ${code}`;
    }
    return { report, problem };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
