// The anomaly detector: that it scores clearly above the usual baseline, and the promises of engine code:
// bounds, determinism, state that comes back bit for bit, bounded state, and no value that makes it stumble.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../../simulators/signals.ts";
import { DEVIATION_THRESHOLD_DEFAULT, DeviationDetector } from "../../../src/engine/deviation.ts";
import { StateReader, StateWriter } from "../../../src/engine/state.ts";
import { scoreAt, scoreCorpus } from "./benchmark-score.ts";
import { contestants, runContestant } from "./contestants.ts";
import { createCorpus, type Recording } from "./recordings.ts";

const MINUTE_MS = 60_000;
const STATE_BYTES_MAX = 12_288;

const corpus = createCorpus(20_261_122, 2, 6000);
const run = (name: keyof typeof contestants) => runContestant(contestants[name] as () => DeviationDetector, corpus);

function save(detector: DeviationDetector) {
  const writer = new StateWriter();
  detector.save(writer);
  return writer.saved();
}

describe("on labelled recordings", () => {
  const ours = run("deviation");

  it("is clearly better than the sliding Gaussian, each at its best threshold", () => {
    const gaussian = scoreCorpus(corpus, run("sliding Gaussian"));
    const verdict = scoreCorpus(corpus, ours);
    expect(gaussian.score).toBeGreaterThan(10);
    expect(verdict.score).toBeGreaterThan(gaussian.score + 15);
  });

  it("loses little at its default threshold", () => {
    expect(scoreAt(corpus, ours, DEVIATION_THRESHOLD_DEFAULT).score).toBeGreaterThan(scoreCorpus(corpus, ours).score - 6);
  });

  it("does not saturate: the highest scores all differ", () => {
    const top = Float64Array.from(ours.flatMap((scores) => Array.from(scores)))
      .sort()
      .subarray(-200);
    expect(new Set(top).size).toBe(200);
    expect(top.at(-1)).toBeLessThan(1);
  });
});

describe("the scoring rule", () => {
  const window = { first: 500, last: 599 };
  const recording: Recording = { name: "made", ts: new Float64Array(1000), values: new Float64Array(1000), windows: [window], kinds: ["spike"] };
  const detections = (...rows: number[]) => [Float64Array.from({ length: 1000 }, (_, row) => (rows.includes(row) ? 1 : 0))];
  const scored = (...rows: number[]) => scoreAt([recording], detections(...rows), 1).score;

  it("gives 0 for nothing, 100 for the window's first row, less for later rows, and counts only the first", () => {
    expect(scored()).toBe(0);
    expect(scored(500)).toBeCloseTo(100, 6);
    expect(scored(550)).toBeLessThan(scored(510));
    expect(scored(510, 550, 590)).toBe(scored(510));
  });

  it("charges a false alarm, less just after the window, and nothing in the first 15 %", () => {
    const [perfect, share] = [scored(500), 100 / (1 + 2 / (1 + Math.exp(-5)) - 1)];
    expect(scored(500, 300)).toBeCloseTo(perfect - 0.11 * share, 6);
    expect(scored(500, 605)).toBeGreaterThan(scored(500, 700));
    expect(scored(500, 149)).toBe(perfect);
  });
});

describe("as code of the engine", () => {
  const recording = corpus.find(({ name }) => name === "mentions-0") as Recording;

  it("goes on after a restore as if nothing had been, bit for bit", () => {
    for (const cut of [0, 1, 7, 99, 2500]) {
      const [whole, before, after] = [new DeviationDetector(), new DeviationDetector(), new DeviationDetector()];
      for (let row = 0; row < cut; row++) {
        whole.score(recording.ts[row] as number, recording.values[row] as number);
        before.score(recording.ts[row] as number, recording.values[row] as number);
      }
      const saved = save(before);
      const reader = new StateReader(saved);
      after.restore(reader);
      expect(reader.done).toBe(true);
      expect(save(after).numbers).toEqual(saved.numbers);
      for (let row = cut; row < cut + 1500; row++) {
        const [ts, value] = [recording.ts[row] as number, recording.values[row] as number];
        expect(Object.is(after.score(ts, value), whole.score(ts, value))).toBe(true);
      }
      expect(save(after).numbers).toEqual(save(whole).numbers);
    }
  });

  it("keeps a bounded state, however long the history", () => {
    const detector = new DeviationDetector();
    for (let row = 0; row < 20_000; row++) {
      const at = row % recording.values.length;
      detector.score(row * MINUTE_MS, (recording.values[at] as number) * (1 + ((row * 7919) % 101)) ** 2);
      if (row % 2000 === 1999) expect(save(detector).numbers.byteLength).toBeLessThanOrEqual(STATE_BYTES_MAX);
    }
  });

  it("scores any numbers from 0 to below 1, and always the same", () => {
    const value = fc.oneof(fc.constantFrom(0, -0, 5, 1e308, -1e308, Number.MIN_VALUE), fc.double({ noNaN: true }), fc.integer({ min: -3, max: 3 }));
    const readings = fc.array(fc.tuple(fc.integer({ min: 0, max: 30 * 86_400_000 }), value), { maxLength: 400 });
    fc.assert(
      fc.property(readings, fc.integer({ min: -1e13, max: 1e13 }), (list, start) => {
        const detectors = [new DeviationDetector(), new DeviationDetector()] as const;
        let ts = start;
        for (const [gap, reading] of list) {
          ts += gap;
          const score = detectors[0].score(ts, reading);
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThan(1);
          expect(detectors[1].score(ts, reading)).toBe(score);
        }
        expect(save(detectors[0]).numbers.some(Number.isNaN)).toBe(false);
      }),
    );
  });

  it("is silent on a constant, and cries at once when it jumps", () => {
    const detector = new DeviationDetector();
    for (let row = 0; row < 3000; row++) expect(detector.score(row * MINUTE_MS, 21.5)).toBe(0);
    expect(detector.score(3000 * MINUTE_MS, 30)).toBeGreaterThan(DEVIATION_THRESHOLD_DEFAULT);
  });

  it("tells one event once", () => {
    const detector = new DeviationDetector();
    const noise = createRandom(7);
    const scores = Array.from({ length: 2100 }, (_, row) => detector.score(row * MINUTE_MS, noise() + (row >= 2000 ? 20 : 0)));
    const told = scores.flatMap((score, row) => (score > DEVIATION_THRESHOLD_DEFAULT ? [row] : []));
    expect(told.filter((row) => row < 2000).length).toBeLessThanOrEqual(4);
    expect(told).toContain(2000);
    expect(told.filter((row) => row >= 2000).length).toBeLessThanOrEqual(3);
  });

  it("knows the time of day: the usual values at the wrong hour are odd", () => {
    const detector = new DeviationDetector();
    const atHour = (hour: number, row: number) => (hour >= 8 && hour < 18 ? 100 : 10) + ((row * 31) % 7) / 10;
    const scores = Array.from({ length: 24 * 60 }, (_, row) => detector.score(row * 60 * MINUTE_MS, atHour((row + (row >= 24 * 55 ? 12 : 0)) % 24, row)));
    const before = Math.max(...scores.slice(24 * 20, 24 * 55));
    expect(Math.max(...scores.slice(24 * 55, 24 * 56))).toBeGreaterThan(before);
  });

  it("learns a new level: what stays is no longer odd", () => {
    const detector = new DeviationDetector();
    const noise = createRandom(7);
    const scores = Array.from({ length: 6000 }, (_, row) => detector.score(row * MINUTE_MS, noise() + (row >= 2000 ? 5 : 0)));
    expect(scores[2000]).toBeGreaterThan(DEVIATION_THRESHOLD_DEFAULT);
    expect(Math.max(...scores.slice(3000))).toBeLessThan(DEVIATION_THRESHOLD_DEFAULT);
  });

  it("counts a value that is no number as nothing", () => {
    const [one, other] = [new DeviationDetector(), new DeviationDetector()];
    one.score(0, 1);
    other.score(0, 1);
    expect(one.score(1, Number.NaN)).toBe(0);
    expect(save(one).numbers).toEqual(save(other).numbers);
  });
});
