// Signals: one seed, one recording. The golden values hold the generators to what they gave when scenarios were tuned.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scenarios } from "../../simulators/scenarios/index.ts";
import { createRandom, type Fault, hasFault, readSignal, type Signal, seedOf } from "../../simulators/signals.ts";

const plain: Signal = { base: 20, noise: 0, decimals: 3 };
const lively: Signal = {
  base: 20,
  daily: { amplitude: 4, peakHour: 14 },
  cycle: { amplitude: 1, periodMs: 90_000, shape: "saw" },
  wander: { amplitude: 0.5, periodMs: 600_000 },
  noise: 0.1,
  decimals: 2,
};
const T0 = 1_763_800_000_000;
const read = (signal: Signal, faults: readonly Fault[], sinceMs: number, seed = 1) => readSignal(signal, faults, seed, T0, T0 + sinceMs);

describe("a signal", () => {
  test("gives the golden recording of seed 1", () => {
    expect(Array.from({ length: 6 }, (_, index) => read(lively, [], index * 30_000))).toEqual([20.79, 21.33, 20.04, 20.85, 21.44, 20.02]);
  });

  test("depends on seed and instant alone", () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer({ min: 0, max: 4e9 }), { minLength: 2, maxLength: 20 }), (seed, instants) => {
        const forwards = instants.map((instant) => read(lively, [], instant, seed));
        const backwards = instants.toReversed().map((instant) => read(lively, [], instant, seed));
        expect(backwards.toReversed()).toEqual(forwards);
      }),
    );
  });

  test("differs between seeds", () => {
    const recording = (seed: number) => Array.from({ length: 50 }, (_, index) => read(lively, [], index * 1000, seed));
    expect(recording(1)).not.toEqual(recording(2));
  });

  test("peaks at its hour of the UTC day", () => {
    const daily: Signal = { ...plain, daily: { amplitude: 4, peakHour: 14 } };
    const midnight = Date.parse("2025-11-22T00:00:00Z");
    expect(readSignal(daily, [], 1, midnight, midnight + 14 * 3_600_000)).toBe(24);
    expect(readSignal(daily, [], 1, midnight, midnight + 2 * 3_600_000)).toBe(16);
  });

  test("has noise of the standard deviation it names, around its mean", () => {
    const values = Array.from({ length: 20_000 }, (_, index) => read({ base: 5, noise: 2, decimals: 6 }, [], index * 1000) as number);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    expect(mean).toBeCloseTo(5, 1);
    expect(deviation).toBeCloseTo(2, 1);
  });

  test("stays within min and max", () => {
    const values = Array.from({ length: 1000 }, (_, index) => read({ base: 50, noise: 40, decimals: 1, min: 0, max: 100 }, [], index) as number);
    expect(Math.min(...values)).toBe(0);
    expect(Math.max(...values)).toBe(100);
  });
});

describe("a fault", () => {
  const time = { fromMs: 10_000, lastsMs: 5_000 };

  test.each<[string, Fault, (number | undefined)[]]>([
    ["step", { kind: "step", by: 3, settleMs: 0, ...time }, [20, 23, 23, 20, 20]],
    ["step that settles", { kind: "step", by: 3, settleMs: 2000, ...time }, [20, 20, 22.594, 20, 20]],
    ["drift", { kind: "drift", perHour: 3600, ...time }, [20, 20, 24, 20, 20]],
    ["spike", { kind: "spike", by: 7, share: 1, ...time }, [20, 27, 27, 20, 20]],
    ["dropout", { kind: "dropout", ...time }, [20, undefined, undefined, 20, 20]],
    ["fault that returns", { kind: "step", by: 3, settleMs: 0, ...time, everyMs: 10_000 }, [20, 23, 23, 20, 23]],
  ])("%s lasts from its begin, inclusive, to its end, exclusive", (_name, fault, expected) => {
    expect([9_999, 10_000, 14_000, 15_000, 20_000].map((sinceMs) => read(plain, [fault], sinceMs))).toEqual(expected);
  });

  test("stuck repeats the value of its begin, noise included", () => {
    const fault: Fault = { kind: "stuck", ...time };
    const before = read(lively, [], 10_000);
    expect([10_000, 11_000, 14_999].map((sinceMs) => read(lively, [fault], sinceMs))).toEqual([before, before, before]);
    expect(read(lively, [fault], 16_000)).toBe(read(lively, [], 16_000));
  });

  test("spike hits the share of readings that it names", () => {
    const fault: Fault = { kind: "spike", by: 100, share: 0.2, fromMs: 0, lastsMs: 1e9 };
    const hits = Array.from({ length: 10_000 }, (_, index) => read(plain, [fault], index * 1000) as number).filter((value) => value > 100).length;
    expect(hits).toBeGreaterThan(1800);
    expect(hits).toBeLessThan(2200);
  });

  test("offline leaves the measuring alone", () => {
    const fault: Fault = { kind: "offline", ...time };
    expect(read(plain, [fault], 12_000)).toBe(20);
    expect(hasFault([fault], "offline", T0, T0 + 12_000)).toBe(true);
    expect(hasFault([fault], "offline", T0, T0 + 15_000)).toBe(false);
  });
});

test("createRandom is the golden stream of its seed", () => {
  const random = createRandom(7);
  expect(Array.from({ length: 3 }, () => Math.floor(random() * 1e6))).toEqual([11_704, 61_958, 976_907]);
});

test("seedOf gives every name a seed of its own", () => {
  const seeds = new Set(Array.from({ length: 10_000 }, (_, index) => seedOf(1, `device-${index}`)));
  expect(seeds.size).toBe(10_000);
  expect(seedOf(1, "a")).not.toBe(seedOf(2, "a"));
});

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("scenario %s", (_name, scenario) => {
  test("has devices and topics of its own, and signals that can be read", () => {
    const devices = Array.from({ length: 40 }, (_, index) => scenario.device(index));
    expect(new Set(devices.map((device) => device.device)).size).toBe(40);
    for (const device of devices) {
      for (const metric of device.metrics) expect(Number.isFinite(readSignal(metric.signal, [], 1, T0, T0))).toBe(true);
    }
    expect(devices.slice(0, scenario.devicesDefault).flatMap((device) => device.metrics.flatMap((metric) => metric.faults)).length).toBeGreaterThan(0);
    expect(scenario.rules.length).toBeGreaterThan(0);
  });
});
