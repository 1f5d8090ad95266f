// `flatline`: golden rows, and what its slots may and may not do to the result, against a naive recomputation.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindDetector, judgements, measures, type Row, rowsArb } from "./detect.ts";

const MINUTE = 60_000;
const settings = { type: "flatline", over: "30m" };
const at = (rows: readonly (readonly [number, number])[]): Row[] => rows.map(([minute, value]) => [minute * MINUTE, value]);

describe("flatline", () => {
  it("needs a reading at or after `over` since the value stood still", () => {
    const before = at([
      [0, 5],
      [10, 7],
      [20, 7],
    ]);
    expect(judgements(settings, [...before, ...at([[40, 7]])])).toEqual([NaN, -1, -1, 1]);
    expect(judgements(settings, [...before, [40 * MINUTE - 1, 7]])).toEqual([NaN, -1, -1, -1]);
  });

  it("says nothing of a value that stands still since the first reading, until `over` is full", () => {
    expect(
      judgements(
        settings,
        at([
          [0, 7],
          [29, 7],
          [30, 7],
        ]),
      ),
    ).toEqual([NaN, NaN, 1]);
  });

  it("ends with the reading that moves", () => {
    expect(
      judgements(
        settings,
        at([
          [0, 7],
          [30, 7],
          [31, 7.001],
          [60, 7.001],
          [61, 7.001],
        ]),
      ),
    ).toEqual([NaN, 1, -1, -1, 1]);
  });

  it("takes values within the tolerance for the same, and drifts of less", () => {
    const rows = at([
      [0, 7],
      [10, 7.1],
      [20, 7],
      [30, 7.05],
      [35, 7.2],
    ]);
    expect(judgements({ ...settings, tolerance: 0.2 }, rows)).toEqual([NaN, NaN, NaN, 1, 1]);
    expect(judgements({ ...settings, tolerance: 0.1 }, rows)).toEqual([NaN, NaN, NaN, 1, -1]);
    // It drifts without end, and over any 30 minutes by no more than 0.3.
    expect(
      judgements(
        { ...settings, tolerance: 0.3 },
        Array.from({ length: 20 }, (_, index): Row => [index * 10 * MINUTE, index * 0.1]),
      ).slice(3),
    ).not.toContain(-1);
  });

  it("reckons as people do, and takes huge and tiny values as they are", () => {
    const range = (low: number, high: number) =>
      measures(settings, [
        [0, low],
        [1800_000, high],
      ])[1];
    expect([range(7, 7.2), range(-0.3, -0.1), range(1e6, 1e6 + 0.3), range(21.3, 21.4)]).toEqual([0.2, 0.2, 0.3, 0.1]);
    expect([range(1e20, 3e20), range(1e-30, 3e-30), range(-1e300, 1e300)]).toEqual([2e20, 3e-30 - 1e-30, 2e300]);
  });

  it("looks back to the reading before `ts - over`: a value stands until the next one", () => {
    expect(
      judgements(
        settings,
        at([
          [0, 7],
          [25, 7],
          [100, 7],
        ]),
      ),
    ).toEqual([NaN, NaN, 1]);
    expect(
      judgements(
        settings,
        at([
          [0, 5],
          [25, 7],
          [54, 7],
        ]),
      ),
    ).toEqual([NaN, -1, -1]);
    expect(
      judgements(
        settings,
        at([
          [0, 5],
          [25, 7],
          [55, 7],
        ]),
      ),
    ).toEqual([NaN, -1, 1]);
  });

  it("has the distance of the extremes as its measure, so that the evidence can be judged again", () => {
    expect(
      measures(
        { ...settings, tolerance: 1 },
        at([
          [0, 7],
          [30, 7.5],
          [31, 9],
        ]),
      ),
    ).toEqual([NaN, 0.5, 2]);
    const { criterion } = bindDetector({ ...settings, tolerance: 1 });
    expect([criterion.text, criterion.limit, criterion.depth(0.25)]).toEqual(["flat within 1 for 30m", 1, 0.75]);
  });

  const OVER = 6400;
  /** The distance of the extremes from the latest reading at or before `ts - over` on; undefined without one. */
  function naive(rows: readonly Row[], now: number, over: number): number | undefined {
    const [ts] = rows[now] as Row;
    const first = rows.findLastIndex(([each]) => each <= ts - over);
    const values = rows.slice(Math.max(first, 0), now + 1).map(([, value]) => value);
    return first < 0 ? undefined : Math.max(...values) - Math.min(...values);
  }

  it("agrees with a naive recomputation where no 64th of `over` holds two readings", () => {
    fc.assert(
      fc.property(rowsArb(1500), fc.integer({ min: 0, max: 3 }), (close, tolerance) => {
        const rows = close.map(([ts, value], index): Row => [ts + 100 * index, value]);
        const expected = rows.map((_, index) => {
          const range = naive(rows, index, OVER);
          if (range !== undefined) return range <= tolerance ? 1 : -1;
          const values = rows.slice(0, index + 1).map(([, value]) => value);
          return Math.max(...values) - Math.min(...values) > tolerance ? -1 : Number.NaN;
        });
        expect(judgements({ type: "flatline", over: `${OVER}ms`, tolerance }, rows)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the value that stood at the start, when several came in one 64th", () => {
    const rows: Row[] = [
      [0, 5],
      [50, 7],
      [OVER, 7],
      [OVER + 49, 7],
      [OVER + 50, 7],
    ];
    expect(judgements({ type: "flatline", over: `${OVER}ms` }, rows)).toEqual([NaN, -1, -1, -1, 1]);
  });

  it("is never early, and late by less than a 64th of `over`", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(15, 60, 300).chain((step) => rowsArb(step, 3)),
        fc.integer({ min: 0, max: 2 }),
        (rows, tolerance) => {
          const found = judgements({ type: "flatline", over: `${OVER}ms`, tolerance }, rows);
          for (const [index, judgement] of found.entries()) {
            const [exact, longer] = [naive(rows, index, OVER), naive(rows, index, OVER + OVER / 64)];
            if (judgement === 1) expect(exact).toBeLessThanOrEqual(tolerance);
            else if (longer !== undefined) expect(longer).toBeGreaterThan(tolerance);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
