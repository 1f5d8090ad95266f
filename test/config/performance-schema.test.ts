// The targets of alarm performance: defaults of an empty file, and what each key becomes.

import { expect, test } from "vitest";
import { alarmPerformance, toTargets } from "../../src/config/performance-schema.ts";
import { defaultTargets } from "../../src/engine/alarm-targets.ts";

const targets = (given: object) => toTargets(alarmPerformance.parse({ targets: given }));

test("without a key they are the defaults", () => {
  expect(targets({})).toEqual(defaultTargets);
  expect(toTargets(alarmPerformance.parse(undefined))).toEqual(defaultTargets);
});

test("each key is its own target", () => {
  const given = { per_10_min: 2, flood_per_10_min: 20, flood_end_per_10_min: 6, per_hour: 7.5, peak_per_hour: 30, time_in_flood: 0.02 };
  const more = {
    top_ten_share: 0.1,
    stale: 0,
    mix: { critical: 0.1, warning: 0.2, info: 0.7 },
    acknowledge: "1h30m",
    chattering: { firings: 4, within: "2m" },
  };
  expect(targets({ ...given, ...more })).toEqual({
    perTenMinutes: 2,
    floodPerTenMinutes: 20,
    floodEndPerTenMinutes: 6,
    perHour: 7.5,
    peakPerHour: 30,
    timeInFlood: 0.02,
    topTenShare: 0.1,
    stale: 0,
    mix: { critical: 0.1, warning: 0.2, info: 0.7 },
    acknowledgeMs: 5_400_000,
    chattering: { firings: 4, withinMs: 120_000 },
  });
});

test("the end of a flood follows its begin down", () => {
  expect(targets({ flood_per_10_min: 3 })).toMatchObject({ floodPerTenMinutes: 3, floodEndPerTenMinutes: 3 });
  expect(targets({ flood_per_10_min: 300 })).toMatchObject({ floodEndPerTenMinutes: 5 });
});
