// The benchmark's own judgement: medians, verdicts, and a table that keeps to 80 columns.

import { describe, expect, test } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { benchBlocks } from "../bench/bench-config.ts";
import { type Figure, median, verdictOf } from "../bench/row.ts";
import { tableOf } from "../bench/table.ts";

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
