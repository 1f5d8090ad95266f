// Pumps: vibration, pressure and motor current; a bearing that wears out, a pressure sensor that sticks, a pump that trips.

import { MINUTE, type Scenario, SECOND } from "./scenario.ts";

export const pump: Scenario = {
  name: "pump",
  about: "Pumps with a bearing that wears out and a pump that trips",
  site: "plant",
  devicesDefault: 2,
  device: (index) => {
    const isWorn = index % 2 === 0;
    const trip = { fromMs: 3 * MINUTE, lastsMs: 40 * SECOND, everyMs: 12 * MINUTE };
    return {
      device: `pump-${index + 1}`,
      labels: { line: index % 2 === 0 ? "north" : "south" },
      metrics: [
        {
          metric: "vibration",
          unit: "mm/s",
          everyMs: SECOND,
          signal: { base: 2.4, wander: { amplitude: 0.4, periodMs: MINUTE }, noise: 0.15, decimals: 2, min: 0 },
          faults: isWorn ? [{ kind: "drift", perHour: 150, fromMs: MINUTE, lastsMs: 3 * MINUTE, everyMs: 9 * MINUTE }] : [],
        },
        {
          metric: "pressure",
          unit: "bar",
          everyMs: SECOND,
          signal: { base: 6, cycle: { amplitude: 0.2, periodMs: 7 * SECOND, shape: "sine" }, noise: 0.03, decimals: 2, min: 0 },
          faults: isWorn ? [] : [{ kind: "step", by: -6, settleMs: 4 * SECOND, ...trip }],
        },
        {
          metric: "current",
          unit: "A",
          everyMs: SECOND,
          signal: { base: 14.5, wander: { amplitude: 0.8, periodMs: 2 * MINUTE }, noise: 0.1, decimals: 1, min: 0 },
          faults: isWorn
            ? [{ kind: "stuck", fromMs: 5 * MINUTE, lastsMs: 4 * MINUTE, everyMs: 15 * MINUTE }]
            : [{ kind: "step", by: -15, settleMs: 0, ...trip }],
        },
      ],
    };
  },
  rules: [
    {
      name: "bearing worn",
      match: { device: "pump-*", metric: "vibration" },
      condition: { type: "window", window: { tumbling: "10s" }, aggregate: "avg", above: 7.1, clear_below: 4.5 },
      severity: "critical",
      annotations: { summary: "{{device}} shakes with {{value}} mm/s: ISO 10816 zone D" },
    },
    { name: "pressure lost", match: { device: "pump-*", metric: "pressure" }, condition: { type: "threshold", below: 4 }, for: "5s", severity: "critical" },
  ],
};
