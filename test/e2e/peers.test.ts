// Clients that others wrote, against a running gateway: Eclipse paho, mosquitto's, mqtt.js. They keep to the standard; so what differs is ours.

import { fileURLToPath } from "node:url";
import type { MqttClient } from "mqtt";
import { afterEach, describe, expect, it } from "vitest";
import { connectClient, createFolder, type RunningGateway, runToEnd, startHighwater, waitFor } from "./gateway-process.ts";

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

async function start(): Promise<{ gateway: RunningGateway; port: string }> {
  const folder = createFolder("peers");
  cleanUp.push(() => folder.remove());
  const gateway = await startHighwater(folder.path, {});
  cleanUp.push(() => gateway.stop());
  return { gateway, port: new URL(gateway.mqttUrl).port };
}

// Debian's package is for Debian's own Python.
const python = "/usr/bin/python3";
const { code: paho } = await runToEnd(python, ["-c", "import paho.mqtt.client"]);
if (paho !== 0) console.warn("The test with paho is skipped: it is not there (Debian: apt-get install python3-paho-mqtt)");
const { code: mosquittoSub } = await runToEnd("mosquitto_sub", ["--help"]);
if (mosquittoSub === 127) console.warn("The test with mosquitto_sub is skipped: it is not there (Debian: apt-get install mosquitto-clients)");

const TIMEOUT = { timeout: 90_000 };

describe("paho", () => {
  // Skipped where Debian's python3-paho-mqtt is not installed: paho is the foreign peer of this test.
  it.skipIf(paho !== 0)("finds MQTT 3.1.1 as it knows it", TIMEOUT, async () => {
    const { port } = await start();
    const { code, stdout, stderr } = await runToEnd(python, [fileURLToPath(new URL("paho-peer.py", import.meta.url)), port]);
    expect([code, stderr]).toEqual([0, ""]);
    const seen = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { what: string; seen: unknown });
    expect(Object.fromEntries(seen.map(({ what, seen: it }) => [what, it]))).toEqual({
      granted: [2, 128],
      basic: [0, 1, 2].map((qos) => [`basic/${qos}`, "x", qos, false]),
      retained: [0, 1, 2].map((qos) => [`keep/${qos}`, "kept", qos, true]),
      deleted: [],
      overlapping: [["TopicA/C", "both", 2, false]],
      will: [["will", "gone", 2, false]],
      "present at first": 0,
      "present later": 1,
      "queued in order": [true, true, 200],
      "queued again": [],
      "load in order": true,
    });
  });
});

describe("mosquitto_sub", () => {
  // Skipped where Debian's mosquitto-clients are not installed: mosquitto_sub is the foreign peer of this test.
  it.skipIf(mosquittoSub === 127)("keeps a session, and finds what came meanwhile", TIMEOUT, async () => {
    const { gateway, port } = await start();
    const subscriber = ["-h", "127.0.0.1", "-p", port, "-V", "mqttv311", "-i", "sub", "-c", "-q", "2", "-t", "m/#", "-F", "%t %p %q"];
    expect((await runToEnd("mosquitto_sub", [...subscriber, "-E"])).code).toBe(0);
    const device = await connectClient(gateway.mqttUrl);
    for (const qos of [0, 1, 2] as const) await device.publishAsync("m/x", `qos ${qos}`, { qos });
    await device.endAsync();
    const { code, stdout } = await runToEnd("mosquitto_sub", [...subscriber, "-C", "2", "-W", "20"]);
    expect([code, stdout.trim().split("\n")]).toEqual([0, ["m/x qos 1 1", "m/x qos 2 2"]]);
  });
});

describe("mqtt.js", () => {
  it("comes back to its session by itself when the gateway does", TIMEOUT, async () => {
    const { gateway } = await start();
    const got: string[] = [];
    const subscriber: MqttClient = await connectClient(gateway.mqttUrl, { clientId: "js", clean: false, reconnectPeriod: 50 });
    cleanUp.push(() => subscriber.endAsync(true));
    subscriber.on("message", (topic, payload, { qos }) => got.push(`${topic} ${String(payload)} ${qos}`));
    await subscriber.subscribeAsync({ "js/a": { qos: 1 }, "js/#": { qos: 2 } });
    const device = await connectClient(gateway.mqttUrl);
    for (let index = 0; index < 50; index++) {
      if (index % 10 === 5) subscriber.stream.destroy();
      await device.publishAsync("js/a", String(index), { qos: 2 });
    }
    await waitFor("all messages", () => got.length >= 50);
    expect(got).toEqual(Array.from({ length: 50 }, (_, index) => `js/a ${index} 2`));
  });
});
