// A gateway with a bridge to a real Mosquitto, under a QoS 1 load: the gateway, Mosquitto and both are ended by SIGKILL, several times.
// What was acknowledged is stored, exactly once; Mosquitto's own log is the witness of what the gateway acknowledged to it.
// Moments are drawn by a seed. Each message names its own time, and its topic names it once more.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MqttClient } from "mqtt";
import { afterEach, expect, it } from "vitest";
import { LATE, VERDICT_MASK } from "../../src/engine/reading.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { isHistory, readJournal } from "../../src/storage/journal.ts";
import { durable, hasMosquitto, type Mosquitto, startMosquitto, wordy } from "../broker/mosquitto.ts";
import { booksBalance, connectClient, createDraw, createFolder, type Draw, drawSeed, startHighwater, waitFor, writeConfig } from "./gateway-process.ts";

const DEVICES = 5;
const IN_FLIGHT_MAX = 20;
const T0 = Date.UTC(2026, 0, 5, 12);

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

type BridgeAnswer = { readonly broker: { readonly bridges: readonly { readonly state: string; readonly messages: number }[] } };

// Skipped where Debian's mosquitto is not installed: it is the foreign broker of this test.
it.skipIf(!hasMosquitto)(
  "kill -9 of the gateway, of Mosquitto and of both loses nothing acknowledged and counts nothing twice",
  { timeout: 180_000 },
  async () => {
    const draw = createDraw(drawSeed("test/e2e/bridge.test.ts"));
    const folder = createFolder("bridge");
    cleanUp.push(() => folder.remove());
    const mosquitto = await startMosquitto(() => ["allow_anonymous true", ...durable, ...wordy]);
    cleanUp.push(() => mosquitto.remove());
    const sources = [{ topic: "sensors/{device}/{metric}/+", codec: "json" }];
    const config = { mqtt: { bridges: [{ url: mosquitto.url, topics: ["sensors/#"] }] }, sources };
    let gateway = await startHighwater(folder.path, config);
    cleanUp.push(() => gateway.stop());
    const bridge = async () => (await gateway.get<BridgeAnswer>("/api/v1/status")).broker.bridges[0];
    await waitFor("the bridge", async () => (await bridge())?.state === "connected");
    const load = createLoad(mosquitto, draw);
    cleanUp.push(() => load.stop());
    const hasAll = async (): Promise<boolean> => {
      const stored = historyOf(join(folder.path, "data"));
      return [...load.acknowledged].every((key) => stored.has(key));
    };

    for (let round = 0; round < 3; round++) {
      const ended = load.run();
      await sleep(draw.between(200, 800));
      await gateway.kill();
      // Meanwhile Mosquitto keeps for the gateway what comes.
      await sleep(draw.between(0, 200));
      load.stop();
      await ended;
      gateway = await startHighwater(folder.path);
    }
    // Mosquitto lived on: what it had acknowledged to the devices is stored, all of it.
    await load.finish();
    await waitFor("what Mosquitto kept", hasAll);

    for (const both of [false, true, false]) {
      const ended = load.run();
      await sleep(draw.between(200, 800));
      await Promise.all([mosquitto.kill(), both ? gateway.kill() : undefined]);
      load.stop();
      await ended;
      await mosquitto.start();
      if (both) gateway = await startHighwater(folder.path);
      await waitFor("the bridge again", async () => (await bridge())?.state === "connected");
    }
    await load.repeat();
    await waitFor("all of it", hasAll);

    writeConfig(folder.path, { sources });
    gateway.hangUp();
    await waitFor("no bridge", async () => (await bridge()) === undefined);
    const { readings } = await gateway.status();
    expect(booksBalance(readings)).toBe(true);
    expect(readings).toMatchObject({ conflict: 0, quarantined: 0, rejected: 0 });
    expect(await gateway.stop()).toBe(0);
    expectEachOnce(join(folder.path, "data"), load, mosquitto);
  },
);

/** What the gateway acknowledged to Mosquitto, as that has logged it: the last levels of the topics. */
function acknowledgedToMosquitto({ log }: Mosquitto): Set<string> {
  const topics = new Map<string, string>();
  const all = new Set<string>();
  for (const line of log) {
    const sending = /Sending PUBLISH to highwater-\w+ \(d\d, q1, r0, m(\d+), 'sensors\/([^']+)'/.exec(line);
    if (sending !== null) topics.set(sending[1] as string, sending[2] as string);
    const received = /Received PUBACK from highwater-\w+ \(Mid: (\d+)/.exec(line);
    if (received !== null) all.add(topics.get(received[1] as string) as string);
  }
  return all;
}

/** What is stored as history: how often each reading was accepted, and how often it was late. */
function historyOf(dataDir: string): Map<string, { accepted: number; late: number }> {
  const db = openDatabase(dataDir, { readonly: true });
  const devices = db
    .prepare<[], string>("SELECT labels FROM series ORDER BY id")
    .pluck()
    .all()
    .map((labels) => (JSON.parse(labels) as { device: string }).device);
  const stored = new Map<string, { accepted: number; late: number }>();
  for (const { count, series, ts, verdict } of readJournal(db, {})) {
    for (let index = 0; index < count; index++) {
      if (!isHistory(verdict[index] as number)) continue;
      const key = `${devices[series[index] as number]}/load/${ts[index]}`;
      const times = stored.get(key) ?? { accepted: 0, late: 0 };
      times[((verdict[index] as number) & VERDICT_MASK) === LATE ? "late" : "accepted"] += 1;
      stored.set(key, times);
    }
  }
  db.close();
  return stored;
}

/**
 * Each reading is accepted at most once. One that comes again after more than the engine remembers, and more than it may look up, is late, and
 * whoever reads history takes the first (docs/adr/0005-first-wins-is-kept-when-reading.md).
 */
function expectEachOnce(dataDir: string, load: Load, mosquitto: Mosquitto): void {
  const stored = historyOf(dataDir);
  const witnessed = acknowledgedToMosquitto(mosquitto);
  expect([...stored].filter(([, { accepted }]) => accepted > 1)).toEqual([]);
  expect([...witnessed].filter((key) => !stored.has(key))).toEqual([]);
  expect([...load.acknowledged].filter((key) => !stored.has(key))).toEqual([]);
  expect([...stored.keys()].filter((key) => !load.sent.has(key))).toEqual([]);
  expect(witnessed.size).toBeGreaterThan(200);
}

type Load = ReturnType<typeof createLoad>;

/** Devices that publish to Mosquitto as fast as it acknowledges; what it did not acknowledge is sent again in the next run. */
function createLoad({ url }: Mosquitto, draw: Draw) {
  const acknowledged = new Set<string>();
  const sent = new Set<string>();
  const next = Array.from({ length: DEVICES }, () => T0);
  let isStopped = false;

  const publish = async (client: MqttClient, key: string): Promise<void> => {
    sent.add(key);
    const ts = Number(key.split("/").at(-1));
    await client.publishAsync(`sensors/${key}`, JSON.stringify({ ts, value: ts % 1000 }), { qos: 1 });
    acknowledged.add(key);
  };
  const unacknowledged = () => [...sent].filter((key) => !acknowledged.has(key));

  return {
    acknowledged,
    sent,
    stop: (): void => {
      isStopped = true;
    },
    /** Sends what was not acknowledged, until it is. */
    async finish(): Promise<void> {
      const client = await connectClient(url);
      for (const key of unacknowledged()) await publish(client, key);
      await client.endAsync();
    },
    /** Until the broker goes, or it is stopped. */
    async run(): Promise<void> {
      isStopped = false;
      const client = await connectClient(url);
      let inFlight = 0;
      const begin = (key: string): void => {
        inFlight++;
        void publish(client, key)
          .catch(() => undefined)
          .finally(() => inFlight--);
      };
      client.on("error", () => {});
      client.once("close", () => {
        isStopped = true;
      });
      for (const key of unacknowledged()) begin(key);
      while (!isStopped) {
        while (inFlight < IN_FLIGHT_MAX) {
          const device = draw.whole(0, DEVICES - 1);
          next[device] = (next[device] as number) + draw.whole(1, 2000);
          begin(`load-${device}/load/${next[device]}`);
        }
        await sleep(1);
      }
      await client.endAsync(true);
    },
    async repeat(): Promise<void> {
      const client = await connectClient(url);
      // All of it, since Mosquitto may have lost what it had written to its own disk last.
      await Promise.all([...sent].map((key) => publish(client, key)));
      await client.endAsync();
    },
  };
}
