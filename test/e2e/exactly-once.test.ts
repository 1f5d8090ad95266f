// A publisher and a subscriber with sessions, through a gateway that is killed at random moments, drawn by a seed: QoS 2 comes exactly once and
// in order, QoS 1 at least once. Both clients are mqtt.js, which connects again and sends again by itself.

import { setTimeout as sleep } from "node:timers/promises";
import { connect, type MqttClient } from "mqtt";
import { afterEach, expect, it } from "vitest";
import { freePort } from "../../simulators/gateway.ts";
import { createDraw, createFolder, drawSeed, startHighwater, waitFor } from "./gateway-process.ts";

const KILLS = 3;
const MESSAGES = 600;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function session(port: number, clientId: string): Promise<MqttClient> {
  const client = connect(`mqtt://127.0.0.1:${port}`, { clientId, clean: false, reconnectPeriod: 100 });
  client.on("error", () => undefined);
  cleanUp.push(() => client.endAsync(true));
  await waitFor(`${clientId} is connected`, () => client.connected);
  return client;
}

it("kill -9 between a publisher and a subscriber: QoS 2 exactly once and in order, QoS 1 at least once", { timeout: 120_000 }, async () => {
  const draw = createDraw(drawSeed("test/e2e/exactly-once.test.ts"));
  const folder = createFolder("exactly-once");
  cleanUp.push(() => folder.remove());
  const port = await freePort();
  let gateway = await startHighwater(folder.path, { mqtt: { listeners: [{ host: "127.0.0.1", port }] } });
  cleanUp.push(() => gateway.stop());

  const got: Record<string, string[]> = { "1": [], "2": [] };
  const subscriber = await session(port, "subscriber");
  subscriber.on("message", (_topic, payload, { qos }) => got[qos]?.push(String(payload)));
  await subscriber.subscribeAsync("sensors/#", { qos: 2 });
  const publisher = await session(port, "publisher");
  const acknowledged: Record<1 | 2, string[]> = { 1: [], 2: [] };
  const settling: Promise<number>[] = [];
  const expected = Array.from({ length: MESSAGES }, (_, index) => String(index));
  const publishing = (async (): Promise<void> => {
    for (const payload of expected) {
      // mqtt.js may give up when its connection ends twice in a row; only what was acknowledged must have come.
      for (const qos of [1, 2] as const) {
        settling.push(
          publisher.publishAsync(`sensors/lab/d/q${qos}`, payload, { qos }).then(
            () => acknowledged[qos].push(payload),
            () => 0,
          ),
        );
      }
      if (Number(payload) % 10 === 0) await sleep(40);
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(draw.between(200, 900));
    await gateway.kill();
    gateway = await startHighwater(folder.path);
  }
  await publishing;

  await Promise.all(settling);
  await waitFor("nothing is kept", async () => /^highwater_broker_queued 0$/m.test(await gateway.text("/metrics")));
  const [once1, once2] = [[...new Set(got["1"])], got["2"] ?? []];
  expect(new Set(once2).size).toBe(once2.length);
  for (const list of [once1, once2]) expect(list).toEqual(expected.filter((payload) => list.includes(payload)));
  expect(acknowledged[1].filter((payload) => !once1.includes(payload))).toEqual([]);
  expect(acknowledged[2].filter((payload) => !once2.includes(payload))).toEqual([]);
  expect(acknowledged[2].length).toBeGreaterThan(0);
});
