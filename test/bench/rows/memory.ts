// Resident memory of a gateway, all of its threads, at 10,000 series with 20 rules each: 20,000 readings a second by MQTT whose device
// times lie ten seconds apart, so that minutes of load are more than an hour of event time and the windows are as full as they get.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type GatewayProcess, startGateway } from "../../../simulators/gateway.ts";
import { sendHistory } from "../history-load.ts";
import { packaged } from "../packaged.ts";
import type { BenchOptions, Figure, Row } from "../row.ts";
import { mixedBlocks, startOf } from "../stored.ts";

const SERIES = 10_000;
/** Of each series: 65 minutes of event time. */
const READINGS = 390;
const RATE = 20_000;
const SAMPLE_MS = 500;

export const memory: Row = {
  name: "memory",
  title: "resident memory at 10,000 series, 20 rules on each",
  async run(options) {
    const folder = await mkdtemp(join(options.folder, "memory-"));
    try {
      const program = await packaged(folder);
      const gateway = await startGateway(folder, { name: "bench", blocks: mixedBlocks() }, { nodeOptions: options.nodeOptions, program });
      return await load(gateway, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function load(gateway: GatewayProcess, { say }: BenchOptions): Promise<Figure[]> {
  const atStart = await residentMegabytes(gateway.pid);
  const samples: number[] = [];
  // That the gateway ended by itself is told by the load.
  const gone = (): void => undefined;
  const timer = setInterval(() => void residentMegabytes(gateway.pid).then((megabytes) => samples.push(megabytes), gone), SAMPLE_MS);
  say(`${SERIES * READINGS} readings in ${(SERIES * READINGS) / RATE} s`);
  try {
    await sendHistory({
      port: gateway.mqtt.port,
      series: SERIES,
      readings: SERIES * READINGS,
      rate: RATE,
      start: startOf(SERIES * READINGS, SERIES, Date.now()),
    });
  } catch (error) {
    await gateway.stop();
    return [{ what: "most", value: Math.max(...samples), unit: "MB", problem: [(error as Error).message, ...gateway.complaints()].join("; ") }];
  } finally {
    clearInterval(timer);
  }
  const atEnd = await residentMegabytes(gateway.pid);
  const { accepted } = (await gateway.status()).readings;
  await gateway.stop();
  const problem =
    accepted === SERIES * READINGS ? {} : { problem: [`${SERIES * READINGS} readings sent, ${accepted} accepted`, ...gateway.complaints()].join("; ") };
  return [
    { what: "at the start", value: atStart, unit: "MB" },
    { what: "at the end", value: atEnd, unit: "MB" },
    { what: "most", value: Math.max(atEnd, ...samples), unit: "MB", budget: { sense: "at most", limit: 400, aim: 200 }, ...problem },
  ];
}

/** Of Linux. */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
}
