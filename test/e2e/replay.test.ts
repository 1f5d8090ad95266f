// A gateway that lives a little: readings in disorder, silence, a reload, a restart, a kill. Beside it, still running, replay makes of its
// journal what it made of it itself: the same effects byte for byte, the same alerts and the same notifications.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import {
  type AlertAnswer,
  connectClient,
  createFolder,
  highwater,
  type NotificationAnswer,
  type RunningGateway,
  startHighwater,
  waitFor,
} from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

const rule = (name: string, above: number, more = {}) => ({ name, match: { metric: "temperature" }, condition: { type: "threshold", above }, ...more });
const absence = { name: "silent", match: { metric: "temperature" }, condition: { type: "absence", after: "1s" } };
const mean = { name: "mean", match: { metric: "temperature" }, condition: { type: "window", window: { tumbling: "10s" }, aggregate: "avg", above: 40 } };
const source = { topic: "sensors/{site}/{device}/{metric}", codec: "json", out_of_orderness: "2s", idle_after: "200ms" };

async function publish(gateway: RunningGateway, readings: readonly (readonly [ts: number, value: number])[]): Promise<void> {
  const device = await connectClient(gateway.mqttUrl);
  for (const [ts, value] of readings)
    await Promise.all(
      ["oven", "stove"].map((name, index) =>
        device.publishAsync(`sensors/lab/${name}/temperature`, JSON.stringify({ ts: ts - index * 500, value: value + index }), { qos: 1 }),
      ),
    );
  await device.endAsync();
}

it("repeats a run with a reload, a restart and a kill, beside the gateway", async () => {
  const folder = createFolder("replay");
  cleanUp.push(() => folder.remove());
  const notify = { receivers: [{ name: "on-call", webhook: { url: "http://127.0.0.1:9/" } }], route: { receiver: "on-call" } };
  let gateway = await startHighwater(folder.path, { sources: [source], rules: [rule("hot", 50, { for: "2s" }), mean, absence], notify });
  cleanUp.push(() => gateway.stop());
  const start = Date.now() - 60_000;
  // Hot for a while, with disorder, a duplicate, a conflict, and one that comes too late.
  const values = [20, 60, 61, 62, 63, 64, 20, 20, 70, 20];
  await publish(gateway, [
    ...values.map((value, second) => [start + second * 1000, value] as const),
    [start + 8500, 30],
    [start + 9000, 20],
    [start + 9000, 99],
    [start, 1],
  ]);
  await waitFor("an absence", async () => (await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?state=firing&rule=silent")).alerts.length === 2);

  const file = join(folder.path, "highwater.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace('"above": 50', '"above": 55'));
  expect((await fetch(`${gateway.httpUrl}/api/v1/rules/reload`, { method: "POST" })).status).toBe(200);
  await publish(
    gateway,
    [30, 58, 59, 57, 58, 30].map((value, second) => [start + 20_000 + second * 1000, value]),
  );
  expect(await gateway.stop()).toBe(0);
  gateway = await startHighwater(folder.path);
  await publish(
    gateway,
    [80, 81, 82, 83].map((value, second) => [start + 40_000 + second * 1000, value]),
  );
  await gateway.kill();
  gateway = await startHighwater(folder.path);
  await publish(gateway, [[start + 45_000, 20]]);

  // The gateway goes on meanwhile: what it had told before the replay must be there, what it tells after it may not.
  const told = async () => {
    const { alerts } = await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts");
    const { notifications } = await gateway.get<{ notifications: NotificationAnswer[] }>("/api/v1/notifications");
    return { ids: new Set(alerts.flatMap(({ id }) => id ?? [])), rules: new Set(alerts.map(({ rule: name }) => name)), notifications: notifications.length };
  };
  const before = await told();
  const { code, stdout } = await highwater("replay", "--config", file, "--from", String(start - 60_000), "--in-force", "--json");
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.filter(({ kind }) => kind === "differing-row")).toEqual([]);
  expect(lines.at(-1)).toMatchObject({ kind: "summary", grade: "exact", isOther: false, differences: 0, differingCount: 0, readings: 2 * 25 });
  expect(code).toBe(0);
  const after = await told();
  const replayed = new Set(lines.filter(({ kind }) => kind === "transition").map(({ alert }) => String(alert)));
  expect([...before.ids].filter((id) => !replayed.has(id))).toEqual([]);
  expect([...replayed].filter((id) => !after.ids.has(id))).toEqual([]);
  expect(before.rules).toEqual(new Set(["hot", "mean", "silent"]));
  expect(lines.at(-1)?.["notifications"]).toBeGreaterThanOrEqual(before.notifications);
  expect(lines.at(-1)?.["notifications"]).toBeLessThanOrEqual(after.notifications);
}, 180_000);
