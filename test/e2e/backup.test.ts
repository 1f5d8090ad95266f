// Backups of a gateway under load, in its real processes: readings come at QoS 1 the whole time, a backup is taken meanwhile (one is killed
// before), the gateway dies, and another one goes on elsewhere from the backup. What was acknowledged before it began is there, once.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it } from "vitest";
import { openDatabase } from "../../src/storage/database.ts";
import {
  type AlertAnswer,
  booksBalance,
  connectClient,
  createDraw,
  createFolder,
  drawSeed,
  highwater,
  type ReadingsAnswer,
  type RunningGateway,
  startHighwater,
  waitFor,
  writeConfig,
} from "./gateway-process.ts";

const HIGHWATER = fileURLToPath(new URL("../../bin/highwater.js", import.meta.url));
const DEVICES = 8;
const IN_FLIGHT_MAX = 40;
const T0 = Date.UTC(2026, 0, 5, 12);
const BALLAST_MEGABYTES = 250;
const PART = /\.highwater-\d+\.part/;
const config = { rules: [{ name: "load-high", match: { metric: "load" }, condition: { type: "threshold", above: 50 } }] };

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

it("what was acknowledged before a backup began is in it, once; it goes on elsewhere", { timeout: 180_000 }, async () => {
  const draw = createDraw(drawSeed("test/e2e/backup.test.ts"));
  const [here, elsewhere] = [newFolder("backup"), newFolder("restore")];
  await makeBallast(here);
  const gateway = await startHighwater(here, config);
  cleanUp.push(() => gateway.stop());
  const load = createLoad(await connected(gateway));
  await waitFor("alerts under load", async () => (await alertsOf(gateway)).length > 3);

  const [file, named] = [join(here, "copy.db"), ["--config", join(here, "highwater.yaml")]];
  await killAtWork(["backup", file, ...named], here, draw.whole(0, 50));
  expect(existsSync(file)).toBe(false);
  const [alerts, acknowledged] = [await alertsOf(gateway), new Map(load.acknowledged)];
  const said = await highwater("backup", file, "--json", ...named);
  expect([said.code, said.stderr]).toEqual([0, ""]);
  const { seq, through } = JSON.parse(said.stdout) as { seq: number; through: string };
  expect(statSync(file).size).toBeGreaterThan(BALLAST_MEGABYTES * 1e6);
  expect(readdirSync(here).filter((name) => PART.test(name))).toEqual([]);
  // The load went on meanwhile and goes on after it: the copy is of a moment between.
  const after = load.acknowledged.size;
  expect(after).toBeGreaterThan(acknowledged.size + 100);
  await waitFor("more acknowledgements", () => load.acknowledged.size > after + 100);
  expect(acknowledged.size).toBeGreaterThan(500);
  await gateway.kill();
  load.end();
  // Without a gateway, what stands only in the WAL is copied too.
  const last = await highwater("backup", join(here, "last.db"), "--json", ...named);
  expect((JSON.parse(last.stdout) as { readings: number }).readings).toBeGreaterThanOrEqual(load.acknowledged.size);

  const elsewhereConfig = ["--config", writeConfig(elsewhere, config)];
  await killAtWork(["restore", file, ...elsewhereConfig], join(elsewhere, "data"), draw.whole(0, 50));
  const restored = await highwater("restore", file, "--json", "--force", ...elsewhereConfig);
  expect([restored.code, JSON.parse(restored.stdout)]).toMatchObject([0, { seq, through }]);
  const second = await startHighwater(elsewhere);
  cleanUp.push(() => second.stop());
  await expectEach(second, acknowledged, load.sent);
  const restoredIds = (await alertsOf(second)).map(({ id }) => id);
  expect(new Set(restoredIds).size).toBe(restoredIds.length);
  expect(restoredIds).toEqual(expect.arrayContaining(alerts.map(({ id }) => id)));

  // Devices send again what they are not sure of: it comes in once, the rest is known.
  await load.sendAgain(await connected(second));
  await expectEach(second, load.sent, load.sent);
  const ids = (await alertsOf(second)).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(expect.arrayContaining(restoredIds));
  const { readings } = await second.status();
  expect(booksBalance(readings)).toBe(true);
  expect([readings.accepted, readings.late, readings.conflict]).toEqual([load.sent.size, 0, 0]);
  expect(await second.stop()).toBe(0);
});

function newFolder(name: string): string {
  const folder = createFolder(name);
  cleanUp.push(() => folder.remove());
  return folder.path;
}

/** Bytes that are no matter: a copy takes long enough to be killed at, and to be overtaken by commits. */
async function makeBallast(folder: string): Promise<void> {
  const db = openDatabase(join(folder, "data"), { readonly: false });
  db.exec("CREATE TABLE ballast (bytes)");
  const insert = db.prepare("INSERT INTO ballast VALUES (randomblob(1048576))");
  for (let row = 0; row < BALLAST_MEGABYTES; row++) insert.run();
  db.close();
}

/** Starts a command, and kills it so long after its first trace in the folder. */
async function killAtWork(args: readonly string[], folder: string, afterMs: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const child = spawn(process.execPath, [HIGHWATER, ...args], { stdio: "ignore" });
  const closed = once(child, "close");
  while (child.exitCode === null && !readdirSync(folder).some((name) => PART.test(name))) await sleep(1);
  await sleep(afterMs);
  child.kill("SIGKILL");
  await closed;
}

const connected = async (gateway: RunningGateway) => {
  const client = await connectClient(gateway.mqttUrl);
  client.on("error", () => {});
  cleanUp.push(() => client.endAsync(true));
  return client;
};

const alertsOf = async (gateway: RunningGateway): Promise<AlertAnswer[]> =>
  (await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?state=firing,recovering,resolved&limit=10000")).alerts;

/** The API has each wanted reading with its value, once, and nothing that was not sent. */
async function expectEach(gateway: RunningGateway, wanted: ReadonlyMap<string, number>, sent: ReadonlyMap<string, number>): Promise<void> {
  const stored = new Map<string, number>();
  for (let device = 0; device < DEVICES; device++) {
    const { series } = await gateway.get<ReadingsAnswer>(`/api/v1/readings?device=load-${device}&step=raw`);
    for (const { t, count, min } of series.flatMap(({ buckets }) => buckets)) {
      const key = `load-${device} ${t}`;
      if (count !== 1 || stored.has(key)) throw new Error(`stored twice: ${key}`);
      stored.set(key, min);
    }
  }
  expect([...wanted].filter(([key, value]) => stored.get(key) !== value)).toEqual([]);
  expect([...stored].filter(([key, value]) => sent.get(key) !== value)).toEqual([]);
}

/** Devices that publish in order, each as fast as it is acknowledged; one in fifty readings breaches. */
function createLoad(client: Awaited<ReturnType<typeof connected>>) {
  const [acknowledged, sent] = [new Map<string, number>(), new Map<string, number>()];
  const next = Array.from({ length: DEVICES }, () => 0);
  let inFlight = 0;
  const timer = setInterval(() => {
    for (; inFlight < IN_FLIGHT_MAX && client.connected; ) {
      const device = sent.size % DEVICES;
      const number = (next[device] as number)++;
      const [key, value] = [`load-${device} ${T0 + number * 100}`, number % 50 === 7 ? 60 : number % 40];
      sent.set(key, value);
      inFlight++;
      client.publish(`sensors/lab/load-${device}/load`, payloadOf(key, value), { qos: 1 }, (error) => {
        inFlight--;
        if (!error) acknowledged.set(key, value);
      });
    }
  }, 10);
  const end = (): void => clearInterval(timer);
  cleanUp.push(end);
  return {
    acknowledged,
    sent,
    end,
    async sendAgain(other: typeof client): Promise<void> {
      for (const [key, value] of sent) await other.publishAsync(`sensors/lab/${key.split(" ")[0]}/load`, payloadOf(key, value), { qos: 1 });
    },
  };
}

const payloadOf = (key: string, value: number): string => `{"ts":${key.split(" ")[1]},"value":${value}}`;
