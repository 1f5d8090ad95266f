// Random logs of inputs: disorder, lateness, duplicates, conflicts, wrong clocks, gaps, silence, a gateway that is down,
// and changes of the rules.

import fc from "fast-check";
import type { Input } from "../../src/engine/input.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import { plan, rule, SECOND, SOURCE } from "./harness.ts";

const timing = { outOfOrdernessMs: 20 * SECOND };
const rulesOf = (limit: number) => [
  rule({ name: "hot", condition: { type: "threshold", above: limit, clear_below: limit - 2 }, for: "1m", keep_firing_for: "30s" }),
  rule({ name: "cold", condition: { type: "threshold", below: 10 } }),
  rule({ name: "tumbling", condition: { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: limit - 5 }, for: "1m" }),
  rule({ name: "hopping", condition: { type: "window", window: { hopping: "5m", slide: "1m" }, aggregate: "max", above: limit + 5, min_count: 2 } }),
  rule({ name: "silent", condition: { type: "absence", after: "2m" }, keep_firing_for: "1m" }),
];
export const plans = [plan(rulesOf(25), timing), plan(rulesOf(20), timing), plan(rulesOf(25).slice(1, 4), timing)];

export type Event =
  | { kind: "readings"; listen: number; readings: { series: number; lag: number; value: number }[] }
  | { kind: "down"; ms: number }
  | { kind: "rules"; plan: number };

const reading = fc.record({
  series: fc.nat(2),
  lag: fc.oneof(fc.integer({ min: -70, max: 40 }), fc.integer({ min: 0, max: 600 })),
  value: fc.integer({ min: 0, max: 40 }),
});
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("readings" as const),
      listen: fc.oneof(fc.nat(20), fc.nat(400)),
      readings: fc.array(reading, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("down" as const), ms: fc.integer({ min: 1, max: 7200 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rules" as const), plan: fc.nat(2) }) },
);
export const log = fc.array(event, { maxLength: 60 });

export const labels = ["a", "b", "c"].map((device) => ({ device, metric: "temperature" }));

/** Inputs in order of arrival; times in whole seconds. */
export function inputsOf(events: readonly Event[]): Input[] {
  let [at, up] = [0, 0];
  const inputs: Input[] = [{ kind: "rules", at, up, plan: plans[0] as RulePlan }];
  const seen = new Set<number>();
  for (const each of events) {
    if (each.kind === "down") at += each.ms * SECOND;
    if (each.kind === "rules") inputs.push({ kind: "rules", at, up, plan: plans[each.plan] as RulePlan });
    if (each.kind !== "readings") continue;
    at += each.listen * SECOND;
    up += each.listen * SECOND;
    const ids = each.readings.map(({ series }) => series);
    // Ids are dense: a series is defined when it is first named, with all before it.
    const defined = [0, 1, 2].filter((id) => id <= Math.max(...ids) && !seen.has(id));
    for (const id of defined) seen.add(id);
    const batch = {
      series: Uint32Array.from(ids),
      ts: Float64Array.from(each.readings, ({ lag }) => at - lag * SECOND),
      value: Float64Array.from(each.readings, ({ value }) => value),
      defined: defined.map((id) => ({ id, labels: labels[id] as (typeof labels)[0], source: SOURCE })),
      rejected: {},
    };
    inputs.push({ kind: "readings", at, up, batch });
  }
  return inputs;
}

/** How often a property is tried: HIGHWATER_RUNS=50 tries fifty times as many logs. */
export const runs = (count: number): number => Math.max(1, Math.round(count * Number(process.env["HIGHWATER_RUNS"] ?? 1)));
