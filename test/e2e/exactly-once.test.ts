// A publisher and a subscriber with sessions, through a gateway that is killed at random moments, drawn by a seed: QoS 2 comes exactly once and
// in order, QoS 1 at least once. Both clients are mqtt.js, which connects again and sends again by itself.

import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type MqttClient } from "mqtt";
import { afterEach, expect, it } from "vitest";
import { createDraw, createFolder, drawSeed, startHighwater, waitFor } from "./gateway-process.ts";

const KILLS = 3;
const MESSAGES = 600;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** Clients come back to the port that they know. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

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
  const expected = Array.from({ length: MESSAGES }, (_, index) => String(index));
  const publishing = (async (): Promise<void> => {
    for (const payload of expected) {
      // What mqtt.js gives up waiting for stays in its store, and is sent when it is connected again.
      for (const qos of [1, 2] as const) publisher.publishAsync(`sensors/lab/d/q${qos}`, payload, { qos }).catch(() => undefined);
      if (Number(payload) % 10 === 0) await sleep(40);
    }
  })();
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(draw.between(200, 900));
    await gateway.kill();
    gateway = await startHighwater(folder.path);
  }
  await publishing;

  await waitFor("every message", () => new Set(got["1"]).size >= MESSAGES && (got["2"]?.length ?? 0) >= MESSAGES, 60_000);
  await waitFor("nothing is kept", async () => /^highwater_broker_queued 0$/m.test(await gateway.text("/metrics")));
  expect(got["2"]).toEqual(expected);
  expect([...new Set(got["1"])]).toEqual(expected);
});
