// A day's figures against a second, plain computation, and by hand where the definition has corners.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DaySummary, summarizeDay } from "../../src/engine/summary.ts";

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
      min_ts: 0,
      max_ts: 23 * hour,
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
      longest_gaps: [],
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

  it("tells where the gaps lie, the edges of the day included, in order of time", () => {
    const kept = hourly.filter((_, index) => index >= 4 && index < 20 && (index < 9 || index > 13));
    expect(summarize(kept).longest_gaps).toEqual([
      [0, 4 * hour],
      [8 * hour, 14 * hour],
      [19 * hour, 24 * hour],
    ]);
    expect(summarize([[6 * hour, 5]]).longest_gaps).toEqual([
      [0, 6 * hour],
      [6 * hour, 24 * hour],
    ]);
    expect(summarize([[0, 5]]).longest_gaps).toEqual([[0, 24 * hour]]);
  });

  it("lists the twenty longest, of those as long the earlier, and goes on counting all", () => {
    // A burst of five readings a second apart, then a pause: of 100 s, but of 200 s after each tenth burst.
    const readings: [number, number][] = [];
    for (let [burst, ts] = [0, 0]; burst < 40; burst += 1) {
      for (let index = 0; index < 5; index += 1) readings.push([(ts += 1000), 1]);
      ts += burst % 10 === 9 ? 199_000 : 99_000;
    }
    const end = (readings.at(-1)?.[0] as number) + 1000;
    const { gaps, longest_gaps } = summarize(readings, { start: 0, end });
    expect(gaps).toBe(39);
    expect(longest_gaps).toHaveLength(20);
    expect(longest_gaps.map(([from]) => from)).toEqual(longest_gaps.map(([from]) => from).sort((a, b) => a - b));
    expect(longest_gaps.filter(([from, to]) => to - from === 200_000)).toHaveLength(3);
    // The earliest seventeen of the short ones: the last of them comes after the eighteenth burst, of which one pause was long.
    expect(longest_gaps.slice(0, 18).map(([from, to]) => (to - from) / 1000)).toEqual([...Array(9).fill(100), 200, ...Array(8).fill(100)]);
  });

  it("says when the smallest and the largest were read, at first", () => {
    expect(
      summarize([
        [1, 5],
        [2, -0],
        [3, 9],
        [4, 0],
        [5, 9],
      ]),
    ).toMatchObject({ min_ts: 2, max_ts: 3 });
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
    expect(
      summarize([
        [0, 1.7e308],
        [1, -1.7e308],
      ]),
    ).toMatchObject({ sum: 0, avg: 0, stddev: null });
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
        expect(found.longest_gaps.reduce((sum, [from, to]) => sum + (to - from), 0)).toBe(
          gaps
            .sort((a, b) => b - a)
            .slice(0, 20)
            .reduce((sum, gap) => sum + gap, 0),
        );
        const edges = [0, ...times, day.end];
        for (const [from, to] of found.longest_gaps) expect(edges.indexOf(to) - edges.lastIndexOf(from)).toBe(1);
        expect([found.min_ts, found.max_ts].map((ts) => ordered.find(([at]) => at === ts)?.[1] === 0 || ordered.find(([at]) => at === ts)?.[1])).toEqual(
          [sorted[0], sorted.at(-1)].map((value) => value === 0 || value),
        );
      }),
    );
  });
});

describe("a percentile by nearest rank", () => {
  it.each([
    [[1], "p50", 1],
    [[1, 2], "p50", 1],
    [[3, 1, 2], "p50", 2],
    [Array.from({ length: 100 }, (_, index) => index + 1), "p95", 95],
    [Array.from({ length: 20 }, (_, index) => 20 - index), "p95", 19],
    [Array.from({ length: 21 }, (_, index) => index + 1), "p95", 20],
    [Array.from({ length: 101 }, (_, index) => 101 - index), "p99", 100],
  ] as const)("of %j, %s is %d", (values, name, expected) => {
    expect(summarize(values.map((value, index) => [index, value] as const))[name]).toBe(expected);
  });
});
