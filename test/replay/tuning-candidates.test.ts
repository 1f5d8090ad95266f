// What is tried for a rule: deadbands on the right side of each predicate, as wide as the noise; delays that are longer than what the
// rule has; and the sentences for rules of which nothing can be said.

import { describe, expect, it } from "vitest";
import { bindPredicate } from "../../src/engine/predicate.ts";
import { candidatesOf, untunable } from "../../src/replay/tuning-candidates.ts";
import { rule } from "../engine/harness.ts";

const threshold = (condition: object, more: object = {}) => rule({ condition: { type: "threshold", ...condition }, ...more });
const texts = (of: ReturnType<typeof rule>, noise: number, limits: Record<string, number> = {}) =>
  candidatesOf(of, limits, noise)
    .filter(({ kind }) => kind === "deadband")
    .map(({ text }) => text);

describe("deadbands", () => {
  it("lie on the good side of the limit, half to three times the noise away", () => {
    expect(texts(threshold({ above: 5 }), 0.2)).toEqual(["clear_below: 4.9", "clear_below: 4.8", "clear_below: 4.6", "clear_below: 4.4"]);
    expect(texts(threshold({ below: -5 }), 2)).toEqual(["clear_above: -4", "clear_above: -3", "clear_above: -1", "clear_above: 1"]);
    expect(texts(threshold({ outside: [0, 10] }), 1)).toEqual([
      "clear_inside: [0.5, 9.5]",
      "clear_inside: [1, 9]",
      "clear_inside: [2, 8]",
      "clear_inside: [3, 7]",
    ]);
    expect(texts(threshold({ inside: [0, 10] }), 1)[3]).toBe("clear_outside: [-3, 13]");
  });

  it("are rounded up to two digits, and told apart", () => {
    expect(texts(threshold({ above: 100 }), 0.12345)).toEqual(["clear_below: 99.938", "clear_below: 99.87", "clear_below: 99.75", "clear_below: 99.62"]);
    expect(texts(threshold({ above: 0 }), 12_345)).toEqual(["clear_below: -6200", "clear_below: -13000", "clear_below: -25000", "clear_below: -38000"]);
  });

  it("take a limit by name from the device, and are none where it has no such limit", () => {
    expect(texts(threshold({ above: "limit.high" }), 1, { high: -15 })[1]).toBe("clear_below: -16");
    expect(texts(threshold({ outside: ["limit.low", 10] }), 1, { low: 0 })[1]).toBe("clear_inside: [1, 9]");
    expect(texts(threshold({ above: "limit.high" }), 1)).toEqual([]);
    expect(texts(threshold({ outside: ["limit.low", 10] }), 1)).toEqual([]);
  });

  it("are wider than the one that the rule has, and leave room within a range", () => {
    expect(texts(threshold({ above: 5, clear_below: 4 }), 1)).toEqual(["clear_below: 3", "clear_below: 2"]);
    expect(texts(threshold({ outside: [0, 10], clear_inside: [1.5, 10] }), 1)).toEqual(["clear_inside: [2, 8]", "clear_inside: [3, 7]"]);
    expect(texts(threshold({ outside: [0, 3] }), 1)).toEqual(["clear_inside: [0.5, 2.5]", "clear_inside: [1, 2]"]);
  });

  it("are none without noise, nor for what is no value", () => {
    expect(texts(threshold({ above: 5 }), 0)).toEqual([]);
    expect(texts(rule({ condition: { type: "rate", over: "10m", per: "1m", above: 5 } }), 1)).toEqual([]);
  });

  it("are settings that the engine binds to the same limit", () => {
    for (const condition of [{ above: 5 }, { below: 5 }, { outside: [0, 10] }, { inside: [0, 10] }]) {
      for (const { rule: made, kind } of candidatesOf(threshold(condition), {}, 0.7)) {
        const bound = bindPredicate(made.condition as object, {});
        expect(bound?.text.startsWith(Object.keys(condition)[0] as string)).toBe(true);
        expect(bound?.text.includes("clears")).toBe(kind === "deadband");
      }
    }
  });
});

describe("delays", () => {
  const delays = (of: ReturnType<typeof rule>) =>
    candidatesOf(of, {}, 0)
      .filter(({ kind }) => kind !== "deadband")
      .map(({ text }) => text);

  it("are longer than those that the rule has", () => {
    expect(delays(threshold({ above: 5 }))).toEqual(
      ["keep_firing_for", "for"].flatMap((key) => ["30s", "1m", "2m", "5m", "10m"].map((text) => `${key}: ${text}`)),
    );
    expect(delays(threshold({ above: 5 }, { for: "2m", keep_firing_for: "1h" }))).toEqual(["for: 5m", "for: 10m"]);
  });

  it("change nothing but themselves, and say which line", () => {
    const of = threshold({ above: 5 }, { severity: "critical" });
    const made = candidatesOf(of, {}, 1);
    expect(made.find(({ text }) => text === "for: 5m")).toMatchObject({ lines: ["for: 5m"], amount: 300_000, rule: { ...of, forMs: 300_000 } });
    expect(made.find(({ text }) => text === "keep_firing_for: 30s")?.rule).toEqual({ ...of, keepFiringForMs: 30_000 });
    expect(made[0]).toMatchObject({ lines: ["condition:", "  clear_below: 4.5"], rule: { condition: { above: 5, clear_below: 4.5 }, forMs: 0 } });
  });
});

describe("rules of which nothing can be said", () => {
  it.each<[string, object, RegExp]>([
    ["a group", { condition: { type: "threshold", aggregate: "avg", above: 5 }, group_by: ["site"] }, /group of series/],
    ["levels", { condition: { type: "threshold", levels: [{ above: 5, severity: "info" }] } }, /has levels/],
    ["an absence", { condition: { type: "absence", after: "5m" } }, /longer `after`/],
    ["several parts", { condition: { type: "any", conditions: [{ type: "threshold", above: 5 }] } }, /type any/],
    ["two metrics", { condition: { type: "compare", left: "supply", right: "return", op: "difference", above: 5 } }, /several metrics/],
  ])("%s", (_name, settings, words) => {
    expect(untunable(rule(settings as Record<string, unknown>))).toMatch(words);
  });

  it("but of these it can", () => {
    const window = { type: "window", window: { tumbling: "10m" }, aggregate: "avg", above: 5 };
    for (const condition of [{ type: "threshold", above: 5 }, window, { type: "rate", over: "10m", per: "1m", above: 5 }]) {
      expect(untunable(rule({ condition }))).toBeUndefined();
    }
  });
});
