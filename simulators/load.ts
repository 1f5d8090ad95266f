// Load generator for an MQTT broker, as its own process: `node simulators/load.ts --port 1883 --seconds 10`.
// Raw sockets and packets encoded ahead, so that the generator is not what is measured; ends with one line of figures, or JSON.

import { parseArgs } from "node:util";
import { type LoadReport, runLoad } from "./load/run.ts";
import { numberOption, runScript, textOptions } from "./script.ts";

const usage = `node simulators/load.ts [options]
  --host H --port P        the broker (127.0.0.1:1883)
  --login NAME:PASSWORD    of all connections; without it they are anonymous
  --connections C          sockets (100)
  --series S               series, spread over the connections (1000)
  --window W               readings in flight per connection (64)
  --warmup S --seconds S   not measured (2), measured (10)
  --count N                ends after N readings
  --rate R                 readings per second; without it, as fast as PUBACKs come
  --alerts K               alerts per second (needs --rate); readings over 90
  --receive PORT           receives the alerts' webhooks there and times them
  --seed N                 (1)
  --json                   one JSON object instead of text`;

async function main(): Promise<number> {
  const names = ["host", "port", "login", "connections", "series", "window", "warmup", "seconds", "count", "rate", "alerts", "receive", "seed"] as const;
  const { values } = parseArgs({ options: { ...textOptions(...names), json: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const number = (name: keyof typeof values, fallback: number) => numberOption(values, name, fallback);
  const report = await runLoad({
    host: values.host ?? "127.0.0.1",
    port: number("port", 1883),
    login: loginOf(values.login),
    connections: number("connections", 100),
    series: number("series", 1000),
    window: number("window", 64),
    warmupMs: number("warmup", 2) * 1000,
    durationMs: number("seconds", 10) * 1000,
    count: number("count", Number.POSITIVE_INFINITY),
    rate: values.rate === undefined ? null : number("rate", 0),
    alertsPerSecond: number("alerts", 0),
    receivePort: values.receive === undefined ? null : number("receive", 0),
    seed: number("seed", 1),
  });
  process.stdout.write(`${values.json ? JSON.stringify(report) : describe(report)}\n`);
  return 0;
}

function loginOf(text: string | undefined): { username: string; password: string } | undefined {
  if (text === undefined) return undefined;
  const colon = text.indexOf(":");
  if (colon <= 0) throw new RangeError("--login is written NAME:PASSWORD");
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function describe(report: LoadReport): string {
  const { latency, alerts } = report;
  const lines = [
    `${report.acknowledged} acknowledged; ${Math.round(report.perSecond)} readings/s over ${report.seconds.toFixed(1)} s`,
    `publish → PUBACK  p50 ${latency.p50} ms  p99 ${latency.p99} ms  max ${latency.max} ms`,
  ];
  if (report.lateness.count > 0) lines.push(`written late by   p50 ${report.lateness.p50} ms  p99 ${report.lateness.p99} ms  max ${report.lateness.max} ms`);
  if (alerts !== null) {
    lines.push(`reading → webhook p50 ${alerts.latency.p50} ms  p99 ${alerts.latency.p99} ms  max ${alerts.latency.max} ms`);
    lines.push(`webhooks ${alerts.received} of ${alerts.provoked}, ${alerts.again} again, ${alerts.unexpected} unexpected`);
  }
  return lines.join("\n");
}

if (import.meta.main) runScript(main);
