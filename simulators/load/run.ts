// The load itself: S series over C connections, QoS 1, W readings in flight on each, flat out or paced, PUBACKs counted and timed.
// Readings carry the wall clock at their sending, rising within a series, so that none is a duplicate, late or from the future.
// Paced load is open: a slow broker does not slow the generator, it fills the windows; what then could not be sent in time is said.

import { createRandom } from "../signals.ts";
import { type AlertFigures, createAlertReceiver } from "./alert-receiver.ts";
import { type LoadConnection, openLoadConnection } from "./connection.ts";
import { createLatency, type LatencyFigures } from "./latency.ts";
import { createFlood, createTimetable, type LoadSeries, type Pace } from "./pace.ts";
import { encodePublish, type Login } from "./wire.ts";

export type LoadOptions = {
  host: string;
  port: number;
  connections: number;
  /** Of all connections. */
  login?: Login | undefined;
  series: number;
  /** Readings in flight per connection, at most 65,535. */
  window: number;
  /** Not measured. */
  warmupMs: number;
  /** Measured. */
  durationMs: number;
  /** Ends earlier once so many readings were sent; Infinity for none. */
  count: number;
  /** Readings per second over all series, or null: as fast as PUBACKs come. */
  rate: number | null;
  /** Alerts that begin per second (each ends with its series' next reading); needs a rate. */
  alertsPerSecond: number;
  /** Port for the webhooks of those alerts, or null. */
  receivePort: number | null;
  seed: number;
};

export type LoadReport = {
  sent: number;
  acknowledged: number;
  /** PUBACKs within the measured time. */
  measured: number;
  seconds: number;
  perSecond: number;
  latency: LatencyFigures;
  /** How late the paced generator wrote a reading against its own timetable. */
  lateness: LatencyFigures;
  alerts: AlertFigures | null;
};

const DRAIN_MS_MAX = 20_000;

/** @throws when the broker cannot be reached, breaks a connection or does not acknowledge everything within 20 s of the end */
export async function runLoad(options: LoadOptions): Promise<LoadReport> {
  const latency = createLatency();
  const lateness = createLatency();
  const receiver = options.receivePort === null ? null : await createAlertReceiver({ host: options.host, port: options.receivePort });
  const series = Array.from({ length: options.series }, (_, index) => createSeries(index, options.connections));
  const state: LoadState = { sent: 0, acknowledged: 0, measured: 0, isMeasuring: false, isSending: false, failure: null, drained: () => {} };
  const connections = await openConnections(options, state, latency);

  function send(one: LoadSeries, milli: number): boolean {
    const ts = Math.max(Date.now(), one.lastTs + 1);
    if (!(connections[one.connection] as LoadConnection).send(one.template, ts, milli)) return false;
    one.lastTs = ts;
    state.sent += 1;
    return true;
  }
  const load = { series, connections, random: createRandom(options.seed), send };
  const { rate, alertsPerSecond, count } = options;
  const pace =
    rate === null
      ? createFlood({ ...load, mayGoOn: () => state.isSending && state.sent < count })
      : createTimetable({ ...load, rate, alertsPerSecond, count, receiver, lateness, isMeasuring: () => state.isMeasuring });
  state.drained = pace.drained;
  const seconds = await measure(options, state, pace);
  await until(() => state.acknowledged >= state.sent || state.failure !== null, DRAIN_MS_MAX);
  if (receiver !== null) await until(() => receiver.missing() === 0 || state.failure !== null, DRAIN_MS_MAX);
  for (const connection of connections) connection.close();
  await receiver?.close();
  if (state.failure !== null) throw state.failure;
  const { sent, acknowledged, measured } = state;
  if (acknowledged < sent) throw new Error(`${sent - acknowledged} of ${sent} readings were not acknowledged within ${DRAIN_MS_MAX / 1000} s`);
  const alerts = receiver?.figures() ?? null;
  return { sent, acknowledged, measured, seconds, perSecond: measured / seconds, latency: latency.figures(), lateness: lateness.figures(), alerts };
}

type LoadState = {
  sent: number;
  acknowledged: number;
  measured: number;
  isMeasuring: boolean;
  isSending: boolean;
  failure: Error | null;
  drained: (connection: number) => void;
};

function openConnections(options: LoadOptions, state: LoadState, latency: { record(ms: number): void }): Promise<LoadConnection[]> {
  const open = (_: unknown, index: number) =>
    openLoadConnection(
      { host: options.host, port: options.port, clientId: `load-${index}`, window: options.window, login: options.login },
      {
        acknowledged(waitedMs) {
          state.acknowledged += 1;
          if (!state.isMeasuring) return;
          state.measured += 1;
          latency.record(waitedMs);
        },
        drained: () => state.drained(index),
        failed: (error) => {
          state.failure ??= error;
        },
      },
    );
  return Promise.all(Array.from({ length: options.connections }, open));
}

/** Warms up, measures and stops. @returns the seconds measured */
async function measure(options: LoadOptions, state: LoadState, pace: Pace): Promise<number> {
  const startedAt = performance.now();
  const isOver = () => state.failure !== null || state.sent >= options.count;
  state.isSending = true;
  pace.start();
  await until(() => isOver() || performance.now() - startedAt >= options.warmupMs, options.warmupMs + 1000);
  const measuredFrom = performance.now();
  state.isMeasuring = true;
  await until(() => isOver() || performance.now() - measuredFrom >= options.durationMs, options.durationMs + 1000);
  // A count that is reached ends the sending; the time runs on until the last PUBACK.
  if (state.sent >= options.count) await until(() => state.acknowledged >= state.sent || state.failure !== null, DRAIN_MS_MAX);
  state.isMeasuring = false;
  state.isSending = false;
  const seconds = (performance.now() - measuredFrom) / 1000;
  pace.stop();
  return seconds;
}

function createSeries(index: number, connections: number): LoadSeries {
  const device = `load-${String(index).padStart(5, "0")}`;
  return { device, template: encodePublish(`sensors/bench/${device}/temperature`), connection: index % connections, lastTs: 0, breached: false };
}

async function until(isDone: () => boolean, msMax: number): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!isDone() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
}
