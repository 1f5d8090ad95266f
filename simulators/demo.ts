// `npm run demo`: a gateway, a fleet with faults on a timetable, and receivers for its mails and webhooks, on free ports, with no config.
// Within half a minute somebody leaves a freezer's door open: an alert fires, is told by mail and webhook, and resolves.
// Everything lives in a temporary folder that goes with it; Ctrl-C ends it in order, exit code 0.

import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, styleText } from "node:util";
import { systemClock } from "../src/clock.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { type GatewayProcess, startGateway } from "./gateway.ts";
import { scenarios } from "./scenarios/index.ts";
import { numberOption, runScript, textOptions } from "./script.ts";
import { lostLine, mailLines, webhookLines } from "./sink-lines.ts";
import { createSinks, type ReceivedMail } from "./sinks.ts";
import { wrap } from "./wrap.ts";

const usage = `npm run demo -- [options]
  --seconds N   ends by itself after N seconds (never)
  --seed S      of the simulated sensors (1)
  --keep        leaves config and data in their folder`;

const PAGE = fileURLToPath(new URL("../dist/dashboard/index.html", import.meta.url));
const print = (...lines: readonly string[]) => process.stdout.write(`${lines.join("\n")}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { ...textOptions("seconds", "seed"), keep: { type: "boolean" }, help: { type: "boolean" } } });
  if (values.help) {
    print(usage);
    return 0;
  }
  const ended = endOf(values.seconds === undefined ? null : numberOption(values, "seconds", 0));
  const folder = await mkdtemp(join(tmpdir(), "highwater-demo-"));
  const closing: (() => Promise<unknown>)[] = [
    async () => {
      if (!values.keep) await rm(folder, { recursive: true, force: true });
      else print(`config and data are in ${folder}`);
    },
  ];
  try {
    const { gateway, fleets } = await start(folder, numberOption(values, "seed", 1), closing);
    describe(gateway, fleets);
    const how = await Promise.race([ended, gateway.exited]);
    if (typeof how === "number") throw new Error(`the gateway ended by itself with ${how}`);
    print("", `Ending (${how}): fleet, gateway, receivers.`);
  } finally {
    await closeAll(closing);
  }
  return 0;
}

/** Last in, first out, each in spite of the others. @throws the first failure */
async function closeAll(closing: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closing.toReversed()) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function start(folder: string, seed: number, closing: (() => Promise<unknown>)[]): Promise<{ gateway: GatewayProcess; fleets: readonly Fleet[] }> {
  const showMail = createMailView();
  const sinks = await createSinks({
    onMail: (mail) => print(...showMail(mail)),
    onWebhook: (webhook) => print(...webhookLines(webhook)),
    onLost: (line) => print(lostLine(line)),
  });
  closing.push(() => sinks.close());
  const gateway = await startGateway(folder, { name: "demo", blocks: demoBlocks(sinks) });
  closing.push(async () => {
    const code = await gateway.stop();
    if (code !== 0) throw new Error([`the gateway ended with ${code}`, ...gateway.complaints()].join("\n  "));
  });
  const url = `mqtt://${gateway.mqtt.host}:${gateway.mqtt.port}`;
  const fleets = scenarios.map((scenario) => createFleet({ clock: systemClock }, { url, scenario, devices: null, seed, speed: 1, startTs: null, rate: null }));
  for (const fleet of fleets) {
    closing.push(() => fleet.close());
    await fleet.start();
  }
  return { gateway, fleets };
}

/** The demo's config: each scenario's rules and devices, one receiver with both channels. */
export function demoBlocks(sinks: { smtpUrl: string; webhookUrl: string }): Record<string, unknown> {
  const devices = scenarios.flatMap((scenario) => Array.from({ length: scenario.devicesDefault }, (_, index) => scenario.device(index)));
  const unitOf = (units: readonly string[]) => (new Set(units).size === 1 ? { unit: units[0] } : {});
  return {
    sources: [{ topic: "sensors/{site}/{device}/{metric}", codec: "json" }],
    devices: Object.fromEntries(
      devices.map((device) => [device.device, { labels: device.labels, expected_every: "5s", ...unitOf(device.metrics.map((metric) => metric.unit)) }]),
    ),
    rules: scenarios.flatMap((scenario) => scenario.rules),
    notify: {
      receivers: [
        {
          name: "on-call",
          email: { smtp: sinks.smtpUrl, from: "highwater@example.org", to: ["oncall@example.org"] },
          webhook: { url: sinks.webhookUrl },
        },
      ],
      route: { receiver: "on-call" },
    },
  };
}

function describe(gateway: GatewayProcess, fleets: readonly Fleet[]): void {
  const sum = (pick: (status: ReturnType<Fleet["status"]>) => number) => fleets.reduce((total, fleet) => total + pick(fleet.status()), 0);
  const page = `http://${gateway.http.host}:${gateway.http.port}/`;
  print(
    "",
    `  ${styleText("bold", "Highwater demo")}`,
    "",
    `  page    ${styleText(["bold", "cyan"], page)}`,
    ...(existsSync(PAGE) ? [] : ["          (not built yet: npm run prepare)"]),
    `  broker  mqtt://${gateway.mqtt.host}:${gateway.mqtt.port}`,
    `  fleet   ${sum((status) => status.devices)} devices with ${sum((status) => status.series)} sensors: ${scenarios.map((scenario) => scenario.name).join(", ")}`,
    "",
    ...wrap("  In a few seconds the door of freezer-1 is left open. Its alert, and what the other sensors get up to, arrive below. Ctrl-C ends it.", 79),
    "",
  );
}

/** The first mail is shown with its text, as on-call reads it; the others in two lines. */
function createMailView(): (mail: ReceivedMail) => string[] {
  let isFirst = true;
  return (mail) => {
    const lines = mailLines(mail);
    if (!isFirst) return lines;
    isFirst = false;
    const text = (mail.parsed.text ?? "").trimEnd().split("\n");
    return [...lines, ...text.flatMap((line) => wrap(line, 72)).map((line) => styleText("dim", `    │ ${line}`.trimEnd()))];
  };
}

/** Ctrl-C, the terminal's end, SIGTERM, or the time given. */
function endOf(seconds: number | null): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
    if (seconds !== null) setTimeout(() => resolve(`${seconds} s are over`), seconds * 1000).unref();
  });
}

if (import.meta.main) runScript(main);
