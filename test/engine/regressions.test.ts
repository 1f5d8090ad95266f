// Mistakes of the engine that the oracle or a reader found, one case each.

import { describe, expect, it } from "vitest";
import { drive, MINUTE, plan, rule, SECOND } from "./harness.ts";

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
