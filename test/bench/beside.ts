// The load of the latency rows on a gateway that has a past, with and without other work at the same time. Each run has a copy of the
// past of its own, so that none finds what another left.

import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type GatewayProcess, startGateway } from "../../simulators/gateway.ts";
import type { LoadReport } from "../../simulators/load/run.ts";
import { runLoadProcess } from "./load-process.ts";
import type { BenchOptions } from "./row.ts";

export type Beside = {
  /** Where the past lies: a folder with `data` in it. */
  readonly past: string;
  readonly blocks: Readonly<Record<string, unknown>>;
  /** The generator's options but for the port. */
  readonly load: Readonly<Record<string, number | string>>;
};
/** `problem` says what makes the figures void. */
export type BesideRun<Done> = { readonly report: LoadReport; readonly done: Done | undefined; readonly problem: string | undefined };

/** @param work begins when the gateway is ready, as the load does, and should end soon when its signal says that the load has */
export async function runBeside<Done>(
  { folder, nodeOptions }: BenchOptions,
  { past, blocks, load }: Beside,
  work?: (gateway: GatewayProcess, dataDir: string, signal: AbortSignal) => Promise<Done>,
): Promise<BesideRun<Done>> {
  const own = await mkdtemp(join(folder, "beside-"));
  try {
    await cp(join(past, "data"), join(own, "data"), { recursive: true });
    const gateway = await startGateway(own, { name: "bench", blocks }, { nodeOptions });
    const run = await loadGateway(gateway, load, (signal) => work?.(gateway, join(own, "data"), signal));
    const code = await gateway.stop();
    const problems = [...run.problems, ...(code === 0 ? [] : [`the gateway ended with ${code}`])];
    if (run.report === undefined) throw new Error([...problems, ...gateway.complaints()].join("; "));
    return { ...run, report: run.report, problem: problems.length === 0 ? undefined : [...problems, ...gateway.complaints()].join("; ") };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function loadGateway<Done>(gateway: GatewayProcess, load: Beside["load"], work: (signal: AbortSignal) => Promise<Done> | undefined) {
  const problems: string[] = [];
  const failed =
    (what: string) =>
    (error: Error): undefined =>
      void problems.push(`${what}: ${error.message}`);
  const before = (await gateway.status()).readings.accepted;
  const over = new AbortController();
  const working = work(over.signal)?.catch(failed("the work beside"));
  const report = await runLoadProcess({ ...load, port: gateway.mqtt.port }).catch(failed("the load"));
  over.abort();
  const done = await working;
  const accepted = (await gateway.status()).readings.accepted - before;
  if (report !== undefined && accepted !== report.acknowledged) problems.push(`${report.acknowledged} readings acknowledged, ${accepted} accepted`);
  return { report, done, problems };
}
