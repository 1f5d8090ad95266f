// A latency histogram: HDR buckets of node:perf_hooks, three digits, in nanoseconds inside and milliseconds outside.

import { createHistogram } from "node:perf_hooks";

/** Milliseconds; all 0 when nothing was recorded. */
export type LatencyFigures = { count: number; p50: number; p90: number; p99: number; max: number };

export function createLatency() {
  const histogram = createHistogram({ figures: 3 });
  const ms = (ns: number) => Math.round(ns / 10_000) / 100;
  return {
    /** @param waitedMs 0 or more; what is less than a nanosecond counts as one */
    record: (waitedMs: number): void => histogram.record(Math.max(1, Math.round(waitedMs * 1e6))),
    figures(): LatencyFigures {
      if (histogram.count === 0) return { count: 0, p50: 0, p90: 0, p99: 0, max: 0 };
      const at = (percentile: number) => ms(histogram.percentile(percentile));
      return { count: histogram.count, p50: at(50), p90: at(90), p99: at(99), max: ms(histogram.max) };
    },
  };
}
