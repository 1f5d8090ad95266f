// The gateway was away for two hours: that is its own absence, not the sensors'. The first run's clock is two hours behind, the second run has the
// machine's: to both it looks as if the gateway had been down that long.

import { afterEach, expect, it } from "vitest";
import { createSinks, type ReceivedWebhook } from "../../simulators/sinks.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { startGateway } from "../../src/gateway.ts";
import { createLog } from "../../src/log.ts";
import { type AlertAnswer, connectClient, createFolder, waitFor, writeConfig } from "./gateway-process.ts";

const MINUTE_MS = 60_000;
const TWO_HOURS_MS = 120 * MINUTE_MS;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

type Body = { alerts: { labels: Record<string, string>; startsAt: string }[] };

it("a gateway that was down for two hours pages nobody for it", async () => {
  const webhooks: ReceivedWebhook[] = [];
  const sinks = await createSinks({ onWebhook: (webhook) => webhooks.push(webhook) });
  cleanUp.push(() => sinks.close());
  const folder = createFolder("downtime");
  cleanUp.push(() => folder.remove());
  const file = writeConfig(folder.path, {
    rules: [
      { name: "silent", match: { metric: "temperature" }, condition: { type: "absence", after: "10m" } },
      { name: "too-hot", match: { device: "oven-*" }, condition: { type: "threshold", above: 30 }, for: "5m" },
    ],
    notify: { receivers: [{ name: "on-call", webhook: { url: sinks.webhookUrl } }], route: { receiver: "on-call" } },
  });
  const behind: Clock = { now: () => systemClock.now() - TWO_HOURS_MS, monotonic: systemClock.monotonic };

  const before = await run(file, behind);
  const leftAt = behind.now();
  const ago = leftAt - 2 * MINUTE_MS;
  for (const device of ["fridge", "gone"]) await before.publish(device, leftAt, 4);
  for (const device of ["oven-cooled", "oven-hot", "oven-gone"]) await before.publish(device, ago, 40);
  for (const device of ["oven-cooled", "oven-hot", "oven-gone"]) await before.publish(device, leftAt, 41);
  expect(await before.states()).toEqual([
    ["oven-cooled", "pending", ago],
    ["oven-gone", "pending", ago],
    ["oven-hot", "pending", ago],
  ]);
  await before.close();

  const after = await run(file, systemClock);
  // Not heard again: still the gateway's absence, as far as it can know.
  expect((await after.states()).map(([device, state]) => [device, state])).toEqual([
    ["oven-cooled", "pending"],
    ["oven-gone", "pending"],
    ["oven-hot", "pending"],
  ]);
  const backAt = systemClock.now();
  await after.publish("fridge", backAt, 5);
  await after.publish("oven-cooled", backAt, 20);
  await after.publish("oven-hot", backAt, 42);
  const firedAt = ago + 5 * MINUTE_MS;
  await waitFor("the one alert that is due", () => webhooks.length > 0);
  expect(await after.states()).toEqual([
    ["oven-gone", "pending", ago],
    ["oven-hot", "firing", firedAt],
  ]);
  const told = webhooks.map(({ json }) => (json as Body).alerts[0]).map((alert) => [alert?.labels["device"], alert?.labels["alertname"], alert?.startsAt]);
  expect(told).toEqual([["oven-hot", "too-hot", new Date(firedAt).toISOString()]]);
  await after.close();
});

async function run(file: string, clock: Clock) {
  const loaded = loadConfig(file);
  if (loaded.kind === "invalid") throw new Error(JSON.stringify(loaded.problems));
  let failure: Error | undefined;
  const gateway = await startGateway(loaded.config, {
    version: "0.0.0",
    releasedAt: 0,
    clock,
    log: createLog({ level: "silent", name: "main" }),
    logLevel: "silent",
    acceptClock: false,
    readConfig: () => loadConfig(file),
    onFatal: (error) => {
      failure ??= error;
    },
  });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await gateway.close();
    expect(failure).toBeUndefined();
  };
  cleanUp.push(close);
  const client = await connectClient(`mqtt://127.0.0.1:${gateway.mqtt[0]?.port}`);
  return {
    close,
    async publish(device: string, ts: number, value: number): Promise<void> {
      await client.publishAsync(`sensors/lab/${device}/temperature`, JSON.stringify({ ts, value }), { qos: 1 });
    },
    /** Device, state and its event time, by device. */
    async states(): Promise<[string, string, number][]> {
      const response = await fetch(`http://127.0.0.1:${gateway.http.port}/api/v1/alerts`);
      const { alerts } = (await response.json()) as { alerts: AlertAnswer[] };
      return alerts
        .map(({ labels, state, since }): [string, string, number] => [labels["device"] ?? "", state, Date.parse(since)])
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
    },
  };
}
