// However readings arrive, they come out in order of time, and of equal instants the first to arrive stays.

import fc from "fast-check";
import { expect, it } from "vitest";
import { History } from "../../src/engine/history.ts";

it("orders by time and keeps the first of equal instants", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer(), fc.boolean()), { maxLength: 120 }), (arrived) => {
      const history = new History();
      const first = new Map<number, readonly [number, boolean, number]>();
      for (const [ts, value, isLate] of arrived) {
        const at = history.length;
        history.add(ts, value, isLate, at);
        if (!first.has(ts)) first.set(ts, [value, isLate, at]);
      }
      const { ts, value, late, at } = history.ordered();
      const expected = [...first].sort((a, b) => a[0] - b[0]);
      expect([...ts].map((each, index) => [each, [value[index], late[index] === 1, at[index]]])).toEqual(expected);
      expect(history.length).toBe(arrived.length);
    }),
  );
});

it("grows without losing any: the time, the value and whether it was late of each", () => {
  for (const count of [31, 32, 33, 64, 65, 5000]) {
    const history = new History();
    for (let ts = 1; ts <= count; ts++) history.add(ts, -ts, ts % 2 === 0, 2 * ts);
    const { ts, value, late, at } = history.ordered();
    const wanted = Array.from({ length: count }, (_, index) => index + 1);
    expect([[...ts], [...value], [...at]]).toEqual([wanted, wanted.map((each) => -each), wanted.map((each) => 2 * each)]);
    expect([...late]).toEqual(wanted.map((each) => (each % 2 === 0 ? 1 : 0)));
  }
});

it("takes columns whole, behind those that are there, as it takes readings one by one", () => {
  const reading = fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer(), fc.boolean(), fc.nat());
  fc.assert(
    fc.property(fc.array(fc.array(reading, { maxLength: 60 }), { maxLength: 5 }), (parts) => {
      const [whole, single] = [new History(), new History()];
      for (const part of parts) {
        const columns = new History();
        for (const [ts, value, isLate, at] of part) {
          columns.add(ts, value, isLate, at);
          single.add(ts, value, isLate, at);
        }
        whole.append(columns.ordered());
      }
      expect(whole.ordered()).toEqual(single.ordered());
    }),
  );
});
