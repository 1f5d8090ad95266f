// What another broker had retained is old news: late whatever the watermark says, in history, and never a reason to page or to be heard of.

import { describe, expect, it } from "vitest";
import { drive, MINUTE, plan, rule, SECOND } from "./harness.ts";

const high = rule({ name: "high", condition: { type: "threshold", above: 30 } });
const mean = rule({ name: "mean", condition: { type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: 30 } });
const gone = rule({ name: "gone", condition: { type: "absence", after: "1m" } });
const old = { retained: true } as const;

describe("a retained reading", () => {
  it("of a series that was never heard is late, pages nobody, and makes nothing absent", () => {
    const driven = drive(plan([high, mean, gone]));
    expect(driven.reading(-10 * MINUTE, 99, old)).toBe("late");
    expect(driven.reading(0, 99, old)).toBe("late");
    driven.listen(10 * MINUTE);
    expect(driven.told()).toEqual([]);
    // The first that is live begins everything, and what was retained is in no window of its.
    expect(driven.reading(10 * MINUTE, 20)).toBe("accepted");
    driven.reading(12 * MINUTE, 20);
    expect(driven.told()).toEqual([]);
    expect(driven.effects.flatMap(({ dirty }) => dirty.map(({ start }) => start))).toContain(-10 * MINUTE);
  });

  it("is known when it comes again, live or retained", () => {
    const driven = drive(plan([high]));
    expect(driven.reading(0, 99, old)).toBe("late");
    expect(driven.reading(0, 99, old)).toBe("duplicate");
    expect(driven.reading(0, 99)).toBe("duplicate");
    expect(driven.reading(0, 98, old)).toBe("conflict");
    expect(driven.reading(1, 99)).toBe("accepted");
    expect(driven.reading(10 * MINUTE, 1, old)).toBe("quarantined");
  });

  it("ahead of the watermark is late, does not move it, and counts in the window that is open", () => {
    const driven = drive(plan([high, mean]));
    driven.reading(0, 20, { at: SECOND });
    expect(driven.reading(500, 60, old)).toBe("late");
    expect(driven.reading(400, 20)).toBe("accepted");
    expect(driven.told()).toEqual([]);
    driven.reading(MINUTE, 20, { at: MINUTE });
    // 20, 60 and 20: the mean of the minute.
    expect(driven.told()).toEqual([{ rule: "mean", to: "firing", ts: MINUTE }]);
  });

  it("is judged the same after a restart", () => {
    const driven = drive(plan([high]));
    driven.reading(0, 99, old);
    driven.restart();
    expect(driven.reading(0, 99)).toBe("duplicate");
    expect(driven.reading(5, 99, old)).toBe("late");
    expect(driven.reading(5, 31, { labels: { device: "other", metric: "temperature" } })).toBe("accepted");
  });
});
