// Who belongs to a group, how many may, what its members' last values make, and what becomes of a group whose rule or members change.

import { describe, expect, it } from "vitest";
import { aggregateOf, type LastValueAggregate } from "../../src/engine/conditions/last-values.ts";
import { MEMBERS_MAX } from "../../src/engine/group.ts";
import { drive, heardOnce, MINUTE, plan, rule, SECOND } from "./harness.ts";

const oslo = (device: string, metric = "temperature") => ({ labels: { site: "oslo", device, metric } });
const average = (more: object = {}) => rule({ name: "avg", group_by: ["site"], condition: { type: "threshold", aggregate: "avg", above: 10 }, ...more });

describe("an aggregate over last values", () => {
  const members = (...values: number[]) => values.map((value) => ({ labels: {}, value }));
  it.each<[LastValueAggregate, number]>([
    ["avg", 5.5],
    ["min", -2],
    ["max", 20],
    ["sum", 22],
    ["count", 4],
    ["range", 22],
    ["stddev", Math.sqrt((7.5 ** 2 + 4.5 ** 2 + 2.5 ** 2 + 14.5 ** 2) / 3)],
    ["median", 1],
    ["p90", 20],
    ["p95", 20],
    ["p99", 20],
  ])("%s of 3, 1, -2 and 20 is %d", (name, expected) => {
    expect(aggregateOf(name, members(3, 1, -2, 20))).toBeCloseTo(expected, 12);
  });

  it("percentiles are by nearest rank", () => {
    const ten = members(...Array.from({ length: 10 }, (_, index) => 10 - index));
    expect((["median", "p90", "p95", "p99"] as const).map((name) => aggregateOf(name, ten))).toEqual([5, 9, 10, 10]);
  });

  it("of nobody is none, but the count; one has no deviation", () => {
    expect((["avg", "min", "median", "sum"] as const).map((name) => aggregateOf(name, []))).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
    expect(aggregateOf("count", [])).toBe(0);
    expect(aggregateOf("stddev", members(4))).toBeNaN();
    expect(aggregateOf("stddev", members(4, 6))).toBeCloseTo(Math.SQRT2, 12);
  });
});

describe("who belongs to a group", () => {
  it("series that the rule matches; one without the label is in the group of the empty text", () => {
    const run = drive(plan([average({ match: { device: "p*" } })]));
    run.reading(1, 30, oslo("q"));
    expect(run.told()).toEqual([]);
    run.reading(1, 30, { labels: { device: "p1", metric: "temperature" } });
    expect(run.effects.flatMap(({ alerts }) => alerts)[0]?.labels).toMatchObject({ site: "", alertname: "avg" });
  });

  it("of compare: the two metrics of the device, and no third", () => {
    const ratio = rule({ name: "ratio", condition: { type: "compare", left: "out", right: "in", op: "ratio", above: 2 } });
    const run = drive(plan([ratio]));
    run.reading(1, 4, oslo("p", "in"));
    run.reading(2, 100, oslo("p", "other"));
    run.reading(3, 9, oslo("p", "out"));
    run.listen(MINUTE);
    expect(run.transitions.map(({ ts, figures, evidence }) => [ts, figures.value, evidence.predicate])).toEqual([[3, 2.25, "out / in above 2"]]);
    expect(run.engine.ruleCounts()[0]?.series).toBe(1);
  });

  it("of compare: none where the device lacks the limit", () => {
    const run = drive(plan([rule({ condition: { type: "compare", left: "out", right: "in", op: "difference", above: "limit.spread" } })]));
    run.reading(1, 4, oslo("p", "in"));
    run.reading(2, 100, oslo("p", "out"));
    run.listen(MINUTE);
    expect(run.told()).toEqual([]);
    expect(run.engine.ruleCounts()[0]?.pending).toBe(0);
  });

  it("at most so many members: the others are not heard by it, and counted", () => {
    const count = rule({ name: "n", group_by: [], condition: { type: "threshold", aggregate: "max", above: 1e9 } });
    const own = rule({ name: "own", condition: { type: "threshold", above: MEMBERS_MAX - 1 } });
    const { engine, effects } = heardOnce(plan([count, own]), MEMBERS_MAX + 1, (id) => ({ device: String(id), metric: "t" }));
    expect(engine.refusedByGroups()).toBe(1);
    expect(engine.standing(MEMBERS_MAX)).toEqual([{ rule: "own", measure: MEMBERS_MAX, state: "firing" }]);
    expect(effects.transitions).toHaveLength(1);
  });
});

describe("readings that wait for a slower member", () => {
  it("are at most 4096: beyond it the clock goes on without that member", () => {
    const run = drive(plan([average()], { maxFutureMs: 1e9 }));
    run.reading(0, 0, oslo("slow"));
    run.reading(1, 50, oslo("fast"));
    for (let ts = 2; ts <= 4096; ts++) run.reading(ts, 50, oslo("fast"));
    expect(run.told()).toEqual([]);
    run.reading(4097, 50, oslo("fast"));
    expect(run.told()).toEqual([{ rule: "avg", to: "firing", ts: 1 }]);
    // The others wait on.
    run.reading(5000, -1000, oslo("slow"));
    run.reading(5001, 50, oslo("fast"));
    expect(run.told().slice(1)).toEqual([{ rule: "avg", to: "resolved", ts: 5000 }]);
  });

  it("of a member that has left meanwhile are heard without its last value", () => {
    const at = (site: string) => ({ labels: { site }, limits: {}, unit: null, expectedEveryMs: null });
    const settled = { ...plan([average()]), devices: { a: at("oslo"), b: at("oslo") } };
    const moved = { ...settled, hash: "moved", devices: { a: at("bergen"), b: at("oslo") } };
    const bare = (device: string) => ({ labels: { device, metric: "temperature" } });
    const run = drive(settled);
    run.reading(1 * SECOND, 0, { at: 1 * SECOND, ...bare("a") });
    run.reading(1 * SECOND, 0, bare("b"));
    run.reading(2 * SECOND, 90, { at: 2 * SECOND, ...bare("a") });
    run.rules(moved);
    run.listen(MINUTE);
    expect(run.effects.flatMap(({ alerts }) => alerts).filter(({ labels }) => labels["site"] === "oslo")).toEqual([]);
  });
});

describe("a group whose members that were heard have left", () => {
  it("has no clock by which anything falls due, until the others are heard", () => {
    const at = (site: string) => ({ labels: { site }, limits: {}, unit: null, expectedEveryMs: null });
    const settled = { ...plan([average({ for: "5m" })]), devices: { a: at("oslo"), b: at("oslo") } };
    const moved = { ...settled, hash: "moved", devices: { a: at("bergen"), b: at("oslo") } };
    const bare = (device: string) => ({ labels: { device, metric: "temperature" } });
    const run = drive(settled);
    run.reading(0, 30, bare("a"));
    expect(run.reading(1e12, 30, bare("b"))).toBe("quarantined");
    run.rules(moved);
    run.listen(60 * MINUTE);
    expect(run.told()).toEqual([]);
    run.reading(60 * MINUTE, 30, bare("b"));
    expect(run.told()).toEqual([{ rule: "avg", to: "firing", ts: 5 * MINUTE }]);
  });
});

describe("a group that all members have left after it fired", () => {
  it("is judged again when a new member comes", () => {
    const at = (site: string) => ({ labels: { site }, limits: {}, unit: null, expectedEveryMs: null });
    const settled = { ...plan([average()]), devices: { a: at("oslo"), b: at("oslo") } };
    const run = drive(settled);
    run.reading(1, 30, { labels: { device: "a", metric: "temperature" } });
    run.rules({ ...settled, hash: "moved", devices: { a: at("bergen"), b: at("oslo") } });
    run.reading(2, 40, { labels: { device: "b", metric: "temperature" } });
    expect(run.told()).toEqual([
      { rule: "avg", to: "firing", ts: 1 },
      { rule: "avg", to: "resolved", ts: 1 },
      { rule: "avg", to: "firing", ts: 2 },
    ]);
  });
});

describe("a group whose rule changes", () => {
  it("is judged by the new delays: one that is over already fires at once, dated when it was over", () => {
    const run = drive(plan([average({ for: "10m" })]));
    run.reading(0, 30, oslo("a"));
    run.reading(5 * MINUTE, 30, { at: 5 * MINUTE, ...oslo("a") });
    run.rules(plan([average({ for: "1m" })]));
    run.listen(1);
    expect(run.told()).toEqual([{ rule: "avg", to: "firing", ts: 1 * MINUTE }]);
  });

  it("fires at once too where the delay is over just where its clock stands", () => {
    const run = drive(plan([average({ for: "10m" })]));
    run.reading(0, 30, oslo("a"));
    run.reading(5 * MINUTE, 30, { at: 5 * MINUTE, ...oslo("a") });
    run.rules(plan([average({ for: "4m59s999ms" })]));
    run.listen(1);
    expect(run.told()).toEqual([{ rule: "avg", to: "firing", ts: 5 * MINUTE - 1 }]);
  });

  it("is forgotten with its rule, but if it has fired", () => {
    const saved = (value: number) => {
      const run = drive(plan([average()]));
      run.reading(0, value, oslo("a"));
      run.rules(plan([]));
      const texts: string[] = [];
      run.engine.beginSnapshot();
      for (;;) {
        const part = run.engine.nextSnapshotPart();
        texts.push(...(part.saved?.texts ?? []));
        if (part.isLast) return texts.filter((text) => text === "avg").length > 0;
      }
    };
    expect([saved(5), saved(50)]).toEqual([false, true]);
  });

  it("ends, as changed, where it is grouped otherwise; where it is not, as removed", () => {
    const run = drive(plan([average()]));
    run.reading(1, 30, oslo("a"));
    run.rules(plan([average({ group_by: ["device"] })]));
    expect(run.transitions.at(-1)).toMatchObject({ to: "resolved", reason: "rule_changed" });
    run.reading(2, 30, oslo("a"));
    run.rules(plan([]));
    expect(run.transitions.map(({ to, reason }) => [to, reason]).slice(-2)).toEqual([
      ["firing", "condition"],
      ["resolved", "rule_removed"],
    ]);
  });
});

describe("an expected series whose rule changes", () => {
  const expected = (after: string) => rule({ name: "there", condition: { type: "absence", after, expect: [{ device: "x", metric: "t" }] } });
  it("ends as changed, and counts anew from the change", () => {
    const run = drive(plan([expected("1m")]));
    run.listenUntil(61 * SECOND);
    run.rules(plan([expected("2m")]));
    run.listenUntil(181 * SECOND);
    expect(run.transitions.map(({ to, reason }) => [to, reason])).toEqual([
      ["firing", "condition"],
      ["resolved", "rule_changed"],
    ]);
    run.listen(1);
    expect(run.told().at(-1)).toMatchObject({ to: "firing", ts: 181 * SECOND });
  });

  it("goes on where only its text changes", () => {
    const run = drive(plan([expected("1m")]));
    run.listenUntil(30 * SECOND);
    run.rules(plan([{ ...expected("1m"), text: "other", severity: "critical" }]));
    run.listenUntil(60 * SECOND);
    expect(run.told()).toEqual([]);
    run.listen(1);
    expect(run.told()).toEqual([{ rule: "there", to: "firing", ts: MINUTE }]);
  });
});
