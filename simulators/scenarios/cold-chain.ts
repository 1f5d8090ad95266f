// Freezers of a warehouse: compressors that cycle, doors left open, a compressor that fails, a probe that freezes.
// The first fault comes after 7 s and is over after 16 s, so that a demo has an alert and its end within half a minute.

import type { Fault } from "../signals.ts";
import { MINUTE, type Scenario, SECOND } from "./scenario.ts";

const doorLeftOpen: Fault = { kind: "step", by: 9, settleMs: 1500, fromMs: 7 * SECOND, lastsMs: 9 * SECOND, everyMs: 2 * MINUTE };
const faultsOf: readonly (readonly Fault[])[] = [
  [doorLeftOpen],
  [],
  [{ kind: "drift", perHour: 240, fromMs: 40 * SECOND, lastsMs: 2 * MINUTE, everyMs: 10 * MINUTE }],
  [{ kind: "spike", by: 12, share: 0.05, fromMs: 100 * SECOND, lastsMs: 5 * MINUTE, everyMs: 10 * MINUTE }],
  [],
  [{ kind: "stuck", fromMs: 3 * MINUTE, lastsMs: 5 * MINUTE, everyMs: 20 * MINUTE }],
  [{ kind: "dropout", fromMs: 50 * SECOND, lastsMs: 45 * SECOND, everyMs: 4 * MINUTE }],
  [{ kind: "offline", fromMs: 70 * SECOND, lastsMs: 60 * SECOND, everyMs: 6 * MINUTE }],
];

export const coldChain: Scenario = {
  name: "cold-chain",
  about: "Freezers at -20 °C whose doors are left open and whose compressors fail",
  site: "cold-store",
  devicesDefault: 8,
  device: (index) => ({
    device: `freezer-${index + 1}`,
    labels: { room: `B${(index % 3) + 1}` },
    metrics: [
      {
        metric: "temperature",
        unit: "°C",
        everyMs: SECOND,
        signal: {
          base: -20 + (index % 4) * 0.4,
          cycle: { amplitude: 0.8, periodMs: 90 * SECOND, shape: "saw" },
          wander: { amplitude: 0.3, periodMs: 10 * MINUTE },
          noise: 0.08,
          decimals: 2,
        },
        faults: faultsOf[index % faultsOf.length] ?? [],
      },
    ],
  }),
  rules: [
    {
      name: "freezer too warm",
      match: { device: "freezer-*", metric: "temperature" },
      condition: { type: "threshold", above: -15, clear_below: -17 },
      for: "3s",
      severity: "critical",
      annotations: { summary: "{{device}} in {{room}} is at {{value}} °C", runbook: "Close the door; if it is closed, call refrigeration service." },
    },
    {
      name: "freezer warming",
      match: { device: "freezer-*", metric: "temperature" },
      condition: { type: "window", window: { hopping: "30s", slide: "10s" }, aggregate: "avg", above: -17 },
      severity: "warning",
    },
    { name: "freezer silent", match: { device: "freezer-*" }, condition: { type: "absence", after: "20s" }, severity: "warning" },
  ],
};
