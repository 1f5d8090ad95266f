// A day's figures against a second, plain computation, and by hand where the definition has corners.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DaySummary, nearestRank, summarizeDay } from "../../src/engine/summary.ts";

const hour = 3_600_000;
const day = { start: 0, end: 24 * hour };
const summarize = (readings: readonly (readonly [number, number])[], bounds = day): DaySummary =>
  summarizeDay(
    Float64Array.from(readings, ([ts]) => ts),
    Float64Array.from(readings, ([, value]) => value),
    bounds,
    { late: 0, alerts: 0 },
  );
const hourly = Array.from({ length: 24 }, (_, index) => [index * hour, index] as const);

describe("summarizeDay", () => {
  it("has the whole day covered by a reading an hour", () => {
    expect(summarize(hourly)).toEqual({
      count: 24,
      min: 0,
      max: 23,
      sum: 276,
      avg: 11.5,
      stddev: expect.closeTo(Math.sqrt(50), 12),
      p50: 11,
      p95: 22,
      p99: 23,
      first: 0,
      first_ts: 0,
      last: 23,
      last_ts: 23 * hour,
      coverage: 1,
      largest_gap_ms: 0,
      gaps: 0,
      median_interval_ms: hour,
      day_ms: 24 * hour,
      late: 0,
      alerts: 0,
    });
  });

  it("tells the percentiles by nearest rank", () => {
    const readings = Array.from({ length: 100 }, (_, index) => [index, 100 - index] as const);
    expect(summarize(readings)).toMatchObject({ p50: 50, p95: 95, p99: 99 });
  });

  it("counts what is longer than three intervals as a gap, not what is as long", () => {
    const withPause = (hours: number) =>
      [...hourly.slice(0, 6), ...hourly.slice(6).map(([ts, value]) => [ts + (hours - 1) * hour, value] as const)].filter(([ts]) => ts < day.end);
    expect(summarize(withPause(3))).toMatchObject({ gaps: 0, coverage: 1, largest_gap_ms: 0 });
    expect(summarize(withPause(4))).toMatchObject({ gaps: 1, coverage: 20 / 24, largest_gap_ms: 4 * hour });
  });

  it("counts the edges of the day", () => {
    expect(summarize(hourly.slice(4, 20))).toMatchObject({ gaps: 2, largest_gap_ms: 5 * hour, coverage: 15 / 24 });
    expect(summarize(hourly.slice(3, 22))).toMatchObject({ gaps: 0, coverage: 1 });
  });

  it("has no interval with a single reading: nothing is covered, the longer side is the gap, there is no deviation", () => {
    expect(summarize([[6 * hour, 5]])).toMatchObject({
      count: 1,
      stddev: null,
      median_interval_ms: null,
      coverage: 0,
      gaps: 2,
      largest_gap_ms: 18 * hour,
      p50: 5,
      p99: 5,
      first: 5,
      last: 5,
    });
    expect(summarize([[0, 5]])).toMatchObject({ coverage: 0, gaps: 1, largest_gap_ms: 24 * hour });
  });

  it("adds without losing what is small beside what is large", () => {
    expect(
      summarize([
        [0, 1e16],
        [1, 1],
        [2, -1e16],
      ]),
    ).toMatchObject({ sum: 1, avg: 1 / 3 });
    const near = Array.from({ length: 1000 }, (_, index) => [index, 1e9 + (index % 2)] as const);
    expect(summarize(near).stddev).toBeCloseTo(Math.sqrt(250 / 999), 9);
  });

  it("stays finite where squares and sums would not", () => {
    const huge = summarize([
      [0, 2 ** 1023],
      [1, 2 ** 1023],
      [2, -(2 ** 1023)],
      [3, 2 ** 1023],
    ]);
    expect(huge.avg).toBe(2 ** 1023 / 2);
    expect(huge.stddev).toBe(2 ** 1023);
    expect(
      summarize([
        [0, 1.5e308],
        [1, 1.5e308],
      ]),
    ).toMatchObject({ sum: null, avg: 1.5e308, stddev: 0 });
    const tiny = summarize([
      [0, 3e-200],
      [1, 1e-200],
    ]);
    expect((tiny.stddev as number) / 1e-200).toBeCloseTo(Math.SQRT2, 12);
  });

  it("equals a plain computation on random days", () => {
    const readings = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 24 * hour - 1 }), fc.double({ min: -1000, max: 1000, noNaN: true })), {
      selector: ([ts]) => ts,
      minLength: 2,
      maxLength: 200,
    });
    fc.assert(
      fc.property(readings, (unordered) => {
        const ordered = [...unordered].sort((a, b) => a[0] - b[0]);
        const found = summarize(ordered);
        const values = ordered.map(([, value]) => value);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(found.avg).toBeCloseTo(mean, 9);
        expect(found.stddev).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)), 9);
        const sorted = [...values].sort((a, b) => a - b);
        for (const [percent, figure] of [
          [50, found.p50],
          [95, found.p95],
          [99, found.p99],
        ] as const) {
          expect(values.filter((value) => value <= figure).length * 100 >= percent * values.length).toBe(true);
          expect(values.filter((value) => value < figure).length * 100 < percent * values.length).toBe(true);
        }
        expect([found.min, found.max]).toEqual([sorted[0], sorted.at(-1)]);
        const times = ordered.map(([ts]) => ts);
        const intervals = times.slice(1).map((ts, index) => ts - (times[index] as number));
        const median = [...intervals].sort((a, b) => a - b)[Math.ceil(intervals.length / 2) - 1] as number;
        const gaps = [times[0] as number, ...intervals, day.end - (times.at(-1) as number)].filter((length) => length > 3 * median);
        expect(found.gaps).toBe(gaps.length);
        expect(found.coverage).toBeCloseTo(1 - gaps.reduce((sum, gap) => sum + gap, 0) / day.end, 12);
        expect(found.largest_gap_ms).toBe(Math.max(0, ...gaps));
      }),
    );
  });
});

describe("nearestRank", () => {
  it.each([
    [[1], 50, 1],
    [[1, 2], 50, 1],
    [[1, 2, 3], 50, 2],
    [Array.from({ length: 100 }, (_, index) => index + 1), 95, 95],
    [Array.from({ length: 20 }, (_, index) => index + 1), 95, 19],
    [Array.from({ length: 21 }, (_, index) => index + 1), 95, 20],
  ])("of %j, p%d is %d", (values, percent, expected) => {
    expect(nearestRank(Float64Array.from(values), percent)).toBe(expected);
  });
});
