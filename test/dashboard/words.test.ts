// How the page writes numbers, ages and templates, and how its filter reads.

import { describe, expect, test } from "vitest";
import { compileFilter } from "../../src/dashboard/filter.ts";
import {
  fillTemplate,
  formatAge,
  formatCause,
  formatPredicate,
  formatSpan,
  formatSpanExactly,
  formatTime,
  formatValue,
  withUnit,
} from "../../src/dashboard/format.ts";

test.each([
  [0, "0"],
  [-11.4, "−11.4"],
  [1234.567, "1,234.57"],
  [0.001, "1.00e−3"],
  [-2e12, "−2.00e+12"],
])("the value %d is %s", (value, text) => {
  expect(formatValue(value)).toBe(text);
});

test("a unit follows", () => {
  expect(withUnit(61, "%")).toBe("61 %");
  expect(withUnit(1, null)).toBe("1");
});

test.each([
  [-5, "0 s", "0 s"],
  [59_999, "59 s", "59 s"],
  [60_000, "1 min", "1 min"],
  [61_000, "1 min", "1 min 1 s"],
  [3_600_000, "1 h", "1 h"],
  [7_500_000, "2 h", "2 h 5 min"],
  [172_800_000, "2 d", "2 d"],
  [180_000_000, "2 d", "2 d 2 h"],
  [400_000_000_000, "12 y", "12 y 246 d"],
])("%d ms are %s, exactly %s", (ms, rough, exact) => {
  expect(formatSpan(ms)).toBe(rough);
  expect(formatSpanExactly(ms)).toBe(exact);
});

test("predicates", () => {
  expect(formatPredicate("outside [-5, 30], clears inside [-4, 29]")).toBe("outside [−5, 30], clears inside [−4, 29]");
  expect(formatPredicate("no reading for 600000 ms")).toBe("no reading for 10 min");
});

test("ages", () => {
  expect(formatAge(-3000)).toBe("now");
  expect(formatAge(12_400)).toBe("12 s ago");
});

test("a time of another day has its date, of another year its year", () => {
  const now = new Date(2026, 0, 31, 12, 0, 0).getTime();
  expect(formatTime(new Date(2026, 0, 31, 3, 15, 7).getTime(), now)).toBe("03:15:07");
  expect(formatTime(new Date(2026, 0, 30, 3, 15, 7).getTime(), now)).toContain("30 Jan");
  expect(formatTime(new Date(2013, 11, 2, 3, 15, 7).getTime(), now)).toContain("2013");
});

test("plain places of a template are filled; one that wants more is left", () => {
  expect(fillTemplate("{{device}} is at {{ value }} °C", { device: "fz-7", value: "−11" })).toBe("fz-7 is at −11 °C");
  expect(fillTemplate("{{ value | round }}", { value: "1" })).toBeUndefined();
  expect(fillTemplate("{{ missing }}", {})).toBeUndefined();
  expect(fillTemplate("{% if a %}b{% endif %}", {})).toBeUndefined();
});

describe("the filter", () => {
  const sensor = { labels: { device: "freezer-12", metric: "temperature", site: "Oslo" } };
  test.each([
    ["", true],
    ["oslo", true],
    ["OSLO temp", true],
    ["oslo humidity", false],
    ["site=oslo", true],
    ["site=os", false],
    ["site=os*", true],
    ["site=slo", false],
    ["site=*slo", true],
    ["metric=oslo", false],
    ["device=freezer-1*", true],
    ["device=freezer.12", false],
    ["=", false],
  ])("%j: %s", (text, isFound) => {
    expect(compileFilter(text)(sensor)).toBe(isFound);
  });
});

test.each([
  ["shelf:0342835052fb28d3", ""],
  ["out_of_service:0342835052fb28d3", "out of service"],
  ["silence:mx2bbf-1", "silence mx2bbf-1"],
  ["interval:nights", "interval nights"],
  ["notification:a-1", "told with others"],
  ["storm:a-1", "told in a storm"],
  ["flapping:a-1", "it flaps"],
  ["wait", "over before its group was told"],
  ["acknowledged", "acknowledged"],
])("the cause %s is written %j", (cause, text) => {
  expect(formatCause(cause)).toBe(text);
});
