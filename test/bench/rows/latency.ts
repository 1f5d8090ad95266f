// Latency at a load that a busy site may have: 20,000 readings a second of 10,000 series and 50 alerts a second, snapshots running.
// Publish → PUBACK is the device's wait for the fsync; reading → webhook is what on-call waits for. Both by the generator's clock.

import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startGateway } from "../../../simulators/gateway.ts";
import type { LoadReport } from "../../../simulators/load/run.ts";
import { benchBlocks } from "../bench-config.ts";
import { runLoadProcess } from "../load-process.ts";
import type { Figure, Row } from "../row.ts";

const RATE = 20_000;
const ALERTS = 50;
/** A latency row is about the tail: it measures longer than a run of the throughput row. */
const SECONDS_FACTOR = 5;

export const latency: Row = {
  name: "latency",
  title: "20,000 readings/s and 50 alerts/s, 10,000 series, snapshots running",
  async run(options) {
    const folder = await mkdtemp(join(options.folder, "latency-"));
    try {
      const receive = await freePort();
      const gateway = await startGateway(folder, { name: "bench", blocks: benchBlocks(receive) }, { nodeOptions: options.nodeOptions });
      let report: LoadReport;
      let problem: string | undefined;
      try {
        report = await runLoadProcess({
          port: gateway.mqtt.port,
          connections: 100,
          series: 10_000,
          window: 2000,
          warmup: 5,
          seconds: options.seconds * SECONDS_FACTOR,
          rate: RATE,
          alerts: ALERTS,
          receive,
        });
        const { readings } = await gateway.status();
        if (readings.accepted !== report.acknowledged) problem = `${report.acknowledged} acknowledged, ${readings.accepted} accepted`;
      } finally {
        const code = await gateway.stop();
        if (code !== 0) problem ??= `the gateway ended with ${code}`;
      }
      return figuresOf(report, problem);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function figuresOf(report: LoadReport, problem: string | undefined): Figure[] {
  const { alerts } = report;
  if (alerts === null) throw new Error("the generator received no webhooks");
  const kept = report.perSecond / RATE;
  const webhooks = alerts.missing > 0 ? `${alerts.missing} of ${alerts.provoked} webhooks did not come` : undefined;
  return [
    { what: "load kept", value: kept * 100, unit: "%", budget: { sense: "at least", limit: 98, aim: 98 }, ...(problem === undefined ? {} : { problem }) },
    { what: "generator late, p99", value: report.lateness.p99, unit: "ms" },
    { what: "publish → PUBACK p50", value: report.latency.p50, unit: "ms" },
    { what: "publish → PUBACK p99", value: report.latency.p99, unit: "ms", budget: { sense: "at most", limit: 50, aim: 15 } },
    { what: "publish → PUBACK max", value: report.latency.max, unit: "ms" },
    { what: "webhooks, firing and resolved", value: alerts.received, unit: `of ${alerts.provoked}`, ...(webhooks === undefined ? {} : { problem: webhooks }) },
    { what: "reading → webhook p50", value: alerts.latency.p50, unit: "ms" },
    { what: "reading → webhook p99", value: alerts.latency.p99, unit: "ms", budget: { sense: "at most", limit: 150, aim: 50 } },
    { what: "reading → webhook max", value: alerts.latency.max, unit: "ms" },
  ];
}
