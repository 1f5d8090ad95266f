// A disk that is full, for real: a small memory file system. Acknowledgements stop and it says so; once there is room again everything goes on, and
// nothing that was acknowledged is missing. A gateway that is killed on the full disk starts again on it.

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, expect, it } from "vitest";
import { booksBalance, connectClient, createFolder, type ReadingsAnswer, type RunningGateway, runToEnd, startHighwater, waitFor } from "./gateway-process.ts";

const T0 = Date.UTC(2026, 0, 5, 12);

const folder = createFolder("full-disk");
const data = join(folder.path, "data");
const filler = join(data, "filler");
mkdirSync(data);
const mounted = await runToEnd("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", data]);
if (mounted.code !== 0) console.warn("The tests of a full disk are skipped: a tmpfs cannot be mounted here (it takes root)");
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});
afterAll(async () => {
  if (mounted.code === 0) await runToEnd("umount", ["-l", data]);
  folder.remove();
});

// Skipped where a file system may not be mounted: without one, no disk can be filled without harm.
it.skipIf(mounted.code !== 0)("a full disk stops acknowledgements and says so; with room again it goes on, and nothing acknowledged is missing", async () => {
  let gateway = await startHighwater(folder.path, {});
  cleanUp.push(() => gateway.stop());
  const load = await createLoad(gateway);
  cleanUp.push(() => load.end());
  await waitFor("acknowledgements", () => load.acknowledged.size > 100);
  expect(await ready(gateway)).toEqual({ status: 200, reasons: [] });

  fill(filler);
  cleanUp.push(() => rmSync(filler, { force: true }));
  await waitFor("a refusal", async () => (await ready(gateway)).status === 503);
  expect((await ready(gateway)).reasons.join()).toMatch(/disk|full/);
  const stoppedAt = load.acknowledged.size;
  await sleep(6_000);
  expect(load.acknowledged.size).toBe(stoppedAt);
  const { broker, readings } = await gateway.status();
  expect(broker.refusing).toMatch(/waited/);
  expect(booksBalance(readings)).toBe(true);
  expect(await gateway.text("/metrics")).toContain("highwater_commit_retries_total");

  rmSync(filler);
  await waitFor("acknowledgements again", () => load.acknowledged.size > stoppedAt + 100);
  await waitFor("readiness again", async () => (await ready(gateway)).status === 200);
  await load.end();
  const stored = new Map<number, number>();
  const { series } = JSON.parse(await rawOf(gateway)) as ReadingsAnswer;
  for (const { t, min } of series[0]?.buckets ?? []) stored.set(t, min);
  expect([...load.acknowledged].filter(([ts, value]) => stored.get(ts) !== value)).toEqual([]);
  const books = (await gateway.status()).readings;
  expect(booksBalance(books)).toBe(true);
  expect(books.accepted).toBe(stored.size);

  // Killed on the full disk, it starts on it, waits, and goes on from there.
  const before = await rawOf(gateway);
  fill(filler);
  await gateway.kill();
  const starting = startHighwater(folder.path);
  await sleep(3_000);
  rmSync(filler);
  gateway = await starting;
  expect(await rawOf(gateway)).toBe(before);
  expect((await gateway.status()).readings).toEqual(books);
  expect(await gateway.stop()).toBe(0);
});

// Skipped where a file system may not be mounted: without one, no disk can be filled without harm.
it.skipIf(mounted.code !== 0)("what is refused while no reading comes is over without one", async () => {
  const gateway = await startHighwater(folder.path, {
    gateway: { data_dir: "./data/quiet" },
    // Nothing falls due in silence that could wake it.
    sources: [{ topic: "sensors/{site}/{device}/{metric}", idle_after: "1h" }],
    rules: [{ name: "too-high", match: { metric: "level" }, condition: { type: "threshold", above: 5 } }],
    // Nobody listens there: each attempt is a row to write.
    notify: { receivers: [{ name: "nobody", webhook: { url: "http://127.0.0.1:9/" } }], route: { receiver: "nobody" } },
  });
  cleanUp.push(() => gateway.stop());
  const client = await connectClient(gateway.mqttUrl);
  cleanUp.push(() => client.endAsync(true));
  await client.publishAsync("sensors/lab/device/level", JSON.stringify({ ts: T0, value: 9 }), { qos: 1 });
  fill(filler);
  cleanUp.push(() => rmSync(filler, { force: true }));
  await waitFor("a refusal", async () => (await ready(gateway)).status === 503);
  rmSync(filler);
  await waitFor("readiness again", async () => (await ready(gateway)).status === 200);
  expect(await gateway.stop()).toBe(0);
});

const rawOf = (gateway: RunningGateway): Promise<string> => gateway.text("/api/v1/readings?step=raw");

async function ready(gateway: RunningGateway): Promise<{ status: number; reasons: string[] }> {
  const response = await fetch(`${gateway.httpUrl}/readyz`);
  return { status: response.status, reasons: ((await response.json()) as { reasons: string[] }).reasons };
}

/** Takes what room there is, to the last byte. */
function fill(file: string): void {
  const descriptor = openSync(file, "w");
  try {
    for (const size of [65_536, 4_096, 512, 1]) {
      const block = Buffer.alloc(size);
      try {
        for (;;) writeSync(descriptor, block);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A device that publishes a few hundred readings a second, connects again when it is cut off, and sends again what was not acknowledged. */
async function createLoad(gateway: RunningGateway) {
  const acknowledged = new Map<number, number>();
  const client = await connectClient(gateway.mqttUrl, { reconnectPeriod: 200, reconnectOnConnackError: true });
  client.on("error", () => {});
  let [sent, inFlight] = [0, 0];
  const timer = setInterval(() => {
    for (; inFlight < 20; ) {
      const [ts, value] = [T0 + sent++, Math.random()];
      inFlight++;
      client.publish("sensors/lab/device/level", JSON.stringify({ ts, value }), { qos: 1 }, (error) => {
        inFlight--;
        if (!error) acknowledged.set(ts, value);
      });
    }
  }, 20);
  return {
    acknowledged,
    async end(): Promise<void> {
      clearInterval(timer);
      if (!client.disconnecting) await client.endAsync(true);
    },
  };
}
