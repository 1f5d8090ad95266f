// However readings arrive, they come out in order of time, and of equal instants the first to arrive stays.

import fc from "fast-check";
import { expect, it } from "vitest";
import { History } from "../../src/engine/history.ts";

it("orders by time and keeps the first of equal instants", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer(), fc.boolean()), { maxLength: 120 }), (arrived) => {
      const history = new History();
      const first = new Map<number, readonly [number, boolean]>();
      for (const [ts, value, isLate] of arrived) {
        history.add(ts, value, isLate);
        if (!first.has(ts)) first.set(ts, [value, isLate]);
      }
      const { ts, value, late } = history.ordered();
      const expected = [...first].sort((a, b) => a[0] - b[0]);
      expect([...ts].map((at, index) => [at, [value[index], late[index] === 1]])).toEqual(expected);
      expect(history.length).toBe(arrived.length);
    }),
  );
});

it("grows without losing any: the time, the value and whether it was late of each", () => {
  for (const count of [31, 32, 33, 64, 65, 5000]) {
    const history = new History();
    for (let ts = 1; ts <= count; ts++) history.add(ts, -ts, ts % 2 === 0);
    const { ts, value, late } = history.ordered();
    const wanted = Array.from({ length: count }, (_, index) => index + 1);
    expect([[...ts], [...value], [...late]]).toEqual([wanted, wanted.map((each) => -each), wanted.map((each) => (each % 2 === 0 ? 1 : 0))]);
  }
});
