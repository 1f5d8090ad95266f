// Families of rules over which the laws of event time are tried, beyond those that the oracle knows: each is a list of three plans
// to change between, on the series of random-log.ts.

import type { Input } from "../../src/engine/input.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import { plan, rule, SECOND } from "./harness.ts";
import { plans } from "./random-log.ts";

const timing = { outOfOrdernessMs: 20 * SECOND };
const changing = (rulesOf: (limit: number) => Parameters<typeof rule>[0][]) => {
  const make = (limit: number) => rulesOf(limit).map((settings) => rule(settings));
  return [plan(make(25), timing), plan(make(20), timing), plan(make(25).slice(1), timing)];
};

const levels = (limit: number) => [
  { above: limit - 5, clear_below: limit - 8, severity: "info" },
  { above: limit, severity: "warning" },
  { above: limit + 5, clear_below: limit, severity: "critical" },
];

export const families: readonly { name: string; plans: readonly RulePlan[] }[] = [
  { name: "plain", plans },
  {
    name: "groups",
    plans: changing((limit) => [
      { name: "avg", group_by: [], condition: { type: "threshold", aggregate: "avg", above: limit }, for: "1m", keep_firing_for: "30s" },
      { name: "each", group_by: ["device"], stale_after: "1m", condition: { type: "threshold", aggregate: "max", above: limit } },
      { name: "window", group_by: ["metric"], condition: { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: limit - 3 }, for: "1m" },
      { name: "hopping", group_by: [], condition: { type: "window", window: { hopping: "5m", slide: "1m" }, aggregate: "p90", above: limit + 5 } },
      {
        name: "there",
        condition: {
          type: "absence",
          after: "2m",
          expect: [
            { device: "b", metric: "temperature" },
            { device: "z", metric: "temperature" },
          ],
        },
      },
    ]),
  },
  {
    name: "levels and combinations",
    plans: changing((limit) => [
      { name: "levels", condition: { type: "threshold", levels: levels(limit) }, for: "1m", keep_firing_for: "30s" },
      { name: "at once", condition: { type: "window", window: { tumbling: "1m" }, aggregate: "max", levels: levels(limit) } },
      {
        name: "all",
        condition: {
          type: "all",
          conditions: [
            { type: "threshold", above: limit - 10, clear_below: limit - 12 },
            {
              type: "any",
              conditions: [
                { type: "absence", after: "1m" },
                { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: limit - 5 },
              ],
            },
          ],
        },
        for: "30s",
      },
      {
        name: "any",
        condition: {
          type: "any",
          conditions: [
            { type: "threshold", above: limit + 10 },
            { type: "absence", after: "3m" },
          ],
        },
        keep_firing_for: "1m",
      },
    ]),
  },
  {
    name: "windows and detectors",
    plans: changing((limit) => [
      { name: "session", condition: { type: "window", window: { session: "45s" }, aggregate: "avg", above: limit - 5 }, for: "1m" },
      { name: "count", condition: { type: "window", window: { count: 4, slide: 2 }, aggregate: "twa", above: limit - 5 }, keep_firing_for: "1m" },
      { name: "day", condition: { type: "window", window: { tumbling: "day" }, aggregate: "p95", above: limit } },
      { name: "rate", condition: { type: "rate", over: "2m", per: "1m", above: limit - 15 }, for: "30s" },
      { name: "flat", condition: { type: "flatline", over: "1m", tolerance: 6 } },
      { name: "three", condition: { type: "consecutive", n: 2, of: 3, above: limit - 10 } },
      { name: "odd", condition: { type: "deviation", above: 0.5 } },
      { name: "slope", condition: { type: "window", window: { hopping: "3m", slide: "30s" }, aggregate: "slope", above: 0.01 } },
    ]),
  },
];

/** The same log under the rules of a family. */
export const under = (family: readonly RulePlan[], inputs: readonly Input[]): Input[] =>
  inputs.map((input) => (input.kind === "rules" ? { ...input, plan: family[plans.indexOf(input.plan)] as RulePlan } : input));
