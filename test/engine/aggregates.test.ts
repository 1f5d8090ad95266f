// Aggregates alone: merged in any grouping and order they say the same, at the ends of a double's range too, over many readings without drift.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Aggregate, type AggregateName, aggregateNames } from "../../src/engine/aggregate.ts";
import { keepingOf } from "../../src/engine/aggregates/index.ts";
import { BUFFERED_MAX, type PaneAggregate } from "../../src/engine/aggregates/pane-aggregate.ts";
import { type Saved, StateReader, StateWriter } from "../../src/engine/state.ts";
import { type Kept, naiveFigure } from "./windows/naive.ts";

const origin = Date.UTC(2026, 10, 22);

function of(name: AggregateName, readings: readonly Kept[]): PaneAggregate {
  const aggregate = keepingOf(name).empty();
  for (const { ts, value } of readings) aggregate.add(ts, value);
  return aggregate;
}

function savedOf(aggregate: PaneAggregate): Saved {
  const writer = new StateWriter();
  aggregate.save(writer);
  return writer.saved();
}

function close(found: number, wanted: number, scale = 1): void {
  const isClose = Object.is(found, wanted) || Math.abs(found - wanted) <= 1e-9 * Math.max(scale, Math.abs(wanted));
  expect(isClose, `${found}, not ${wanted}`).toBe(true);
}

const readings = fc
  .uniqueArray(fc.record({ ts: fc.integer({ min: 0, max: 3_600_000 }), value: fc.integer({ min: -5000, max: 5000 }).map((value) => value / 10) }), {
    minLength: 1,
    maxLength: 60,
    selector: ({ ts }) => ts,
  })
  .map((list) => list.map(({ ts, value }) => ({ ts: ts + origin, value })));
const inOrder = (list: readonly Kept[]): Kept[] => [...list].sort((a, b) => a.ts - b.ts);

describe.each(aggregateNames)("%s", (name) => {
  it("does not depend on the order in which readings come", () => {
    fc.assert(
      fc.property(readings, (list) => close(of(name, list).figure(name), naiveFigure(name, inOrder(list)), 500)),
      { numRuns: 50 },
    );
  });

  it("is the same however the readings are cut into panes and those merged", () => {
    fc.assert(
      fc.property(readings, fc.array(fc.nat(60), { maxLength: 6 }), fc.boolean(), (list, cuts, isNested) => {
        const sorted = inOrder(list);
        const marks = [...new Set([0, ...cuts.map((cut) => cut % (sorted.length + 1)), sorted.length])].sort((a, b) => a - b);
        const panes = marks.slice(1).map((mark, index) => of(name, sorted.slice(marks[index], mark)));
        const empty = keepingOf(name).empty;
        const merge = (parts: readonly PaneAggregate[]): PaneAggregate => parts.reduce((into, part) => (into.append(part), into), empty());
        const half = Math.floor(panes.length / 2);
        const merged = isNested ? merge([merge(panes.slice(0, half)), merge(panes.slice(half))]) : merge(panes);
        expect(merged.count).toBe(sorted.length);
        expect(merged.lastTs).toBe(sorted.at(-1)?.ts);
        close(merged.figure(name), naiveFigure(name, sorted), 500);
      }),
      { numRuns: 80 },
    );
  });

  it("is the same when readings that lie among each other are mingled", () => {
    fc.assert(
      fc.property(readings, fc.nat(7), (list, seed) => {
        const parts = [0, 1, 2].map((part) => of(name, inOrder(list.filter(({ ts }) => (ts + seed) % 3 === part))));
        const mingled = keepingOf(name).empty();
        for (const part of parts) mingled.mingle(part);
        expect(mingled.lastTs).toBe(inOrder(list).at(-1)?.ts);
        close(mingled.figure(name), naiveFigure(name, inOrder(list)), 500);
      }),
      { numRuns: 50 },
    );
  });

  it("is as new after a reset, and saved bit for bit", () => {
    const aggregate = of(name, [
      { ts: origin, value: 1e300 },
      { ts: origin + 1, value: -7 },
    ]);
    aggregate.reset();
    expect(savedOf(aggregate)).toEqual(savedOf(keepingOf(name).empty()));
    aggregate.add(origin + 2000, 3);
    aggregate.add(origin + 3000, 4);
    expect(aggregate.figure(name)).toBe(
      of(name, [
        { ts: origin + 2000, value: 3 },
        { ts: origin + 3000, value: 4 },
      ]).figure(name),
    );
    const loaded = keepingOf(name).empty();
    const reader = new StateReader(savedOf(aggregate));
    loaded.load(reader);
    expect(reader.done).toBe(true);
    expect(loaded.figure(name)).toBe(aggregate.figure(name));
  });

  it("is saved in the same numbers whatever was saved before it", () => {
    const aggregate = of(name, [{ ts: origin, value: 3 }]);
    const savedAfter = (value: number) => {
      const bucket = new Aggregate();
      bucket.add(value, value);
      savedOf(bucket);
      return savedOf(aggregate);
    };
    expect(savedAfter(5)).toEqual(savedAfter(9));
  });

  it("of nothing is no figure that could breach, but for a count and a sum of 0", () => {
    const figure = keepingOf(name).empty().figure(name);
    if (name === "count" || name === "sum") expect(figure).toBe(0);
    else expect(Number.isFinite(figure)).toBe(false);
  });

  it("does not answer for others", () => {
    const aggregate = of(name, [{ ts: origin, value: 1 }]);
    const own = keepingOf(name).aggregates;
    for (const other of aggregateNames) if (!own.includes(other)) expect(aggregate.figure(other)).toBeNaN();
  });
});

const at = (values: readonly number[]): Kept[] => values.map((value, index) => ({ ts: origin + index * 1000, value }));
const figure = (name: AggregateName, values: readonly number[]): number => of(name, at(values)).figure(name);

describe("definitions", () => {
  it.each([
    ["stddev", [5], Number.NaN],
    ["stddev", [2, 4, 4, 4, 5, 5, 7, 9], Math.sqrt(32 / 7)],
    ["median", [4, 1, 3, 2], 2],
    ["p90", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 9],
    ["p95", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 10],
    ["p99", [7], 7],
    ["range", [3, -4, 1], 7],
    ["twa", [7], 7],
    ["twa", [10, 20, 99], 15],
    ["rate", [100, 150, 30, 40], (50 + 30 + 10) / 3],
    ["rate", [5], Number.NaN],
    ["rate", [5, 5, 7], 1],
    ["slope", [1, 3, 5, 7], 2],
    ["slope", [1], Number.NaN],
    ["first", [4, 5], 4],
    ["last", [4, 5], 5],
  ] as const)("%s of %j is %d", (name, values, wanted) => close(figure(name, values), wanted));

  it("several readings at one instant, as a group has them: the one heard later is the later one, and they have neither rate nor slope", () => {
    const together = [1, 2, 3].map((value) => ({ ts: origin, value }));
    expect(of("last", together).figure("last")).toBe(3);
    expect(of("first", together).figure("first")).toBe(1);
    expect(of("twa", together).figure("twa")).toBe(3);
    expect(of("rate", together).figure("rate")).toBeNaN();
    expect(of("slope", together).figure("slope")).toBeNaN();
  });
});

describe("the ends of a double's range", () => {
  it.each([
    ["avg", [1e308, 1e308, -1e308, -1e308], 0],
    ["avg", [1.7e308, 1.7e308], 1.7e308],
    ["sum", [1e308, 1e308, -1e308, -1e308, 5], 5],
    // What the first sum has lost is not lost where the second leaves the range.
    ["sum", [1e308, 1e290, 1e308, -1e308, -1e308], 1e290],
    ["sum", [1e308, 1e308], Number.POSITIVE_INFINITY],
    ["sum", [1, 1e100, 1, -1e100], 2],
    ["stddev", [1e308, -1e308], Math.SQRT2 * 1e308],
    ["stddev", [1e-300, 3e-300], Math.SQRT2 * 1e-300],
    ["stddev", [1e-200, 5, 1e200], 1e200 / Math.sqrt(3)],
    ["twa", [1e308, 1e308, 1e308], 1e308],
    ["twa", [-0, 0], 0],
    ["median", [-1e308, 5e-324, 1e308], 5e-324],
    ["min", [0, -0], 0],
    ["range", [-1e308, 1e308], Number.POSITIVE_INFINITY],
    ["slope", [1e300, 2e300, 3e300], 1e300],
  ] as const)("%s of %j is %d", (name, values, wanted) => {
    const found = figure(name, values);
    expect(found === wanted || Math.abs(found - wanted) <= 1e-9 * Math.abs(wanted)).toBe(true);
  });

  it("stddev merges panes of different scales", () => {
    for (const [left, right] of [
      [
        [1e200, 3e200],
        [1, 2, 3],
      ],
      [[1e-200, 2e-200], [4e-200]],
      [[1, 2], [1e-250]],
    ] as const) {
      const merged = of("stddev", at(left));
      merged.append(of("stddev", at(right)));
      const whole = figure("stddev", [...left, ...right]);
      expect(Math.abs(merged.figure("stddev") - whole)).toBeLessThanOrEqual(1e-12 * whole);
    }
  });

  it("sums and averages merge where one part has left the range", () => {
    const left = of("avg", at([1e308, 1e308]));
    left.append(of("avg", at([1e308, -1e308, -1e308])));
    expect(left.figure("avg")).toBeCloseTo(2e307, -300);
    const right = of("avg", at([-1e308, -1e308]));
    right.append(left);
    expect(right.figure("sum")).toBe(-1e308);
    right.append(of("avg", at([1e308])));
    expect(right.figure("sum")).toBe(0);
    const writer = new StateWriter();
    left.save(writer);
    const loaded = keepingOf("avg").empty();
    loaded.load(new StateReader(writer.saved()));
    expect([loaded.count, loaded.figure("avg")]).toEqual([5, left.figure("avg")]);
  });

  it("a sum that a store holds as infinite stays so", () => {
    const bucket = new Aggregate();
    bucket.add(origin, 1);
    bucket.merge({ ...bucket.values(), sum: Number.POSITIVE_INFINITY });
    bucket.add(origin + 1, 1);
    expect(bucket.sum).toBe(Number.POSITIVE_INFINITY);
  });

  it("a large offset does not drown small differences", () => {
    const values = Array.from({ length: 1000 }, (_, index) => 1e9 + (index % 2));
    close(figure("stddev", values), Math.sqrt(250 / 999), 1);
    close(
      figure(
        "slope",
        Array.from({ length: 500 }, (_, index) => 1e9 + index / 100),
      ),
      0.01,
      1e-4,
    );
  });

  it("a million readings of 0.1 do not drift", () => {
    const [avg, twa, stddev] = [keepingOf("avg").empty(), keepingOf("twa").empty(), keepingOf("stddev").empty()];
    for (let index = 0; index < 1_000_000; index++) for (const each of [avg, twa, stddev]) each.add(origin + index, 0.1);
    expect(avg.figure("sum")).toBe(100_000);
    expect(twa.figure("twa")).toBeCloseTo(0.1, 15);
    expect(stddev.figure("stddev")).toBeLessThan(1e-12);
  });
});

describe("order beyond what is kept one by one", () => {
  const many = (count: number): Kept[] => Array.from({ length: count }, (_, index) => ({ ts: origin + index * 1000, value: index % 10 }));

  it.each(["twa", "rate"] as const)("%s of many readings is exact where they come in order", (name) => {
    const list = many(3 * BUFFERED_MAX);
    const aggregate = of(name, list);
    expect(aggregate.buffered).toBeLessThanOrEqual(BUFFERED_MAX);
    close(aggregate.figure(name), naiveFigure(name, list));
  });

  it.each(["twa", "rate"] as const)("%s takes a late reading among the newest, and one before all, at its place", (name) => {
    const list = many(3 * BUFFERED_MAX);
    const early = { ts: origin - 500, value: 3 };
    const among = { ts: (list.at(-400) as Kept).ts + 500, value: 77 };
    close(of(name, [...list, early, among]).figure(name), naiveFigure(name, inOrder([...list, early, among])));
  });

  it.each(["twa", "rate"] as const)("%s counts a late reading among the others, and is not moved", (name) => {
    const list = many(3 * BUFFERED_MAX);
    const aggregate = of(name, [...list, { ts: origin + 500, value: 1000 }]);
    expect(aggregate.count).toBe(list.length + 1);
    close(aggregate.figure(name), naiveFigure(name, list));
  });

  it.each(["twa", "rate"] as const)("%s that is condensed mingles with what lies after it, and only counts what lies among it", (name) => {
    const list = many(40);
    const [before, after] = [of(name, list.slice(0, 20)), of(name, list.slice(20))];
    after.condense?.();
    before.mingle(after);
    const copy = keepingOf(name).empty();
    copy.mingle(after);
    expect(copy.figure(name)).toBe(after.figure(name));
    copy.mingle(keepingOf(name).empty());
    expect(copy.count).toBe(20);
    close(before.figure(name), naiveFigure(name, list));
    // In a group two may be of one instant.
    const joint = [...list.slice(0, 20), { ts: (list[19] as Kept).ts, value: 3 }, ...list.slice(20)];
    const [until, from] = [of(name, joint.slice(0, 20)), of(name, joint.slice(20))];
    from.condense?.();
    until.mingle(from);
    close(until.figure(name), naiveFigure(name, joint));
    const [even, odd] = [0, 1].map((part) =>
      of(
        name,
        list.filter((_, index) => index % 2 === part),
      ),
    ) as [PaneAggregate, PaneAggregate];
    odd.condense?.();
    even.mingle(odd);
    expect(even.count).toBe(40);
    close(
      even.figure(name),
      naiveFigure(
        name,
        list.filter((_, index) => index % 2 === 0),
      ),
    );
  });
});

describe("percentiles of more readings than are kept one by one", () => {
  it("are saved and go on as they were", () => {
    const many = Array.from({ length: 2 * BUFFERED_MAX }, (_, index) => ({ ts: origin + index, value: ((index * 7919) % 1009) - 300 }));
    const aggregate = of("p90", many);
    const loaded = keepingOf("p90").empty();
    loaded.load(new StateReader(savedOf(aggregate)));
    for (const each of [aggregate, loaded]) each.add(origin + 5000, 1e6);
    for (const name of keepingOf("p90").aggregates) expect(loaded.figure(name)).toBe(aggregate.figure(name));
    const wanted = naiveFigure("median", [...many, { ts: origin + 5000, value: 1e6 }]);
    expect(Math.abs(loaded.figure("median") - wanted)).toBeLessThanOrEqual(0.01 * wanted);
  });
});
