// Racks: inlet temperature and power over the working day; cooling that stops, a meter that drops out, a gateway that is cut off.

import { MINUTE, type Scenario, SECOND } from "./scenario.ts";

export const serverRoom: Scenario = {
  name: "server-room",
  about: "Racks whose cooling stops and whose meters drop out",
  site: "server-room",
  devicesDefault: 3,
  device: (index) => ({
    device: `rack-${index + 1}`,
    labels: { row: String.fromCharCode(65 + (index % 4)) },
    metrics: [
      {
        metric: "inlet_temperature",
        unit: "°C",
        everyMs: 2 * SECOND,
        signal: { base: 22.5, daily: { amplitude: 0.8, peakHour: 15 }, wander: { amplitude: 0.6, periodMs: 3 * MINUTE }, noise: 0.08, decimals: 1 },
        faults: index % 3 === 0 ? [{ kind: "drift", perHour: 300, fromMs: 2 * MINUTE, lastsMs: 2.5 * MINUTE, everyMs: 11 * MINUTE }] : [],
      },
      {
        metric: "power",
        unit: "W",
        everyMs: 2 * SECOND,
        signal: { base: 4200, daily: { amplitude: 700, peakHour: 13 }, wander: { amplitude: 350, periodMs: MINUTE }, noise: 40, decimals: 0, min: 0 },
        faults: index % 3 === 1 ? [{ kind: "dropout", fromMs: 2.5 * MINUTE, lastsMs: MINUTE, everyMs: 7 * MINUTE }] : [],
      },
    ],
  }),
  rules: [
    {
      name: "rack too warm",
      match: { device: "rack-*", metric: "inlet_temperature" },
      condition: { type: "threshold", above: 27, clear_below: 25 },
      for: "20s",
      keep_firing_for: "10s",
    },
    { name: "power meter silent", match: { device: "rack-*", metric: "power" }, condition: { type: "absence", after: "30s" }, severity: "info" },
  ],
};
