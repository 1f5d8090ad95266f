// One load on one fresh gateway: config and data of its own, the generator in its own process, the books compared, SIGTERM at the end.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort, type GatewayProcess, startGateway } from "../../simulators/gateway.ts";
import type { LoadReport } from "../../simulators/load/run.ts";
import { benchBlocks } from "./bench-config.ts";
import { runLoadProcess } from "./load-process.ts";
import type { BenchOptions } from "./row.ts";

/** `problem` says what makes the figures void: a closed connection, readings unaccounted for, an exit code; with the log's complaints. */
export type GatewayRun = { readonly report: LoadReport | undefined; readonly problem: string | undefined };

/**
 * @param load the generator's options but for the ports
 * @param receives whether the generator takes the webhooks
 * @param more.rules how many rules match each series; default all
 * @param more.mqtt what the config says of the broker, beside its listeners
 */
export async function runGateway(
  options: BenchOptions,
  load: Readonly<Record<string, number | string>>,
  receives: boolean,
  { rules, mqtt }: { readonly rules?: number; readonly mqtt?: Readonly<Record<string, unknown>> } = {},
): Promise<GatewayRun> {
  const folder = await mkdtemp(join(options.folder, "gateway-"));
  const receive = await freePort();
  try {
    const gateway = await startGateway(
      folder,
      { name: "bench", blocks: benchBlocks(receive, rules), ...(mqtt === undefined ? {} : { mqtt }) },
      { nodeOptions: options.nodeOptions },
    );
    const run = await loadGateway(gateway, receives ? { ...load, receive } : load);
    const code = await gateway.stop();
    const problem = run.problem ?? (code === 0 ? undefined : `the gateway ended with ${code}`);
    return { report: run.report, problem: problem === undefined ? undefined : [problem, ...gateway.complaints()].join("; ") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function loadGateway(gateway: GatewayProcess, load: Readonly<Record<string, number | string>>): Promise<GatewayRun> {
  try {
    const report = await runLoadProcess({ ...load, port: gateway.mqtt.port });
    const { accepted } = (await gateway.status()).readings;
    return { report, problem: accepted === report.acknowledged ? undefined : `${report.acknowledged} readings acknowledged, ${accepted} accepted` };
  } catch (error) {
    return { report: undefined, problem: (error as Error).message };
  }
}
