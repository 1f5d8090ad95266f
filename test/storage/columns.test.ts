// Columns of numbers come back bit for bit, however far apart they lie: one wrong clock may not falsify what follows it.

import fc from "fast-check";
import { expect, it } from "vitest";
import { ByteReader, ByteWriter } from "../../src/storage/bytes.ts";
import { readDoubles, readWholes, writeDoubles, writeWholes } from "../../src/storage/columns.ts";

const furthest = 2 ** 52;
const wholes = (values: readonly number[]): number[] => {
  const out = new ByteWriter();
  writeWholes(out, values);
  const into = new Float64Array(values.length);
  readWholes(new ByteReader(out.view()), into);
  return [...into];
};

it("keeps honest times beside the furthest ones", () => {
  const now = 1_763_800_000_001;
  for (const values of [
    [now, furthest, now + 1, -furthest, now + 2, furthest, -furthest, furthest - 1, -1, 0],
    [1, -1, 63, 64, -64, -65, 8191, 8192],
  ])
    expect(wholes(values)).toEqual(values);
});

it("keeps whole numbers", () => {
  const whole = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger().map((value) => Math.trunc(value / 2)),
  );
  fc.assert(
    fc.property(fc.array(whole), (values) => {
      const unsigned = values.map((value) => value + 0);
      expect(wholes(unsigned)).toEqual(unsigned);
    }),
  );
});

it("keeps doubles bit for bit", () => {
  const double = fc.oneof(
    fc.double(),
    fc.double({ noNaN: true }).map((value) => Math.round(value * 100) / 100),
    fc.constantFrom(-0, 0, Infinity, -Infinity, 5e-324),
  );
  fc.assert(
    fc.property(fc.array(double), (values) => {
      const out = new ByteWriter();
      writeDoubles(out, values);
      const into = new Float64Array(values.length);
      readDoubles(new ByteReader(out.view()), into);
      expect([...into].every((value, index) => Object.is(value, values[index]))).toBe(true);
    }),
  );
});
