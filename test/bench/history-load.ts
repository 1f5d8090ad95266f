// Readings with device times of the past, ten seconds apart, sent at a rate over MQTT: hours of event time in minutes.

import { type LoadConnection, openLoadConnection } from "../../simulators/load/connection.ts";
import { encodePublish } from "../../simulators/load/wire.ts";
import { createReadings, labelsOf } from "./workload.ts";

export type HistoryLoad = {
  readonly port: number;
  readonly series: number;
  readonly readings: number;
  /** Readings per second. */
  readonly rate: number;
  /** Device time of the first reading, epoch ms. */
  readonly start: number;
};

const CONNECTIONS = 100;
const WINDOW = 2000;
/** Where a gateway is slower than the rate, it gets what it can take. */
const IN_FLIGHT_MAX = 20_000;
const TICK_MS = 5;

/**
 * Resolves when all are acknowledged.
 * @throws when a connection fails
 */
export async function sendHistory({ port, series, readings, rate, start }: HistoryLoad): Promise<void> {
  const state = { acknowledged: 0, failure: undefined as Error | undefined };
  const handlers = { acknowledged: () => void state.acknowledged++, drained: () => {}, failed: (error: Error) => void (state.failure ??= error) };
  const open = (_: unknown, index: number): Promise<LoadConnection> =>
    openLoadConnection({ host: "127.0.0.1", port, clientId: `load-${index}`, window: WINDOW }, handlers);
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, open));
  const templates = Array.from({ length: series }, (_, id) => encodePublish(`sensors/bench/${labelsOf(id)["device"]}/temperature`));
  const load = createReadings({ series, start });
  const begun = performance.now();
  try {
    while (state.acknowledged < readings) {
      if (state.failure !== undefined) throw state.failure;
      const due = Math.min(readings, Math.floor(((performance.now() - begun) * rate) / 1000), state.acknowledged + IN_FLIGHT_MAX);
      if (due > load.taken()) send(load.take(due - load.taken()).batch);
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  } finally {
    for (const connection of connections) connection.close();
  }

  function send(batch: { readonly series: Uint32Array; readonly ts: Float64Array; readonly value: Float64Array }): void {
    for (let index = 0; index < batch.series.length; index++) {
      const id = batch.series[index] as number;
      const connection = connections[id % CONNECTIONS] as LoadConnection;
      const isQueued = connection.send(
        templates[id] as ReturnType<typeof encodePublish>,
        batch.ts[index] as number,
        Math.round((batch.value[index] as number) * 1000),
      );
      if (!isQueued) throw new Error("a connection's window is full");
    }
    for (const connection of connections) connection.flush();
  }
}
