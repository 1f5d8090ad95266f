// Late readings merged into a day's summary give what all of them together would have given, but for what only whole readings tell.

import fc from "fast-check";
import { expect, it } from "vitest";
import { type DaySummary, summarizeDay } from "../../src/engine/summary.ts";
import { mergeSummary } from "../../src/engine/summary-merge.ts";

const bounds = { start: 0, end: 86_400_000 };
const summaryOf = (readings: readonly (readonly [number, number])[], late = 0, alerts = 0): DaySummary => {
  const sorted = [...readings].sort(([a], [b]) => a - b);
  return summarizeDay(
    Float64Array.from(sorted, ([ts]) => ts),
    Float64Array.from(sorted, ([, value]) => value),
    bounds,
    { late, alerts },
  );
};
const readings = fc.uniqueArray(fc.tuple(fc.nat(bounds.end - 1), fc.integer({ min: -1000, max: 1000 })), {
  minLength: 2,
  maxLength: 60,
  selector: ([ts]) => ts,
});

it("count, sum, mean, deviation, extremes, first and last are those of all", () => {
  fc.assert(
    fc.property(readings, fc.nat(), (all, at) => {
      const cut = 1 + (at % (all.length - 1));
      const [stored, late] = [all.slice(0, cut), all.slice(cut)];
      const merged = mergeSummary(summaryOf(stored, 1), summaryOf(late, late.length, 3));
      const whole = summaryOf(all);
      for (const name of ["count", "min", "max", "first", "first_ts", "last", "last_ts"] as const) expect(merged[name]).toBe(whole[name]);
      for (const name of ["avg", "stddev", "sum"] as const) expect(merged[name]).toBeCloseTo(whole[name] as number, 6);
      expect([merged.late, merged.alerts]).toEqual([late.length + 1, 3]);
      expect(merged.min_ts === whole.min_ts || whole.min === all.find(([ts]) => ts === merged.min_ts)?.[1]).toBe(true);
      const kept = summaryOf(stored, 1);
      for (const name of ["p50", "p95", "coverage", "gaps", "largest_gap_ms"] as const) expect(merged[name]).toBe(kept[name]);
    }),
  );
});

it("what cannot be known is null", () => {
  const [huge, small] = [summaryOf([[1, 1.7e308]]), summaryOf([[2, 1.7e308]])];
  expect(mergeSummary(huge, small)).toMatchObject({ sum: null, count: 2, stddev: 0 });
  expect(mergeSummary({ ...huge, count: 2, stddev: null }, small)).toMatchObject({ stddev: null });
  expect(mergeSummary(huge, { ...small, count: 2, stddev: null, sum: null })).toMatchObject({ stddev: null, sum: null });
  expect(mergeSummary(huge, summaryOf([[3, -1.7e308]])).stddev).toBeNull();
});
