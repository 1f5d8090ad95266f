// Files of history into a gateway that runs, beside live readings over MQTT: killed in the middle, the same command goes on. All that the file
// holds and all that was acknowledged is there, exactly once, and a webhook that listens hears of nothing but the live alert.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { createSinks } from "../../simulators/sinks.ts";
import type { ImportReport } from "../../src/history/import.ts";
import { connectClient, createFolder, highwater, type ReadingsAnswer, type RunningGateway, startHighwater, waitFor } from "./gateway-process.ts";

const HIGHWATER = fileURLToPath(new URL("../../bin/highwater.js", import.meta.url));
const DEVICES = 20;
const PER_DEVICE = 250_000;
const STEP_MS = 10_000;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** Each device is too hot for some time each day. */
function writeHistory(file: string, start: number): void {
  const lines = ["timestamp,device,metric,value"];
  for (let index = 0; index < PER_DEVICE; index += 1) {
    const ts = start + index * STEP_MS;
    const value = ts % DAY_MS < HOUR_MS ? 90 : 20 + (index % 10) / 10;
    for (let device = 0; device < DEVICES; device += 1) lines.push(`${ts},old-${device},load,${value}`);
  }
  writeFileSync(file, `${lines.join("\n")}\n`);
}

/** Live readings, one after the other, until they are told to end. @returns times of those that were acknowledged */
function startLive(gateway: RunningGateway, acknowledged: number[]): { end(): Promise<void> } {
  let isOver = false;
  const run = async (): Promise<void> => {
    const client = await connectClient(gateway.mqttUrl);
    client.on("error", () => undefined);
    while (!isOver) {
      const ts = Date.now();
      const sent = client.publishAsync("sensors/lab/live/load", JSON.stringify({ ts, value: 20 }), { qos: 1 }).then(
        () => acknowledged.push(ts),
        () => undefined,
      );
      await Promise.race([sent, sleep(500)]);
      await sleep(5);
    }
    await client.endAsync(true).catch(() => undefined);
  };
  const running = run();
  return {
    async end() {
      isOver = true;
      await running;
    },
  };
}

it("a gateway imports while it runs, is killed, and the same command goes on; nobody is paged", { timeout: 400_000 }, async () => {
  const folder = createFolder("import");
  cleanUp.push(() => folder.remove());
  const told: unknown[] = [];
  const sinks = await createSinks({ onWebhook: ({ json }) => told.push(json) });
  cleanUp.push(() => sinks.close());
  const start = Math.floor(Date.now() / DAY_MS) * DAY_MS - 60 * DAY_MS;
  const file = join(folder.path, "history.csv");
  writeHistory(file, start);
  const config = join(folder.path, "highwater.yaml");
  let gateway = await startHighwater(folder.path, {
    gateway: { timezone: "UTC" },
    rules: [
      { name: "load-high", match: { metric: "load" }, condition: { type: "threshold", above: 50 } },
      { name: "silent", match: { metric: "load", device: "old-*" }, condition: { type: "absence", after: "2h" } },
    ],
    notify: { receivers: [{ name: "on-call", webhook: { url: sinks.webhookUrl, format: "standard" } }], route: { receiver: "on-call" } },
  });
  cleanUp.push(() => gateway.stop());
  const acknowledged: number[] = [];
  const first = startLive(gateway, acknowledged);
  const killed = highwater("import", file, "-c", config, "--json");
  await waitFor("some of the file is in", async () => (await countOf(gateway, "old-0", start)) > 0);
  await gateway.kill();
  await first.end();
  expect(await killed).toMatchObject({ code: 1 });

  gateway = await startHighwater(folder.path);
  const second = startLive(gateway, acknowledged);
  const { code, stdout, stderr } = await highwater("import", file, "-c", config, "--json");
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const report = JSON.parse(stdout) as ImportReport;
  expect(report).toMatchObject({ outcome: "done", progress: { lines: DEVICES * PER_DEVICE + 1, conflicts: 0, problems: {} } });
  expect(report.progress.readings + report.progress.duplicates).toBe(DEVICES * PER_DEVICE);
  expect(await highwater("import", file, "-c", config)).toMatchObject({ code: 0, stdout: expect.stringContaining("is in already") });
  await second.end();

  for (let device = 0; device < DEVICES; device += 7) expect(await countOf(gateway, `old-${device}`, start)).toBe(PER_DEVICE);
  const live = await gateway.get<ReadingsAnswer>(`/api/v1/readings?device=live&step=raw&from=${Date.now() - HOUR_MS}`);
  const stored = new Set(live.series[0]?.buckets.map(({ t }) => t));
  expect(acknowledged.length).toBeGreaterThan(10);
  expect(acknowledged.filter((ts) => !stored.has(ts))).toEqual([]);
  expect((await gateway.get<{ alerts: unknown[] }>("/api/v1/alerts")).alerts).toEqual([]);

  const rebuilt = await highwater("rebuild", "--alerts", "--from", String(start), "--to", String(start + 5 * DAY_MS), "-c", config, "--json");
  expect(JSON.parse(rebuilt.stdout)).toMatchObject({ grade: "event-time", counts: { inserted: 5 * DEVICES, changed: 0, kept: 0 } });
  await waitFor("the alerts are stored", async () => (await gateway.get<{ alerts: unknown[] }>("/api/v1/alerts?state=resolved")).alerts.length === 5 * DEVICES);
  const client = await connectClient(gateway.mqttUrl);
  cleanUp.push(() => client.endAsync(true));
  await client.publishAsync("sensors/lab/live/load", JSON.stringify({ ts: Date.now(), value: 99 }), { qos: 1 });
  await waitFor("the live alert is told", () => told.length > 0);
  expect(told.length).toBe(1);
});

async function countOf(gateway: RunningGateway, device: string, start: number): Promise<number> {
  const answer = await gateway.get<ReadingsAnswer>(`/api/v1/readings?device=${device}&step=day&from=${start}`);
  return (answer.series[0]?.buckets ?? []).reduce((sum, { count }) => sum + count, 0);
}

it("a gateway ends an import whose command is interrupted, and goes on with other work", { timeout: 120_000 }, async () => {
  const folder = createFolder("import-end");
  cleanUp.push(() => folder.remove());
  const gateway = await startHighwater(folder.path, { gateway: { timezone: "UTC" } });
  cleanUp.push(() => gateway.stop());
  // A pipe that always has a little more.
  const pipe = join(folder.path, "endless.csv");
  execFileSync("mkfifo", [pipe]);
  const into = openSync(pipe, "r+");
  writeSync(into, "timestamp,device,metric,value\n");
  let ts = Date.UTC(2026, 0, 1);
  const more = setInterval(() => writeSync(into, `${(ts += 1000)},pipe,load,1\n`), 20);
  cleanUp.push(() => {
    clearInterval(more);
    closeSync(into);
  });
  const config = join(folder.path, "highwater.yaml");
  const command = spawn(process.execPath, [HIGHWATER, "import", pipe, "-c", config], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  command.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(command, "close");
  await waitFor("it tells how far it is", () => said.includes("readings/s"));
  command.kill("SIGINT");
  expect((await ended)[0]).toBe(1);
  expect(said).toContain("interrupted: what is in stays in");
  expect(await highwater("summarize", "-c", config)).toMatchObject({ code: 0 });
});
