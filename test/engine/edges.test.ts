// Edges that the laws and the oracle seldom meet: timers that are over while nobody listens, rules that are gone and come back, parts
// that say nothing, sums beyond a double, windows that hold a reading for some only.

import { describe, expect, it } from "vitest";
import { type Actor, Agenda } from "../../src/engine/agenda.ts";
import { Aggregate } from "../../src/engine/aggregate.ts";
import { Ends } from "../../src/engine/aggregates/ends.ts";
import { percentilesOf } from "../../src/engine/aggregates/ranks.ts";
import { dayNumber, dayText, epochOf, utc, type ZoneTable } from "../../src/engine/calendar.ts";
import { CompensatedSum } from "../../src/engine/compensated-sum.ts";
import { Dispatcher } from "../../src/engine/dispatch.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Saved } from "../../src/engine/state.ts";
import { summarizeDay } from "../../src/engine/summary.ts";
import { AlignedTree } from "../../src/engine/windows/aligned-tree.ts";
import { mergeAll } from "../../src/engine/windows/combiner.ts";
import { createWindow } from "../../src/engine/windows/index.ts";
import { createPaneList } from "../../src/engine/windows/pane-list.ts";
import { drive, MINUTE, plan, rule } from "./harness.ts";

const tumbling = (limits: object) => ({ type: "window", window: { tumbling: "1m" }, aggregate: "avg", ...limits });
const HOUR = 60 * MINUTE;

/** Pending since 1:00 or, with levels, rising; then two hours without the gateway, and a reading that no window has judged yet. */
function overWhileDown(settings: object, next: number, restarts: boolean) {
  const run = drive(plan([rule({ for: "5m", ...settings })]));
  run.reading(0, 40);
  run.reading(MINUTE, 40, { at: MINUTE });
  run.down(2 * HOUR);
  run.reading(121 * MINUTE, next, { at: 121 * MINUTE });
  if (restarts) run.restart();
  run.reading(122 * MINUTE, next, { at: 122 * MINUTE });
  run.reading(123 * MINUTE, next, { at: 123 * MINUTE });
  return run.transitions.map(({ to, ts, figures }) => [to, ts / MINUTE, figures.value]);
}

describe("a delay that was over while the gateway was down", () => {
  it.each([false, true])("waits for the next window to say whether it held; restarted meanwhile: %s", (restarts) => {
    expect(overWhileDown({ condition: tumbling({ above: 30 }) }, 10, restarts)).toEqual([]);
    expect(overWhileDown({ condition: tumbling({ above: 30 }) }, 40, restarts)).toEqual([["firing", 6, 40]]);
  });

  it("is not taken for one that held, however long the gateway had listened before", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", above: 30 }, for: "5m" })]));
    run.reading(0, 10);
    run.reading(10 * HOUR, 40, { at: 10 * HOUR });
    run.down(HOUR);
    run.reading(11 * HOUR, 10, { at: 11 * HOUR });
    expect(run.told()).toEqual([]);
  });

  it.each([false, true])("of a level too; restarted meanwhile: %s", (restarts) => {
    const levels = [
      { above: 30, severity: "warning" },
      { above: 60, severity: "critical" },
    ];
    const story = (second: number) => {
      const run = drive(plan([rule({ condition: tumbling({ levels }), for: "5m" })]));
      for (let minute = 0; minute <= 10; minute++) run.reading(minute * MINUTE, minute < 7 ? 40 : 70, { at: minute * MINUTE });
      run.down(2 * HOUR);
      run.reading(131 * MINUTE, second, { at: 131 * MINUTE });
      if (restarts) run.restart();
      run.reading(132 * MINUTE, second, { at: 132 * MINUTE });
      return run.effects.flatMap(({ transitions, alerts }) => transitions.map(({ to, ts }, index) => [to, ts / MINUTE, alerts[index]?.severity]));
    };
    expect(story(70)).toEqual([
      ["firing", 6, "warning"],
      ["firing", 13, "critical"],
    ]);
    expect(story(40)).toEqual([["firing", 6, "warning"]]);
  });
});

describe("parts that say nothing", () => {
  it("of windows only: readings judge nothing, the windows' ends do", () => {
    const run = drive(plan([rule({ condition: { type: "any", conditions: [tumbling({ above: 30 }), tumbling({ below: 0 })] } })]));
    run.reading(0, 40);
    run.reading(10, 40);
    expect(run.told()).toEqual([]);
    run.reading(MINUTE, 40);
    expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: MINUTE }]);
  });

  it("`any` is in its deadband while no part is breached and one is in its own", () => {
    const run = drive(
      plan([
        rule({
          condition: {
            type: "any",
            conditions: [
              { type: "threshold", above: 30, clear_below: 20 },
              { type: "threshold", below: 0 },
            ],
          },
        }),
      ]),
    );
    for (const [ts, value] of [35, 25, 25, 19].entries()) run.reading(ts, value);
    expect(run.told().map(({ to, ts }) => [to, ts])).toEqual([
      ["firing", 0],
      ["resolved", 3],
    ]);
  });
});

describe("rules that change or are gone", () => {
  it("an absence that fires goes on under a longer delay that is over too, and ends with the reading that would have ended it", () => {
    const absent = (after: string) => rule({ condition: { type: "absence", after } });
    const run = drive(plan([absent("1m")]));
    run.reading(0, 1);
    run.listenUntil(3 * MINUTE);
    run.rules(plan([absent("2m")]));
    run.reading(4 * MINUTE, 1, { at: 4 * MINUTE });
    expect(run.transitions.map(({ to, ts, reason }) => [to, ts / MINUTE, reason])).toEqual([
      ["firing", 1, "condition"],
      ["resolved", 4, "condition"],
    ]);
  });

  it("a threshold that fires and becomes an absence that holds goes on too", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", above: 30 } })], { outOfOrdernessMs: HOUR }));
    run.reading(0, 40);
    run.listenUntil(2 * HOUR);
    run.rules(plan([rule({ condition: { type: "absence", after: "2m" } })]));
    run.reading(1, 1);
    expect(run.transitions.map(({ to, reason }) => [to, reason])).toEqual([
      ["firing", "condition"],
      ["resolved", "condition"],
    ]);
  });

  it("a second occurrence at the instant of the first is dated 1 ms later", () => {
    const above = (forText: string) => rule({ condition: { type: "threshold", above: 30 }, for: forText });
    const run = drive(plan([above("5m")]));
    run.reading(0, 40);
    run.listen(10 * MINUTE);
    run.reading(MINUTE, 10);
    run.rules(plan([above("0s")]));
    run.reading(2 * MINUTE, 40);
    expect(run.told().map(({ to, ts }) => [to, ts])).toEqual([
      ["firing", 5 * MINUTE],
      ["resolved", 5 * MINUTE],
      ["firing", 5 * MINUTE + 1],
    ]);
  });

  it("of those that are gone 64 are remembered, so that one that comes back gives another occurrence", () => {
    const named = (index: number) => rule({ name: `gone-${index}`, condition: { type: "threshold", above: 30 } });
    const all = Array.from({ length: 70 }, (_, index) => named(index));
    const run = drive(plan(all));
    run.reading(0, 40);
    run.rules(plan([]));
    const remembered = () => {
      const names: string[] = [];
      run.engine.beginSnapshot();
      for (;;) {
        const { saved, isLast } = run.engine.nextSnapshotPart();
        names.push(...(saved?.texts ?? []).filter((text) => text.startsWith("gone-")));
        if (isLast) return names;
      }
    };
    expect(remembered()).toEqual(Array.from({ length: 64 }, (_, index) => `gone-${index + 6}`));
    run.rules(plan([named(69)]));
    run.reading(1, 40);
    expect(new Set(run.transitions.map(({ alert }) => alert)).size).toBe(71);
  });

  it("a snapshot whose rules do not match what it holds alerts of is refused", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", above: 30 } })]));
    run.reading(0, 40);
    run.engine.beginSnapshot();
    const parts: { part: number; saved: Saved }[] = [];
    for (;;) {
      const { part, saved, isLast } = run.engine.nextSnapshotPart();
      const texts = (saved?.texts ?? []).map((text) => text.replace('"patterns":["*"]', '"patterns":["x"]'));
      if (saved !== undefined) parts.push({ part, saved: { ...saved, texts } });
      if (isLast) break;
    }
    expect(() => createEngine().restore(parts)).toThrow('saved alerts of {device="probe",metric="temperature"} do not fit the rules in force');
  });
});

describe("absences", () => {
  const absent = (name: string, more: object = {}) => rule({ name, condition: { type: "absence", after: "1m" }, ...more });

  it("one that recovers is absent again by the next silence, in the same occurrence", () => {
    const run = drive(plan([absent("r", { keep_firing_for: "10m" })]));
    run.reading(0, 1);
    run.listenUntil(2 * MINUTE);
    run.reading(2 * MINUTE, 1);
    run.listenUntil(4 * MINUTE);
    expect(run.transitions.map(({ to, ts }) => [to, ts / MINUTE])).toEqual([
      ["firing", 1],
      ["recovering", 2],
      ["firing", 3],
    ]);
    expect(new Set(run.transitions.map(({ alert }) => alert)).size).toBe(1);
  });

  it("of several rules fall due together, in the order of the rules", () => {
    const run = drive(plan([absent("a"), absent("b"), rule({ name: "c", condition: { type: "absence", after: "30s" } })]));
    run.reading(0, 1);
    run.listenUntil(2 * MINUTE);
    expect(run.told().map(({ rule, ts }) => [rule, ts / MINUTE])).toEqual([
      ["c", 0.5],
      ["a", 1],
      ["b", 1],
    ]);
  });
});

describe("the agenda", () => {
  it("refuses an actor that makes no progress", () => {
    const agenda = new Agenda();
    const stuck: Actor = {
      order: 0,
      key: "stuck",
      queuedUp: Number.POSITIVE_INFINITY,
      touchedAt: 0,
      nextDue: () => ({ up: 5, event: 5 }),
      elapse: () => undefined,
      save: () => undefined,
    };
    agenda.expect(stuck, 1);
    agenda.advance(4, () => undefined, new Dispatcher());
    expect(agenda.first).toBe(5);
    expect(() => agenda.advance(5, () => undefined, new Dispatcher())).toThrow("stuck makes no progress at 5");
  });
});

describe("sums beyond a double", () => {
  it("stay beyond it, and are no NaN", () => {
    const sum = new CompensatedSum();
    sum.add(Number.MAX_VALUE);
    sum.add(Number.MAX_VALUE);
    sum.add(1);
    expect(sum.value).toBe(Number.POSITIVE_INFINITY);
  });

  it("come back when the parts that are put together do", () => {
    const of = (...values: number[]) => {
      const aggregate = new Aggregate();
      for (const [ts, value] of values.entries()) aggregate.add(ts, value);
      return aggregate;
    };
    const whole = of(1, 2);
    whole.append(of(1e308, 1e308));
    expect(whole.sum).toBe(Number.POSITIVE_INFINITY);
    whole.append(of(-1e308, 0));
    expect(whole.sum).toBe(1e308);
    whole.append(of(-1e308, 0));
    expect(whole.sum).toBe(3);
    const lifted = of(1e308, 1e308);
    lifted.append(of(1, 2));
    lifted.append(of(-1e308, -1e308));
    expect(lifted.count).toBe(6);
    expect(Math.abs(lifted.sum)).toBeLessThan(1e4);
  });

  it("a day's deviation beyond it is none", () => {
    const day = { start: 0, end: 24 * HOUR };
    const summary = summarizeDay(Float64Array.of(0, 1), Float64Array.of(Number.MAX_VALUE, -Number.MAX_VALUE), day, { late: 0, alerts: 0 });
    expect([summary.stddev, summary.sum, summary.avg]).toEqual([null, 0, 0]);
  });
});

describe("figures of minutes that are put together", () => {
  it("are those of the hour, in whichever order they come", () => {
    const readings = Array.from({ length: 60 }, (_, index) => ({ ts: index * 1000, value: ((index * 37) % 23) - 11 + index / 7 }));
    const of = (from: number, to: number) => {
      const aggregate = new Aggregate();
      for (const { ts, value } of readings.slice(from, to)) aggregate.add(ts, value);
      return aggregate.values();
    };
    const whole = of(0, 60);
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      const merged = new Aggregate();
      for (const part of order) merged.merge(of(part * 20, part * 20 + 20));
      const { mean, m2, sum, area, ...exact } = merged.values();
      const { mean: meanWhole, m2: m2Whole, sum: sumWhole, area: areaWhole, ...exactWhole } = whole;
      expect(exact).toEqual(exactWhole);
      expect(mean).toBeCloseTo(meanWhole, 9);
      expect(m2).toBeCloseTo(m2Whole, 6);
      expect(sum).toBeCloseTo(sumWhole, 9);
      // What lies between two that come out of order counts in neither.
      if (order[0] === 0) expect(area).toBeCloseTo(areaWhole, 6);
    }
  });

  it("are as new after a reset", () => {
    const aggregate = new Aggregate();
    aggregate.add(5, 3);
    aggregate.add(6, 9);
    aggregate.reset();
    expect(aggregate.values()).toEqual(new Aggregate().values());
  });
});

describe("figures of nothing", () => {
  it("change nothing when they are merged, and percentiles have no others", () => {
    const aggregate = new Aggregate();
    aggregate.add(1, 5);
    const before = aggregate.values();
    aggregate.merge(new Aggregate().values());
    expect(aggregate.values()).toEqual(before);
    expect(percentilesOf(1, (into) => into.fill(7, 0, 1)).figure("median")).toBe(7);
    expect(percentilesOf(1, (into) => into.fill(7, 0, 1)).figure("avg")).toBeNaN();
  });
});

describe("days", () => {
  it("before the year 1 have numbers and texts", () => {
    expect(dayNumber("0000-12-31")).toBe(dayNumber("0001-01-01") - 1);
    expect(dayText(dayNumber("0000-01-01") - 1)).toBe("-0001-12-31");
    expect(dayNumber("-0001-12-31")).toBe(dayNumber("0000-01-01") - 1);
    expect(dayNumber("soon")).toBeNaN();
  });

  it("of a zone that moved its clocks twice within two days: a time in the second gap is read by the offset before it", () => {
    const moved: ZoneTable = { name: "x", from: [Number.MIN_SAFE_INTEGER, 0, 24 * HOUR], offsets: [0, HOUR, 2 * HOUR] };
    // At 24 h UTC the wall goes from 25:00 to 26:00.
    expect(epochOf(moved, 25 * HOUR + 30 * MINUTE)).toBe(24 * HOUR + 30 * MINUTE);
    expect(epochOf(moved, 30 * MINUTE)).toBe(30 * MINUTE);
    expect(epochOf(moved, 26 * HOUR)).toBe(24 * HOUR);
  });

  it("that the clock has passed take no late reading", () => {
    const window = createWindow({ spec: { kind: "day" }, aggregate: "count", zone: utc }, 0);
    window.add(0, 1);
    window.addLate(1, 1, 24 * HOUR - 2);
    window.addLate(2, 1, 24 * HOUR - 1);
    window.close();
    expect(window.result?.aggregate.count).toBe(2);
  });
});

describe("panes that only some windows hold", () => {
  it("are left out of the others, whole or beside one that all hold", () => {
    const panes = createPaneList(() => new Ends());
    const pane = (index: number, start: number, openFrom: number, value: number): void => {
      panes.insert(index, start, openFrom);
      const ends = panes.sum(index);
      ends.add(start, value);
      panes.put(index, ends);
    };
    pane(0, 0, 100, 1);
    pane(1, 10, 100, 3);
    pane(1, 10, Number.NEGATIVE_INFINITY, 2);
    const first = (end: number) => {
      const merged = mergeAll(panes, panes.length, end, () => new Ends());
      return [merged.count, merged.figure("first")];
    };
    expect(first(100)).toEqual([1, 2]);
    expect(first(101)).toEqual([3, 1]);
  });

  it("a late reading of a group without a clock is in all windows over it", () => {
    const window = createWindow({ spec: { kind: "hopping", size: 20, slide: 10 }, aggregate: "count", zone: utc }, 0);
    window.add(15, 1);
    window.addLate(5, 1, Number.NEGATIVE_INFINITY);
    const closed = () => {
      window.close();
      return [window.result?.end, window.result?.aggregate.count];
    };
    expect([closed(), closed()]).toEqual([
      [10, 1],
      [20, 2],
    ]);
  });

  it("a tree keeps what lies ahead when units before it change", () => {
    const units = new Map(Array.from({ length: 64 }, (_, unit) => [unit, unit]));
    const tree = new AlignedTree(
      64,
      () => new Ends(),
      (into, low, high) => {
        for (let unit = low; unit < high; unit++) into.add(unit, units.get(unit) ?? 0);
      },
    );
    const gather = (low: number, high: number) => {
      const whole = new Ends();
      tree.gather(whole, low, high);
      return [whole.count, whole.figure("first"), whole.figure("last")];
    };
    expect(gather(0, 64)).toEqual([64, 0, 63]);
    for (const unit of [0, 8, 16, 24, 32, 40]) tree.touch(unit);
    expect(gather(48, 64)).toEqual([16, 48, 63]);
    expect(gather(50, 64)).toEqual([14, 50, 63]);
  });
});
