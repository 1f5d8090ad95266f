// Latency at a load that a busy site may have: 20,000 readings a second of 10,000 series and 50 alerts a second, snapshots running.
// Publish → PUBACK is the device's wait for the fsync; reading → webhook is what on-call waits for. Both by the generator's clock.

import type { LoadReport } from "../../../simulators/load/run.ts";
import { runGateway } from "../gateway-run.ts";
import type { Figure, Row } from "../row.ts";

const RATE = 20_000;
const ALERTS = 50;
/** A latency row is about the tail: it measures longer than a run of the throughput row. */
const SECONDS_FACTOR = 5;

const rowOf = (name: string, title: string, rules: number): Row => ({
  name,
  title,
  async run(options) {
    const seconds = options.seconds * SECONDS_FACTOR;
    const load = { connections: 100, series: 10_000, window: 2000, warmup: 5, seconds, rate: RATE, alerts: ALERTS };
    const { report, problem } = await runGateway(options, load, true, { rules });
    if (report === undefined) return [{ what: "load kept", value: 0, unit: "%", problem: problem ?? "no figures" }];
    return figuresOf(report, problem);
  },
});

/** With the one rule that raises the alerts. */
export const latency = rowOf("latency", "20,000 readings/s and 50 alerts/s, 10,000 series, snapshots running", 1);
/** The same, each series matched by all rules of the throughput row: the harder question. */
export const latencyOfRules = rowOf("latency-20", "the same with 20 rules on each series", 20);

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
