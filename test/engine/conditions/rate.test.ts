// `rate`: golden rows, and agreement with a naive recomputation over all readings that its rule of thinning keeps.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindDetector, judgements, measures, type Row, rowsArb } from "./detect.ts";

const MINUTE = 60_000;
const settings = { type: "rate", over: "5m", per: "1m", above: 2 };
const each = (minutes: number, values: readonly number[]): Row[] => values.map((value, index) => [index * minutes * MINUTE, value]);

describe("rate", () => {
  it("is the change over the trailing time, per unit", () => {
    expect(measures(settings, each(1, [0, 1, 2, 3, 4, 5, 16])).slice(3)).toEqual([1, 1, 1, 3]);
    expect(judgements(settings, each(1, [0, 1, 2, 3, 4, 5, 16]))).toEqual([NaN, NaN, NaN, -1, -1, -1, 1]);
  });

  it("is per second unless said", () => {
    expect(measures({ type: "rate", over: "1m", above: 0 }, each(1, [0, 120]))).toEqual([NaN, 2]);
  });

  it("says nothing before readings span half of `over`", () => {
    const rows: Row[] = [
      [0, 0],
      [2.5 * MINUTE - 1, 100],
      [2.5 * MINUTE, 100],
    ];
    expect(measures(settings, rows)).toEqual([NaN, NaN, 40]);
  });

  it("takes the reading at `ts - over`, and of two before it the later", () => {
    const rows: Row[] = [
      [0, 50],
      [MINUTE, 0],
      [6 * MINUTE, 10],
      [6 * MINUTE + 1, 10],
    ];
    expect(measures(settings, rows)[2]).toBe(2);
    expect(measures(settings, rows)[3]).toBeCloseTo(2, 4);
  });

  it("goes over the whole of a gap that is longer than `over`", () => {
    expect(measures(settings, each(60, [0, 60, 0]))).toEqual([NaN, 1, -1]);
  });

  it("falls, and is compared as any number", () => {
    expect(judgements({ type: "rate", over: "5m", per: "1m", below: -2, clear_above: -1 }, each(5, [50, 35, 27.5, 27.5]))).toEqual([NaN, 1, 0, -1]);
  });

  it("takes a decrease of a counter as its reset, as Prometheus does", () => {
    const counter = { ...settings, counter: true };
    expect(measures(counter, each(5, [100, 110, 5, 10]))).toEqual([NaN, 2, 1, 1]);
    // 100 → 110 → 0 → 3 within five minutes: 10 before the reset and 3 after it.
    expect(measures(counter, each(1, [100, 110, 0, 0, 0, 3]))[5]).toBeCloseTo(13 / 5, 9);
    expect(measures(counter, each(1, [8, 6, 4, 2, 0, 0]))[5]).toBeCloseTo(12 / 5, 9);
  });

  it("says of what its limit is", () => {
    expect(bindDetector(settings).criterion.text).toBe("above 2 per minute");
    expect(bindDetector({ ...settings, per: "15m", clear_below: 1 }).criterion.text).toBe("above 2 per 15m, clears below 1 per 15m");
    expect(bindDetector({ type: "rate", over: "1m", outside: [1, 2] }).criterion.text).toBe("outside [1, 2] per second");
  });

  it("has levels, and limits of the device", () => {
    const { above: _, ...rest } = settings;
    const levels = [
      { above: "limit.fast", severity: "warning" },
      { above: 9, severity: "critical" },
    ];
    const bound = bindDetector({ ...rest, levels }, { fast: 4 });
    expect(bound.levels.map(({ severity, criterion }) => [severity, criterion.limit])).toEqual([
      ["warning", 4],
      ["critical", 9],
    ]);
    expect(bound.criterion).toBe(bound.levels[0]?.criterion);
    expect(() => bindDetector({ ...rest, levels })).toThrow();
  });

  const OVER = 6400;
  const slotOf = (ts: number) => Math.floor(ts / (OVER / 64));
  /** Sums what each reading rose above the one before. */
  const risen = (rows: readonly Row[], from: number, to: number, isCounter: boolean): number => {
    const value = (index: number) => (rows[index] as Row)[1];
    if (!isCounter) return value(to) - value(from);
    let sum = 0;
    for (let index = from + 1; index <= to; index++) sum += value(index) < value(index - 1) ? value(index) : value(index) - value(index - 1);
    return sum;
  };
  function naive(rows: readonly Row[], now: number, isCounter: boolean): number {
    const [ts] = rows[now] as Row;
    const kept = rows.flatMap(([at], index) => (index < now && (index === 0 || slotOf(at) !== slotOf((rows[index - 1] as Row)[0])) ? [{ at, index }] : []));
    const base = kept.findLast(({ at }) => at <= ts - OVER) ?? kept[0];
    if (base === undefined || ts - base.at < OVER / 2) return Number.NaN;
    return (risen(rows, base.index, now, isCounter) / (ts - base.at)) * 1000;
  }

  it("agrees with a naive recomputation", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(10, 90, 700, 9000).chain((step) => rowsArb(step, 50)),
        fc.boolean(),
        (rows, counter) => {
          expect(measures({ type: "rate", over: `${OVER}ms`, above: 1, counter }, rows)).toEqual(rows.map((_, index) => naive(rows, index, counter)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("measures over at most a 64th more than `over`, where readings are dense", () => {
    const rows: Row[] = Array.from({ length: 20_000 }, (_, index) => [index, index * index]);
    // The value is the square of the time, so the rate tells the span: (t² − (t − span)²) / span = 2t − span.
    const spans = measures({ type: "rate", over: `${OVER}ms`, per: "1ms", above: 1 }, rows).flatMap((measure, ts) =>
      ts > OVER + 100 ? [2 * ts - measure] : [],
    );
    expect(Math.min(...spans)).toBe(OVER);
    expect(Math.max(...spans)).toBe(OVER + OVER / 64 - 1);
  });
});
