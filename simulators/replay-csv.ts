// Publishes a recording over MQTT with its own timestamps: as fast as the gateway acknowledges, or at a multiple of real time.
// One connection, QoS 1, in the file's order, a bounded number in flight. What was acknowledged can be skipped when it is run again.
// `node simulators/replay-csv.ts FILE.csv --url mqtt://127.0.0.1:1883 --topic sensors/lab/machine/temperature [--speed 3600] [--skip N]`

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connectAsync, type MqttClient } from "mqtt";
import { type Clock, systemClock } from "../src/clock.ts";
import { type RecordedReading, readRecording } from "../src/recording.ts";
import { createProgress } from "./progress.ts";
import { numberOption, runScript, textOptions } from "./script.ts";

export type ReplayOptions = {
  url: string;
  topic: string;
  /** Readings that wait for their PUBACK at one time. */
  inFlightMax: number;
  /** Multiple of real time, or null for as fast as PUBACKs come. */
  speed: number | null;
  /** Readings to leave out at the beginning. */
  skip: number;
};

export type ReplayReport = {
  /** With those that were skipped: the number to skip next time. */
  position: number;
  acknowledged: number;
  elapsedMs: number;
  /** false when the signal ended it early. */
  finished: boolean;
};

/**
 * Replays readings and waits for every PUBACK.
 * @throws when the gateway cannot be reached at first; a connection lost later is opened again and goes on
 */
export async function replayRecording(
  readings: AsyncIterable<RecordedReading>,
  deps: { clock: Clock; signal: AbortSignal; onProgress?: (position: number) => void },
  options: ReplayOptions,
): Promise<ReplayReport> {
  const client = await connectAsync(options.url, { clientId: `replay-${randomUUID().slice(0, 13)}`, reconnectPeriod: 500 }, false);
  const flight = createFlight(client, options, deps);
  const startedAt = deps.clock.monotonic();
  let firstTs: number | undefined;
  let index = 0;
  let finished = true;
  try {
    for await (const reading of readings) {
      index += 1;
      if (index <= options.skip) continue;
      firstTs ??= reading.ts;
      if (options.speed !== null) await waitUntil(startedAt + (reading.ts - firstTs) / options.speed, deps);
      await flight.room();
      if (deps.signal.aborted) {
        finished = false;
        break;
      }
      flight.publish(reading);
    }
    await flight.landed();
  } finally {
    await client.endAsync(true);
  }
  const { acknowledged } = flight;
  return { position: Math.min(index, options.skip) + acknowledged(), acknowledged: acknowledged(), elapsedMs: deps.clock.monotonic() - startedAt, finished };
}

/** Readings on their way. PUBACKs come in order on one connection, so their number is a position in the file. */
function createFlight(client: MqttClient, options: ReplayOptions, deps: { signal: AbortSignal; onProgress?: (position: number) => void }) {
  let published = 0;
  let acknowledged = 0;
  let failure: Error | undefined;
  let wake: () => void = () => {};
  deps.signal.addEventListener("abort", () => wake(), { once: true });

  async function until(isReached: () => boolean): Promise<void> {
    while (!isReached() && failure === undefined && !deps.signal.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    if (failure !== undefined) throw failure;
  }
  return {
    acknowledged: () => acknowledged,
    room: () => until(() => published - acknowledged < options.inFlightMax),
    landed: () => until(() => published === acknowledged),
    publish({ ts, text }: RecordedReading): void {
      published += 1;
      client.publish(options.topic, `{"ts":${ts},"value":${text}}`, { qos: 1 }, (error) => {
        if (error) failure ??= error;
        else acknowledged += 1;
        deps.onProgress?.(options.skip + acknowledged);
        wake();
      });
    },
  };
}

async function waitUntil(monotonic: number, deps: { clock: Clock; signal: AbortSignal }): Promise<void> {
  for (let left = monotonic - deps.clock.monotonic(); left > 0 && !deps.signal.aborted; left = monotonic - deps.clock.monotonic())
    await sleep(Math.min(left, 60_000), undefined, { signal: deps.signal }).catch(() => {});
}

const usage = `node simulators/replay-csv.ts FILE.csv [options]
  --url URL       the gateway (mqtt://127.0.0.1:1883)
  --topic TOPIC   where it publishes (sensors/lab/machine/temperature)
  --speed N       N × real time; without it, as fast as the gateway acknowledges
  --skip N        leaves out the first N readings: where an earlier run stopped
  --in-flight N   readings that wait for their PUBACK (200)`;

async function main(): Promise<number> {
  const options = { ...textOptions("url", "topic", "speed", "skip", "in-flight"), help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  const [file] = positionals;
  if (values.help || file === undefined) {
    (values.help ? process.stdout : process.stderr).write(`${usage}\n`);
    return values.help ? 0 : 2;
  }
  const skip = numberOption(values, "skip", 0);
  const inFlightMax = Math.max(1, numberOption(values, "in-flight", 200));
  const speed = values.speed === undefined ? null : Math.max(1e-9, numberOption(values, "speed", 1));
  let total = 0;
  for await (const _ of readRecording(file)) total += 1;
  const interruption = new AbortController();
  process.once("SIGINT", () => interruption.abort());
  const progress = createProgress(process.stderr, systemClock, { total: Math.max(0, total - skip), unit: "readings" });
  const report = await replayRecording(
    readRecording(file),
    { clock: systemClock, signal: interruption.signal, onProgress: (position) => progress.update(position - skip) },
    {
      url: values.url ?? "mqtt://127.0.0.1:1883",
      topic: values.topic ?? "sensors/lab/machine/temperature",
      inFlightMax,
      speed,
      skip,
    },
  );
  progress.end(report.acknowledged);
  process.stdout.write(`${report.acknowledged} acknowledged in ${(report.elapsedMs / 1000).toFixed(1)} s\n`);
  if (!report.finished) process.stdout.write(`stopped; go on with --skip ${report.position}\n`);
  return report.finished ? 0 : 1;
}

if (import.meta.main) runScript(main);
