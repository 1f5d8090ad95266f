// What holds of every detector: saved and restored anywhere it goes on bit for bit, and its state does not grow.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bindDetector, bits, restored, rowsArb } from "./detect.ts";

const cases: [string, Record<string, unknown>][] = [
  ["rate", { type: "rate", over: "3s", above: 1 }],
  ["rate of a counter", { type: "rate", over: "3s", counter: true, above: 1 }],
  ["flatline", { type: "flatline", over: "3s", tolerance: 1 }],
  ["consecutive", { type: "consecutive", n: 2, of: 40, above: 3 }],
  ["deviation", { type: "deviation" }],
];

describe.each(cases)("%s", (_name, settings) => {
  const condition = bindDetector(settings);

  it("goes on as it was, bit for bit, after its state was saved and restored", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(10, 90, 5000).chain((step) => rowsArb(step)),
        fc.nat(),
        (rows, cut) => {
          const first = condition.create();
          const before = rows.slice(0, cut % (rows.length + 1));
          for (const [ts, value] of before) first.take(ts, value);
          const second = restored(condition, first);
          expect(bits(second)).toBe(bits(first));
          for (const [ts, value] of rows.slice(before.length)) expect(second.take(ts, value)).toEqual(first.take(ts, value));
          expect(bits(second)).toBe(bits(first));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("shares nothing between two series", () => {
    const [one, other] = [condition.create(), condition.create()];
    const untouched = bits(other);
    for (let ts = 0; ts < 100; ts++) one.take(ts * 40, ts % 7);
    expect(bits(other)).toBe(untouched);
  });

  it("has a state that does not grow with the number of readings", () => {
    const detector = condition.create();
    const sizes = [1000, 4000].map((count) => {
      for (let index = 0; index < count; index++) detector.take(count * 1e6 + index * 7, index % 13);
      return bits(detector).length;
    });
    expect(Math.max(...sizes) / 16).toBeLessThan(70_000);
    if (settings["type"] !== "deviation") expect(Math.max(...sizes) / 16).toBeLessThan(300);
  });
});
