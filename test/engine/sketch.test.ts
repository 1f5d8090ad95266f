// The sketch: its error, its size, and that it is a function of the readings it holds, in whatever order they came and went.
// And choosing by rank, against sorting.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentilesOfSketch, Ranks } from "../../src/engine/aggregates/ranks.ts";
import { select } from "../../src/engine/select.ts";
import { BINS_MAX, RELATIVE_ERROR, Sketch } from "../../src/engine/sketch.ts";
import { type Saved, StateReader, StateWriter } from "../../src/engine/state.ts";

const stateOf = (sketch: Sketch): Saved => {
  const writer = new StateWriter();
  sketch.save(writer);
  return writer.saved();
};
function sketchOf(values: readonly number[], level = 0): Sketch {
  const sketch = new Sketch(level);
  for (const value of values) sketch.add(value);
  return sketch;
}

const moderate = fc.double({ min: -1e4, max: 1e4, noNaN: true }).map((value) => (Math.abs(value) < 1e-3 ? 0 : value));
const anything = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => value === 0 || Math.abs(value) > 1e-300);

describe("the sketch", () => {
  it.each([
    ["moderate values", moderate],
    ["any values", anything],
  ] as const)("is within its relative error at every rank: %s", (_, values) => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 300 }), (list) => {
        const sketch = sketchOf(list);
        const error = RELATIVE_ERROR * 2 ** sketch.level;
        const sorted = Float64Array.from(list).sort();
        sorted.forEach((value, index) => {
          expect(Math.abs(sketch.valueAt(index + 1) - value)).toBeLessThanOrEqual(Math.abs(value) * error * (1 + 1e-9));
        });
      }),
    );
  });

  it("holds what it was given, in any order, merged or one by one; and less what was taken out", () => {
    fc.assert(
      fc.property(fc.array(anything), fc.array(anything), (left, right) => {
        const whole = sketchOf([...right, ...left]);
        const merged = sketchOf(left);
        merged.merge(sketchOf(right));
        expect(stateOf(merged)).toEqual(stateOf(whole));
        const less = sketchOf([...left, ...right]);
        less.subtract(sketchOf(right));
        if (less.level === 0) expect(stateOf(less)).toEqual(stateOf(sketchOf(left)));
        for (const value of left) whole.remove(value);
        if (whole.level === 0) expect(stateOf(whole)).toEqual(stateOf(sketchOf(right)));
        expect([less.count, whole.count]).toEqual([left.length, right.length]);
      }),
    );
  });

  it("is made again of its bins, and told apart from any other", () => {
    fc.assert(
      fc.property(fc.array(anything), fc.array(anything), fc.nat(2), (left, right, level) => {
        const sketch = sketchOf(left, level);
        const [bins, counts]: [number[], number[]] = [[], []];
        sketch.eachBin((bin, count) => {
          bins.push(bin);
          counts.push(count);
        });
        const again = Sketch.ofBins(sketch.level, Int32Array.from(bins), Float64Array.from(counts));
        expect([again.count, stateOf(again)]).toEqual([left.length, stateOf(sketch)]);
        const other = sketchOf(right, level);
        expect([sketch.equals(again), sketch.equals(other)]).toEqual([true, JSON.stringify(stateOf(other)) === JSON.stringify(stateOf(sketch))]);
        again.merge(other);
        sketch.merge(other);
        expect(stateOf(again)).toEqual(stateOf(sketch));
      }),
    );
    expect(sketchOf([1]).equals(sketchOf([1, 1]))).toBe(false);
    expect(sketchOf([1]).equals(sketchOf([1], 1))).toBe(false);
    expect(sketchOf([1]).equals(sketchOf([100]))).toBe(false);
  });

  const decades = Array.from({ length: 6000 }, (_, index) => (index % 2 === 0 ? 1 : -1) * 10 ** ((index % 590) - 290 + index / 10_000));

  it("never has more than 1,024 bins: beyond those it is coarser everywhere, and says so", () => {
    const sketch = sketchOf(decades);
    expect(sketch.length).toBeLessThanOrEqual(BINS_MAX);
    expect(sketch.level).toBeGreaterThan(0);
    expect(stateOf(sketchOf([...decades].reverse()))).toEqual(stateOf(sketch));
    const parts = [0, 1, 2].map((part) => sketchOf(decades.filter((_, index) => index % 3 === part)));
    const merged = new Sketch();
    for (const part of parts) merged.merge(part);
    expect(stateOf(merged)).toEqual(stateOf(sketch));
    for (const part of parts) merged.subtract(part);
    expect([merged.count, merged.length]).toEqual([0, 0]);
  });

  it("nine decades of positive values need no coarser bins", () => {
    const sketch = sketchOf(Array.from({ length: 20_000 }, (_, index) => 1e-4 * 10 ** ((index * 8.8) / 20_000)));
    expect(sketch.level).toBe(0);
  });

  it("is saved and loaded bit for bit, and merges into a coarser one", () => {
    for (const sketch of [sketchOf([1, 2, 2, -3, 0]), sketchOf(decades)]) {
      const loaded = new Sketch();
      loaded.load(new StateReader(stateOf(sketch)));
      expect(stateOf(loaded)).toEqual(stateOf(sketch));
      expect(loaded.count).toBe(sketch.count);
    }
    const coarse = sketchOf([], 2);
    coarse.merge(sketchOf([5, 5.01, 80]));
    expect(stateOf(coarse)).toEqual(stateOf(sketchOf([5, 5.01, 80], 2)));
    coarse.reset();
    expect([coarse.count, coarse.length, coarse.level]).toEqual([0, 0, 0]);
  });

  it("stays within the range of a double", () => {
    expect(sketchOf([Number.MAX_VALUE]).valueAt(1)).toBeLessThanOrEqual(Number.MAX_VALUE);
    expect(sketchOf([-0]).valueAt(1)).toBe(0);
    expect(sketchOf([5e-324]).valueAt(1)).toBeGreaterThanOrEqual(0);
    expect(sketchOf([1]).valueAt(2)).toBeNaN();
  });
});

describe("choosing by rank", () => {
  it("is what sorting says", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), moderate), { minLength: 1, maxLength: 200 }), fc.nat(), (list, seed) => {
        const rank = (seed % list.length) + 1;
        const sorted = [...list].sort((a, b) => a - b);
        expect(select(Float64Array.from(list), list.length, rank) + 0).toBe((sorted[rank - 1] as number) + 0);
      }),
    );
  });

  it("does not slow down on what is bad for its pivots", () => {
    // The median of three of an organ pipe is always near an end.
    const pipe = Array.from({ length: 1000 }, (_, index) => Math.min(index, 999 - index));
    const sorted = [...pipe].sort((a, b) => a - b);
    for (const rank of [1, 17, 500, 501, 950, 1000]) expect(select(Float64Array.from(pipe), 1000, rank)).toBe(sorted[rank - 1]);
  });
});

describe("percentiles of a window", () => {
  const values = Array.from({ length: 1001 }, (_, index) => (index * 7919) % 1001);

  it("are exact up to 1,000 readings and within one percent beyond", () => {
    const ranks = new Ranks();
    for (const value of values.slice(0, 1000)) ranks.add(0, value);
    const sorted = values.slice(0, 1000).sort((a, b) => a - b);
    expect([ranks.figure("median"), ranks.figure("p99")]).toEqual([sorted[499], sorted[989]]);
    expect(ranks.buffered).toBe(1000);
    ranks.add(0, values[1000] as number);
    expect([ranks.buffered, ranks.count]).toEqual([0, 1001]);
    expect(Math.abs(ranks.figure("p95") - 950)).toBeLessThanOrEqual(9.5);
  });

  it("merge values with values, values with a sketch, and a sketch with either", () => {
    const part = (from: number, to: number, isCondensed: boolean): Ranks => {
      const ranks = new Ranks();
      for (const value of values.slice(from, to)) ranks.add(from, value);
      if (isCondensed) ranks.condense();
      return ranks;
    };
    for (const [left, right] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ] as const) {
      const ranks = part(0, 400, left);
      ranks.append(part(400, 900, right));
      expect(ranks.count).toBe(900);
      const median = [...values.slice(0, 900)].sort((a, b) => a - b)[449] as number;
      expect(Math.abs(ranks.figure("median") - median)).toBeLessThanOrEqual(left || right ? median * RELATIVE_ERROR : 0);
    }
  });
});

it("of a window kept as a sketch there are percentiles, and no other figure", () => {
  const { count, figure } = percentilesOfSketch(sketchOf([1, 2, 3]));
  expect(count).toBe(3);
  expect(figure("median")).toBeCloseTo(2, 1);
  expect(figure("avg")).toBeNaN();
});
