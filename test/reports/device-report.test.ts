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

  const minute = 60_000;
  const of = (days: readonly ReportDay[]) => reportSeries({ id: 1, name: "t", labels: {}, unit: null }, days);
  /** Minutes of the day, as days from the first of 1970 on; null: waiting. */
  const minutesOf = (days: readonly (readonly number[] | null)[]): ReportDay[] =>
    days.map((minutes, index) => {
      const day = dayOf(
        index,
        (minutes ?? []).map((each) => [each * minute, 1]),
      );
      return minutes === null ? { ...day, state: "waiting" } : day;
    });
  const each = (step: number, from = 0, until = 1440): number[] =>
    Array.from({ length: Math.floor((until - 1 - from) / step) + 1 }, (_, index) => from + index * step);
  const gapsOf = (days: readonly (readonly number[] | null)[]) => of(minutesOf(days)).gaps.map(([from, to]) => [from / minute, to / minute]);

  it("knows of a silence over midnight that is a gap on neither side", () => {
    const days = [each(5, 0, 1426), each(5, 15)];
    expect(gapsOf(days)).toEqual([[1425, 1455]]);
    expect(of(minutesOf(days))).toMatchObject({ coverage: 1 - 30 / 2880, gapsUnlisted: 0 });
    // One on one side is the longer for it.
    expect(gapsOf([each(5, 0, 1396), each(5, 15)])).toEqual([[1395, 1455]]);
    expect(gapsOf([each(5, 0, 1426), each(5, 40)])).toEqual([[1425, 1480]]);
  });

  it("takes three intervals of the slower day for none", () => {
    expect(gapsOf([each(5, 0, 1431), each(5, 5)])).toEqual([]);
    expect(gapsOf([each(5, 0, 1431), each(5, 10)])).toEqual([[1430, 1450]]);
    expect(gapsOf([each(5, 0, 1431), each(7, 10)])).toEqual([]);
    expect(gapsOf([each(7, 0, 1430), each(5, 9)])).toEqual([]);
    // What a day has said by its own interval stands.
    expect(gapsOf([each(5, 0, 1421), each(60, 30)])).toEqual([[1420, 1440]]);
  });

  it("goes over silent days from reading to reading, and over none that is not known", () => {
    expect(gapsOf([[], each(5, 10, 1426), [], [], each(5, 10, 1431), []])).toEqual([
      [0, 1450],
      [2865, 5770],
      [7190, 8640],
    ]);
    expect(gapsOf([each(5, 0, 1426), null, each(5, 10)])).toEqual([]);
    expect(gapsOf([[], []])).toEqual([[0, 2880]]);
    // So slow that a silent day is no gap by the intervals: it is one because it is silent.
    expect(gapsOf([[0, 719, 1438], [], [1, 720, 1439]])).toEqual([[1440, 2880]]);
  });

  it("ends a gap at a reading of midnight", () => {
    expect(gapsOf([each(5, 0, 1401), [0, ...each(5, 40)]])).toEqual([
      [1400, 1440],
      [1440, 1480],
    ]);
    expect(gapsOf([[720], [720]])).toEqual([
      [0, 720],
      [720, 2160],
      [2160, 2880],
    ]);
  });

  it("covers what lies in no gap, and its gaps are in order, whatever was read", () => {
    const someDays = fc.array(fc.oneof({ weight: 5, arbitrary: readingsOfDay }, { weight: 1, arbitrary: fc.constant(null) }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(someDays, (some) => {
        const days = some.map((readings, index): ReportDay => ({ ...dayOf(index, readings ?? []), ...(readings === null && { state: "waiting" }) }));
        const { gaps, coverage, gapsUnlisted } = of(days);
        gaps.slice(1).forEach(([from], index) => expect(from).toBeGreaterThanOrEqual((gaps[index] as readonly [number, number])[1]));
        const known = some.filter((readings) => readings !== null).length;
        if (gapsUnlisted > 0 || known === 0) return;
        expect(coverage).toBeCloseTo(1 - gaps.reduce((sum, [from, to]) => sum + to - from, 0) / (known * dayMs), 9);
      }),
    );
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
