// A bag of numbers: what it gives back is what was put in, sorted.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DistinctValues } from "../../src/engine/distinct-values.ts";
import { StateReader, StateWriter } from "../../src/engine/state.ts";

const values = fc.array(
  fc.tuple(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true })), fc.integer({ min: 1, max: 3 })),
  {
    minLength: 1,
    maxLength: 60,
  },
);
const sorted = (list: readonly (readonly [number, number])[]): number[] =>
  list.flatMap(([value, times]) => Array.from({ length: times }, () => value)).sort((a, b) => a - b);
const bagOf = (list: readonly (readonly [number, number])[]): DistinctValues => {
  const bag = new DistinctValues();
  for (const [value, times] of list) bag.add(value, times);
  return bag;
};
const allOf = (bag: DistinctValues): number[] => {
  const into = new Float64Array(200);
  return [...into.subarray(3, 3 + bag.copyTo(into, 3))];
};
/** Zeros of both signs are one value. */
const plain = (list: readonly number[]): number[] => list.map((value) => value + 0);

describe("distinct values", () => {
  it("are copied out in order, each as often as it came", () => {
    fc.assert(
      fc.property(values, (list) => {
        expect(plain(allOf(bagOf(list)))).toEqual(plain(sorted(list)));
      }),
    );
  });

  it("have a value at each rank", () => {
    fc.assert(
      fc.property(values, (list) => {
        const bag = bagOf(list);
        const all = sorted(list);
        expect(plain(all.map((_, index) => bag.valueAt(index + 1)))).toEqual(plain(all));
      }),
    );
  });

  it("come back from what was saved, and go on", () => {
    fc.assert(
      fc.property(values, values, (before, after) => {
        const bag = bagOf(before);
        const writer = new StateWriter();
        bag.save(writer);
        const restored = new DistinctValues();
        restored.load(new StateReader(writer.saved()));
        for (const [value, times] of after) restored.add(value, times);
        expect(plain(allOf(restored))).toEqual(plain(sorted([...before, ...after])));
      }),
    );
  });

  it("are none once cleared", () => {
    const bag = bagOf([[1, 2]]);
    bag.clear();
    expect(allOf(bag)).toEqual([]);
    bag.add(7);
    expect(bag.valueAt(1)).toBe(7);
  });
});
