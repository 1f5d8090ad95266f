// `consecutive`: golden rows, and agreement with counting anew at each reading.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { conditionSchema } from "../../../src/engine/conditions/index.ts";
import { bind, bindDetector, judgements, measures, type Row } from "./detect.ts";

const rows = (values: readonly number[]): Row[] => values.map((value, index) => [index, value]);

describe("consecutive", () => {
  it("is breached when the last n readings are", () => {
    expect(judgements({ type: "consecutive", n: 3, above: 70 }, rows([71, 71, 70, 71, 72, 73, 74, 70]))).toEqual([NaN, NaN, -1, -1, -1, 1, 1, -1]);
  });

  it("is breached when n of the last `of` are, and clears when fewer are", () => {
    const settings = { type: "consecutive", n: 2, of: 4, below: 0 };
    expect(judgements(settings, rows([-1, 1, -1, 1, 1, 1, 1, -1, 1, 1, -1]))).toEqual([NaN, NaN, 1, 1, -1, -1, -1, -1, -1, -1, 1]);
    expect(measures(settings, rows([-1, -1, -1, -1, 1]))).toEqual([NaN, 2, 3, 4, 3]);
  });

  it("says nothing while readings from before the first could decide", () => {
    expect(judgements({ type: "consecutive", n: 2, of: 3, above: 0 }, rows([1]))).toEqual([NaN]);
    expect(judgements({ type: "consecutive", n: 2, of: 3, above: 0 }, rows([0, 0]))).toEqual([NaN, -1]);
  });

  it("has the number of breaching readings as its measure, and says so", () => {
    const { criterion } = bindDetector({ type: "consecutive", n: 3, of: 5, outside: [1, 2] });
    expect(criterion.text).toBe("3 of 5 readings outside [1, 2]");
    expect([criterion.judge(3), criterion.judge(2), criterion.limit, criterion.depth(5)]).toEqual([1, -1, 3, 2]);
  });

  it("takes limits of the device", () => {
    const settings = { type: "consecutive", n: 2, above: "limit.high" };
    expect(bind(settings)).toBeUndefined();
    expect(bindDetector(settings, { high: 9 }).criterion.text).toBe("2 of 2 readings above 9");
  });

  it("refuses more than there are, more than it remembers, and deadbands", () => {
    const problems = (settings: object) => conditionSchema.safeParse({ type: "consecutive", above: 1, ...settings }).error?.issues.map(({ path }) => path);
    expect(problems({ n: 3, of: 2 })).toEqual([["of"]]);
    expect(problems({ n: 3, of: 1001 })).toEqual([["of"]]);
    expect(problems({ n: 0 })).toEqual([["n"]]);
    expect(problems({ n: 1, clear_below: 0 })).toEqual([[]]);
    expect(problems({ n: 1000, of: 1000 })).toBeUndefined();
  });

  it("agrees with counting anew", () => {
    const sizes = fc.integer({ min: 1, max: 70 }).chain((of) => fc.tuple(fc.integer({ min: 1, max: of }), fc.constant(of)));
    fc.assert(
      fc.property(sizes, fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 300 }), ([n, of], values) => {
        const expected = values.map((_, index) => {
          const last = values.slice(Math.max(0, index + 1 - of), index + 1);
          const count = last.filter((value) => value > 0).length;
          return count < n && count + (of - last.length) >= n ? Number.NaN : count;
        });
        expect(measures({ type: "consecutive", n, of, above: 0 }, rows(values))).toEqual(expected);
      }),
    );
  });
});
