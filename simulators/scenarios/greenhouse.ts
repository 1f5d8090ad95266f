// Greenhouse bays: temperature and humidity with the sun, soil that dries between waterings, a vent that jams, a spiking probe.

import { HOUR, MINUTE, type Scenario, SECOND } from "./scenario.ts";

export const greenhouse: Scenario = {
  name: "greenhouse",
  about: "Bays with sun, watering and a vent that jams",
  site: "greenhouse",
  devicesDefault: 3,
  device: (index) => ({
    device: `bay-${index + 1}`,
    labels: { crop: index % 2 === 0 ? "tomato" : "basil" },
    metrics: [
      {
        metric: "temperature",
        unit: "°C",
        everyMs: 2 * SECOND,
        signal: { base: 22 + (index % 3), daily: { amplitude: 4, peakHour: 14 }, wander: { amplitude: 1, periodMs: 5 * MINUTE }, noise: 0.1, decimals: 1 },
        faults: index % 3 === 1 ? [{ kind: "step", by: 12, settleMs: 20 * SECOND, fromMs: 90 * SECOND, lastsMs: 2 * MINUTE, everyMs: 8 * MINUTE }] : [],
      },
      {
        metric: "humidity",
        unit: "%",
        everyMs: 2 * SECOND,
        signal: {
          base: 68,
          daily: { amplitude: 9, peakHour: 3 },
          wander: { amplitude: 4, periodMs: 4 * MINUTE },
          noise: 0.5,
          decimals: 1,
          min: 0,
          max: 100,
        },
        faults: index % 3 === 2 ? [{ kind: "spike", by: -60, share: 0.1, fromMs: 2 * MINUTE, lastsMs: MINUTE, everyMs: 9 * MINUTE }] : [],
      },
      {
        metric: "soil_moisture",
        unit: "%",
        everyMs: 5 * SECOND,
        signal: { base: 42, cycle: { amplitude: -6, periodMs: HOUR, shape: "saw" }, noise: 0.2, decimals: 1, min: 0, max: 100 },
        faults: [],
      },
    ],
  }),
  rules: [
    { name: "bay outside its range", match: { device: "bay-*", metric: "temperature" }, condition: { type: "threshold", outside: [10, 33] }, for: "10s" },
    { name: "soil dry", match: { device: "bay-*", metric: "soil_moisture" }, condition: { type: "threshold", below: 34, clear_above: 38 }, severity: "info" },
  ],
};
