// Alarm performance on a gateway of its own: what was told over MQTT a moment ago is counted, judged by the targets of the config in
// force, after a reload by those of the new one; and the command line says the same beside it.

import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, it } from "vitest";
import { connectClient, createFolder, startHighwater } from "./gateway-process.ts";

const program = new URL("../../bin/highwater.js", import.meta.url).pathname;
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

type Performance = { readonly alerts: number; readonly verdicts: readonly { readonly name: string; readonly target: number; readonly met: boolean | null }[] };
const hourly = ({ verdicts }: Performance) => verdicts.find(({ name }) => name === "per_hour");

it("counts what was told, judges by the config in force, and is the same on the command line", async () => {
  const folder = createFolder("performance");
  cleanUp.push(() => folder.remove());
  const rules = [{ name: "warm", match: { metric: "temperature" }, condition: { type: "threshold", above: 5 } }];
  const gateway = await startHighwater(folder.path, { rules, alarm_performance: { targets: { per_hour: 0.5 } } });
  cleanUp.push(() => gateway.stop());
  const device = await connectClient(gateway.mqttUrl);
  cleanUp.push(() => device.endAsync(true));
  // An acknowledged reading is stored and evaluated; so it is in the answer.
  for (const value of [9, 1, 9, 1, 9]) await device.publishAsync("sensors/lab/oven/temperature", JSON.stringify({ value }), { qos: 1 });
  await device.publishAsync("sensors/lab/stove/temperature", JSON.stringify({ value: 9 }), { qos: 1 });

  const first = await gateway.get<Performance>("/api/v1/performance");
  expect(first).toMatchObject({
    alerts: 4,
    chattering: { count: 1 },
    top_ten: { of: 2, actors: [{ rule: "warm", alerts: 3, chattering: true }, { alerts: 1 }] },
  });
  expect(hourly(first)).toMatchObject({ target: 0.5, met: true });
  expect(await gateway.get("/api/v1/performance?device=stove")).toMatchObject({ alerts: 1 });

  const file = join(folder.path, "highwater.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace('"per_hour": 0.5', '"per_hour": 0.1'));
  expect((await fetch(`${gateway.httpUrl}/api/v1/rules/reload`, { method: "POST" })).status).toBe(200);
  expect(hourly(await gateway.get<Performance>("/api/v1/performance"))).toMatchObject({ target: 0.1, met: false });

  const { stdout } = await promisify(execFile)(process.execPath, [program, "performance", "-c", file, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    alerts: 4,
    verdicts: expect.arrayContaining([expect.objectContaining({ name: "per_hour", target: 0.1, met: false })]),
  });
});
