// What happens to a gateway, at random: disorder, lateness, duplicates, conflicts, wrong clocks, silence, backlog, changes of the
// rules, hours during which it is down; and how the engine is driven through it, which must change nothing.

import fc from "fast-check";
import type { Input } from "../../../src/engine/input.ts";
import type { RulePlan } from "../../../src/engine/rule.ts";
import { SECOND, SOURCE } from "../harness.ts";

const value = fc.integer({ min: 0, max: 40 });
const series = fc.oneof(fc.nat(1), fc.nat(2));
const lag = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -5, max: 5 }) },
  { weight: 3, arbitrary: fc.integer({ min: -70, max: 130 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 900 }) },
  { weight: 1, arbitrary: fc.constant(-7200) },
  { weight: 3, arbitrary: fc.constant(null) },
);
const listen = fc.oneof(fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(90), fc.nat(90), fc.nat(500));

/** `lag: null`: the device sends no time. */
export type Happening =
  | { kind: "readings"; listen: number; readings: { series: number; lag: number | null; value: number }[] }
  /** What another broker had retained. */
  | { kind: "retained"; listen: number; readings: { series: number; lag: number; value: number }[] }
  | { kind: "again"; listen: number; back: number; other: boolean }
  | { kind: "backlog"; listen: number; series: number; every: number; values: number[] }
  | { kind: "down"; seconds: number }
  | { kind: "rules"; listen: number; plan: number };

export const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({
        kind: fc.constant("readings" as const),
        listen,
        readings: fc.array(fc.record({ series, lag, value }), { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant("retained" as const),
        listen,
        readings: fc.array(fc.record({ series, lag: fc.integer({ min: -70, max: 900 }), value }), { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("again" as const), listen, back: fc.nat(5), other: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("backlog" as const),
        listen,
        series,
        every: fc.integer({ min: 1, max: 90 }),
        values: fc.array(value, { minLength: 2, maxLength: 8 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("down" as const), seconds: fc.integer({ min: 1, max: 1200 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("rules" as const), listen: fc.oneof(fc.constant(0), listen), plan: fc.nat(2) }) },
  ),
  { maxLength: 25, size: "max" },
);

/** One step of the engine: how many inputs it takes at once beside the first, how long later it is woken, whether it is restarted then. */
export type Turn = { join: number; wake: number; restart: boolean };
export const turns: fc.Arbitrary<Turn[]> = fc.array(fc.record({ join: fc.nat(3), wake: fc.nat(40), restart: fc.boolean() }), { minLength: 1, maxLength: 8 });

type Sent = { series: number; ts: number; value: number };

function sentBy(happening: Exclude<Happening, { kind: "down" | "rules" }>, at: number, before: readonly Sent[]): Sent[] {
  switch (happening.kind) {
    case "readings":
    case "retained":
      return happening.readings.map((each) => ({ series: each.series, ts: each.lag === null ? Number.NaN : at - each.lag * SECOND, value: each.value }));
    case "again": {
      const sent = before.at(-1 - happening.back);
      return sent === undefined ? [] : [{ ...sent, value: sent.value + (happening.other ? 1 : 0) }];
    }
    case "backlog": {
      const { length } = happening.values;
      return happening.values.map((each, index) => ({ series: happening.series, ts: at - (length - 1 - index) * happening.every * SECOND, value: each }));
    }
  }
}

const labels = [
  { device: "a", metric: "temperature" },
  { device: "b", metric: "temperature" },
  { device: "a", metric: "humidity" },
];

/** Inputs in order of arrival, on whole seconds; the first plan is in force from 0. */
export function inputsOf(list: readonly Happening[], plans: readonly RulePlan[]): Input[] {
  let [at, up] = [0, 0];
  const sent: Sent[] = [];
  let defined = 0;
  const inputs: Input[] = [{ kind: "rules", at, up, plan: plans[0] as RulePlan }];
  for (const happening of list) {
    if (happening.kind === "down") {
      at += happening.seconds * SECOND;
      continue;
    }
    at += happening.listen * SECOND;
    up += happening.listen * SECOND;
    if (happening.kind === "rules") {
      inputs.push({ kind: "rules", at, up, plan: plans[happening.plan % plans.length] as RulePlan });
      continue;
    }
    const readings = sentBy(happening, at, sent);
    sent.push(...readings);
    const highest = Math.max(-1, ...readings.map((each) => each.series));
    const news = [0, 1, 2].filter((id) => id >= defined && id <= highest).map((id) => ({ id, labels: labels[id] as (typeof labels)[0], source: SOURCE }));
    defined = Math.max(defined, highest + 1);
    const batch = {
      series: Uint32Array.from(readings, (each) => each.series),
      ts: Float64Array.from(readings, (each) => each.ts),
      value: Float64Array.from(readings, (each) => each.value),
      defined: news,
      rejected: {},
      ...(happening.kind === "retained" && { retained: readings.map((_, index) => index) }),
    };
    inputs.push({ kind: "readings", at, up, batch });
  }
  return inputs;
}
