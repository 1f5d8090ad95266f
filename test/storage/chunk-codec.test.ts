// What goes into a chunk comes out bit for bit, whatever doubles and times it holds; damage is found; and what is even costs next
// to nothing.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChunkColumns, decodeChunk, encodeChunk } from "../../src/storage/chunk-codec.ts";

const day = 86_400_000;
const noon = Date.UTC(2026, 0, 31, 12);

/** All bit patterns but those of NaN, which is no reading. */
const anyDouble = fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)).map(([high, low]) => {
  const value = new Float64Array(Uint32Array.of(low, high).buffer)[0] as number;
  return Number.isNaN(value) ? -0 : value;
});
const decimal = fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 0, max: 7 })).map(([whole, places]) => whole / 10 ** places);
const single = fc.float({ noNaN: true });
const values = fc.oneof(
  ...[anyDouble, decimal, single, fc.double({ noNaN: true })].map((value) => fc.array(value, { minLength: 1, maxLength: 400 })),
  // Decimals with here and there something else.
  fc.array(fc.oneof({ weight: 40, arbitrary: decimal }, { weight: 1, arbitrary: anyDouble }), { minLength: 1, maxLength: 400 }),
  fc.tuple(anyDouble, fc.integer({ min: 1, max: 400 })).map(([value, count]) => Array.from({ length: count }, () => value)),
);

const columns = fc
  .tuple(
    values,
    fc.infiniteStream(fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: -1e9, max: 1e12 }), fc.boolean())),
    fc.constantFrom(1, 1000, 100_000),
  )
  .map(([value, rest, every]): ChunkColumns => {
    let ts = noon;
    const steps = value.map(() => rest.next().value);
    return {
      value: Float64Array.from(value),
      ts: Float64Array.from(steps, ([step]) => (ts += every === 1 ? step : every)),
      at: Float64Array.from(steps, ([, delay], index) => noon + delay + index),
      late: Uint8Array.from(steps, ([, , isLate]) => (isLate ? 1 : 0)),
    };
  });

const bitsOf = ({ ts, value, late, at }: ChunkColumns): unknown[] => [...[ts, value, at].map((column) => new BigUint64Array(column.slice().buffer)), late];

describe("a chunk", () => {
  it("gives back every double, time, arrival and mark, bit for bit", () => {
    fc.assert(
      fc.property(columns, (given) => {
        const body = encodeChunk(given);
        expect(bitsOf(decodeChunk(body))).toEqual(bitsOf(given));
        const { at, ...without } = decodeChunk(body, { at: false });
        expect(at.length).toBe(0);
        expect(bitsOf({ ...without, at: given.at })).toEqual(bitsOf(given));
      }),
      { numRuns: 400 },
    );
  });

  it("finds a single changed bit, and a cut", () => {
    fc.assert(
      fc.property(columns, fc.nat(), fc.integer({ min: 0, max: 7 }), (given, place, bit) => {
        const body = encodeChunk(given);
        const changed = body.slice();
        changed[place % body.length] = (changed[place % body.length] as number) ^ (1 << bit);
        expect(() => decodeChunk(changed)).toThrow("damaged");
        // A backup copies what is damaged as it is.
        expect(() => decodeChunk(changed)).toThrow(expect.objectContaining({ hint: expect.stringContaining("an older backup may have them whole") }));
        expect(() => decodeChunk(body.subarray(0, place % body.length))).toThrow("damaged");
      }),
    );
  });

  it("costs less than a byte a reading where a sensor reports every ten seconds in tenths or hundredths", () => {
    for (const scale of [10, 100]) {
      let [state, whole] = [7, 20 * scale];
      const random = (): number => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
      const ts = Float64Array.from({ length: day / 10_000 }, (_, index) => noon + index * 10_000);
      const value = ts.map(() => (whole += Math.round((random() - 0.5) * 4)) / scale);
      const at = ts.map((each) => each + Math.floor(random() * 12));
      const body = encodeChunk({ ts, value, at, late: new Uint8Array(ts.length) });
      expect(body.length / ts.length).toBeLessThan(0.9);
    }
  });
});
