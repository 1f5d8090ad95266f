// How grave an alert is, and what state it is in: always a shape and a word, never a colour alone.

import type { Alert } from "../http/routes/alerts.ts";

const shapes: Readonly<Record<Alert["severity"], string>> = {
  // An octagon, a triangle, a circle.
  critical: "M5.2 1h5.600L15 5.200v5.600L10.800 15H5.200L1 10.800V5.200z",
  warning: "M8 1.200 15.400 14.600H0.600z",
  info: "M8 1a7 7 0 1 1 0 14a7 7 0 0 1 0-14z",
};

export function SeverityMark({ severity }: { severity: Alert["severity"] }) {
  return (
    <span class={`mark ${severity}`}>
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d={shapes[severity]} fill="currentColor" />
        <path d={severity === "info" ? "M8 7v5M8 4v1.500" : "M8 4.800v4.400M8 11.200v1.500"} stroke="var(--surface)" stroke-width="1.800" />
      </svg>
      {severity}
    </span>
  );
}

/** The graver first; of one severity the newer first. */
export function byUrgency(a: Alert, b: Alert): number {
  return rank[a.severity] - rank[b.severity] || Date.parse(b.fired_at ?? b.since) - Date.parse(a.fired_at ?? a.since);
}

const rank: Readonly<Record<Alert["severity"], number>> = { critical: 0, warning: 1, info: 2 };
