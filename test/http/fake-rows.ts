// Rows of the made-up store of fake-gateway.ts that no test changes.

import type { QueryAnswers, SeriesView } from "../../src/storage/query.ts";

export const auditOf = (at: number): QueryAnswers["audit"]["audit"][number] => ({
  ...{ id: 7, at, lastAt: at, count: 1, who: "ada", origin: "127.0.0.1", action: "reload", target: "", why: "new freezer", outcome: "ok" },
});

export const summaryOf = (series: SeriesView, day: string): QueryAnswers["summaries"]["summaries"][number] => ({
  day,
  zone: "Europe/Oslo",
  series: series.id,
  labels: series.labels,
  unit: series.unit,
  count: 8640,
  min: -21.2,
  max: -17.4,
  avg: -19.02,
  stddev: 0.8,
  p50: -19,
  p95: -17.8,
  p99: -17.5,
  first: -19.1,
  first_ts: 1_769_727_600_000,
  last: -18.9,
  last_ts: 1_769_813_990_000,
  sum: -164_332.8,
  coverage: 1,
  largest_gap_ms: 0,
  gaps: 0,
  median_interval_ms: 10_000,
  day_ms: 86_400_000,
  late: 3,
  alerts: 1,
  version: 1,
  approximate: false,
  computed_at: 1_769_829_300_000,
});
