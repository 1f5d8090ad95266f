// `all` and `any`, and conditions with a detector, through the engine: what fires, when, and with which evidence.

import { describe, expect, it } from "vitest";
import { bindCondition, conditionSchema } from "../../../src/engine/conditions/index.ts";
import { drive, MINUTE, plan, rule } from "../harness.ts";
import { bind } from "./detect.ts";

const above = (limit: number | string) => ({ type: "threshold", above: limit });
const all = (...conditions: object[]) => ({ type: "all", conditions });
const any = (...conditions: object[]) => ({ type: "any", conditions });

/** Readings a minute apart, from minute 0. @returns transitions as [minute, to] */
function run(settings: Record<string, unknown>, values: readonly number[], restartAt?: number) {
  const driven = drive(plan([rule(settings)]));
  for (const [index, value] of values.entries()) {
    if (index === restartAt) driven.restart();
    driven.reading(index * MINUTE, value, { at: index * MINUTE });
  }
  return driven;
}
const told = (driven: ReturnType<typeof run>) => driven.told().map(({ to, ts }) => [ts / MINUTE, to]);

describe("all", () => {
  const hotAndRising = { condition: all(above(30), { type: "rate", over: "2m", per: "1m", above: 1 }) };

  it("holds while each part does", () => {
    const driven = run(hotAndRising, [20, 29, 33, 36, 36, 36]);
    expect(told(driven)).toEqual([
      [2, "firing"],
      [5, "resolved"],
    ]);
    expect(driven.transitions[0]?.evidence).toMatchObject({
      predicate: "all of (above 30; above 1 per minute)",
      parts: [
        { predicate: "above 30", measure: 33, holds: true },
        { predicate: "above 1 per minute", measure: 6.5, holds: true },
      ],
    });
  });

  it("waits for a part that says nothing yet", () => {
    expect(told(run(hotAndRising, [50]))).toEqual([]);
  });

  it("has delays as any condition", () => {
    expect(told(run({ ...hotAndRising, for: "2m", keep_firing_for: "1m" }, [20, 29, 33, 36, 39, 39, 39, 39]))).toEqual([
      [4, "firing"],
      [6, "recovering"],
      [7, "resolved"],
    ]);
  });

  it("goes on after its state was saved and restored, at any reading", () => {
    const values = [20, 29, 33, 36, 36, 36, 20, 40, 50, 50];
    const whole = run(hotAndRising, values).transitions;
    for (let cut = 1; cut < values.length; cut++) expect(run(hotAndRising, values, cut).transitions).toEqual(whole);
  });
});

describe("any", () => {
  it("holds while one part does", () => {
    const condition = any({ type: "threshold", below: 0 }, { type: "flatline", over: "3m" });
    expect(told(run({ condition }, [1, -1, 5, 5, 5, 5, 5, 6]))).toEqual([
      [1, "firing"],
      [2, "resolved"],
      [5, "firing"],
      [7, "resolved"],
    ]);
  });

  it("may hold alls, and the other way round", () => {
    const condition = any(all(above(10), { type: "threshold", below: 20 }), above(90));
    expect(told(run({ condition }, [5, 15, 25, 95, 5]))).toEqual([
      [1, "firing"],
      [2, "resolved"],
      [3, "firing"],
      [4, "resolved"],
    ]);
    expect(bind(condition)).toMatchObject({ on: "parts", every: false, parts: [{ on: "parts", every: true }, { on: "reading" }] });
  });
});

describe("a condition with a detector", () => {
  it.each([
    ["rate", { type: "rate", over: "4m", per: "1m", above: 2 }, [0, 0, 0, 1, 12, 12, 12, 12, 12], [4, 8]],
    ["flatline", { type: "flatline", over: "3m", tolerance: 0.5 }, [1, 2, 3, 3.5, 3, 3, 3, 3, 9], [5, 8]],
    ["consecutive", { type: "consecutive", n: 3, of: 4, above: 5 }, [6, 1, 6, 6, 1, 1, 1, 1, 1], [3, 4]],
  ])("%s fires and resolves at the readings that decide, and stands a restart at any of them", (_name, condition, values, [fires, resolves]) => {
    const whole = run({ condition }, values);
    expect(told(whole)).toEqual([
      [fires, "firing"],
      [resolves, "resolved"],
    ]);
    for (let cut = 1; cut < values.length; cut++) expect(run({ condition }, values, cut).transitions).toEqual(whole.transitions);
  });

  it("begins anew when its rule's logic changes, and holds what fires until something can be said", () => {
    const driven = run({ condition: { type: "consecutive", n: 2, above: 5 } }, [6, 6]);
    driven.rules(plan([rule({ condition: { type: "consecutive", n: 3, above: 5 } })]));
    for (const minute of [2, 3, 4]) driven.reading(minute * MINUTE, 6, { at: minute * MINUTE });
    expect(told(driven)).toEqual([[1, "firing"]]);
    driven.reading(5 * MINUTE, 0, { at: 5 * MINUTE });
    expect(told(driven).at(-1)).toEqual([5, "resolved"]);
  });
});

describe("the unit of an alert's value", () => {
  const counted = { type: "consecutive", n: 1, above: 5 };
  it.each([
    ["of a reading", above(5), "°C"],
    ["of a rate", { type: "rate", over: "1m", per: "1h", above: 5 }, "°C per hour"],
    ["of a flat line", { type: "flatline", over: "1m", tolerance: 100 }, "°C"],
    ["of a count", counted, null],
    ["of a window's count", { type: "window", window: { tumbling: "1m" }, aggregate: "count", above: 0 }, null],
    ["of a window's slope", { type: "window", window: { count: 2 }, aggregate: "slope", above: 0 }, "°C per second"],
    ["of parts that agree", all(above(5), any(above(6))), "°C"],
    ["of parts that do not", any(above(5), counted), null],
    ["of an absence", any({ type: "absence", after: "30s" }), "°C"],
  ])("%s", (_name, condition, unit) => {
    const devices = { probe: { labels: {}, limits: {}, unit: "°C", expectedEveryMs: null } };
    const driven = drive({ ...plan([rule({ condition })]), devices });
    for (const minute of [0, 1]) driven.reading(minute * MINUTE, 10 + minute, { at: minute * MINUTE });
    expect(driven.effects.flatMap(({ alerts }) => alerts)[0]?.unit).toBe(unit);
  });

  it.each([
    ["avg", "°C"],
    ["count", null],
  ] as const)("of the %s of a group's last values", (aggregate, unit) => {
    const devices = { probe: { labels: {}, limits: {}, unit: "°C", expectedEveryMs: null } };
    const driven = drive({ ...plan([rule({ condition: { type: "threshold", aggregate, above: 0 }, group_by: ["device"] })]), devices });
    driven.reading(0, 10);
    expect(driven.effects.flatMap(({ alerts }) => alerts)[0]?.unit).toBe(unit);
  });
});

describe("a combination's settings", () => {
  const problems = (settings: object) => conditionSchema.safeParse(settings).error?.issues.map(({ path, message }) => [path.join("."), message]);
  const nested = (depth: number): object => (depth === 0 ? above(1) : all(nested(depth - 1)));

  it("may be four deep and hold 16 conditions", () => {
    expect(problems(nested(4))).toBeUndefined();
    expect(problems(nested(5))).toEqual([["conditions", "5 combinations within each other; write at most 4"]]);
    const eight = Array.from({ length: 8 }, () => above(1));
    expect(problems(all(any(...eight), any(...eight)))).toBeUndefined();
    expect(problems(all(any(...eight), any(...eight), above(1)))).toEqual([["conditions", "17 conditions in one; write at most 16, over all depths"]]);
  });

  it("is not empty", () => {
    expect(problems(any())?.map(([path]) => path)).toEqual(["conditions"]);
  });

  it("says what cannot be a part, where it stands", () => {
    const levels = [{ above: 1, severity: "info" }];
    expect(problems(all(above(1), any({ type: "threshold", levels })))?.map(([path]) => path)).toEqual(["conditions.1.conditions.0.levels"]);
    expect(problems(all({ type: "threshold", aggregate: "avg", above: 1 }))?.map(([path]) => path)).toEqual(["conditions.0.aggregate"]);
    expect(problems(any({ type: "absence", after: "1m", expect: [{ device: "a", metric: "b" }] }))?.map(([path]) => path)).toEqual(["conditions.0.expect"]);
    expect(problems(any({ type: "compare", left: "a", right: "b", op: "ratio", above: 1 }))?.map(([path]) => path)).toEqual(["conditions.0.type"]);
    expect(problems(all({ type: "threshold", abvoe: 1 }))?.map(([path]) => path)).toContain("conditions.0");
  });

  it("binds to a device that has all limits, each to its own", () => {
    const settings = conditionSchema.parse(all(above(1), any(above("limit.high"), { type: "rate", over: "1m", above: "limit.fast" })));
    expect(bindCondition(settings, {})).toBeUndefined();
    expect(bindCondition(settings, { high: 1 })).toBeUndefined();
    const words = (limits: Record<string, number>) => JSON.stringify(bindCondition(settings, limits));
    expect(words({ high: 1, fast: 2 })).toContain('"above 1"');
    expect(words({ high: 3, fast: 4 })).toContain('"above 3"');
    expect(words({ high: 3, fast: 4 })).toContain('"above 4 per second"');
  });
});

describe("an absence that is a part, where the rule's logic changes while it holds", () => {
  it("is not ended by a reading that was heard before it and only waited for its turn", () => {
    const absent = (after: string) => rule({ condition: any({ type: "absence", after }, above(1000)) });
    const run = drive(plan([absent("1m")], { outOfOrdernessMs: 60 * MINUTE }));
    run.reading(0, 1);
    run.listenUntil(2 * MINUTE);
    run.rules(plan([absent("90s")], { outOfOrdernessMs: 60 * MINUTE }));
    // The reading is evaluated when the borrowed clock has passed it.
    run.listenUntil(120 * MINUTE);
    expect(run.engine.latest(0).readings).toEqual([{ series: 0, ts: 0, value: 1 }]);
    expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: MINUTE }]);
  });
});
