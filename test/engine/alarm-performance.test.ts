// The figures of alarm performance against a reckoning by brute force that looks at every instant and every pair, and the edges
// that the definitions are about: exactly ten, exactly a minute, exactly a day, nothing at all.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AlarmOccurrence } from "../../src/engine/alarm-figures.ts";
import { ACTORS_MAX, FLOODS_MAX, performanceOf } from "../../src/engine/alarm-performance.ts";
import { fixedPeak, floodsOf, slidingPeak, TEN_MINUTES_MS, timeInFloods } from "../../src/engine/alarm-rate.ts";
import { type AlarmTargets, defaultTargets, targetNames } from "../../src/engine/alarm-targets.ts";
import { severities } from "../../src/engine/severity.ts";

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;
/** Instants of the properties lie on this grid, so that the brute force can look at each. */
const GRID = 30 * SECOND;

let made = 0;
function alarm(toldAt: number, more: Partial<AlarmOccurrence> = {}): AlarmOccurrence {
  made += 1;
  const times = { firedAt: toldAt, resolvedAt: toldAt + HOUR, toldAt, clearedAt: toldAt + HOUR, firstAckedAt: null, hidden: false };
  return { id: `a${made}`, rule: "warm", subject: "fz-1", labels: { device: "fz-1" }, severity: "warning", ...times, ...more };
}
const span = { from: 10 * DAY, to: 11 * DAY };
const of = (occurrences: AlarmOccurrence[], targets: Partial<AlarmTargets> = {}) => performanceOf(occurrences, span, { ...defaultTargets, ...targets });
const verdict = (occurrences: AlarmOccurrence[], name: string, targets: Partial<AlarmTargets> = {}) =>
  of(occurrences, targets).verdicts.find((each) => each.name === name);
const times = (count: number, start: number, every: number) => Array.from({ length: count }, (_, index) => start + index * every);

describe("a day without alerts", () => {
  it("has figures of zero, no shares, and meets what it can be judged by", () => {
    const { verdicts, ...figures } = of([]);
    expect(figures).toMatchObject({
      alerts: 0,
      rate: { perTenMinutes: 0, perHour: 0, peakTenMinutes: { count: 0, start: null }, fixedTenMinutes: { count: 0, start: null } },
      flood: { share: 0, count: 0, floods: [] },
      topTen: { actors: [], of: 0, count: 0, share: null },
      acknowledge: { acknowledged: 0, never: 0, medianMs: null, p95Ms: null },
      mix: { critical: { count: 0, share: null } },
    });
    expect(verdicts.map(({ name }) => name)).toEqual([...targetNames]);
    expect(verdicts.filter(({ met }) => met === null).map(({ name }) => name)).toEqual([
      "top_ten_share",
      "acknowledge",
      "mix.critical",
      "mix.warning",
      "mix.info",
    ]);
    expect(verdicts.filter(({ met }) => met === false)).toEqual([]);
  });
});

describe("rates", () => {
  it("count what was told in the span, its begin included and its end not, whenever it fired", () => {
    const late = alarm(span.from + HOUR, { firedAt: span.from - 3 * DAY });
    const found = of([alarm(span.from - 1), alarm(span.from), late, alarm(span.to - 1), alarm(span.to)]);
    expect(found.alerts).toBe(3);
    expect(found.rate.perHour).toBeCloseTo(3 / 24, 12);
    expect(found.rate.perTenMinutes).toBeCloseTo(3 / 144, 12);
  });

  it("count what was hidden like the rest, and say how much it is", () => {
    expect(of([alarm(span.from, { hidden: true }), alarm(span.from - 1, { hidden: true }), alarm(span.from)])).toMatchObject({ alerts: 2, hidden: 1 });
  });

  it("have a sliding peak, and one of fixed ten minutes that may be lower", () => {
    const start = span.from + 7 * MINUTE;
    const { rate } = of(times(6, start, MINUTE).map((at) => alarm(at)));
    expect(rate.peakTenMinutes).toEqual({ count: 6, start });
    expect(rate.fixedTenMinutes).toEqual({ count: 3, start: span.from });
    expect(rate.peakHour).toEqual({ count: 6, start });
  });

  it("take ten minutes as half open: what comes exactly ten minutes after is of the next", () => {
    expect(slidingPeak([0, TEN_MINUTES_MS], TEN_MINUTES_MS).count).toBe(1);
    expect(slidingPeak([0, TEN_MINUTES_MS - 1], TEN_MINUTES_MS).count).toBe(2);
  });

  const told = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 120 }).map((steps) => steps.map((step) => step * GRID).sort((a, b) => a - b));

  it("agree with every window and every bucket tried in turn", () => {
    fc.assert(
      fc.property(told, fc.constantFrom(TEN_MINUTES_MS, HOUR), (at, width) => {
        const countIn = (from: number) => at.filter((one) => one >= from && one < from + width).length;
        const windows = times(401, -100 * GRID, GRID).map((from) => countIn(from));
        const buckets = times(12, 0, width).map((from) => countIn(from));
        expect(slidingPeak(at, width).count).toBe(Math.max(...windows));
        expect(fixedPeak(at, width).count).toBe(Math.max(...buckets));
        const { start, count } = slidingPeak(at, width);
        if (start !== null) expect(countIn(start)).toBe(count);
      }),
    );
  });
});

describe("floods", () => {
  const thresholds = { over: 10, endBelow: 5 };
  const around = { from: 0, to: DAY };

  it("begin with the eleventh within ten minutes, not with the tenth", () => {
    expect(floodsOf(times(10, HOUR, SECOND), thresholds, around)).toEqual([]);
    expect(floodsOf(times(11, HOUR, SECOND), thresholds, around)).toMatchObject([{ start: HOUR + 10 * SECOND, count: 11 }]);
  });

  it("end when fewer than five are left", () => {
    const [flood] = floodsOf(times(11, HOUR, SECOND), thresholds, around);
    // Of eleven, the seventh leaves ten minutes after it came, and four are left.
    expect(flood?.end).toBe(HOUR + 6 * SECOND + TEN_MINUTES_MS);
  });

  it("go on at the end of the span, and are known at its begin by what came before", () => {
    const at = times(11, -SECOND * 20, SECOND);
    expect(floodsOf(at, thresholds, around)).toMatchObject([{ start: -10 * SECOND }]);
    expect(timeInFloods(floodsOf(at, thresholds, around), around)).toBe(TEN_MINUTES_MS - 14 * SECOND);
    expect(floodsOf(times(11, DAY - 30 * SECOND, SECOND), thresholds, around)).toMatchObject([{ end: null, count: 11 }]);
    expect(floodsOf(at, thresholds, { from: HOUR, to: DAY })).toEqual([]);
  });

  it("count no alert twice", () => {
    // The second begins while two of the first are not ten minutes old: they are of the first.
    const at = [...times(11, 0, SECOND), ...times(11, TEN_MINUTES_MS + 8 * SECOND, 50)];
    const floods = floodsOf(at, thresholds, around);
    expect(floods.map(({ count }) => count)).toEqual([11, 11]);
  });

  it("agree with a state that is stepped from instant to instant", () => {
    const told = fc.array(fc.integer({ min: -40, max: 200 }), { maxLength: 150 });
    const limits = fc.record({ over: fc.integer({ min: 1, max: 12 }), part: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(told, limits, (steps, { over, part }) => {
        const at = steps.map((step) => step * GRID).sort((a, b) => a - b);
        const endBelow = Math.min(over, part);
        let [isFlood, ms] = [false, 0];
        const begins: number[] = [];
        for (let now = -60 * GRID; now < 150 * GRID; now += GRID) {
          const n = at.filter((one) => one > now - TEN_MINUTES_MS && one <= now).length;
          if (!isFlood && n > over) begins.push(now);
          isFlood = isFlood ? n >= endBelow : n > over;
          if (isFlood && now >= 0) ms += GRID;
        }
        const all = floodsOf(at, { over, endBelow }, { from: -60 * GRID, to: 150 * GRID });
        expect(all.map(({ start }) => start)).toEqual(begins);
        expect(timeInFloods(floodsOf(at, { over, endBelow }, { from: 0, to: 150 * GRID }), { from: 0, to: 150 * GRID })).toBe(ms);
        expect(all.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(at.length);
      }),
    );
  });

  it("are listed up to a bound, the largest, in order of time", () => {
    const many = times(FLOODS_MAX + 5, span.from, 14 * MINUTE).flatMap((start, index) => times(index < 5 ? 2 : 3, start, SECOND));
    const { flood } = of(
      many.map((at) => alarm(at)),
      { floodPerTenMinutes: 1, floodEndPerTenMinutes: 1 },
    );
    expect(flood.count).toBe(103);
    expect(flood.floods).toHaveLength(FLOODS_MAX);
    expect(flood.floods.map(({ start }) => start)).toEqual([...flood.floods.map(({ start }) => start)].sort((a, b) => a - b));
    expect(flood.floods.filter(({ count }) => count === 2)).toHaveLength(2);
  });
});

describe("actors", () => {
  it("are rules on subjects, the most frequent ten first, by their share of all", () => {
    const all = Array.from({ length: 12 }, (_, index) => times(12 - index, span.from + index, HOUR).map((at) => alarm(at, { subject: `fz-${index}` }))).flat();
    const { topTen } = of([...all, alarm(span.from, { rule: "cold", subject: "fz-0" })]);
    expect(topTen.of).toBe(13);
    expect(topTen.actors.map(({ subject, count }) => `${subject} ${count}`)).toEqual(times(10, 0, 1).map((index) => `fz-${index} ${12 - index}`));
    expect(topTen.share).toBeCloseTo(75 / 79, 12);
    expect(topTen.actors[0]?.share).toBeCloseTo(12 / 79, 12);
    expect(verdict(all, "top_ten_share")).toMatchObject({ met: false });
    expect(verdict(all, "top_ten_share", { topTenShare: 1 })).toMatchObject({ met: true });
  });

  it("are not judged by the share of the top ten where there are ten or fewer", () => {
    const some = (count: number) => Array.from({ length: count }, (_, index) => alarm(span.from + index, { subject: `fz-${index}` }));
    expect(verdict(some(10), "top_ten_share")).toMatchObject({ value: null, met: null });
    expect(verdict(some(11), "top_ten_share")).toMatchObject({ value: 10 / 11, met: false });
  });

  it("of equal count come in the order of rule and subject", () => {
    const { topTen } = of([alarm(span.from, { rule: "b" }), alarm(span.from, { rule: "a", subject: "y" }), alarm(span.from, { rule: "a", subject: "x" })]);
    expect(topTen.actors.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(["a x", "a y", "b fz-1"]);
  });

  it("chatter when they fire three times within less than a minute of event time", () => {
    const chatters = (fired: number[]) => of(fired.map((firedAt) => alarm(span.from + HOUR, { firedAt }))).chattering.count;
    expect(chatters([0, 30 * SECOND, MINUTE - 1])).toBe(1);
    expect(chatters([MINUTE - 1, 0, 30 * SECOND])).toBe(1);
    expect(chatters([0, 30 * SECOND, MINUTE])).toBe(0);
    expect(chatters([0, 1])).toBe(0);
    // A backlog that is told at once is no chattering.
    expect(chatters([0, HOUR, 2 * HOUR])).toBe(0);
  });

  it("are listed up to a bound where they chatter, and all counted", () => {
    const all = Array.from({ length: ACTORS_MAX + 1 }, (_, index) => times(3, span.from, SECOND).map((at) => alarm(at, { subject: `fz-${index}` }))).flat();
    const { chattering } = of(all);
    expect([chattering.count, chattering.actors.length]).toEqual([ACTORS_MAX + 1, ACTORS_MAX]);
  });

  it("have fleeting alerts: short, alone, and not acknowledged before they cleared", () => {
    const at = span.from + HOUR;
    const short = (toldAt: number, lasted: number, more: Partial<AlarmOccurrence> = {}) =>
      alarm(toldAt, { resolvedAt: toldAt + lasted, clearedAt: toldAt + lasted, ...more });
    const fleeting = (occurrences: AlarmOccurrence[]) => of(occurrences).fleeting;
    expect(fleeting([short(at, MINUTE - 1)])).toBe(1);
    expect(fleeting([short(at, MINUTE)])).toBe(0);
    expect(fleeting([alarm(at, { resolvedAt: null, clearedAt: null })])).toBe(0);
    expect(fleeting([short(at, SECOND, { clearedAt: null })])).toBe(0);
    expect(fleeting([short(at, SECOND, { firstAckedAt: at + SECOND })])).toBe(0);
    expect(fleeting([short(at, SECOND, { firstAckedAt: at + 2 * SECOND })])).toBe(1);
    expect(fleeting([short(at, SECOND), short(at + MINUTE - 1, SECOND)])).toBe(0);
    expect(fleeting([short(at, SECOND), short(at + MINUTE, SECOND)])).toBe(2);
    expect(fleeting([short(at, SECOND), short(at + SECOND, SECOND, { subject: "other" })])).toBe(2);
  });
});

describe("stale alerts", () => {
  it("stood for more than a day at some time of the span", () => {
    const stale = (toldAt: number, clearedAt: number | null) => of([alarm(toldAt, { clearedAt })]).stale.count;
    expect(stale(span.from - DAY, span.from + 1)).toBe(1);
    expect(stale(span.from - DAY, span.from)).toBe(0);
    expect(stale(span.from - 9 * DAY, span.from)).toBe(0);
    expect(stale(span.from - 9 * DAY, null)).toBe(1);
    expect(stale(span.from - 9 * DAY, span.to + DAY)).toBe(1);
    expect(stale(span.from, null)).toBe(0);
    expect(stale(span.to, null)).toBe(0);
  });

  it("are listed oldest first, up to a bound, and do not count as alerts of the span", () => {
    const found = of(
      times(ACTORS_MAX + 1, span.from - 3 * DAY, SECOND)
        .map((at) => alarm(at, { clearedAt: null }))
        .reverse(),
    );
    expect([found.alerts, found.stale.count, found.stale.alerts.length]).toEqual([0, ACTORS_MAX + 1, ACTORS_MAX]);
    expect(found.stale.alerts[0]?.toldAt).toBe(span.from - 3 * DAY);
    expect(found.verdicts.find(({ name }) => name === "stale")).toMatchObject({ value: ACTORS_MAX + 1, met: false });
  });
});

describe("acknowledgement", () => {
  it("takes from being told to the first; percentiles by nearest rank, never below zero", () => {
    const took = [40, -5, 10, 20, 30].map((minutes, index) => alarm(span.from + index, { firstAckedAt: span.from + index + minutes * MINUTE }));
    expect(of([...took, alarm(span.from)]).acknowledge).toEqual({ acknowledged: 5, never: 1, medianMs: 20 * MINUTE, p95Ms: 40 * MINUTE });
    expect(verdict(took, "acknowledge")).toMatchObject({ value: 20 * MINUTE, target: 10 * MINUTE, met: false });
    expect(verdict(took, "acknowledge", { acknowledgeMs: 20 * MINUTE })).toMatchObject({ met: true });
  });
});

describe("mix", () => {
  it("has the shares by severity; of info at least so much", () => {
    const mixed = severities.flatMap((severity, index) => times([1, 3, 16][index] as number, span.from, HOUR).map((at) => alarm(at, { severity })));
    expect(of(mixed).mix).toEqual({ critical: { count: 1, share: 0.05 }, warning: { count: 3, share: 0.15 }, info: { count: 16, share: 0.8 } });
    expect(
      of(mixed)
        .verdicts.filter(({ name }) => name.startsWith("mix."))
        .map(({ met, bound }) => [met, bound]),
    ).toEqual([
      [true, "at_most"],
      [true, "at_most"],
      [true, "at_least"],
    ]);
    const without = mixed.slice(0, -1);
    expect(verdict(without, "mix.info")).toMatchObject({ met: false });
    expect(verdict(without, "mix.critical")).toMatchObject({ met: false });
  });
});

describe("the whole", () => {
  it("does not depend on the order in which occurrences are given", () => {
    const occurrence = fc.record({ step: fc.integer({ min: -50, max: 2000 }), lag: fc.integer({ min: 0, max: 50 }), subject: fc.constantFrom("a", "b", "c") });
    fc.assert(
      fc.property(fc.uniqueArray(occurrence, { maxLength: 60, selector: ({ step }) => step }), fc.infiniteStream(fc.nat()), (drawn, chance) => {
        const all = drawn.map(({ step, lag, subject }) => alarm(span.from + step * GRID, { firedAt: span.from + (step - lag) * GRID, subject }));
        const shuffled = all
          .map((one) => ({ one, key: chance.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one);
        expect(of(shuffled)).toEqual(of(all));
        expect(of(all).alerts).toBe(all.filter(({ toldAt }) => toldAt >= span.from && toldAt < span.to).length);
      }),
    );
  });
});
