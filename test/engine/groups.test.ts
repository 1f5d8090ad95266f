// Rules over several series: group_by, compare, and series that are expected. DESIGN §3 "Groups" and "Absence" are what is tested.

import { describe, expect, it } from "vitest";
import { drive, MINUTE, plan, rule, SECOND } from "./harness.ts";

const oslo = (device: string, metric = "temperature") => ({ labels: { site: "oslo", device, metric } });
const average = rule({ name: "avg", group_by: ["site"], condition: { type: "threshold", aggregate: "avg", above: 10 } });

describe("a group's clock", () => {
  it("is the minimum over members that are not silent: a reading waits for the slower one", () => {
    const gateway = drive(plan([average]));
    gateway.reading(1 * SECOND, 0, { at: 1 * SECOND, ...oslo("a") });
    gateway.reading(1 * SECOND, 0, { ...oslo("b") });
    gateway.reading(5 * SECOND, 30, { at: 5 * SECOND, ...oslo("a") });
    expect(gateway.told()).toEqual([]);
    gateway.reading(6 * SECOND, 0, { at: 6 * SECOND, ...oslo("b") });
    expect(gateway.told()).toEqual([{ rule: "avg", to: "firing", ts: 5 * SECOND }]);
  });

  it("goes on without a member that is silent", () => {
    const gateway = drive(plan([average]));
    gateway.reading(1 * SECOND, 0, { at: 1 * SECOND, ...oslo("a") });
    gateway.reading(1 * SECOND, 0, { ...oslo("b") });
    gateway.reading(5 * SECOND, 30, { at: 5 * SECOND, ...oslo("a") });
    gateway.listenUntil(11 * SECOND);
    expect(gateway.told()).toEqual([]);
    gateway.listenUntil(11 * SECOND + 1);
    expect(gateway.told()).toEqual([{ rule: "avg", to: "firing", ts: 5 * SECOND }]);
  });

  it("never goes back: a member behind it is not heard until it has caught up", () => {
    const gateway = drive(plan([average]));
    gateway.reading(1 * SECOND, 0, { at: 1 * SECOND, ...oslo("a") });
    gateway.reading(1 * SECOND, 0, { ...oslo("b") });
    gateway.reading(12 * SECOND, 0, { at: 12 * SECOND, ...oslo("a") });
    gateway.reading(3 * SECOND, 90, { at: 13 * SECOND, ...oslo("b") });
    gateway.listenUntil(60 * SECOND);
    expect(gateway.told()).toEqual([]);
    gateway.reading(61 * SECOND, 90, { at: 61 * SECOND, ...oslo("b") });
    expect(gateway.told()).toEqual([{ rule: "avg", to: "firing", ts: 61 * SECOND }]);
  });
});

describe("a member's last value", () => {
  it("counts until it is older than stale_after, in listening time", () => {
    const counted = rule({ name: "n", group_by: ["site"], stale_after: "1m", condition: { type: "threshold", aggregate: "count", below: 2 } });
    const gateway = drive(plan([counted]));
    gateway.reading(1 * SECOND, 0, { at: 1 * SECOND, ...oslo("a") });
    gateway.reading(1 * SECOND, 0, { ...oslo("b") });
    expect(gateway.told().map(({ to }) => to)).toEqual(["firing", "resolved"]);
    gateway.down(10 * MINUTE);
    gateway.reading(661 * SECOND, 0, { at: 661 * SECOND, ...oslo("a") });
    gateway.listenUntil(672 * SECOND);
    expect(gateway.told().length).toBe(2);
    gateway.reading(721 * SECOND, 0, { at: 721 * SECOND, ...oslo("a") });
    expect(gateway.told().at(-1)).toEqual({ rule: "n", to: "firing", ts: 721 * SECOND });
  });
});

describe("group_by with a window", () => {
  it("closes by the group's clock over the readings of all members", () => {
    const windowed = rule({ name: "sum", group_by: ["site"], condition: { type: "window", window: { tumbling: "1m" }, aggregate: "sum", above: 5 } });
    const gateway = drive(plan([windowed]));
    gateway.reading(10 * SECOND, 3, { at: 10 * SECOND, ...oslo("a") });
    gateway.reading(11 * SECOND, 4, { at: 11 * SECOND, ...oslo("b") });
    gateway.reading(11 * SECOND, 99, { labels: { site: "bergen", device: "c", metric: "temperature" } });
    gateway.listenUntil(3 * MINUTE);
    const [first, second] = gateway.transitions.toSorted((a, b) => a.figures.value - b.figures.value);
    expect(first).toMatchObject({ to: "firing", ts: 1 * MINUTE, figures: { value: 7 }, evidence: { window: { count: 2 } } });
    expect(second).toMatchObject({ to: "firing", ts: 1 * MINUTE, figures: { value: 99 } });
    expect(gateway.effects.flatMap(({ alerts }) => alerts.map(({ labels }) => labels["site"])).toSorted()).toEqual(["bergen", "oslo"]);
  });
});

describe("a late reading of a member", () => {
  it("counts in the group's windows that are open yet, and in none that its clock has closed", () => {
    const windowed = rule({ name: "sum", group_by: ["site"], condition: { type: "window", window: { tumbling: "1m" }, aggregate: "sum", above: 5 } });
    const gateway = drive(plan([windowed], { idleAfterMs: 10 * MINUTE, maxFutureMs: 10 * MINUTE }));
    gateway.reading(10 * SECOND, 1, oslo("slow"));
    gateway.reading(20 * SECOND, 2, oslo("fast"));
    gateway.reading(90 * SECOND, 1, oslo("fast"));
    // Late by its own clock; the group waits for the slow one.
    expect(gateway.reading(30 * SECOND, 4, oslo("fast"))).toBe("late");
    gateway.reading(2 * MINUTE, 0, oslo("slow"));
    expect(gateway.transitions).toMatchObject([{ to: "firing", ts: 1 * MINUTE, figures: { value: 7 }, evidence: { window: { count: 3 } } }]);
    expect(gateway.reading(31 * SECOND, 100, oslo("fast"))).toBe("late");
    gateway.reading(3 * MINUTE, 0, oslo("fast"));
    gateway.reading(3 * MINUTE, 0, oslo("slow"));
    expect(gateway.told().at(-1)).toEqual({ rule: "sum", to: "resolved", ts: 2 * MINUTE });
  });
});

describe("compare", () => {
  const delta = rule({ name: "delta", match: { device: "p*" }, condition: { type: "compare", left: "out", right: "in", op: "difference", above: 5 } });
  it("takes two metrics of one device, by their last values", () => {
    const gateway = drive(plan([delta]));
    gateway.reading(1 * SECOND, 20, { at: 1 * SECOND, ...oslo("p1", "in") });
    gateway.reading(1 * SECOND, 30, { ...oslo("p2", "out") });
    gateway.reading(2 * SECOND, 26, { at: 2 * SECOND, ...oslo("p1", "out") });
    gateway.reading(3 * SECOND, 24, { at: 3 * SECOND, ...oslo("p1", "in") });
    gateway.listenUntil(20 * SECOND);
    expect(gateway.transitions.map(({ to, ts, figures: { value } }) => ({ to, ts, value }))).toEqual([
      { to: "firing", ts: 2 * SECOND, value: 6 },
      { to: "resolved", ts: 3 * SECOND, value: 2 },
    ]);
    expect(gateway.transitions[0]?.evidence.predicate).toBe("out - in above 5");
    expect(gateway.effects.flatMap(({ alerts }) => alerts)[0]?.labels).toMatchObject({ site: "oslo", device: "p1", alertname: "delta" });
  });

  it("a ratio to zero judges nothing", () => {
    const ratio = rule({ name: "ratio", condition: { type: "compare", left: "out", right: "in", op: "ratio", above: 2 } });
    const gateway = drive(plan([ratio]));
    gateway.reading(1 * SECOND, 0, { at: 1 * SECOND, ...oslo("p1", "in") });
    gateway.reading(2 * SECOND, 5, { at: 2 * SECOND, ...oslo("p1", "out") });
    gateway.listenUntil(20 * SECOND);
    expect(gateway.told()).toEqual([]);
  });
});

describe("rules of groups that change", () => {
  it("keep the occurrence when still breached, resolve it when not, and when removed", () => {
    const gateway = drive(plan([average]));
    gateway.reading(1 * SECOND, 30, { at: 1 * SECOND, ...oslo("a") });
    expect(gateway.told().map(({ to }) => to)).toEqual(["firing"]);
    gateway.rules(plan([rule({ name: "avg", group_by: ["site"], condition: { type: "threshold", aggregate: "avg", above: 20 } })]));
    expect(gateway.told().length).toBe(1);
    gateway.rules(plan([rule({ name: "avg", group_by: ["site"], condition: { type: "threshold", aggregate: "avg", above: 40 } })]));
    expect(gateway.transitions.at(-1)).toMatchObject({ to: "resolved", reason: "rule_changed" });
    gateway.rules(plan([average]));
    gateway.reading(2 * SECOND, 30, { at: 2 * SECOND, ...oslo("a") });
    gateway.rules(plan([]));
    expect(gateway.transitions.slice(-2)).toMatchObject([{ to: "firing" }, { to: "resolved", reason: "rule_removed" }]);
    gateway.restart();
    gateway.rules(plan([average]));
    gateway.reading(2 * SECOND + 1, 31, { at: 3 * SECOND, ...oslo("a") });
    expect(new Set(gateway.transitions.map(({ alert }) => alert)).size).toBe(3);
  });
});

describe("a restored engine", () => {
  it("goes on with groups and expectations where they were", () => {
    const expected = rule({ name: "there", condition: { type: "absence", after: "1m", expect: [{ device: "x", metric: "temperature" }] } });
    const run = (restarts: boolean) => {
      const gateway = drive(plan([average, expected]));
      for (let second = 1; second < 90; second++) {
        gateway.reading(second * SECOND, second % 40, { at: second * SECOND, ...oslo(second % 3 === 0 ? "a" : "b") });
        if (restarts && second % 7 === 0) gateway.restart();
      }
      gateway.reading(90 * SECOND, 1, { at: 90 * SECOND, ...oslo("x") });
      return gateway.transitions;
    };
    expect(run(true)).toEqual(run(false));
    expect(
      run(false)
        .filter(({ evidence }) => evidence.rule === "there")
        .map(({ to, ts }) => ({ to, ts })),
    ).toEqual([
      { to: "firing", ts: 1 * MINUTE },
      { to: "resolved", ts: 90 * SECOND },
    ]);
  });
});

describe("an expected series", () => {
  const expected = rule({ name: "there", condition: { type: "absence", after: "1m", expect: [{ device: "x", metric: "temperature" }] } });
  it("is absent when it was never heard, in listening time from the load of the rule", () => {
    const gateway = drive(plan([expected]));
    gateway.listenUntil(30 * SECOND);
    gateway.down(2 * 60 * MINUTE);
    gateway.listen(30 * SECOND);
    expect(gateway.told()).toEqual([]);
    gateway.listen(1);
    expect(gateway.told().map(({ to }) => to)).toEqual(["firing"]);
    expect(gateway.effects.flatMap(({ alerts }) => alerts)[0]?.labels).toMatchObject({ device: "x", metric: "temperature", alertname: "there" });
  });

  it("is not, once it is heard, and is watched from then on", () => {
    const gateway = drive(plan([expected]));
    gateway.reading(10 * SECOND, 1, { at: 10 * SECOND, ...oslo("x") });
    gateway.listenUntil(70 * SECOND);
    expect(gateway.told()).toEqual([]);
    gateway.listen(1);
    expect(gateway.told()).toEqual([{ rule: "there", to: "firing", ts: 70 * SECOND }]);
  });

  it("waits for nothing but its reading once it is absent, after a restart too", () => {
    const gateway = drive(plan([expected]));
    expect(gateway.engine.nextWakeAt().up).toBeLessThanOrEqual(60 * SECOND + 1);
    gateway.listenUntil(61 * SECOND);
    expect(gateway.engine.nextWakeAt().up).toBeUndefined();
    gateway.restart();
    expect(gateway.engine.nextWakeAt().up).toBeUndefined();
    gateway.reading(70 * SECOND, 1, { at: 70 * SECOND, ...oslo("x") });
    expect(gateway.told().at(-1)).toMatchObject({ to: "resolved", ts: 70 * SECOND });
  });

  it("resolves when the rule goes", () => {
    const gateway = drive(plan([expected]));
    gateway.listenUntil(61 * SECOND);
    gateway.rules(plan([]));
    expect(gateway.transitions.map(({ to, reason }) => [to, reason])).toEqual([
      ["firing", "condition"],
      ["resolved", "rule_removed"],
    ]);
  });
});
