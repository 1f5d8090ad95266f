// SIGKILL at random moments of a QoS 1 load, several rounds on one data directory, with a webhook receiver that fails half of the time. What was
// acknowledged is there exactly once, alerts go on where they stood, and no notification is lost. Moments are drawn by a seed.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MqttClient } from "mqtt";
import { afterEach, expect, it } from "vitest";
import { openDatabase } from "../../src/storage/database.ts";
import { readJournal } from "../../src/storage/journal.ts";
import {
  type AlertAnswer,
  type AlertHistoryAnswer,
  booksBalance,
  connectClient,
  createDraw,
  createFolder,
  type Draw,
  drawSeed,
  type NotificationAnswer,
  type RunningGateway,
  startHighwater,
  waitFor,
} from "./gateway-process.ts";

const ROUNDS = 4;
const DEVICES = 10;
const IN_FLIGHT_MAX = 200;
/** In one round. */
const BREACHES_MAX = 8;
const T0 = Date.UTC(2026, 0, 5, 12);
const MINUTE_MS = 60_000;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

it("kill -9 during a load loses nothing that was acknowledged, no alert and no notification", { timeout: 120_000 }, async () => {
  const seed = drawSeed("test/e2e/kill.test.ts");
  const draw = createDraw(seed);
  const folder = createFolder("kill");
  cleanUp.push(() => folder.remove());
  const receiver = await createUnreliableReceiver(createDraw(seed + 1));
  cleanUp.push(() => receiver.close());
  const config = {
    rules: [
      { name: "load-high", match: { metric: "load" }, condition: { type: "threshold", above: 50 } },
      { name: "probe-high", match: { metric: "probe" }, condition: { type: "threshold", above: 50 }, for: "5m", keep_firing_for: "5m" },
    ],
    notify: { receivers: [{ name: "on-call", webhook: { url: receiver.url, format: "standard" } }], route: { receiver: "on-call" }, flapping: false },
  };
  const load = createLoad(draw);
  let gateway = await startHighwater(folder.path, config);
  cleanUp.push(() => gateway.stop());
  const probe = async (minutes: number, value: number): Promise<void> => {
    const client = await connectClient(gateway.mqttUrl);
    await client.publishAsync("sensors/lab/probe/probe", JSON.stringify({ ts: T0 + minutes * MINUTE_MS, value }), { qos: 1 });
    await client.endAsync(true);
    load.acknowledged.set(`probe ${T0 + minutes * MINUTE_MS}`, value);
  };
  const killUnderLoad = async (): Promise<void> => {
    const ended = load.run(gateway);
    await sleep(draw.between(100, 1500));
    await gateway.kill();
    await ended;
    gateway = await startHighwater(folder.path);
  };
  const probeAlerts = async (): Promise<AlertAnswer[]> => (await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?rule=probe-high")).alerts;

  await probe(0, 60);
  await killUnderLoad();
  expect(await probeAlerts()).toMatchObject([{ id: null, state: "pending", since: "2026-01-05T12:00:00.000Z" }]);
  await probe(2, 70);
  await killUnderLoad();
  expect(await probeAlerts()).toMatchObject([{ id: null, state: "pending", since: "2026-01-05T12:00:00.000Z" }]);
  await probe(20, 65);
  const [fired] = await probeAlerts();
  expect(fired).toMatchObject({ state: "firing", fired_at: "2026-01-05T12:05:00.000Z" });
  await killUnderLoad();
  expect(await probeAlerts()).toMatchObject([{ id: fired?.id, state: "firing", fired_at: "2026-01-05T12:05:00.000Z" }]);
  await probe(30, 40);
  for (let round = 3; round < ROUNDS; round++) await killUnderLoad();
  expect(await probeAlerts()).toMatchObject([{ id: fired?.id, state: "recovering" }]);
  await probe(50, 41);
  expect(await probeAlerts()).toMatchObject([{ id: fired?.id, state: "resolved", resolved_at: "2026-01-05T12:35:00.000Z", value: 40, peak: 70 }]);

  const unfinished = async (): Promise<NotificationAnswer[]> =>
    (await gateway.get<{ notifications: NotificationAnswer[] }>("/api/v1/notifications?disposition=waiting&limit=10000")).notifications;
  await waitFor("every notification delivered", async () => (await unfinished()).length === 0, 60_000);
  await expectEachTold(gateway, receiver.taken);
  const { readings } = await gateway.status();
  expect(readings.quarantined + readings.rejected).toBe(0);
  expect(booksBalance(readings)).toBe(true);
  expect(await gateway.stop()).toBe(0);
  expectEachOnce(join(folder.path, "data"), load, readings);
});

/** Of each alert that fired, all transitions that are told were taken by the receiver, first taken in order of `seq`, duplicates by the same id. */
async function expectEachTold(gateway: RunningGateway, taken: readonly Taken[]): Promise<void> {
  const { alerts } = await gateway.get<{ alerts: AlertAnswer[] }>("/api/v1/alerts?state=firing,recovering,resolved&limit=10000");
  expect(alerts.length).toBeGreaterThan(2);
  const byAlert = Map.groupBy(taken, ({ alert }) => alert);
  expect(new Set(byAlert.keys())).toEqual(new Set(alerts.map(({ id }) => id)));
  for (const { id, resolved_at } of alerts) {
    const { notifications } = await gateway.get<AlertHistoryAnswer>(`/api/v1/alerts/${id}`);
    expect(notifications.map(({ seq, state, disposition }) => [seq, state, disposition])).toEqual(
      [
        [1, "firing", "delivered"],
        [2, "resolved", "delivered"],
      ].slice(0, resolved_at === null ? 1 : 2),
    );
    const told = byAlert.get(id ?? "") ?? [];
    expect(told.map(({ seq }) => seq)).toEqual(told.map(({ seq }) => seq).toSorted());
    expect(new Set(told.map((each) => JSON.stringify(each)))).toEqual(
      new Set(notifications.map((each) => JSON.stringify({ id: each.id, seq: each.seq, state: each.state, alert: id }))),
    );
  }
}

/** The journal holds each acknowledged reading exactly once, nothing that was not sent, and as many as the books. */
function expectEachOnce(dataDir: string, { acknowledged, sent }: Load, books: { accepted: number; duplicate: number; received: number }): void {
  const db = openDatabase(dataDir, { readonly: true });
  const devices = new Map(
    db
      .prepare<[], { id: number; labels: string }>("SELECT id, labels FROM series")
      .all()
      .map(({ id, labels }) => [id, (JSON.parse(labels) as { device: string }).device]),
  );
  const accepted = new Map<string, number>();
  let [duplicate, all] = [0, 0];
  for (const { count, series, ts, value, verdict } of readJournal(db, {})) {
    all += count;
    for (let index = 0; index < count; index++) {
      const key = `${devices.get(series[index] as number)} ${ts[index]}`;
      if (verdict[index] === 2) duplicate++;
      if (verdict[index] !== 0) continue;
      if (accepted.has(key)) throw new Error(`accepted twice: ${key}`);
      accepted.set(key, value[index] as number);
    }
  }
  db.close();
  const lost = [...acknowledged].filter(([key, value]) => accepted.get(key) !== value);
  expect(lost).toEqual([]);
  const strange = [...accepted].filter(([key, value]) => !acknowledged.has(key) && sent.get(key) !== value);
  expect(strange).toEqual([]);
  expect({ all, accepted: accepted.size, duplicate }).toEqual({ all: books.received, accepted: books.accepted, duplicate: books.duplicate });
  expect(acknowledged.size).toBeGreaterThan(1000);
}

type Load = ReturnType<typeof createLoad>;

/** Devices that publish as fast as they are acknowledged, until the connection breaks. What was not acknowledged is sent again in the next run. */
function createLoad(draw: Draw) {
  const acknowledged = new Map<string, number>();
  const sent = new Map<string, number>();
  const next = Array.from({ length: DEVICES }, () => T0);
  let again: [string, number][] = [];

  async function publishUntilBroken(client: MqttClient): Promise<void> {
    let [inFlight, isBroken, breachesLeft] = [0, false, BREACHES_MAX];
    client.once("close", () => {
      isBroken = true;
    });
    const publish = (key: string, value: number): void => {
      const [device, ts] = key.split(" ");
      sent.set(key, value);
      inFlight++;
      client.publish(`sensors/lab/${device}/load`, `{"ts":${ts},"value":${value}}`, { qos: 1 }, (error) => {
        inFlight--;
        if (!error) acknowledged.set(key, value);
      });
    };
    const repeated = again;
    for (const [key, value] of repeated) publish(key, value);
    while (!isBroken) {
      for (; inFlight < IN_FLIGHT_MAX; ) {
        const device = draw.whole(0, DEVICES - 1);
        next[device] = (next[device] as number) + draw.whole(1, 2000);
        // One device crosses its limit now and then: alerts fire and resolve under load.
        const isBreach = device === 0 && breachesLeft > 0 && draw.between(0, 1) < 0.03;
        if (isBreach) breachesLeft--;
        const value = isBreach ? 60 : draw.whole(0, 400) / 10;
        publish(`load-${device} ${next[device]}`, value);
      }
      await sleep(1);
    }
  }

  return {
    acknowledged,
    sent,
    async run(gateway: RunningGateway): Promise<void> {
      const client = await connectClient(gateway.mqttUrl);
      client.on("error", () => {});
      await publishUntilBroken(client);
      await client.endAsync(true);
      again = [...sent].filter(([key]) => !acknowledged.has(key));
    },
  };
}

type Taken = { readonly id: string; readonly seq: number; readonly state: string; readonly alert: string };

/** Fails half of what it is sent, before or after taking it: 503, no answer but a broken line. The third time it takes it well, so that a test ends. */
async function createUnreliableReceiver(draw: Draw) {
  const taken: Taken[] = [];
  const tries = new Map<string, number>();
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { data } = JSON.parse(body) as { data: { notification_id: string; seq: number; alert_id: string; state: string } };
    const id = data.notification_id;
    const tried = (tries.get(id) ?? 0) + 1;
    tries.set(id, tried);
    const fate = tried > 2 || draw.between(0, 1) < 0.5 ? "take" : draw.oneOf(["refuse", "break", "take and break"] as const);
    if (fate === "take" || fate === "take and break") taken.push({ id, seq: data.seq, state: data.state, alert: data.alert_id });
    if (fate === "take") response.writeHead(204).end();
    else if (fate === "refuse") response.writeHead(503).end();
    else request.socket.destroy();
  };
  const server = createServer((request, response) => {
    // A gateway that is killed breaks off what it was sending.
    take(request, response).catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    taken,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
