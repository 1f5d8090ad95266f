// The load generator over a real aedes: what it counts is what arrived, in both ways of sending.

import { request } from "node:http";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createAlertReceiver } from "../../simulators/load/alert-receiver.ts";
import { type LoadOptions, runLoad } from "../../simulators/load/run.ts";
import { startBroker } from "./broker.ts";

let broker: Awaited<ReturnType<typeof startBroker>>;
beforeEach(async () => {
  broker = await startBroker();
});
afterEach(() => broker.close());

const options = (more: Partial<LoadOptions> = {}): LoadOptions => ({
  host: "127.0.0.1",
  port: broker.port,
  connections: 3,
  series: 10,
  window: 8,
  warmupMs: 0,
  durationMs: 10_000,
  count: 2000,
  rate: null,
  alertsPerSecond: 0,
  receivePort: null,
  seed: 1,
  ...more,
});

test("flat out: each series' readings rise, and acknowledged is what arrived", async () => {
  const report = await runLoad(options());
  expect(report).toMatchObject({ sent: 2000, acknowledged: 2000, measured: 2000, alerts: null });
  expect(report.latency.count).toBe(2000);
  expect(broker.published.length).toBe(2000);
  const last = new Map<string, number>();
  for (const { topic, payload } of broker.published) {
    const { ts, value } = JSON.parse(payload) as { ts: number; value: number };
    expect(ts).toBeGreaterThan(last.get(topic) ?? 0);
    expect(value).toBeGreaterThanOrEqual(20);
    expect(value).toBeLessThan(22);
    last.set(topic, ts);
  }
  expect(last.size).toBe(10);
});

test("paced: the timetable's readings, and breaches that each end with the next reading of their series", async () => {
  const report = await runLoad(options({ rate: 2000, alertsPerSecond: 100, count: 1000, window: 1000 }));
  expect(report.lateness.count).toBe(1000);
  // Breaches still open at the end get one calm reading more.
  expect(report.sent).toBeGreaterThanOrEqual(1000);
  expect(broker.published.length).toBe(report.sent);
  const breached = new Map<string, boolean>();
  let breaches = 0;
  for (const { topic, payload } of broker.published) {
    const isBreach = (JSON.parse(payload) as { value: number }).value > 90;
    if (isBreach) expect(breached.get(topic) ?? false).toBe(false);
    breaches += Number(isBreach);
    breached.set(topic, isBreach);
  }
  expect([...breached.values()]).not.toContain(true);
  expect(breaches).toBe(50);
});

test("a broker that closes the connection is an error, no figure", async () => {
  const running = runLoad(options({ rate: 1000, count: Number.POSITIVE_INFINITY }));
  const failed = expect(running).rejects.toThrow(/closed the connection|ECONNRESET|EPIPE/);
  while (broker.published.length < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  broker.cut();
  await failed;
});

test("a broker that is not there is an error", async () => {
  await expect(runLoad(options({ port: 1 }))).rejects.toThrow("ECONNREFUSED");
});

test("the receiver tells the first webhook of a transition from its repeats and from strangers", async () => {
  const receiver = await createAlertReceiver({ host: "127.0.0.1", port: 0 });
  const send = (status: string, device: string, startsAt: string, endsAt = "0001-01-01T00:00:00Z") =>
    new Promise<void>((resolve, reject) => {
      const outgoing = request({ host: "127.0.0.1", port: receiver.port, method: "POST" }, (response) => response.resume().on("end", resolve));
      outgoing.on("error", reject);
      outgoing.end(JSON.stringify({ version: "4", alerts: [{ status, labels: { device }, startsAt, endsAt }] }));
    });
  receiver.expect("load-1", 1000, performance.now());
  receiver.expect("load-1", 2000, performance.now());
  receiver.expect("load-2", 2000, performance.now());
  await send("firing", "load-1", "1970-01-01T00:00:01Z");
  await send("firing", "load-1", "1970-01-01T00:00:01.000Z");
  await send("resolved", "load-1", "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z");
  await send("firing", "load-9", "1970-01-01T00:00:01Z");
  expect(receiver.figures()).toMatchObject({ provoked: 3, received: 2, again: 1, unexpected: 1, missing: 1, latency: { count: 2 } });
  await receiver.close();
});
