// Mistakes of the engine that the oracle or a reader found, one case each.

import { describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/contract.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { ACCEPTED, QUARANTINED } from "../../src/engine/reading.ts";
import { drive, MINUTE, plan, rule, SECOND, SOURCE } from "./harness.ts";

describe("a late reading in silence", () => {
  it("closes no window that a backlog may still fill", () => {
    const condition = { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: 30 };
    const run = drive(plan([rule({ condition })]));
    run.reading(0, 10);
    run.listen(10 * MINUTE);
    expect(run.reading(-SECOND, 10)).toBe("late");
    for (const second of [70, 80, 90, 130]) expect(run.reading(second * SECOND, 40)).toBe("accepted");
    expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: 2 * MINUTE }]);
    const closed = run.effects.flatMap(({ rollups }) => rollups.filter(({ tier }) => tier === MINUTE));
    expect(closed.map(({ start, values }) => [start, values.count])).toEqual([
      [0, 1],
      [MINUTE, 3],
    ]);
  });

  it("closes none either where it counts in a later one that overlaps", () => {
    const condition = { type: "window", window: { hopping: "90s", slide: "60s" }, aggregate: "sum", above: 30 };
    const run = drive(plan([rule({ condition })], { outOfOrdernessMs: 20_000 }));
    run.reading(41_000, 0);
    run.listen(25 * SECOND);
    expect(run.reading(20_000, 1)).toBe("late");
    expect(run.reading(22_000, 40)).toBe("accepted");
    run.listen(5 * MINUTE);
    const windows = run.transitions.map(({ to, evidence }) => [to, evidence.window?.end, evidence.window?.count, evidence.measure]);
    expect(windows).toEqual([["firing", 30_000, 1, 40]]);
  });
});

describe("a window that closed in silence", () => {
  it("is not judged again when a backlog closes another one with the same end", () => {
    const hopping = { type: "window", window: { hopping: "5m", slide: "1m" }, aggregate: "avg", below: 5 };
    const tumbling = { type: "window", window: { tumbling: "30s" }, aggregate: "avg", above: 5 };
    const run = drive(plan([rule({ name: "hopping", condition: hopping }), rule({ name: "tumbling", condition: tumbling })], { idleAfterMs: SECOND }));
    run.reading(0, 5);
    run.listen(61 * SECOND);
    for (const second of [59, 60, 61]) expect(run.reading(second * SECOND, 0)).toBe("accepted");
    expect(run.told()).toEqual([]);
  });
});

describe("an absence before anything was evaluated", () => {
  it("has the value that was heard last", () => {
    const run = drive(plan([rule({ condition: { type: "absence", after: "60s" } })], { outOfOrdernessMs: 10 * MINUTE }));
    run.reading(0, 7);
    run.reading(SECOND, 8, { at: SECOND });
    run.listen(2 * MINUTE);
    expect(run.transitions.map(({ to, ts, figures }) => [to, ts, figures.value])).toEqual([["firing", 61 * SECOND, 8]]);
  });
});

describe("a bucket that a late reading begins when the clock has passed it", () => {
  it("is amended by a backlog, not written anew", () => {
    const run = drive(plan([], { outOfOrdernessMs: MINUTE }));
    run.reading(130 * SECOND, 1, { at: 130 * SECOND });
    run.listen(MINUTE);
    expect(run.reading(65 * SECOND, 2)).toBe("late");
    expect(run.reading(80 * SECOND, 3)).toBe("accepted");
    run.listen(10 * MINUTE);
    const of = (kind: "rollups" | "dirty") =>
      run.effects.flatMap((effect) => effect[kind].filter(({ tier }) => tier === MINUTE).map(({ start, values }) => [start, values.sum]));
    expect(of("dirty")).toEqual([
      [MINUTE, 2],
      [MINUTE, 3],
    ]);
    expect(of("rollups")).toEqual([[2 * MINUTE, 1]]);
  });
});

describe("an absence and a timer at the same instant, without idle_after", () => {
  it("both fall due", () => {
    const rules = [
      rule({ name: "silent", condition: { type: "absence", after: "30s" } }),
      rule({ name: "high", condition: { type: "threshold", above: 5 }, keep_firing_for: "30s" }),
    ];
    const run = drive(plan(rules, { idleAfterMs: 0 }));
    run.reading(0, 6);
    run.reading(SECOND, 0, { at: SECOND });
    run.listen(MINUTE);
    expect(run.told()).toEqual([
      { rule: "high", to: "firing", ts: 0 },
      { rule: "high", to: "recovering", ts: SECOND },
      { rule: "silent", to: "firing", ts: 31 * SECOND },
      { rule: "high", to: "resolved", ts: 31 * SECOND },
    ]);
  });
});

describe("a series whose source has another name now", () => {
  it("takes that source's timing, and keeps it through a snapshot", () => {
    const before = plan([]);
    const renamed = {
      ...before,
      hash: "renamed",
      sources: { "plant/{device}/{metric}": { outOfOrdernessMs: 0, maxFutureMs: MINUTE * 60, maxPastMs: null, idleAfterMs: 10 * SECOND } },
    };
    const engine = createEngine();
    const labels = { device: "probe", metric: "temperature" };
    const read = (target: Engine, at: number, ts: number, source?: string) => {
      const defined = source === undefined ? [] : [{ id: 0, labels, source }];
      const batch = { series: Uint32Array.of(0), ts: Float64Array.of(ts), value: Float64Array.of(1), defined, rejected: {} };
      return target.step([{ kind: "readings", at, up: at, batch }], { now: at, up: at }).verdicts[0]?.[0];
    };
    engine.step([{ kind: "rules", at: 0, up: 0, plan: before }], { now: 0, up: 0 });
    expect(read(engine, 0, 30 * MINUTE, SOURCE)).toBe(QUARANTINED);
    engine.step([{ kind: "rules", at: 1, up: 1, plan: renamed }], { now: 1, up: 1 });
    expect(read(engine, 2, 30 * MINUTE, "plant/{device}/{metric}")).toBe(ACCEPTED);
    engine.beginSnapshot();
    const parts = [engine.nextSnapshotPart(), engine.nextSnapshotPart()].flatMap(({ part, saved }) => (saved === undefined ? [] : [{ part, saved }]));
    const copy = createEngine();
    copy.restore(parts);
    expect(read(copy, 3, 31 * MINUTE)).toBe(ACCEPTED);
  });

  it("is looked at when that timing says, as after a restart", () => {
    const timing = { maxFutureMs: MINUTE, maxPastMs: null };
    const other = "plant/{device}/{metric}";
    const sources = {
      [SOURCE]: { ...timing, outOfOrdernessMs: 20 * SECOND, idleAfterMs: MINUTE },
      [other]: { ...timing, outOfOrdernessMs: 0, idleAfterMs: 10 * SECOND },
    };
    const engine = createEngine();
    const step = (up: number, source?: string) => {
      const defined = source === undefined ? [] : [{ id: 0, labels: { device: "probe", metric: "temperature" }, source }];
      const batch = { series: Uint32Array.of(0), ts: Float64Array.of(SECOND), value: Float64Array.of(1), defined, rejected: {} };
      return engine.step(source === undefined ? [] : [{ kind: "readings", at: up, up, batch }], { now: up, up });
    };
    engine.step([{ kind: "rules", at: 0, up: 0, plan: { ...plan([]), sources } }], { now: 0, up: 0 });
    step(SECOND, SOURCE);
    step(12 * SECOND, other);
    // Borrowed since 11 s: the minute is over at 70 s.
    expect(step(70 * SECOND).rollups).toHaveLength(1);
  });
});

describe("a minute that a late reading closes", () => {
  it("is amended by each of the readings that were held back in it", () => {
    const run = drive(plan([], { outOfOrdernessMs: 2 * MINUTE }));
    for (const ts of [-19, -44, 5]) expect(run.reading(ts * SECOND, 1)).toBe("accepted");
    run.rules(plan([], { outOfOrdernessMs: 5 * SECOND, idleAfterMs: MINUTE }));
    expect(run.reading(-9 * SECOND, 1)).toBe("late");
    run.listen(3 * 60 * MINUTE);
    const counted = (start: number, tier: number): number =>
      run.effects
        .flatMap(({ rollups, dirty }) => [...rollups, ...dirty])
        .filter((bucket) => bucket.start === start && bucket.tier === tier)
        .reduce((sum, { values }) => sum + values.count, 0);
    expect([counted(-MINUTE, MINUTE), counted(-60 * MINUTE, 60 * MINUTE)]).toEqual([3, 3]);
  });
});

describe("a rule whose logic changes while it recovers", () => {
  it("fires again when its last value breaches anew, so that silence does not resolve it", () => {
    const before = rule({ condition: { type: "threshold", above: 20 }, keep_firing_for: "1m" });
    const after = rule({ condition: { type: "threshold", above: 15 }, keep_firing_for: "1m" });
    const run = drive(plan([before]));
    run.reading(0, 25);
    run.reading(SECOND, 18, { at: SECOND });
    run.rules(plan([after]));
    run.listen(10 * MINUTE);
    expect(run.transitions.map(({ to, ts, reason }) => [to, ts, reason])).toEqual([
      ["firing", 0, "condition"],
      ["recovering", SECOND, "condition"],
      ["firing", SECOND, "rule_changed"],
    ]);
  });

  it("takes the level of its last value at once", () => {
    const levels = (critical: number) => [
      { above: 10, severity: "warning" },
      { above: critical, severity: "critical" },
    ];
    const run = drive(plan([rule({ condition: { type: "threshold", levels: levels(30) } })]));
    run.reading(0, 25);
    run.rules(plan([rule({ condition: { type: "threshold", levels: levels(20) } })]));
    expect(run.effects.flatMap(({ alerts }) => alerts.map(({ severity }) => severity))).toEqual(["warning", "critical"]);
    expect(run.transitions.at(-1)).toMatchObject({ to: "firing", reason: "level" });
  });
});

describe("a device whose limit of a graver level changes", () => {
  it("is judged anew", () => {
    const levels = [
      { above: 10, severity: "warning" },
      { above: "limit.high", severity: "critical" },
    ];
    const limited = (high: number) => {
      const probe = { labels: {}, limits: { high }, unit: null, expectedEveryMs: null };
      return { ...plan([rule({ condition: { type: "threshold", levels } })]), devices: { probe } };
    };
    const run = drive(limited(30));
    run.reading(0, 25);
    run.rules(limited(20));
    expect(run.transitions.map(({ to, reason }) => [to, reason])).toEqual([
      ["firing", "condition"],
      ["firing", "level"],
    ]);
  });
});

describe("an absence within a rule whose logic changes before it was told", () => {
  it("is still told", () => {
    const condition = (value: number) => ({
      type: "any",
      conditions: [
        { type: "absence", after: "10s" },
        { type: "threshold", above: value },
      ],
    });
    const run = drive(plan([rule({ condition: { type: "threshold", above: 90 } })]));
    run.reading(0, 1);
    run.listen(MINUTE);
    run.rules(plan([rule({ condition: condition(90) })]));
    run.listen(SECOND);
    expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: 10 * SECOND }]);
  });
});

describe("the level of an alert", () => {
  const levels = [
    { above: 10, severity: "warning" },
    { above: 20, severity: "critical" },
  ];
  const severities = (run: ReturnType<typeof drive>) =>
    run.effects.flatMap(({ transitions, alerts }) => transitions.map(({ to, ts, reason }, index) => [to, ts, reason, alerts[index]?.severity]));

  it("falls when its delay is over with the reading that clears the alert", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", levels }, keep_firing_for: "30s" })]));
    run.reading(0, 25);
    run.reading(10 * SECOND, 15, { at: 10 * SECOND });
    run.reading(40 * SECOND, 5, { at: 40 * SECOND });
    expect(severities(run)).toEqual([
      ["firing", 0, "condition", "critical"],
      ["recovering", 40 * SECOND, "condition", "critical"],
      ["recovering", 40 * SECOND, "level", "warning"],
    ]);
  });

  it("rises after the alert fired, also when a reading after a gap of the gateway tells of both", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", levels }, for: "1m" })]));
    run.reading(0, 15);
    run.reading(30 * SECOND, 25, { at: 30 * SECOND });
    run.down(10 * MINUTE);
    run.reading(10 * MINUTE, 25);
    expect(severities(run)).toEqual([
      ["firing", MINUTE, "condition", "warning"],
      ["firing", 90 * SECOND, "level", "critical"],
    ]);
  });
});

describe("a group that hears a late reading before any other", () => {
  it("closes its windows as ever", () => {
    const condition = { type: "window", window: { tumbling: "30s" }, aggregate: "avg", above: 5 };
    const run = drive(plan([]));
    run.reading(0, 1);
    run.reading(MINUTE, 1, { at: MINUTE });
    run.rules(plan([rule({ condition, group_by: [] })]));
    expect(run.reading(SECOND, 9)).toBe("late");
    run.reading(2 * MINUTE, 9, { at: 2 * MINUTE });
    run.reading(3 * MINUTE, 1, { at: 3 * MINUTE });
    run.listen(10 * MINUTE);
    // Its member's clock had passed the window of the late reading when the group was made.
    expect(run.told()).toEqual([
      { rule: "r", to: "firing", ts: 150 * SECOND },
      { rule: "r", to: "resolved", ts: 210 * SECOND },
    ]);
  });
});

describe("what a change of the rules makes due is done at once, not with the next reading", () => {
  const hot = (settings: Record<string, unknown>) => rule({ condition: { type: "threshold", above: 5 }, ...settings });

  it("an alert that recovers, and whose time to do so is over by the new rule", () => {
    const run = drive(plan([hot({ keep_firing_for: "30s" })]));
    run.reading(0, 9);
    run.reading(10 * SECOND, 1, { at: 10 * SECOND });
    run.reading(11 * SECOND, 1, { at: 11 * SECOND });
    const next = rule({ condition: { type: "rate", over: "20s", per: "1s", above: 100 } });
    expect(run.rules(plan([next])).transitions).toMatchObject([{ to: "resolved", ts: 10 * SECOND, reason: "condition" }]);
  });

  it("readings that are held for a disorder that the source has no more", () => {
    const run = drive(plan([hot({})], { outOfOrdernessMs: 30 * SECOND }));
    run.reading(0, 9);
    run.reading(10 * SECOND, 1, { at: 10 * SECOND });
    expect(run.told()).toEqual([]);
    run.rules(plan([hot({})]));
    expect(run.told()).toEqual([
      { rule: "r", to: "firing", ts: 0 },
      { rule: "r", to: "resolved", ts: 10 * SECOND },
    ]);
  });
});
