// The engine against the oracle, over random rules and random logs: verdicts, transitions with their dates, occurrences and
// values, closed minutes, minutes that were closed when a reading came.

import fc from "fast-check";
import { expect, it } from "vitest";
import type { Effects } from "../../src/engine/effect.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { VERDICT_MASK, verdicts } from "../../src/engine/reading.ts";
import type { SourceTiming } from "../../src/engine/rule.ts";
import { MINUTE, plan, rule, SECOND, SOURCE } from "./harness.ts";
import { consult, type Opinion } from "./oracle.ts";
import { labels, runs } from "./random-log.ts";

const limit = fc.integer({ min: 5, max: 35 });
const gap = fc.nat(6);
const isSet = fc.boolean();
const predicate = fc.oneof(
  fc.tuple(limit, gap, isSet).map(([above, band, has]) => ({ above, ...(has ? { clear_below: above - band } : {}) })),
  fc.tuple(limit, gap, isSet).map(([below, band, has]) => ({ below, ...(has ? { clear_above: below + band } : {}) })),
  fc.tuple(limit, gap, gap, isSet).map(([low, width, band, has]) => {
    const high = low + width + 2 * band;
    return { outside: [low, high], ...(has ? { clear_inside: [low + band, high - band] } : {}) };
  }),
  fc.tuple(limit, gap, gap, isSet).map(([low, width, band, has]) => ({
    inside: [low, low + width + 5],
    ...(has ? { clear_outside: [low - band, low + width + 5 + band] } : {}),
  })),
);
const window = fc.constantFrom(
  { tumbling: "30s" },
  { tumbling: "1m" },
  { tumbling: "5m" },
  { hopping: "1m", slide: "20s" },
  { hopping: "5m", slide: "1m" },
  { hopping: "90s", slide: "1m" },
);
const aggregate = fc.constantFrom("avg", "min", "max", "sum", "count");
const delays = fc.record({ for: fc.constantFrom("0s", "0s", "30s", "1m", "5m"), keep_firing_for: fc.constantFrom("0s", "0s", "30s", "2m") });
const condition = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(predicate, delays).map(([each, times]) => ({ condition: { type: "threshold", ...each }, ...times })) },
  {
    weight: 3,
    arbitrary: fc.tuple(predicate, delays, window, aggregate, fc.integer({ min: 1, max: 3 })).map(([each, times, frame, name, min_count]) => ({
      condition: { type: "window", window: frame, aggregate: name, min_count, ...each },
      ...times,
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom("10s", "30s", "2m", "10m"), fc.constantFrom("0s", "30s", "2m"))
      .map(([after, keep_firing_for]) => ({ condition: { type: "absence", after }, keep_firing_for })),
  },
);
const rules = fc.array(condition, { minLength: 1, maxLength: 4 }).map((list) => list.map((each, index) => rule({ name: `r${index}`, ...each })));
const timing: fc.Arbitrary<SourceTiming> = fc.record({
  outOfOrdernessMs: fc.constantFrom(0, 0, 5, 20, 120, 600).map((seconds) => seconds * SECOND),
  maxFutureMs: fc.constantFrom(60, 60, 3600).map((seconds) => seconds * SECOND),
  maxPastMs: fc.constantFrom(null, null, 1800).map((seconds) => (seconds === null ? null : seconds * SECOND)),
  idleAfterMs: fc.constantFrom(0, 1, 10, 10, 60).map((seconds) => seconds * SECOND),
});

const value = fc.integer({ min: 0, max: 40 });
const series = fc.nat(1);
const lag = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.integer({ min: -70, max: 130 }),
  fc.integer({ min: 0, max: 900 }),
  fc.constant(-7200),
  fc.constant(null),
);
const listen = fc.oneof(fc.nat(20), fc.nat(20), fc.nat(90), fc.nat(500));
/** `lag: null`: the device sends no time. */
type Happening =
  | { kind: "readings"; listen: number; readings: { series: number; lag: number | null; value: number }[] }
  | { kind: "again"; listen: number; back: number; other: boolean }
  | { kind: "backlog"; listen: number; series: number; every: number; values: number[] }
  | { kind: "down"; seconds: number };
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("readings" as const),
      listen,
      readings: fc.array(fc.record({ series, lag, value }), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("again" as const), listen, back: fc.nat(5), other: isSet }) },
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
);

type Sent = { series: number; ts: number; value: number };

function sentBy(happening: Exclude<Happening, { kind: "down" }>, at: number, before: readonly Sent[]): Sent[] {
  switch (happening.kind) {
    case "readings":
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

function inputsOf(happenings: readonly Happening[]): Input[] {
  let [at, up] = [0, 0];
  const sent: Sent[] = [];
  const seen = new Set<number>();
  return happenings.flatMap((happening): Input[] => {
    if (happening.kind === "down") {
      at += happening.seconds * SECOND;
      return [];
    }
    at += happening.listen * SECOND;
    up += happening.listen * SECOND;
    const readings = sentBy(happening, at, sent);
    sent.push(...readings);
    const highest = Math.max(-1, ...readings.map((each) => each.series));
    const defined = [0, 1].filter((id) => id <= highest && !seen.has(id)).map((id) => ({ id, labels: labels[id] as (typeof labels)[0], source: SOURCE }));
    for (const { id } of defined) seen.add(id);
    const batch = {
      series: Uint32Array.from(readings, (each) => each.series),
      ts: Float64Array.from(readings, (each) => each.ts),
      value: Float64Array.from(readings, (each) => each.value),
      defined,
      rejected: {},
    };
    return [{ kind: "readings", at, up, batch }];
  });
}

function opinionOf(effects: readonly Effects[]): Opinion {
  const opinion: Opinion = { verdicts: [], transitions: {}, buckets: {}, dirty: {} };
  const seriesOf = new Map(effects.flatMap(({ alerts }) => alerts.map(({ id, series: of }) => [id, of])));
  for (const effect of effects) {
    for (const marks of effect.verdicts) for (const mark of marks) opinion.verdicts.push(verdicts[mark & VERDICT_MASK] as string);
    for (const { alert, to, ts, figures, evidence } of effect.transitions) {
      const occurrence = Number.parseInt(alert.slice(alert.indexOf("-") + 1), 36);
      (opinion.transitions[`${seriesOf.get(alert)} ${evidence.rule}`] ??= []).push({ to, ts, occurrence, value: figures.value });
    }
    for (const { tier, series: of, start, values } of effect.rollups) {
      const { count, sum, min, max } = values;
      if (tier === MINUTE) (opinion.buckets[of] ??= []).push({ start, count, sum, min, max });
    }
    for (const { tier, series: of, start, values } of effect.dirty) {
      if (tier === MINUTE) for (let count = values.count; count > 0; count--) (opinion.dirty[of] ??= []).push(start);
    }
  }
  for (const list of Object.values(opinion.dirty)) list.sort((a, b) => a - b);
  return opinion;
}

it("the engine and the oracle are of one opinion", () => {
  fc.assert(
    fc.property(rules, timing, fc.array(happening, { maxLength: 25 }), fc.nat(1000), (list, times, happenings, silence) => {
      const rulePlan = plan(list, times);
      const inputs = inputsOf(happenings);
      const engine = createEngine();
      const effects = [engine.step([{ kind: "rules", at: 0, up: 0, plan: rulePlan }], { now: 0, up: 0 })];
      for (const input of inputs) effects.push(engine.step([input], { now: input.at, up: input.up }));
      const last = inputs.at(-1) ?? { at: 0, up: 0 };
      const until = last.up + silence * SECOND;
      effects.push(engine.step([], { now: last.at + silence * SECOND, up: until }));
      expect(opinionOf(effects)).toEqual(consult(rulePlan, times, inputs, until));
    }),
    { numRuns: runs(300) },
  );
}, 600_000);
