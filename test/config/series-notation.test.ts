// promtool's notation of input series: each form by an example, mistakes with their place, and what is written is read back.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSeries, parseValues, SAMPLES_MAX } from "../../src/config/series-notation.ts";

const values = (text: string): (number | null)[] => {
  const parsed = parseValues(text);
  if (parsed.kind === "failed") throw new Error(`${parsed.offset}: ${parsed.message}`);
  return [...parsed.value].map((value) => (Number.isNaN(value) ? null : value));
};
const failure = (parsed: ReturnType<typeof parseSeries> | ReturnType<typeof parseValues>) =>
  parsed.kind === "failed" ? `${parsed.offset}: ${parsed.message} (${parsed.hint})` : "read";

describe("values", () => {
  it.each<[string, (number | null)[]]>([
    ["", []],
    ["20", [20]],
    ["  1  2\n3 ", [1, 2, 3]],
    ["21x5", [21, 21, 21, 21, 21, 21]],
    ["21x0", [21]],
    ["90+1x3", [90, 91, 92, 93]],
    ["90-1x3", [90, 89, 88, 87]],
    ["-2+4x3", [-2, 2, 6, 10]],
    ["1-2x4", [1, -1, -3, -5, -7]],
    ["1+-2x2", [1, -1, -3]],
    ["1--2x2", [1, 3, 5]],
    ["1-+2x2", [1, -1, -3]],
    ["1x2 _x3", [1, 1, 1, null, null, null]],
    ["_ 1 _", [null, 1, null]],
    ["_x0 1", [1]],
    ["1 stale 2", [1, null, 2]],
    ["1 NaN Inf -Inf +Inf", [1, null, null, null, null]],
    ["0+0.1x3", [0, 0.1, 0.2, 0.3]],
    ["20.05-0.05x2", [20.05, 20, 19.95]],
    ["1e3+1e2x2 .5 5.", [1000, 1100, 1200, 0.5, 5]],
    ["20 21x5 _ 90+1x3", [20, 21, 21, 21, 21, 21, 21, null, 90, 91, 92, 93]],
  ])("%s", (text, expected) => expect(values(text)).toEqual(expected));

  it.each([
    ["1 2 3y4", '4: "3y4" is no value'],
    ["1+2", '0: "1+2" is no value'],
    ["1 stalex3", '2: "stalex3" is no value'],
    ["1 {{schema:0}}", '2: "{{schema:0}}" is no value (histograms are not known here)'],
    ["1 2x-3", '2: "2x-3" is no value'],
    [`1 2x${SAMPLES_MAX}`, `2: more than ${SAMPLES_MAX} values`],
    ["1 _x99999999999999999999", `2: more than ${SAMPLES_MAX} values`],
  ])("%s is refused", (text, expected) => expect(failure(parseValues(text))).toContain(expected));

  it("have n + 1 values for each a+bxn, the last at a + n × b", () => {
    const decimal = fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.nat(3)).map(([whole, places]) => (whole / 10 ** places).toFixed(places));
    fc.assert(
      fc.property(decimal, decimal, fc.nat(200), (first, step, times) => {
        const got = values(`${first}+${step}x${times}`);
        expect(got).toHaveLength(times + 1);
        expect(got[0]).toBe(Number(first));
        expect(got[times]).toBeCloseTo(Number(first) + Number(step) * times, 6);
        expect(String(got[times]).split(".")[1]?.length ?? 0).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe("series", () => {
  it.each([
    ['temperature{device="fz-7"}', { device: "fz-7", metric: "temperature" }],
    ['{device="fz-7",metric="temperature"}', { device: "fz-7", metric: "temperature" }],
    ['{"temperature", device="fz-7"}', { device: "fz-7", metric: "temperature" }],
    [" temperature { site = 'a, \"b\"}' , device=`\\d`, } ", { device: "\\d", metric: "temperature", site: 'a, "b"}' }],
    ['a.b:c{device="x\\"y\\n"}', { device: 'x"y\n', metric: "a.b:c" }],
  ])("%s", (text, labels) => expect(parseSeries(text)).toEqual({ kind: "ok", value: labels }));

  it.each([
    ["temperature", "0: a series needs the label device"],
    ['{device="a"}', "0: a series needs the label metric"],
    ['t{device="a"', "12: the labels are not closed"],
    ['t{device="a" site="b"}', "13: the labels are not closed"],
    ['t{device="a}', "9: the value of device must stand in quotes"],
    ["t{device=a}", "9: the value of device must stand in quotes"],
    ['t{device=~"a.*"}', "8: device needs = and a value in quotes"],
    ['t{7up="a"}', "2: a label's name must stand here"],
    ['t{device="a",device="b"}', "13: the label device is given twice"],
    ['t{device="a",metric="t"}', "13: the label metric is given twice"],
    ['t{device="a"} offset 5m', "14: nothing may stand behind the labels"],
    ['t"x"', '1: "\\"" cannot stand here'],
  ])("%s is refused", (text, expected) => expect(failure(parseSeries(text))).toContain(expected));

  it("reads back any labels", () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ unit: "grapheme" })), (more) => {
        const labels = { ...more, device: "d", metric: "m" };
        const text = `{${Object.entries(labels).map(([key, value]) => `${key}="${value.replace(/["\\]/g, "\\$&")}"`)}}`;
        expect(parseSeries(text)).toEqual({ kind: "ok", value: labels });
      }),
    );
  });
});
