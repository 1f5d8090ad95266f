// Metrics of one thread in Prometheus' text format; /metrics joins the texts of all threads.

import { Counter, Gauge, Histogram, Registry } from "prom-client";

export type Metrics = ReturnType<typeof createMetrics>;
export type { Counter, Gauge, Histogram };

/** Works a figure out when somebody reads the metrics: prom-client asks `collect` before, its types know that only as an option. */
export function whenRead(metric: object, collect: () => void): void {
  Object.assign(metric, { collect });
}

/** Names must be unique over all threads: prefix them `highwater_<room>_`. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    counter: <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) => new Counter<Label>({ name, help, labelNames, registers }),
    gauge: <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) => new Gauge<Label>({ name, help, labelNames, registers }),
    histogram: <Label extends string = never>(name: string, help: string, buckets: number[], labelNames: Label[] = []) =>
      new Histogram<Label>({ name, help, labelNames, buckets, registers }),
    text: () => registry.metrics(),
  };
}
