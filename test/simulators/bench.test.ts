// The benchmark's own judgement: medians, verdicts, and a table that keeps to 80 columns.

import { describe, expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { benchBlocks } from "../bench/bench-config.ts";
import { planOf } from "../bench/bench-plan.ts";
import { type Figure, median, verdictOf } from "../bench/row.ts";
import { mixedBlocks, startOf } from "../bench/stored.ts";
import { tableOf } from "../bench/table.ts";
import { createReadings, mixedRules } from "../bench/workload.ts";

test.each([
  [[3], 3],
  [[5, 1, 3], 3],
  [[4, 1, 3, 2], 2.5],
])("median of %j is %d", (values, expected) => {
  expect(median(values)).toBe(expected);
});

describe("a verdict", () => {
  const atLeast = { sense: "at least", limit: 0.6, aim: 0.9 } as const;
  const atMost = { sense: "at most", limit: 50, aim: 15 } as const;
  test.each<[Partial<Figure>, string]>([
    [{ value: 0.59, budget: atLeast }, "MISSED"],
    [{ value: 0.6, budget: atLeast }, "met"],
    [{ value: 0.9, budget: atLeast }, "aim met"],
    [{ value: 50.1, budget: atMost }, "MISSED"],
    [{ value: 50, budget: atMost }, "met"],
    [{ value: 15, budget: atMost }, "aim met"],
    [{ value: Number.NaN, budget: atMost }, "MISSED"],
    [{ value: 1, budget: atMost, problem: "the books do not balance" }, "MISSED"],
    [{ value: 1 }, ""],
  ])("of %j is %j", (figure, expected) => {
    expect(verdictOf({ what: "it", value: 0, unit: "", ...figure })).toBe(expected);
  });
});

test("a table says each figure and keeps to 80 columns", () => {
  const figures: Figure[] = [
    { what: "webhooks, firing and resolved", value: 123_456, unit: "of 1,234,567" },
    { what: "publish → PUBACK p99", value: 12_345.678, unit: "readings/s", budget: { sense: "at least", limit: 100_000, aim: 200_000 } },
  ];
  const table = tableOf(
    "a title",
    figures.map((figure) => ({ ...figure, verdict: verdictOf(figure) })),
  );
  expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(table).toContain("≥ 100,000");
  expect(table).toContain("12,346 readings/s");
  expect(table).toContain("MISSED");
});

test("the gateway's config is one: twenty rules, ten threshold, five tumbling, three hopping, two absence", () => {
  const { rules } = configSchema.parse(benchBlocks(9000));
  const kinds = rules.map(({ condition }) => {
    if (condition.type !== "window") return condition.type;
    const { window } = condition;
    return window.kind === "hopping" && window.size === window.slide ? "tumbling" : "hopping";
  });
  const count = (kind: string) => kinds.filter((other) => other === kind).length;
  expect([rules.length, count("threshold"), count("tumbling"), count("hopping"), count("absence")]).toEqual([20, 10, 5, 3, 2]);
});

test("twenty mixed rules are 14 threshold, 4 hopping 10m/1m, 1 absence, 1 p95 of an hour, and a config takes them", () => {
  const { rules } = configSchema.parse(mixedBlocks());
  const kinds = rules.map(({ condition }) => condition.type);
  expect(["threshold", "window", "absence"].map((kind) => kinds.filter((other) => other === kind).length)).toEqual([14, 5, 1]);
  const windows = rules.flatMap(({ condition }) => (condition.type === "window" ? [`${condition.aggregate} ${JSON.stringify(condition.window)}`] : []));
  expect(windows).toEqual([
    ...["avg", "max", "min", "stddev"].map((aggregate) => `${aggregate} {"kind":"hopping","size":600000,"slide":60000}`),
    'p95 {"kind":"hopping","size":3600000,"slide":3600000}',
  ]);
});

test("rounds of mixed rules share neither limits nor windows", () => {
  const texts = mixedRules(200).map(({ condition }) => JSON.stringify(condition));
  expect(new Set(texts).size).toBe(200);
  const { rules } = planOf(mixedRules(200));
  expect(rules).toHaveLength(200);
});

test("a load gives each series a reading every ten seconds, in order, defined once, however it is taken", () => {
  const whole = createReadings({ series: 7, start: 1_000_000 }).take(70);
  const parts = createReadings({ series: 7, start: 1_000_000 });
  const taken = [1, 9, 30, 30].map((count) => parts.take(count));
  expect(parts.taken()).toBe(70);
  expect(taken.flatMap(({ batch }) => [...batch.ts])).toEqual([...whole.batch.ts]);
  expect(taken.flatMap(({ batch }) => [...batch.value])).toEqual([...whole.batch.value]);
  expect(taken.flatMap(({ batch }) => batch.defined)).toEqual(whole.batch.defined);
  expect(whole.batch.defined.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect([...whole.batch.ts]).toEqual([...whole.batch.ts].sort((a, b) => a - b));
  expect([...whole.batch.ts].filter((_, index) => whole.batch.series[index] === 3)).toEqual(
    Array.from({ length: 10 }, (_, turn) => 1_000_000 + 4285 + turn * 10_000),
  );
  expect(Math.min(...whole.batch.value)).toBeGreaterThanOrEqual(15);
  expect(Math.max(...whole.batch.value)).toBeLessThanOrEqual(25);
});

test("no mixed rule is breached by the load", () => {
  const engine = createEngine();
  engine.step([{ kind: "rules", at: 0, up: 0, plan: planOf(mixedRules(200)) }], { now: 0, up: 0 });
  const input = createReadings({ series: 2, start: 0 }).take(1600);
  const { transitions, pending, rollups } = engine.step([input], { now: input.at, up: input.up });
  expect([transitions, pending]).toEqual([[], []]);
  expect(rollups.length).toBeGreaterThan(200);
  expect(engine.books().accepted).toBe(1600);
});

test("stored readings end an hour ago", () => {
  expect(startOf(100, 10, 10_000_000)).toBe(10_000_000 - 3_600_000 - 100_000);
});
