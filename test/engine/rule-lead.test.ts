// How long rules remember: what replay and the judging of days begin earlier by.

import { expect, it } from "vitest";
import { leadOf } from "../../src/engine/rule-lead.ts";
import { plan, rule } from "./harness.ts";

const hour = 3_600_000;
const lead = (...rules: Parameters<typeof rule>[0][]): number => leadOf(plan(rules.map((each) => rule(each))));

it("is an hour at least, and as long as delays, windows and absences take", () => {
  expect(lead()).toBe(hour);
  expect(lead({ name: "a", condition: { type: "threshold", above: 1 } })).toBe(hour);
  expect(lead({ name: "a", condition: { type: "threshold", above: 1 }, for: "3h", keep_firing_for: "2h" })).toBe(5 * hour);
  expect(lead({ name: "a", condition: { type: "window", window: { tumbling: "6h" }, aggregate: "avg", above: 1 }, for: "1h" })).toBe(7 * hour);
  expect(lead({ name: "a", condition: { type: "absence", after: "30h" } })).toBe(30 * hour);
  expect(lead({ name: "a", condition: { type: "threshold", above: 1 } }, { name: "b", condition: { type: "rate", over: "4h", per: "1h", above: 1 } })).toBe(
    4 * hour,
  );
});

it("is long where settings do not say, also within all and any", () => {
  expect(lead({ name: "a", condition: { type: "window", window: { tumbling: "day" }, aggregate: "avg", above: 1 } })).toBe(25 * hour);
  expect(lead({ name: "a", condition: { type: "consecutive", n: 3, above: 1 } })).toBe(24 * hour);
  const parts = [
    { type: "threshold", above: 1 },
    { type: "absence", after: "9h" },
  ];
  expect(lead({ name: "a", condition: { type: "any", conditions: parts } })).toBe(9 * hour);
});
