// A fleet of simulated devices: real MQTT clients that publish the signals of scenarios at QoS 1 with their own timestamps.
// Simulated time runs from `startTs` at `speed` and never ahead of the clock. A device that is offline, cut off or has too much
// unacknowledged sends its backlog later, in order: what it measures depends only on seed and instant.
// `node simulators/fleet.ts --url mqtt://127.0.0.1:1883 --scenario cold-chain --devices 20 --seed 1`

import { parseArgs } from "node:util";
import { connectAsync, type MqttClient } from "mqtt";
import { type Clock, systemClock } from "../src/clock.ts";
import { parseTimestamp } from "../src/recording.ts";
import { createProgress } from "./progress.ts";
import { scenarios } from "./scenarios/index.ts";
import type { Scenario, SimulatedMetric } from "./scenarios/scenario.ts";
import { numberOption, runScript, textOptions } from "./script.ts";
import { hasFault, readSignal, seedOf } from "./signals.ts";

export type FleetOptions = {
  url: string;
  scenario: Scenario;
  /** How many devices; null for the scenario's own number. */
  devices: number | null;
  seed: number;
  /** Multiple of real time until simulated time has caught up with the clock. */
  speed: number;
  /** Epoch ms at which simulated time and the timetable of faults begin; null for now. */
  startTs: number | null;
  /** Readings per second and second of simulated time, over all series; null for the scenario's own. */
  rate: number | null;
};

export type Fleet = {
  /** Connects every device. @throws when the gateway cannot be reached */
  start(): Promise<void>;
  status(): { devices: number; series: number; published: number; acknowledged: number; simulatedTs: number };
  /** Waits up to 2 s for the last PUBACKs. */
  close(): Promise<void>;
};

const TICK_MS = 20;
const IN_FLIGHT_MAX = 100;
const CLOSE_MS_MAX = 2000;

type Series = { readonly topic: string; readonly metric: SimulatedMetric; readonly seed: number; readonly everyMs: number; nextTs: number };
type Device = { readonly id: string; readonly series: readonly Series[]; client: MqttClient | undefined; inFlight: number };

export function createFleet(deps: { clock: Clock }, options: FleetOptions): Fleet {
  const { clock } = deps;
  const startTs = options.startTs ?? clock.now();
  const devices = planDevices(options, startTs);
  const seriesCount = devices.reduce((sum, device) => sum + device.series.length, 0);
  const createdAt = clock.monotonic();
  let timer: NodeJS.Timeout | undefined;
  let published = 0;
  let acknowledged = 0;

  const simulatedTs = (): number => Math.min(clock.now(), Math.floor(startTs + (clock.monotonic() - createdAt) * options.speed));

  function publish(device: Device, client: MqttClient, series: Series, ts: number): void {
    const value = readSignal(series.metric.signal, series.metric.faults, series.seed, startTs, ts);
    if (value === undefined) return;
    device.inFlight += 1;
    published += 1;
    client.publish(series.topic, JSON.stringify({ ts, value }), { qos: 1 }, (error) => {
      device.inFlight -= 1;
      if (!error) acknowledged += 1;
    });
  }
  function tick(): void {
    const now = simulatedTs();
    for (const device of devices) {
      if (device.client?.connected !== true) continue;
      for (const series of device.series) {
        if (hasFault(series.metric.faults, "offline", startTs, now)) continue;
        for (; series.nextTs <= now && device.inFlight < IN_FLIGHT_MAX; series.nextTs += series.everyMs) publish(device, device.client, series, series.nextTs);
      }
    }
  }
  return {
    async start() {
      for (let index = 0; index < devices.length; index += 50)
        await Promise.all(
          devices.slice(index, index + 50).map(async (device) => {
            device.client = await connectAsync(options.url, { clientId: device.id, reconnectPeriod: 1000 }, false);
            device.client.on("error", () => {}); // It connects again by itself; what it could not send waits.
          }),
        );
      timer = setInterval(tick, TICK_MS);
    },
    status: () => ({ devices: devices.length, series: seriesCount, published, acknowledged, simulatedTs: simulatedTs() }),
    async close() {
      clearInterval(timer);
      const deadline = clock.monotonic() + CLOSE_MS_MAX;
      while (devices.some((device) => device.inFlight > 0 && device.client?.connected) && clock.monotonic() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await Promise.all(devices.map(async (device) => device.client?.endAsync(true)));
    },
  };
}

function planDevices(options: FleetOptions, startTs: number): Device[] {
  const plans = Array.from({ length: options.devices ?? options.scenario.devicesDefault }, (_, index) => options.scenario.device(index));
  const seriesCount = plans.reduce((sum, plan) => sum + plan.metrics.length, 0);
  return plans.map((plan) => ({
    id: `fleet-${options.scenario.site}-${plan.device}`,
    client: undefined,
    inFlight: 0,
    series: plan.metrics.map((metric) => {
      const topic = `sensors/${options.scenario.site}/${plan.device}/${metric.metric}`;
      const seed = seedOf(options.seed, topic);
      const everyMs = options.rate === null ? metric.everyMs : Math.max(1, Math.round((seriesCount * 1000) / options.rate));
      // A phase of its own: devices do not measure in step.
      return { topic, metric, seed, everyMs, nextTs: startTs + (seed % everyMs) };
    }),
  }));
}

const usage = `node simulators/fleet.ts [options]
  --url URL          the gateway (mqtt://127.0.0.1:1883)
  --scenario NAME    ${scenarios.map((scenario) => scenario.name).join(", ")} or all (cold-chain)
  --devices N        devices per scenario (its own number)
  --rate R           readings per second (the scenario's own)
  --seed S           (1)
  --start TIME       simulated time begins there (now)
  --speed N          N × real time until it has caught up (1)
  --seconds N        ends after that (never)`;

async function main(): Promise<number> {
  const names = ["url", "scenario", "devices", "rate", "seed", "start", "speed", "seconds"] as const;
  const { values } = parseArgs({ options: { ...textOptions(...names), help: { type: "boolean" } } });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const number = (name: keyof typeof values): number | null => (values[name] === undefined ? null : numberOption(values, name, 0));
  const name = values.scenario ?? "cold-chain";
  const chosen = scenarios.filter((scenario) => name === "all" || scenario.name === name);
  if (chosen.length === 0) throw new RangeError(`there is no scenario ${name}; choose from ${scenarios.map((scenario) => scenario.name).join(", ")} or all`);
  const startTs = values.start === undefined ? null : parseTimestamp(values.start);
  if (startTs === undefined) throw new RangeError(`--start ${values.start} is not a timestamp`);
  const url = values.url ?? "mqtt://127.0.0.1:1883";
  const common = { url, devices: number("devices"), seed: number("seed") ?? 1, speed: number("speed") ?? 1, startTs, rate: number("rate") };
  const fleets = chosen.map((scenario) => createFleet({ clock: systemClock }, { ...common, scenario }));
  for (const fleet of fleets) await fleet.start();
  await showUntilEnd(fleets, number("seconds"));
  return 0;
}

/** Shows figures until Ctrl-C, SIGTERM or the time is over, then ends the fleets. */
async function showUntilEnd(fleets: readonly Fleet[], seconds: number | null): Promise<void> {
  const sum = (pick: (status: ReturnType<Fleet["status"]>) => number) => fleets.reduce((total, fleet) => total + pick(fleet.status()), 0);
  const unit = `readings acknowledged from ${sum((status) => status.series)} series of ${sum((status) => status.devices)} devices`;
  const progress = createProgress(process.stderr, systemClock, { total: null, unit });
  const timer = setInterval(() => progress.update(sum((status) => status.acknowledged)), 250);
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
    if (seconds !== null) setTimeout(resolve, seconds * 1000).unref();
  });
  clearInterval(timer);
  await Promise.all(fleets.map((fleet) => fleet.close()));
  progress.end(sum((status) => status.acknowledged));
}

if (import.meta.main) runScript(main);
