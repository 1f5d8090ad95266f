// What days become together: figures merged against a plain computation over all readings, gaps joined, names that tell series apart.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayBounds, dayText, utc } from "../../src/engine/calendar.ts";
import { summarizeDay } from "../../src/engine/summary.ts";
import { mergeDays, type ReportDay, reportSeries, seriesNames } from "../../src/reports/device-report.ts";

const dayMs = 86_400_000;
const dayOf = (number: number, readings: readonly (readonly [number, number])[]): ReportDay => {
  const day = dayText(number);
  const bounds = dayBounds(utc, day);
  if (readings.length === 0) return { day, ...bounds, state: "silent", figures: null };
  const ts = Float64Array.from(readings, ([at]) => bounds.start + at);
  const value = Float64Array.from(readings, ([, each]) => each);
  return { day, ...bounds, state: "exact", figures: summarizeDay(ts, value, bounds, { late: 1, alerts: 0 }) };
};
const readingsOfDay = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: dayMs - 1 }), fc.double({ min: -1000, max: 1000, noNaN: true })), { selector: ([at]) => at, maxLength: 30 })
  .map((readings) => readings.sort(([a], [b]) => a - b));

describe("mergeDays", () => {
  it("gives what all readings together give", () => {
    fc.assert(
      fc.property(fc.array(readingsOfDay, { minLength: 1, maxLength: 8 }), (days) => {
        const merged = mergeDays(days.map((readings, index) => dayOf(20_000 + index, readings)));
        const values = days.flat().map(([, value]) => value);
        if (values.length === 0) {
          expect(merged).toBeNull();
          return;
        }
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(merged).toMatchObject({ readings: values.length, late: days.filter((day) => day.length > 0).length });
        expect([merged?.min, merged?.max].map((each) => Number(each) + 0)).toEqual([Math.min(...values) + 0, Math.max(...values) + 0]);
        expect(merged?.avg).toBeCloseTo(mean, 8);
        if (values.length === 1) expect(merged?.stddev).toBeNull();
        else expect(merged?.stddev).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)), 7);
      }),
    );
  });

  it("stays finite, or says that it does not know, at the ends of what a double holds", () => {
    const merged = mergeDays([dayOf(1, [[0, 1.7e308]]), dayOf(2, [[0, -1.7e308]])]);
    expect(merged).toMatchObject({ min: -1.7e308, max: 1.7e308, stddev: null });
    expect(merged?.avg).toBeCloseTo(0, 5);
  });

  it("takes the earlier of equal extremes", () => {
    const merged = mergeDays([dayOf(1, [[5, 3]]), dayOf(2, [[1, 3]])]);
    expect(merged).toMatchObject({ minTs: dayMs + 5, maxTs: dayMs + 5, minDay: "1970-01-02" });
  });
});

describe("reportSeries", () => {
  it("knows of no coverage where every day is waiting", () => {
    const waiting: ReportDay = { day: "1970-01-02", start: dayMs, end: 2 * dayMs, state: "waiting", figures: null };
    expect(reportSeries({ id: 1, name: "t", labels: {}, unit: null }, [waiting])).toMatchObject({ figures: null, coverage: null, gaps: [] });
  });
});

describe("seriesNames", () => {
  it("tells series of one metric apart by the labels in which they differ", () => {
    expect(
      seriesNames([
        { device: "d", metric: "t", room: "a", floor: "1" },
        { device: "d", metric: "t", floor: "1" },
        { device: "d", metric: "h", room: "a", floor: "1" },
      ]),
    ).toEqual(["t room=a", "t", "h"]);
  });
});
