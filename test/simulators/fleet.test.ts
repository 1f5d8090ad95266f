// The fleet over a real aedes: what arrives is what the signals say, per series in order, and every PUBACK is counted.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createFleet, type FleetOptions } from "../../simulators/fleet.ts";
import { coldChain } from "../../simulators/scenarios/cold-chain.ts";
import { readSignal, seedOf } from "../../simulators/signals.ts";
import { systemClock } from "../../src/clock.ts";
import { startBroker } from "./broker.ts";

let broker: Awaited<ReturnType<typeof startBroker>>;
beforeEach(async () => {
  broker = await startBroker();
});
afterEach(() => broker.close());

const fleetOf = (more: Partial<FleetOptions> = {}) =>
  createFleet({ clock: systemClock }, { url: broker.url, scenario: coldChain, devices: 8, seed: 5, speed: 1, startTs: null, rate: null, ...more });

type Reading = { ts: number; value: number };
function byTopic(): Map<string, Reading[]> {
  const found = new Map<string, Reading[]>();
  for (const { topic, payload } of broker.published) found.set(topic, [...(found.get(topic) ?? []), JSON.parse(payload) as Reading]);
  return found;
}

test("a stretch of the past arrives as the signals say it, faults and backlogs included", async () => {
  const startTs = Date.now() - 600_000;
  const fleet = fleetOf({ startTs, speed: 3000 });
  await fleet.start();
  // 10 minutes at 3000 × real time; then it goes on in real time, until freezer-8 has sent what it measured while offline.
  await vi.waitFor(() => expect(fleet.status().simulatedTs).toBeGreaterThan(startTs + 600_000), { timeout: 20_000 });
  await vi.waitFor(() => expect(byTopic().get("sensors/cold-store/freezer-8/temperature")?.at(-1)?.ts).toBeGreaterThan(startTs + 598_000), { timeout: 20_000 });
  await fleet.close();
  const status = fleet.status();
  expect(status).toMatchObject({ devices: 8, series: 8, acknowledged: broker.published.length, published: broker.published.length });
  for (let index = 0; index < 8; index++) {
    const topic = `sensors/cold-store/freezer-${index + 1}/temperature`;
    const [metric] = coldChain.device(index).metrics;
    if (metric === undefined) throw new Error("a freezer has a thermometer");
    const seed = seedOf(5, topic);
    const arrived = byTopic().get(topic) ?? [];
    const expected: Reading[] = [];
    for (let ts = startTs + (seed % 1000); ts <= (arrived.at(-1)?.ts ?? 0); ts += 1000) {
      const value = readSignal(metric.signal, metric.faults, seed, startTs, ts);
      if (value !== undefined) expected.push({ ts, value });
    }
    expect(arrived).toEqual(expected);
    expect(arrived.length).toBeGreaterThan(400);
  }
});

test("it never publishes from the future", async () => {
  const fleet = fleetOf({ speed: 1000, rate: 2000 });
  await fleet.start();
  await vi.waitFor(() => expect(broker.published.length).toBeGreaterThan(200), { timeout: 20_000 });
  await fleet.close();
  const now = Date.now();
  for (const readings of byTopic().values()) for (const { ts } of readings) expect(ts).toBeLessThanOrEqual(now);
});

test("after a cut it goes on without a gap", async () => {
  const fleet = fleetOf({ devices: 1, rate: 100 });
  await fleet.start();
  await vi.waitFor(() => expect(broker.published.length).toBeGreaterThan(20), { timeout: 20_000 });
  broker.cut();
  const before = broker.published.length;
  await vi.waitFor(() => expect(broker.published.length).toBeGreaterThan(before + 150), { timeout: 20_000 });
  await fleet.close();
  const instants = [...new Set((byTopic().get("sensors/cold-store/freezer-1/temperature") ?? []).map((reading) => reading.ts))].sort((a, b) => a - b);
  for (let index = 1; index < instants.length; index++) expect((instants[index] as number) - (instants[index - 1] as number)).toBe(10);
});

test("a gateway that is not there is an error", async () => {
  const fleet = fleetOf({ url: "mqtt://127.0.0.1:1", devices: 2 });
  await expect(fleet.start()).rejects.toThrow("ECONNREFUSED");
  await fleet.close();
});
