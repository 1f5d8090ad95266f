// `deviation` as a condition: its default, its words and its levels. What the score is worth is measured in test/engine/deviation/.

import { describe, expect, it } from "vitest";
import { conditionSchema } from "../../../src/engine/conditions/index.ts";
import { DEVIATION_THRESHOLD_DEFAULT } from "../../../src/engine/deviation.ts";
import { bindDetector, measures, type Row } from "./detect.ts";

describe("deviation", () => {
  it("has a default, which goes into the rule", () => {
    expect(conditionSchema.parse({ type: "deviation" })).toEqual({ type: "deviation", above: DEVIATION_THRESHOLD_DEFAULT });
    expect(conditionSchema.parse({ type: "deviation", above: 0.9 })).toEqual({ type: "deviation", above: 0.9 });
    expect(conditionSchema.safeParse({ type: "deviation", clear_below: 0.1 }).success).toBe(false);
    expect(conditionSchema.safeParse({ type: "deviation", above: 0.5, below: 0.1 }).success).toBe(false);
  });

  it("says that it is a score that is compared, without the unit of the readings", () => {
    const { criterion } = bindDetector({ type: "deviation", above: 0.6, clear_below: 0.2 });
    expect(criterion.text).toBe("score above 0.6, clears below 0.2");
    expect([criterion.judge(0.7), criterion.judge(0.4), criterion.judge(0.1), criterion.limit]).toEqual([1, 0, -1, 0.6]);
    expect(criterion.depth(0.7)).toBeCloseTo(0.1, 9);
    expect(criterion.unitOf?.("°C")).toBeNull();
  });

  it("has levels, and limits of the device", () => {
    const levels = [
      { above: "limit.odd", severity: "info" },
      { above: 0.9, severity: "critical" },
    ];
    const bound = bindDetector({ type: "deviation", levels }, { odd: 0.4 });
    expect(bound.levels.map(({ severity, criterion }) => [severity, criterion.text])).toEqual([
      ["info", "score above 0.4"],
      ["critical", "score above 0.9"],
    ]);
    expect(bound.criterion).toBe(bound.levels[0]?.criterion);
    expect(() => bindDetector({ type: "deviation", levels })).toThrow();
  });

  it("measures from 0 to 1, and what was never seen as more than what was", () => {
    const rows = Array.from({ length: 600 }, (_, index): Row => [index * 60_000, 20 + (index % 10)]);
    const scores = measures({ type: "deviation" }, [...rows, [600 * 60_000, 90]]);
    expect(scores.every((score) => score >= 0 && score <= 1)).toBe(true);
    expect(scores.at(-1)).toBe(Math.max(...scores));
    expect(scores.at(-1)).toBeGreaterThan(DEVIATION_THRESHOLD_DEFAULT);
  });
});
