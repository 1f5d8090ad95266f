// What is packed comes out as it went in: counts, times, first, last, min and max bit for bit, what is reckoned of them within rounding,
// whatever doubles it is made of; damage is found.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Aggregate, type AggregateValues } from "../../src/engine/aggregate.ts";
import { Sketch } from "../../src/engine/sketch.ts";
import { decodePacked, encodePacked, type PackedBucket } from "../../src/storage/packed-rollups.ts";
import { HOUR_MS, MINUTE_MS, unitOf } from "../../src/storage/rollups.ts";

const unit = unitOf(HOUR_MS, Date.UTC(2026, 0, 31, 12));
const largest = Number.MAX_VALUE;
const decimal = fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 0, max: 7 })).map(([whole, places]) => whole / 10 ** places);
const tiny = fc.constantFrom(5e-324, -5e-324, 2.5e-310, 0, -0, Number.EPSILON);
const huge = fc.constantFrom(largest, -largest, 1e308, -1e307, 2 ** 60, 2 ** 53 + 2, -(2 ** 51), 1e15 + 0.5);
/** A unit is mostly of one kind of values, now and then of all. */
const kinds = fc
  .constantFrom(decimal, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.float({ noNaN: true, noDefaultInfinity: true }), tiny, huge)
  .chain((one) => fc.constantFrom(one, fc.oneof({ weight: 20, arbitrary: one }, { weight: 1, arbitrary: fc.oneof(tiny, huge, decimal) })));

const buckets = fc.constantFrom(MINUTE_MS, HOUR_MS).chain((tier) =>
  kinds
    .chain((value) =>
      fc.array(
        fc.record({
          slot: fc.nat(700),
          readings: fc.array(fc.tuple(value, fc.nat(tier - 1)), { minLength: 1, maxLength: 12 }),
          isEven: fc.boolean(),
          isApproximate: fc.boolean(),
          isMerged: fc.boolean(),
          hasSketch: fc.boolean(),
        }),
        { minLength: 1, maxLength: 30 },
      ),
    )
    .map((list) => ({
      tier,
      list: [...new Map(list.map((each) => [each.slot, each])).values()]
        .sort((a, b) => a.slot - b.slot)
        .map(({ slot, readings, isEven, isApproximate, isMerged, hasSketch }): PackedBucket => {
          const start = unit + slot * tier;
          const times = readings.map(([, offset], index) => start + (isEven ? index * 5000 : offset)).sort((a, b) => a - b);
          return {
            start,
            isApproximate,
            values: reckoned(
              readings.map(([value]) => value),
              times,
              isMerged,
            ),
            ...(hasSketch && { sketch: sketchOf(readings.map(([value]) => value)) }),
          };
        }),
    })),
);

function reckoned(values: readonly number[], times: readonly number[], isMerged: boolean): AggregateValues {
  const [aggregate, other] = [new Aggregate(), new Aggregate()];
  values.forEach((value, index) => (isMerged && index % 2 === 1 ? other : aggregate).add(times[index] as number, value));
  aggregate.merge(other.values());
  return aggregate.values();
}

function sketchOf(values: readonly number[]): Sketch {
  const sketch = new Sketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

/** The smallest doubles have few digits. */
const DENORMAL = 1e-320;

/** Beyond the largest number nothing is near; there it must be the same. */
function isNear(found: number, given: number, size: number): boolean {
  return Object.is(found, given) || Math.abs(found - given) <= 1e-9 * size + DENORMAL;
}

describe("packed rollups", () => {
  it("give back every bucket of any doubles", () => {
    fc.assert(
      fc.property(buckets, ({ tier, list }) => {
        const found = decodePacked(encodePacked(list, unit, tier), unit, tier);
        expect(found.length).toBe(list.length);
        for (const [index, given] of list.entries()) {
          const one = found[index] as PackedBucket;
          expect([one.start, one.isApproximate]).toEqual([given.start, given.isApproximate]);
          const { sum, mean, m2, area, ...exact } = one.values;
          const { sum: sum0, mean: mean0, m2: m20, area: area0, ...exact0 } = given.values;
          expect(exact).toStrictEqual(exact0);
          const size = Math.max(Math.abs(exact.min), Math.abs(exact.max));
          expect([sum, isNear(sum, sum0, Math.abs(sum0))]).toEqual([sum, true]);
          // Differences beyond the largest number spoil the mean as it is kept; the sum over the count is better.
          if (Number.isFinite(mean0)) expect([mean, isNear(mean, mean0, size)]).toEqual([mean, true]);
          expect([m2, isNear(m2, m20, Math.abs(m20))]).toEqual([m2, true]);
          expect([area, isNear(area, area0, Math.abs(area0))]).toEqual([area, true]);
          expect(one.sketch?.count).toBe(given.sketch?.count);
          expect(given.sketch === undefined || one.sketch?.equals(given.sketch)).toBe(true);
        }
        // What was put on its steps stays there.
        expect(encodePacked(found, unit, tier)).toEqual(encodePacked(decodePacked(encodePacked(found, unit, tier), unit, tier), unit, tier));
      }),
      { numRuns: 2000 },
    );
  });

  it("keep coarse sketches, and leave them out for who reads figures alone", () => {
    const values = Array.from({ length: 3000 }, (_, index) => (index % 2 === 0 ? 1 : -1) * 10 ** ((index % 590) - 290 + index / 10_000));
    const sketch = sketchOf(values);
    expect(sketch.level).toBeGreaterThan(0);
    const times = values.map((_, index) => unit + index * 1000);
    const bucket = { start: unit, isApproximate: false, values: reckoned(values, times, false), sketch };
    const body = encodePacked([bucket], unit, HOUR_MS);
    expect(decodePacked(body, unit, HOUR_MS)[0]?.sketch?.equals(sketch)).toBe(true);
    expect(decodePacked(body, unit, HOUR_MS, { sketches: false })).toEqual(
      decodePacked(encodePacked([{ ...bucket, sketch: undefined }], unit, HOUR_MS), unit, HOUR_MS),
    );
  });

  it("may be empty", () => expect(decodePacked(encodePacked([], unit, HOUR_MS), unit, HOUR_MS)).toEqual([]));

  it("finds any byte that is damaged", () => {
    fc.assert(
      fc.property(buckets, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ tier, list }, at, mask) => {
        const body = encodePacked(list, unit, tier);
        body[at % body.length] = (body[at % body.length] as number) ^ mask;
        expect(() => decodePacked(body, unit, tier)).toThrow("damaged");
      }),
      { numRuns: 200 },
    );
  });
});
