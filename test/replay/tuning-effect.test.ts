// The effect of a change on alerts that were written by hand: episodes, what is told later, what is missed, what is joined; and the
// rule of thumb that chooses.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Candidate, CandidateKind } from "../../src/replay/tuning-candidates.ts";
import { effectOf, episodesOf, type Stood, suggestionOf, type TuningEffect } from "../../src/replay/tuning-effect.ts";
import { rule } from "../engine/harness.ts";

const MINUTE = 60_000;
const END = 1000 * MINUTE;
/** From, to in minutes; without an end it stands still. */
const stood = (...times: [number, number?][]): Stood[] =>
  times.map(([from, to]) => ({ firedAt: from * MINUTE, resolvedAt: to === undefined ? null : to * MINUTE }));

describe("episodes", () => {
  it("hold alerts that are ten minutes apart at most, counted from when the one before resolved", () => {
    const minutes = (alerts: Stood[]) => episodesOf(alerts, END).map(({ start, end }) => [start / MINUTE, end / MINUTE]);
    expect(minutes(stood([0, 5], [15, 16], [26, 27]))).toEqual([[0, 27]]);
    expect(minutes(stood([0, 5], [15.1, 16]))).toEqual([
      [0, 5],
      [15.1, 16],
    ]);
    expect(minutes(stood([0, 5], [900]))).toEqual([
      [0, 5],
      [900, 1000],
    ]);
    expect(minutes([])).toEqual([]);
  });
});

describe("the effect", () => {
  it("of no change is none", () => {
    const alerts = stood([0, 5], [100, 105], [900]);
    expect(effectOf(alerts, alerts, END)).toEqual({ alerts: 3, spared: 0, laterMedianMs: 0, laterMaxMs: 0, missed: 0, longestMissedMs: 0, joined: 0 });
    expect(effectOf([], [], END)).toMatchObject({ alerts: 0, spared: 0, laterMedianMs: null, laterMaxMs: null });
  });

  it("of an on-delay is to tell later, from the first alert of the episode on, and to miss what is short", () => {
    const before = stood([0, 1], [2, 60], [100, 103], [200, 201], [300, 340], [400, 430]);
    const after = stood([7, 60], [305, 340], [405, 430]);
    const minutes = (ms: number | null) => (ms ?? Number.NaN) / MINUTE;
    const effect = effectOf(before, after, END);
    expect(effect).toMatchObject({ alerts: 3, spared: 0.5, missed: 2, joined: 0 });
    expect([effect.laterMedianMs, effect.laterMaxMs, effect.longestMissedMs].map(minutes)).toEqual([5, 7, 3]);
  });

  it("of a deadband that is too wide is to join episodes", () => {
    const before = stood([0, 5], [100, 105], [200, 205], [300, 305]);
    expect(effectOf(before, stood([0, 205], [300, 305]), END)).toMatchObject({ alerts: 2, joined: 2, missed: 0, laterMaxMs: 0 });
    expect(effectOf(before, stood([0]), END)).toMatchObject({ alerts: 1, joined: 3 });
  });

  it("puts each episode where it belongs, whatever there was: told, joined or missed", () => {
    const alerts = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 40 })), { maxLength: 12 }).map((steps) => {
      let now = 0;
      return steps.map(([gap, lasts]): Stood => {
        const firedAt = now + gap;
        now = firedAt + lasts;
        return { firedAt: firedAt * MINUTE, resolvedAt: now * MINUTE };
      });
    });
    fc.assert(
      fc.property(alerts, alerts, (before, after) => {
        const { missed, joined, longestMissedMs, laterMaxMs } = effectOf(before, after, END);
        const overlapping = episodesOf(before, END).map((episode) => ({
          episode,
          first: after.find(({ firedAt, resolvedAt }) => firedAt <= episode.end && (resolvedAt ?? END) >= episode.start),
        }));
        const silent = overlapping.filter(({ first }) => first === undefined);
        expect(missed).toBe(silent.length);
        expect(longestMissedMs).toBe(Math.max(0, ...silent.map(({ episode }) => episode.end - episode.start)));
        expect(joined).toBe(overlapping.filter(({ episode, first }) => first !== undefined && first.firedAt < episode.start).length);
        const delays = overlapping.flatMap(({ episode, first }) =>
          first === undefined || first.firedAt < episode.start ? [] : [first.firedAt - episode.start],
        );
        expect(laterMaxMs).toBe(delays.length === 0 ? null : Math.max(...delays));
      }),
    );
  });
});

describe("the suggestion", () => {
  const tried = (kind: CandidateKind, amount: number, spared: number, more: Partial<TuningEffect> = {}) => {
    const candidate: Candidate = { kind, amount, text: `${kind} ${amount}`, lines: [], rule: rule({ condition: { type: "threshold", above: 5 } }) };
    return { candidate, effect: { alerts: 0, spared, laterMedianMs: 0, laterMaxMs: 0, missed: 0, longestMissedMs: 0, joined: 0, ...more } };
  };
  const chosen = (...all: ReturnType<typeof tried>[]) => suggestionOf(all)?.candidate.text;

  it("is the least change that spares nearly as many as the best", () => {
    expect(chosen(tried("for", 30, 0.6), tried("for", 60, 0.9), tried("for", 120, 0.95), tried("for", 300, 1))).toBe("for 60");
    expect(chosen(tried("for", 300, 1), tried("for", 60, 0.9))).toBe("for 60");
  });

  it("prefers a deadband to an off-delay, and both to an on-delay", () => {
    expect(chosen(tried("for", 30, 1), tried("keep_firing_for", 600, 1), tried("deadband", 9, 0.95))).toBe("deadband 9");
    expect(chosen(tried("for", 30, 1), tried("keep_firing_for", 600, 1), tried("deadband", 9, 0.8))).toBe("keep_firing_for 600");
  });

  it("is none that joins episodes, or that spares less than half", () => {
    expect(chosen(tried("deadband", 9, 1, { joined: 1 }), tried("for", 30, 0.5))).toBe("for 30");
    expect(chosen(tried("deadband", 9, 1, { joined: 1 }), tried("for", 30, 0.49))).toBeUndefined();
    expect(chosen()).toBeUndefined();
  });
});
