// A limit on the size of the store, on a real gateway: the oldest summarised days of readings go, with an alert that ends by itself;
// where no day may go nothing is acknowledged until there is room, and nothing that was acknowledged is missing.

import { afterAll, afterEach, expect, it } from "vitest";
import {
  type AlertAnswer,
  type AlertHistoryAnswer,
  connectClient,
  createFolder,
  type ReadingsAnswer,
  type RunningGateway,
  startHighwater,
  waitFor,
  writeConfig,
} from "./gateway-process.ts";

const day = 86_400_000;
const folder = createFolder("disk-limit");
const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});
afterAll(() => folder.remove());

const config = (name: string, limit: string) => ({ gateway: { data_dir: `./${name}` }, storage: { disk_limit: limit } });
const alertsOf = async (gateway: RunningGateway, rule: string): Promise<AlertAnswer[]> =>
  (await gateway.get<{ alerts: AlertAnswer[] }>(`/api/v1/alerts?rule=${rule}`)).alerts;

/** Publishes noise, which does not compress, at these times, many at once; an acknowledged one is put down. */
async function createSender(gateway: RunningGateway) {
  const client = await connectClient(gateway.mqttUrl);
  client.on("error", () => {});
  cleanUp.push(() => client.endAsync(true));
  const acknowledged = new Map<number, number>();
  return {
    acknowledged,
    send(times: readonly number[]): Promise<unknown> {
      return Promise.all(
        times.map((ts) => {
          const value = Math.random() * 1e6;
          return client.publishAsync("sensors/lab/noise/level", JSON.stringify({ ts, value }), { qos: 1 }).then(() => acknowledged.set(ts, value));
        }),
      );
    },
  };
}

it("drops the oldest summarised days of readings before their time, says so, and goes on", async () => {
  const gateway = await startHighwater(folder.path, config("days", "2MB"));
  cleanUp.push(() => gateway.stop());
  const { send, acknowledged } = await createSender(gateway);
  const today = Date.now() - (Date.now() % day);
  let sent = 0;
  const rawOfFirst = async () =>
    (await gateway.get<ReadingsAnswer>(`/api/v1/readings?step=raw&from=${today - 30 * day}&to=${today - 29 * day}`)).series[0]?.buckets ?? [];
  // What the summary of the days packs may be room enough at first.
  await waitFor(
    "the alert about the limit, and the end of the oldest day",
    async () => {
      // From thirty days ago on; some thousand readings each.
      const start = today - 30 * day + Math.floor(sent / 4000) * day;
      await send(Array.from({ length: 1000 }, (_, index) => start + ((sent + index) % 4000) * 20_000));
      sent += 1000;
      return (await alertsOf(gateway, "highwater-disk-limit")).length > 0 && (await rawOfFirst()).length === 0;
    },
    60_000,
  );
  await waitFor("the end of the alert", async () => (await alertsOf(gateway, "highwater-disk-limit"))[0]?.state === "resolved", 60_000);
  const [alert] = await alertsOf(gateway, "highwater-disk-limit");
  const { transitions } = await gateway.get<AlertHistoryAnswer>(`/api/v1/alerts/${alert?.id}`);
  expect(transitions.map(({ to, reason }) => [to, reason])).toEqual([
    ["firing", "disk_limit"],
    ["resolved", "disk_limit"],
  ]);
  // Days that are gone are still known by their summaries, and the whole of each by its count.
  const { series } = await gateway.get<ReadingsAnswer>("/api/v1/readings?step=day");
  expect(series[0]?.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(acknowledged.size);
  expect(await rawOfFirst()).toEqual([]);
});

it("holds acknowledgements where no day may go, and goes on when the limit is raised; nothing acknowledged is missing", async () => {
  const gateway = await startHighwater(folder.path, config("held", "1MB"));
  cleanUp.push(() => gateway.stop());
  const { send, acknowledged } = await createSender(gateway);
  // All of today: a day that is over may go.
  const start = Math.max(Date.now() - (Date.now() % day), Date.now() - 600_000);
  let sent = 0;
  const ready = async () => (await fetch(`${gateway.httpUrl}/readyz`)).status;
  const sending = waitFor(
    "room",
    async () => {
      await send(Array.from({ length: 500 }, () => start + sent++));
      return sent > 100_000;
    },
    90_000,
  ).catch(() => undefined);
  await waitFor("the hold", async () => (await ready()) === 503, 60_000);
  const [held] = await alertsOf(gateway, "highwater-disk-held");
  expect(held).toMatchObject({ state: "firing", labels: { severity: "critical" } });
  const before = acknowledged.size;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(acknowledged.size).toBe(before);
  expect(await ready()).toBe(503);

  const changed = JSON.parse(JSON.stringify(config("held", "500MB"))) as Record<string, unknown>;
  writeConfig(folder.path, changed);
  gateway.hangUp();
  await waitFor("acknowledgements again", () => acknowledged.size > before + 1000, 60_000);
  await waitFor("readiness again", async () => (await ready()) === 200);
  await waitFor("the end of the alert", async () => (await alertsOf(gateway, "highwater-disk-held"))[0]?.state === "resolved");
  sent = 100_001;
  await sending;
  const { series } = await gateway.get<ReadingsAnswer>(`/api/v1/readings?step=raw&from=${start}&to=${start + 99_000}`);
  const stored = new Map(series[0]?.buckets.map(({ t, min }) => [t, min]));
  expect([...acknowledged].filter(([ts, value]) => ts < start + 99_000 && stored.get(ts) !== value)).toEqual([]);
});
