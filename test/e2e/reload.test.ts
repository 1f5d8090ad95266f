// Reload over HTTP on a gateway of its own: what is read is in force whole or not at all, and the rules in force are told with
// how many series each watches and how its alerts stand, also as metrics.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { connectClient, createFolder, startHighwater } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const T0 = Date.UTC(2026, 0, 5, 12);
const rule = (name: string, above: number, more = {}) => ({ name, match: { metric: "temperature" }, condition: { type: "threshold", above }, ...more });
type Counted = { readonly name: string; readonly logic: string; readonly series: number; readonly pending: number; readonly firing: number };
type RulesAnswer = { readonly plan: string; readonly rules: readonly Counted[] };

it("POST /api/v1/rules/reload takes a good config whole and a bad one not at all", async () => {
  const folder = createFolder("reload");
  cleanUp.push(() => folder.remove());
  const gateway = await startHighwater(folder.path, { rules: [rule("hot", 50)] });
  cleanUp.push(() => gateway.stop());
  const device = await connectClient(gateway.mqttUrl);
  cleanUp.push(() => device.endAsync(true));
  const send = (name: string, value: number) => device.publishAsync(`sensors/lab/${name}/temperature`, JSON.stringify({ ts: T0, value }), { qos: 1 });
  const reload = async () => {
    const response = await fetch(`${gateway.httpUrl}/api/v1/rules/reload`, { method: "POST" });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const counts = async () => {
    const { rules } = await gateway.get<RulesAnswer>("/api/v1/rules");
    return rules.map(({ name, series, pending, firing }) => [name, series, pending, firing]);
  };
  const file = join(folder.path, "highwater.yaml");
  const old = readFileSync(file, "utf8");
  await send("oven", 60);
  await send("stove", 20);
  const before = await gateway.get<RulesAnswer>("/api/v1/rules");
  expect(await counts()).toEqual([["hot", 2, 0, 1]]);

  // One rule is good, the other is not: neither holds.
  writeFileSync(
    file,
    old.replace('"rules": [', `"rules": [${JSON.stringify(rule("warm", 10))}, ${JSON.stringify(rule("wrong", 1)).replace("threshold", "treshold")},`),
  );
  const refused = await reload();
  expect(refused.status).toBe(422);
  expect(refused.body).toMatchObject({
    error: { code: "config_invalid", message: expect.stringContaining(`${file}:`) },
    problems: [{ file, line: expect.any(Number), column: expect.any(Number), hint: "did you mean threshold?" }],
  });
  expect(await gateway.get<RulesAnswer>("/api/v1/rules")).toEqual(before);

  writeFileSync(file, old.replace('"rules": [', `"rules": [${JSON.stringify(rule("warm", 10, { for: "1h" }))},`));
  const taken = await reload();
  expect(taken).toMatchObject({ status: 200, body: { changed: true, rules: 2, sources: 1, devices: 0, receivers: 0, notes: [] } });
  const after = await gateway.get<RulesAnswer>("/api/v1/rules");
  expect(after.plan).toBe(taken.body["plan"]);
  expect(after.rules.find(({ name }) => name === "hot")).toEqual(before.rules[0]);
  await send("oven", 60);
  await device.publishAsync("sensors/lab/oven/temperature", JSON.stringify({ ts: T0 + 1000, value: 60 }), { qos: 1 });
  expect(await counts()).toEqual([
    ["warm", 2, 1, 0],
    ["hot", 2, 0, 1],
  ]);
  const metrics = await gateway.text("/metrics");
  expect(metrics).toContain('highwater_rule_alerts{rule="hot",state="firing"} 1\n');
  expect(metrics).toContain('highwater_rule_alerts{rule="warm",state="pending"} 1\n');
  expect(metrics).toContain('highwater_rule_series{rule="warm"} 2\n');
  expect(metrics).toContain("highwater_group_refused 0\n");
  expect(await reload()).toMatchObject({ status: 200, body: { changed: false, plan: after.plan } });

  writeFileSync(file, old.replace(/"rules": \[[\s\S]*\]/, '"rules": []'));
  expect(await reload()).toMatchObject({ status: 200, body: { changed: true, rules: 0 } });
  expect(await counts()).toEqual([]);
  expect(await gateway.text("/metrics")).not.toContain("highwater_rule_series{");
});
