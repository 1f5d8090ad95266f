// The tree alone: ranges that move on by steps and by leaps, and units that change.

import fc from "fast-check";
import { expect, it } from "vitest";
import { Ends } from "../../../src/engine/aggregates/ends.ts";
import { AlignedTree } from "../../../src/engine/windows/aligned-tree.ts";

/** First, last and count of units that each hold what `units` says. */
function fixture(size: number) {
  const units = new Map<number, number>();
  let asked = 0;
  const tree = new AlignedTree(
    size,
    () => new Ends(),
    (into, low, high) => {
      asked += high - low;
      for (let unit = low; unit < high; unit++) into.add(unit, units.get(unit) ?? 0);
    },
  );
  const gather = (low: number, high: number): number[] => {
    const whole = new Ends();
    tree.gather(whole, low, high);
    return [whole.count, whole.figure("first"), whole.figure("last")];
  };
  return { units, tree, gather, asked: () => asked };
}

it("gives every range whole and in order, before 1970 too", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.oneof(fc.nat(12), fc.nat(3000)), { maxLength: 30 }),
      fc.integer({ min: -5000, max: 0 }),
      (size, leaps, from) => {
        const { units, tree, gather } = fixture(size);
        let low = from;
        leaps.forEach((leap, index) => {
          low += leap;
          const changed = low + (index % size);
          units.set(changed, index);
          tree.touch(changed);
          expect(gather(low, low + size)).toEqual([size, units.get(low) ?? 0, units.get(low + size - 1) ?? 0]);
        });
      },
    ),
  );
});

it("asks for few units again when a range moves on, and for none but those when it is asked for once more", () => {
  const { gather, asked } = fixture(1024);
  gather(0, 1024);
  const first = asked();
  expect(first).toBe(1024);
  gather(0, 1024);
  expect(asked()).toBe(first);
  gather(1, 1025);
  expect(asked() - first).toBe(7 + 1);
});
