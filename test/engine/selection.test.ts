// Selection against sorting, on any doubles, on many that are equal, and where each choice of a pivot is the worst.

import fc from "fast-check";
import { expect, it } from "vitest";
import { selectPlace } from "../../src/engine/selection.ts";

const anyValues = fc.array(
  fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
    fc.integer({ min: 0, max: 3 }),
  ),
  {
    minLength: 1,
    maxLength: 300,
  },
);

it("finds what sorting finds, place after place, and loses nothing", () => {
  fc.assert(
    fc.property(anyValues, fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), (values, asked) => {
      const sorted = Float64Array.from(values).sort();
      const moved = Float64Array.from(values);
      let from = 0;
      for (const place of asked.map((each) => each % values.length).sort((a, b) => a - b)) {
        expect(selectPlace(moved, from, place)).toBe(sorted[place]);
        from = place;
      }
      expect(moved.sort()).toEqual(sorted);
    }),
  );
});

/** For place 0 the first value is the greatest of what is left, round by round. */
const worst = (count: number): Float64Array => Float64Array.from({ length: count }, (_, index) => (index === 0 ? count : index));

it("sorts what is left when its choices are bad", () => {
  const values = worst(5000);
  expect(selectPlace(values, 0, 0)).toBe(1);
  // What it had split off before stays behind, in its place.
  expect(values).toEqual(worst(5000).sort());
});

it.each([1, 2, 3, 64, 1000])("takes %d values that are all equal", (count) => {
  const values = new Float64Array(count).fill(7);
  expect([0, count >> 1, count - 1].map((place) => selectPlace(values, 0, place))).toEqual([7, 7, 7]);
});
