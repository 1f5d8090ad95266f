// What a rule may not say, and in which words it is refused; what limits and patterns of labels mean once they are bound.

import { describe, expect, it } from "vitest";
import { bindLimits, unliftedPath } from "../../src/engine/limits.ts";
import { compileMatchers, matchSchema } from "../../src/engine/matcher.ts";
import { bindPredicate } from "../../src/engine/predicate.ts";
import { ruleSchema } from "../../src/engine/rule.ts";
import { formatDuration, parseDuration } from "../../src/engine/units.ts";

const complaints = (rule: object): string[] => {
  const parsed = ruleSchema.safeParse({ name: "r", match: {}, ...rule });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};
const threshold = (settings: object) => complaints({ condition: { type: "threshold", ...settings } });

describe("a predicate", () => {
  it.each([
    [{}, ["condition: exactly one of above, below, outside, inside is needed; none is given"]],
    [{ above: 1, inside: [1, 2] }, ["condition.inside: exactly one of above, below, outside, inside is needed; above and inside are given"]],
    [{ above: 1, clear_above: 2 }, ["condition.clear_above: clear_above belongs to below; for above write clear_below"]],
    [{ above: 1, clear_below: 2 }, ["condition.clear_below: clear_below lies above the limit; it must be at or below it"]],
    [{ below: 2, clear_above: 1 }, ["condition.clear_above: clear_above lies below the limit; it must be at or above it"]],
    [{ outside: [2, 1] }, ["condition.outside: outside needs [low, high]; the first is larger than the second"]],
    [{ outside: [1, 9], clear_inside: [4, 3] }, ["condition.clear_inside: clear_inside needs [low, high]; the first is larger than the second"]],
    [{ outside: [1, 9], clear_inside: [0, 3] }, ["condition.clear_inside: clear_inside must lie within outside"]],
    [{ outside: [1, 9], clear_inside: [2, 10] }, ["condition.clear_inside: clear_inside must lie within outside"]],
    [{ inside: [1, 9], clear_outside: [2, 10] }, ["condition.clear_outside: clear_outside must lie around inside"]],
    [{ inside: [1, 9], clear_outside: [0, 8] }, ["condition.clear_outside: clear_outside must lie around inside"]],
  ])("%j is refused", (settings, expected) => {
    expect(threshold(settings)).toEqual(expected);
  });

  it.each([
    { above: 1, clear_below: 1 },
    { below: 1, clear_above: 1 },
    { outside: [1, 1] },
    { outside: [1, 9], clear_inside: [1, 9] },
    { outside: [1, 9], clear_inside: [5, 5] },
    { inside: [1, 9], clear_outside: [1, 9] },
    { above: "limit.high", clear_below: 5 },
    { outside: ["limit.low", 3] },
  ])("%j is taken", (settings) => {
    expect(threshold(settings)).toEqual([]);
  });

  const judged = (settings: Parameters<typeof bindPredicate>[0], ...values: number[]) =>
    values.map((value) => bindPredicate(settings, { high: 5 })?.judge(value));

  it("is strict, and holds in its deadband", () => {
    expect(judged({ above: 10 }, 10, 10.1)).toEqual([-1, 1]);
    expect(judged({ above: 10, clear_below: 8 }, 10, 8, 7.9)).toEqual([0, 0, -1]);
    expect(judged({ below: 10, clear_above: 12 }, 9.9, 10, 12, 12.1)).toEqual([1, 0, 0, -1]);
    expect(judged({ outside: [0, 10] }, -1, 0, 10, 11)).toEqual([1, -1, -1, 1]);
    expect(judged({ outside: [0, 10], clear_inside: [2, 8] }, 11, 10, 8, 7, 2, 1, 0, -1)).toEqual([1, 0, 0, -1, 0, 0, 0, 1]);
    expect(judged({ inside: [0, 10] }, -1, 0, 1, 10)).toEqual([-1, -1, 1, -1]);
    expect(judged({ inside: [0, 10], clear_outside: [-2, 12] }, -3, -2, 0, 5, 10, 12, 13)).toEqual([-1, 0, 0, 1, 0, 0, -1]);
  });

  it("says what it compares with", () => {
    const said = (settings: Parameters<typeof bindPredicate>[0]) => {
      const bound = bindPredicate(settings, { high: 5 });
      return bound && [bound.text, bound.limit];
    };
    expect(said({ above: 10, clear_below: "limit.high" })).toEqual(["above 10, clears below 5", 10]);
    expect(said({ below: 1 })).toEqual(["below 1", 1]);
    expect(said({ outside: [0, "limit.high"], clear_inside: [1, 2] })).toEqual(["outside [0, 5], clears inside [1, 2]", null]);
    expect(said({ above: "limit.unknown" })).toBeUndefined();
    expect(said({ outside: [0, "limit.unknown"] })).toBeUndefined();
    expect(said({ above: 1, clear_below: "limit.unknown" })).toBeUndefined();
    expect(said({})).toBeUndefined();
  });

  it("knows how deep a value lies in the breach", () => {
    const deep = (settings: Parameters<typeof bindPredicate>[0], value: number) => bindPredicate(settings, {})?.depth(value);
    expect(deep({ above: 10 }, 13)).toBe(3);
    expect(deep({ below: 10 }, 6)).toBe(4);
    expect([deep({ outside: [0, 10] }, -3), deep({ outside: [0, 10] }, 12)]).toEqual([3, 2]);
    expect([deep({ inside: [0, 10] }, 1), deep({ inside: [0, 10] }, 8)]).toEqual([1, 2]);
  });

  it("knows which values around one change nothing", () => {
    const calm = (settings: Parameters<typeof bindPredicate>[0], value: number) => bindPredicate(settings, {})?.calmAround(value);
    expect(calm({ outside: [0, 10] }, 5)).toEqual([0, 10]);
    expect(calm({ inside: [0, 10] }, 0)).toEqual([Number.NEGATIVE_INFINITY, 0]);
    expect(calm({ inside: [0, 10] }, 10)).toEqual([10, Number.POSITIVE_INFINITY]);
  });

  it.each([{ above: 1 }, { below: 1, clear_above: 3 }, { outside: [0, 2] }, { inside: [0, 2] }] as Parameters<typeof bindPredicate>[0][])(
    "%o knows the measures around one that is no breach, which are none either",
    (settings) => {
      const criterion = bindPredicate(settings, {}) as NonNullable<ReturnType<typeof bindPredicate>>;
      const calm = [-1, 0, 0.25, 1, 2, 5].filter((measure) => criterion.judge(measure) !== 1);
      expect(calm).not.toEqual([]);
      for (const measure of calm) {
        const [from, to] = criterion.calmAround(measure);
        expect(from <= measure && measure <= to).toBe(true);
        for (const each of [from, to, (Math.max(from, -9) + Math.min(to, 9)) / 2]) expect(criterion.judge(each)).not.toBe(1);
      }
    },
  );
});

describe("levels", () => {
  const levels = (...list: object[]) => threshold({ levels: list });

  it("are refused in an order that cannot be, each in words", () => {
    const order = "condition.levels.1: levels go from the mildest to the most severe; this one is breached where the one before is not";
    expect(levels({ above: 2, severity: "info" }, { above: 1, severity: "critical" })).toEqual([order]);
    expect(levels({ below: 1, severity: "info" }, { below: 2, severity: "critical" })).toEqual([order]);
    expect(levels({ outside: [0, 9], severity: "info" }, { outside: [1, 10], severity: "critical" })).toEqual([order]);
    expect(levels({ outside: [0, 9], severity: "info" }, { outside: [-1, 8], severity: "critical" })).toEqual([order]);
    expect(levels({ inside: [0, 9], severity: "info" }, { inside: [-1, 8], severity: "critical" })).toEqual([order]);
    expect(levels({ inside: [0, 9], severity: "info" }, { inside: [1, 10], severity: "critical" })).toEqual([order]);
    expect(levels({ above: 2, severity: "info" }, { below: 1, severity: "critical" })).toEqual([
      "condition.levels.1: all levels need the same predicate; the one before has above",
    ]);
    expect(levels({ severity: "info" }, { above: 1, severity: "critical" })).toEqual([
      "condition.levels.0: exactly one of above, below, outside, inside is needed; none is given",
    ]);
    expect(threshold({ below: 3, levels: [{ above: 1, severity: "info" }] })).toEqual(["condition.below: below stands beside levels; put it into one of them"]);
  });

  it("are taken where each is breached only where the one before is", () => {
    expect(levels({ above: 1, severity: "info" }, { above: 1, severity: "warning" }, { above: "limit.x", severity: "critical" })).toEqual([]);
    expect(levels({ below: 2, severity: "info" }, { below: 1, severity: "critical" })).toEqual([]);
    expect(levels({ outside: [0, 9], severity: "info" }, { outside: [-1, 10], severity: "critical" })).toEqual([]);
    expect(levels({ inside: [0, 9], severity: "info" }, { inside: [1, 8], severity: "critical" })).toEqual([]);
  });

  it("do not apply to a device that lacks a limit of one of them", () => {
    const settings = { levels: [{ above: 1, severity: "info" } as const, { above: "limit.high", severity: "critical" } as const] };
    expect(bindLimits(settings, {})).toBeUndefined();
    expect(bindLimits(settings, { high: 9 })?.levels.map(({ severity, criterion }) => [severity, criterion.limit])).toEqual([
      ["info", 1],
      ["critical", 9],
    ]);
  });

  it("may stand beside the condition, and a mistake in them is shown where it stands", () => {
    const beside = { condition: { type: "threshold" }, levels: [{ above: 1, severity: "info" }] };
    expect(complaints(beside)).toEqual([]);
    expect(unliftedPath(["condition", "levels", 0, "above"], beside)).toEqual(["levels", 0, "above"]);
    expect(unliftedPath(["condition", "levels", 0], { condition: { type: "threshold", levels: [] } })).toEqual(["condition", "levels", 0]);
    expect(unliftedPath(["condition", "above"], beside)).toEqual(["condition", "above"]);
    expect(unliftedPath(["for"], beside)).toEqual(["for"]);
    expect(complaints({ condition: "threshold", levels: [] })[0]).toMatch(/^condition: /);
  });
});

describe("grouping", () => {
  const window = { type: "window", aggregate: "avg", above: 1 };
  it.each([
    [
      { condition: { type: "threshold", aggregate: "avg", above: 1 } },
      "condition.aggregate: an aggregate over last values needs `group_by`; for one over time use a window",
    ],
    [{ condition: { type: "threshold", above: 1 }, stale_after: "5m" }, "stale_after: stale_after belongs to `group_by` and to compare"],
    [
      { condition: { type: "compare", left: "a", right: "b", op: "ratio", above: 1 }, group_by: [] },
      "group_by: compare takes the metrics of one device together already; take group_by out",
    ],
    [
      { condition: { type: "threshold", above: 1 }, group_by: ["site"] },
      "group_by: group_by has no meaning for this threshold: add an `aggregate`, such as avg",
    ],
    [
      { condition: { type: "absence", after: "1m" }, group_by: ["site"] },
      "group_by: group_by has no meaning for this absence: use a window, or a threshold with an aggregate",
    ],
    [{ condition: { type: "compare", left: "a", right: "a", op: "ratio", above: 1 } }, "condition.right: left and right are the same metric"],
    [{ condition: { type: "absence", after: "1m" }, for: "5m" }, "for: absence has its own delay; lengthen `after` instead of `for`"],
    [
      { condition: { ...window, window: { count: 3 }, min_count: 4 } },
      "condition.min_count: min_count is more than the window holds: it would never be judged; make it at most 3",
    ],
  ])("%j is refused", (rule, expected) => {
    expect(complaints(rule)).toEqual([expected]);
  });

  it.each([
    { condition: { type: "threshold", aggregate: "avg", above: 1 }, group_by: [], stale_after: "5m" },
    { condition: { ...window, window: { tumbling: "1m" } }, group_by: ["site"] },
    { condition: { type: "compare", left: "a", right: "b", op: "ratio", above: 1 }, stale_after: "5m" },
    { condition: { ...window, window: { count: 3 }, min_count: 3 } },
    { condition: { type: "absence", after: "1m" }, for: "0s" },
  ])("%j is taken", (rule) => {
    expect(complaints(rule)).toEqual([]);
  });
});

describe("a count window", () => {
  const complaintsOf = (window: object): number => complaints({ condition: { type: "window", window, aggregate: "avg", above: 1 } }).length;
  it("holds from one reading to 10,000, and slides by at most as many", () => {
    expect([1, 10_000].map((count) => complaintsOf({ count }))).toEqual([0, 0]);
    expect([0, 10_001, 1.5].map((count) => complaintsOf({ count }))).toEqual([1, 1, 1]);
    expect([1, 5, 6, 0].map((slide) => complaintsOf({ count: 5, slide }))).toEqual([0, 0, 1, 1]);
  });
});

describe("a window's min_count", () => {
  const window = { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: 1 };
  it("is a whole number from 1, and 1 where it is not said", () => {
    expect([0, 1, 1.5].map((least) => complaints({ condition: { ...window, min_count: least } }).length)).toEqual([1, 0, 1]);
    expect(ruleSchema.parse({ name: "r", match: {}, condition: window }).condition).toMatchObject({ min_count: 1 });
  });
});

describe("durations", () => {
  it("are whole and unambiguous", () => {
    expect(["500ms", "90s", "5m", "1h30m", "7d", "2w", "0s"].map(parseDuration)).toEqual([500, 90_000, 300_000, 5_400_000, 604_800_000, 1_209_600_000, 0]);
    expect(["", "5", "m", "1.5h", "-5m", "5 m", "5min", `${"9".repeat(12)}w`].map(parseDuration)).toEqual(Array.from({ length: 8 }, () => undefined));
  });

  it("are written as people write them", () => {
    expect([0, -5, 1, 90_000, 5_400_000, 694_861_001, 604_800_000].map(formatDuration)).toEqual(["0s", "0s", "1ms", "1m30s", "1h30m", "8d1h1m1s1ms", "7d"]);
  });

  it("are refused in words", () => {
    expect(complaints({ condition: { type: "absence", after: "soon" } })).toEqual([
      'condition.after: "soon" is not a duration; write one such as 500ms, 90s, 5m, 1h30m, 7d or 2w',
    ]);
    expect(complaints({ condition: { type: "absence", after: "0s" } })).toEqual(["condition.after: must be longer than zero; write one such as 500ms or 5m"]);
  });
});

describe("label matchers", () => {
  const matches = (pattern: string | string[], value?: string) =>
    compileMatchers(matchSchema.parse({ device: pattern }))(value === undefined ? {} : { device: value });

  it("are globs, lists of globs, or regular expressions, anchored", () => {
    expect(["fz-1", "xfz-1", "fz-"].map((value) => matches("fz-?*", value))).toEqual([true, false, false]);
    expect(["a", "b", "c"].map((value) => matches(["a", "b"], value))).toEqual([true, true, false]);
    expect(["fz-1", "fz-12", "xfz-1"].map((value) => matches("/fz-[0-9]|pump/", value))).toEqual([true, false, false]);
    expect([matches("/", "/"), matches("//", "//"), matches("/a", "/a"), matches("a/", "a/"), matches("a/", "a")]).toEqual([true, true, true, true, false]);
    expect([matches("a.b", "axb"), matches("a.b", "a.b")]).toEqual([false, true]);
  });

  it("take a label that is not there as empty", () => {
    expect([matches("*"), matches("?"), matches("")]).toEqual([true, false, true]);
  });
});
