// Rows of the store that tell of no alert of their own, made up for tests.

import { utc } from "../../src/engine/calendar.ts";
import { reportSeries } from "../../src/reports/device-report.ts";
import type { NotificationView, QueryAnswers, SeriesView } from "../../src/storage/query.ts";

export const auditOf = (at: number): QueryAnswers["audit"]["audit"][number] => ({
  ...{ id: 7, at, lastAt: at, count: 1, who: "ada", origin: "127.0.0.1", action: "reload", target: "", why: "new freezer", outcome: "ok" },
});

export const notificationsOf = (alert: string, at: number): NotificationView[] =>
  ["email:0", "webhook:0"].map((channel, index) => ({
    id: `${alert}-1-on-call-${channel}`,
    alert,
    ordinal: 1,
    receiver: "on-call",
    channel,
    seq: 1,
    state: "firing",
    kind: "transition",
    cause: null,
    line: null,
    heldUntil: null,
    members: null,
    disposition: index === 0 ? "delivered" : "waiting",
    createdAt: at,
    attempts: index === 0 ? 1 : 3,
    nextAt: at + 60_000,
    endedAt: index === 0 ? at + 420 : null,
    reason: index === 0 ? null : "503 Service Unavailable",
  }));

export const summaryOf = (series: SeriesView, day: string): QueryAnswers["summaries"]["summaries"][number] => ({
  day,
  zone: "Europe/Oslo",
  series: series.id,
  labels: series.labels,
  unit: series.unit,
  count: 8640,
  min: -21.2,
  max: -17.4,
  min_ts: 1_769_740_000_000,
  max_ts: null,
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
  ...{ largest_gap_ms: 900_000, gaps: 1, longest_gaps: [[1_769_750_000_000, 1_769_750_900_000]], median_interval_ms: 10_000, day_ms: 86_400_000 },
  ...{ late: 3, alerts: 1, version: 1 },
  approximate: false,
  computed_at: 1_769_829_300_000,
  reconciliation: null,
});

/** Of the series of one device; null where there is none. */
export function deviceReportOf(device: string, series: readonly SeriesView[], madeAt: number): QueryAnswers["report"] {
  const own = series.filter(({ labels }) => labels["device"] === device);
  if (own.length === 0) return null;
  const [start, end] = [Date.UTC(2026, 0, 30), Date.UTC(2026, 0, 31)];
  return {
    ...{ device, labels: { room: "B2" }, limits: { high: -15 }, from: "2026-01-30", to: "2026-01-30", start, end, zone: utc, knownUntil: end },
    series: own.map((each) =>
      reportSeries({ id: each.id, name: each.labels["metric"] ?? "", labels: each.labels, unit: each.unit }, [
        { day: "2026-01-30", start, end, state: "exact", figures: summaryOf(each, "2026-01-30") },
      ]),
    ),
    excursions: [
      {
        ...{ id: "a1-1", series: own[0]?.id ?? 0, rule: "freezer-too-warm", severity: "critical", unit: "°C", peak: -11, limit: -15 },
        ...{ firedAt: start + 3_600_000, resolvedAt: start + 7_200_000, ack: { by: "ada", at: start + 4_000_000, note: "door was open" } },
        events: [{ at: start + 4_000_000, kind: "acknowledged", by: "ada", text: "door was open" }],
      },
    ],
    excursionsLeftOut: 0,
    ...{ madeAt, gateway: "cold-chain", version: "0.1.0" },
  };
}
