// The golden cases of the contract: time semantics, one row each.

import { describe, expect, it } from "vitest";
import { drive, MINUTE, plan, rule, SECOND } from "./harness.ts";

/** A window rule that fires for every window, so that its transitions tell what closed. `count` > 0 always breaches. */
const windowRule = (window: object, name = "w") => rule({ name, condition: { type: "window", window, aggregate: "count", above: 0 } });
const disorder = { outOfOrdernessMs: 5000 };
const farFuture = { maxFutureMs: 1e15 };

/** Closed one-minute buckets, which are tumbling windows of 60 s, as [start, count]. */
const closed = (run: ReturnType<typeof drive>) =>
  run.effects.flatMap((effect) => effect.rollups.filter(({ tier }) => tier === MINUTE).map(({ start, values }) => [start, values.count]));
const dirty = (run: ReturnType<typeof drive>) => run.effects.flatMap((effect) => effect.dirty.filter(({ tier }) => tier === MINUTE).map(({ start }) => start));

describe("watermark and windows, out_of_orderness 5 s, tumbling 60 s", () => {
  const started = () => {
    const run = drive(plan([], { ...disorder, ...farFuture }));
    for (const ts of [0, 59_990, 60_000, 64_999]) expect(run.reading(ts, 1)).toBe("accepted");
    return run;
  };

  it("closes nothing at wm 59998", () => {
    expect(closed(started())).toEqual([]);
  });

  it("takes 59999, then closes [0, 60000) with 3 at wm 59999", () => {
    const run = started();
    expect(run.reading(59_999, 2)).toBe("accepted");
    expect(run.reading(65_000, 1)).toBe("accepted");
    expect(closed(run)).toEqual([[0, 3]]);
    expect(run.reading(59_998, 1)).toBe("late");
    expect(closed(run)).toEqual([[0, 3]]);
    expect(dirty(run)).toEqual([0]);
  });

  it("counts a late reading in a window that is still open", () => {
    const run = started();
    expect(run.reading(59_998, 1)).toBe("late");
    expect(run.reading(65_000, 1)).toBe("accepted");
    expect(closed(run)).toEqual([[0, 3]]);
    expect(dirty(run)).toEqual([]);
  });

  it("counts a late reading per hopping window", () => {
    const run = drive(plan([windowRule({ hopping: "60s", slide: "20s" })], { ...disorder, ...farFuture }));
    run.reading(65_000, 1);
    expect(run.engine.books().accepted).toBe(1);
    expect(run.reading(50_000, 1)).toBe("late");
    run.reading(84_999, 1);
    run.reading(200_000, 1);
    const windows = run.transitions.filter(({ to }) => to === "firing").map(({ evidence }) => evidence.window);
    expect(windows[0]).toMatchObject({ start: 20_000, end: 80_000, count: 2 });
  });

  it("tells duplicate and conflict", () => {
    const run = drive(plan([], disorder));
    expect([run.reading(0, 1), run.reading(0, 1), run.reading(0, 2)]).toEqual(["accepted", "duplicate", "conflict"]);
    run.reading(10, 3);
    expect([run.reading(10, 3), run.reading(10, 4), run.reading(0, 1), run.reading(0, 2)]).toEqual(["duplicate", "conflict", "duplicate", "conflict"]);
  });

  it("quarantines a wrong clock without moving the watermark", () => {
    const run = drive(plan([], disorder));
    run.reading(60_000, 1, { at: 60_000 });
    expect(run.reading(1e12, 1, { at: 65_100 })).toBe("quarantined");
    expect(run.reading(55_000, 1)).toBe("accepted");
    expect(run.reading(54_999, 1)).toBe("late");
  });

  it("has windows before 1970", () => {
    const run = drive(plan([]));
    run.reading(-1, 1);
    run.reading(0, 1);
    expect(closed(run)).toEqual([[-MINUTE, 1]]);
  });
});

describe("a window in silence", () => {
  it("is judged at the very millisecond at which the borrowed clock lets it end, a session after the readings at its end", () => {
    for (const [window, end, up] of [
      [{ tumbling: "30s" }, 30_000, 40_000],
      [{ session: "30s" }, 30_000, 40_001],
    ] as const) {
      const run = drive(plan([rule({ condition: { type: "window", window, aggregate: "max", above: 30 } })]));
      run.reading(0, 40);
      run.listenUntil(up - 1);
      expect(run.told()).toEqual([]);
      run.listenUntil(up);
      expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: end }]);
    }
  });

  it("each transition has the window that decided it as its evidence", () => {
    const run = drive(plan([rule({ condition: { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: 30 } })]));
    for (const [ts, value] of [
      [0, 40],
      [MINUTE, 50],
      [MINUTE + 1, 60],
      [2 * MINUTE, 20],
      [2 * MINUTE + 1, 10],
      [2 * MINUTE + 2, 0],
      [3 * MINUTE, 0],
    ] as const)
      run.reading(ts, value, { at: ts });
    expect(run.effects.flatMap(({ alerts }) => alerts.map(({ state, resolvedAt }) => [state, resolvedAt]))).toEqual([
      ["firing", null],
      ["resolved", 3 * MINUTE],
    ]);
    expect(run.transitions.map(({ to, evidence }) => [to, evidence.window])).toEqual([
      ["firing", { start: 0, end: MINUTE, aggregate: "avg", count: 1 }],
      ["resolved", { start: 2 * MINUTE, end: 3 * MINUTE, aggregate: "avg", count: 3 }],
    ]);
  });
});

describe("what is stored of a minute and of an hour", () => {
  it("is the figures of their readings, the area being value × ms until the next reading", () => {
    const run = drive(plan([], farFuture));
    for (const [ts, value] of [
      [10_000, 4],
      [20_000, 10],
      [40_000, 1],
      [70_000, 5],
      [60 * MINUTE, 0],
    ] as const)
      run.reading(ts, value);
    const minute = { count: 3, sum: 15, min: 1, max: 10, first: 4, firstTs: 10_000, last: 1, lastTs: 40_000, mean: 5, m2: 42, area: 240_000 };
    const next = { count: 1, sum: 5, min: 5, max: 5, first: 5, firstTs: 70_000, last: 5, lastTs: 70_000, mean: 5, m2: 0, area: 0 };
    const hour = { ...minute, count: 4, sum: 20, last: 5, lastTs: 70_000, area: 240_000 + 30_000 };
    expect(run.effects.flatMap(({ rollups }) => rollups.map(({ tier, start, values }) => [tier, start, values]))).toEqual([
      [MINUTE, 0, minute],
      [MINUTE, MINUTE, next],
      [60 * MINUTE, 0, hour],
    ]);
  });
});

describe("buckets that the borrowed clock has closed", () => {
  const late = { outOfOrdernessMs: 5 * MINUTE };

  it("are marked as soon as a reading for them is accepted, though it waits for its turn", () => {
    const run = drive(plan([], late));
    run.reading(0, 1);
    run.listen(10 * MINUTE);
    expect(closed(run)).toEqual([[0, 1]]);
    expect(run.reading(1, 2)).toBe("accepted");
    expect(dirty(run)).toEqual([0]);
    run.listen(60 * MINUTE);
    expect(dirty(run)).toEqual([0]);
  });

  it("mark their hour while the minute is still open", () => {
    const run = drive(plan([], late));
    run.reading(0, 1);
    run.listen(120 * MINUTE);
    expect(run.reading(30 * MINUTE, 2)).toBe("accepted");
    const hours = run.effects.flatMap((effect) => effect.dirty.filter(({ tier }) => tier === 60 * MINUTE));
    expect(hours.map(({ start, values }) => [start, values.count])).toEqual([[0, 0]]);
    run.listen(60 * MINUTE);
    const all = run.effects.flatMap((effect) => effect.dirty.filter(({ tier }) => tier === 60 * MINUTE));
    expect(all.at(-1)?.values.count).toBe(1);
  });
});

describe("timers, silence and backlog", () => {
  const above30 = (more: object) => rule({ condition: { type: "threshold", above: 30 }, ...more });

  it("judges a backlog at its own time", () => {
    const noon = 12 * 60 * MINUTE;
    const run = drive(plan([above30({ for: "5m" })]));
    run.listenUntil(noon - 10 * MINUTE);
    for (let minute = -10; minute <= 0; minute++) run.reading(noon + minute * MINUTE, 20, { at: noon + minute * MINUTE });
    run.listenUntil(noon + 360 * MINUTE);
    for (let minute = 1; minute <= 360; minute++) run.reading(noon + minute * MINUTE, minute >= 60 && minute < 180 ? 40 : 20);
    expect(run.told()).toEqual([
      { rule: "r", to: "firing", ts: noon + 65 * MINUTE },
      { rule: "r", to: "resolved", ts: noon + 180 * MINUTE },
    ]);
  });

  it("fires by the borrowed clock; an earlier clear resolves at the firing's date", () => {
    const run = drive(plan([above30({ for: "5m" })]));
    run.reading(0, 40);
    run.listen(10 * MINUTE);
    expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: 5 * MINUTE }]);
    expect(run.reading(MINUTE, 10)).toBe("accepted");
    expect(run.told()[1]).toEqual({ rule: "r", to: "resolved", ts: 5 * MINUTE });
  });

  it("borrows the clock at quiet - idle_after, not earlier", () => {
    const run = drive(plan([above30({ for: "5m" })]));
    run.reading(0, 40);
    run.listen(5 * MINUTE + 10 * SECOND);
    expect(run.told()).toEqual([]);
    run.listen(1);
    expect(run.told()).toHaveLength(1);
  });

  it("does not let a late reading resolve", () => {
    const run = drive(plan([above30({})], { outOfOrdernessMs: 30_000 }));
    run.reading(0, 10);
    run.reading(20_000, 40);
    run.listen(10 * MINUTE);
    expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: 20_000 }]);
    expect(run.reading(10_000, 10)).toBe("late");
    expect(run.told()).toHaveLength(1);
  });

  it("pends on through the gateway's absence", () => {
    const pend = () => {
      const run = drive(plan([above30({ for: "5m" })]));
      run.reading(0, 40);
      run.listenUntil(MINUTE);
      run.down(120 * MINUTE);
      return run;
    };
    const good = pend();
    good.reading(121 * MINUTE, 10);
    good.listen(10 * MINUTE);
    expect(good.told()).toEqual([]);
    const bad = pend();
    bad.reading(121 * MINUTE, 40);
    expect(bad.told()).toEqual([{ rule: "r", to: "firing", ts: 5 * MINUTE }]);
  });

  it("does not let a pending window alert fire for the gateway's absence", () => {
    const run = drive(plan([rule({ condition: { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: 30 }, for: "5m" })]));
    run.reading(0, 40);
    run.reading(MINUTE, 40, { at: MINUTE });
    run.down(120 * MINUTE);
    for (let minute = 121; minute < 125; minute++) run.reading(minute * MINUTE, 10, { at: minute * MINUTE });
    expect(run.told()).toEqual([]);
  });

  it("counts keep_firing_for from the reading's own time", () => {
    const run = drive(plan([above30({ for: "5m", keep_firing_for: "10m" })]));
    run.reading(0, 40);
    run.listen(10 * MINUTE);
    run.reading(MINUTE, 10);
    run.listen(30 * MINUTE);
    expect(run.told()).toEqual([
      { rule: "r", to: "firing", ts: 5 * MINUTE },
      { rule: "r", to: "recovering", ts: 5 * MINUTE },
      { rule: "r", to: "resolved", ts: 11 * MINUTE },
    ]);
  });

  it("fires where the delay was over a millisecond before the reading that ends it", () => {
    const run = drive(plan([rule({ condition: { type: "threshold", above: 30 }, for: "5m" })]));
    run.reading(MINUTE, 40, { at: MINUTE });
    run.reading(6 * MINUTE + 1, 10, { at: 6 * MINUTE + 1 });
    expect(run.told().map(({ to, ts }) => [to, ts])).toEqual([
      ["firing", 6 * MINUTE],
      ["resolved", 6 * MINUTE + 1],
    ]);
  });

  it("fires a window's alert whose delay is over at a reading that no window has judged yet", () => {
    const run = drive(plan([rule({ condition: { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: 30 }, for: "90s" })]));
    for (const [ts, value] of [
      [30_000, 40],
      [70_000, 40],
      [120_000, 0],
      [150_000, 0],
      [180_000, 0],
    ] as const)
      run.reading(ts, value, { at: ts });
    expect(run.told().map(({ to, ts }) => [to, ts])).toEqual([
      ["firing", 150_000],
      ["resolved", 180_000],
    ]);
  });

  it("lets a reading at exactly t0 + for prevent the firing", () => {
    const run = drive(plan([above30({ for: "5m" })]));
    run.reading(0, 40);
    run.reading(5 * MINUTE, 30, { at: 5 * MINUTE });
    run.listen(60 * MINUTE);
    expect(run.told()).toEqual([]);
  });

  it("does not drain a window by silence alone", () => {
    const run = drive(plan([rule({ condition: { type: "window", window: { hopping: "10m", slide: "1m" }, aggregate: "avg", above: 15 } })]));
    for (let minute = 0; minute <= 20; minute++) run.reading(minute * MINUTE, 20, { at: minute * MINUTE });
    run.reading(21 * MINUTE, 5, { at: 21 * MINUTE });
    run.reading(22 * MINUTE - 1, 5, { at: 22 * MINUTE - 1 });
    const before = run.told().length;
    run.listen(60 * MINUTE);
    expect(before).toBe(1);
    expect(run.told()).toHaveLength(1);
  });
});

describe("absence", () => {
  const absent = (after: string) => rule({ condition: { type: "absence", after } });

  it("is not the gateway's", () => {
    const run = drive(plan([absent("10m")]));
    run.reading(0, 1);
    run.listen(MINUTE);
    run.down(120 * MINUTE);
    run.listen(MINUTE);
    run.reading(122 * MINUTE, 1);
    run.listen(MINUTE);
    expect(run.told()).toEqual([]);
  });

  it("does not fire for a reading each `after` exactly", () => {
    const run = drive(plan([absent("60s")]));
    for (let minute = 0; minute < 10; minute++) run.reading(minute * MINUTE, 1, { at: minute * MINUTE });
    expect(run.told()).toEqual([]);
  });

  it("fires at last + after in silence and resolves at the next reading", () => {
    const run = drive(plan([absent("60s")]));
    run.reading(0, 1);
    run.listen(MINUTE);
    expect(run.told()).toEqual([]);
    run.listen(1);
    run.listen(MINUTE);
    run.reading(2 * MINUTE, 1);
    expect(run.told()).toEqual([
      { rule: "r", to: "firing", ts: MINUTE },
      { rule: "r", to: "resolved", ts: 2 * MINUTE },
    ]);
  });

  it("is found in a backlog", () => {
    const run = drive(plan([absent("60s")], { maxFutureMs: 1e12 }));
    run.reading(0, 1);
    run.reading(10 * MINUTE, 1);
    expect(run.told()).toEqual([
      { rule: "r", to: "firing", ts: MINUTE },
      { rule: "r", to: "resolved", ts: 10 * MINUTE },
    ]);
  });

  it("is not resolved by held readings that are released later", () => {
    const run = drive(plan([absent("60s")], { outOfOrdernessMs: 120_000 }));
    run.reading(0, 1);
    run.reading(SECOND, 1);
    run.listen(10 * MINUTE);
    expect(run.told()).toEqual([{ rule: "r", to: "firing", ts: 61 * SECOND }]);
    run.reading(11 * MINUTE, 1, { at: 11 * MINUTE });
    run.listen(10 * MINUTE);
    expect(run.told().slice(1, 2)).toEqual([{ rule: "r", to: "resolved", ts: 11 * MINUTE }]);
  });
});
