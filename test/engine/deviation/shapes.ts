// The open list of signal shapes of the synthetic recordings: what sensors, servers, cities and shops measure when all is well.

import type { AnomalyKind } from "./anomalies.ts";
import type { Draw } from "./draw.ts";

export type Shape = {
  readonly name: string;
  readonly stepMs: number;
  readonly rows: readonly [number, number];
  /** Chance of a gap after a row. */
  readonly gaps?: number;
  readonly floor?: number;
  readonly decimals?: number;
  readonly anomalies: readonly AnomalyKind[];
  signal(ts: Float64Array, draw: Draw): Float64Array;
};

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const WEEK = 7 * DAY;

/** 0 to 1 over the day, highest at `peak` (0 to 1), with a second hump. */
function dayCurve(ts: number, peak: number, sharpness: number): number {
  const phase = (ts % DAY) / DAY - peak;
  const hump = (0.5 + 0.5 * Math.cos(2 * Math.PI * phase)) ** sharpness;
  return 0.8 * hump + 0.2 * (0.5 + 0.5 * Math.cos(4 * Math.PI * (phase - 0.1)));
}

const isWeekend = (ts: number) => (ts % WEEK) / DAY >= 2 && (ts % WEEK) / DAY < 4;

/** Noise that remembers itself from row to row. */
function wander(draw: Draw, memory: number, size: number): () => number {
  let at = 0;
  const push = size * Math.sqrt(1 - memory * memory);
  return () => (at = memory * at + push * draw.gaussian());
}

export const shapes: readonly Shape[] = [
  {
    name: "cpu-plateau",
    stepMs: 5 * MINUTE,
    rows: [4000, 4060],
    floor: 0,
    decimals: 3,
    anomalies: ["spike", "shift", "outage", "noisier", "burst"],
    signal(ts, draw) {
      const levels = [draw.between(5, 30), draw.between(30, 60), draw.between(60, 80)];
      let level = levels[0] as number;
      const noise = draw.between(0.3, 4);
      return ts.map(() => {
        if (draw.uniform() < 0.01) level = draw.pick(levels);
        return level + noise * draw.gaussian() + (draw.uniform() < 0.003 ? draw.between(5, 30) : 0);
      });
    },
  },
  {
    name: "cpu-flat",
    stepMs: 5 * MINUTE,
    rows: [4000, 4060],
    floor: 0,
    decimals: 3,
    anomalies: ["spike", "shift", "burst", "flurry"],
    signal(ts, draw) {
      const [base, noise, every, kick] = [draw.between(0.1, 3), draw.between(0.01, 0.1), draw.pick([12, 36, 288]), draw.between(0.2, 2)];
      return ts.map((_, row) => base * (1 + noise * draw.gaussian()) + (row % every === 3 ? base * kick * draw.between(0.8, 1.2) : 0));
    },
  },
  {
    name: "cpu-busy",
    stepMs: 5 * MINUTE,
    rows: [3900, 4060],
    floor: 0,
    decimals: 2,
    anomalies: ["shift", "outage", "dip", "ramp", "spike", "stuck"],
    signal(ts, draw) {
      const [base, size] = [draw.between(40, 90), draw.between(1, 8)];
      const slow = wander(draw, 0.98, size);
      const tail = draw.between(2.5, 6);
      return ts.map(() =>
        Math.min(100, base + slow() + size * 0.5 * draw.gaussian() + (draw.uniform() < 0.02 ? draw.pick([-1, 1]) * size * draw.pareto(tail) : 0)),
      );
    },
  },
  {
    name: "network",
    stepMs: 5 * MINUTE,
    rows: [4000, 4750],
    floor: 0,
    decimals: 0,
    anomalies: ["burst", "spike", "shift", "flurry", "outage"],
    signal(ts, draw) {
      const [base, tail, often] = [10 ** draw.between(2, 6), draw.between(1.3, 3), draw.between(0.01, 0.08)];
      const slow = wander(draw, 0.9, 0.2);
      return ts.map(() => base * Math.exp(slow() + 0.2 * draw.gaussian()) * (draw.uniform() < often ? Math.min(40, 2 * draw.pareto(tail)) : 1));
    },
  },
  {
    name: "disk-writes",
    stepMs: 5 * MINUTE,
    rows: [3900, 4750],
    floor: 0,
    decimals: 0,
    anomalies: ["burst", "spike", "flurry", "noisier"],
    signal(ts, draw) {
      const [size, often] = [10 ** draw.between(4, 7), draw.between(0.03, 0.3)];
      return ts.map(() => (draw.uniform() < often ? size * draw.exponential(1) : 0));
    },
  },
  {
    name: "requests",
    stepMs: 5 * MINUTE,
    rows: [4000, 4060],
    floor: 0,
    decimals: 0,
    anomalies: ["spike", "outage", "shift", "burst", "quiet-day"],
    signal(ts, draw) {
      const [base, swing, peak] = [10 ** draw.between(0.7, 2.5), draw.between(0, 3), draw.uniform()];
      const often = draw.between(0, 0.02);
      return ts.map((at) => draw.count(base * (0.4 + swing * dayCurve(at, peak, 1)) * (draw.uniform() < often ? draw.between(1.5, 4) : 1)));
    },
  },
  {
    name: "mentions",
    stepMs: 5 * MINUTE,
    rows: [15000, 16000],
    floor: 0,
    decimals: 0,
    anomalies: ["burst", "burst", "flurry", "spike", "outage"],
    signal(ts, draw) {
      const [base, peak, tail] = [10 ** draw.between(0.7, 1.9), draw.uniform(), draw.between(1.6, 3)];
      const slow = wander(draw, 0.99, 0.25);
      let echo = 0;
      return ts.map((at) => {
        echo *= 0.7;
        if (draw.uniform() < 0.004) echo += base * draw.pareto(tail);
        return draw.count(base * (0.2 + dayCurve(at, peak, 1.5)) * Math.exp(slow()) * (1 + 0.3 * draw.exponential(1)) + echo);
      });
    },
  },
  {
    name: "mentions-few",
    stepMs: 5 * MINUTE,
    rows: [15000, 16000],
    floor: 0,
    decimals: 0,
    anomalies: ["burst", "burst", "flurry", "spike"],
    signal(ts, draw) {
      const [base, peak, tail, often] = [10 ** draw.between(-0.3, 0.9), draw.uniform(), draw.between(1.8, 3), draw.between(0.002, 0.01)];
      let echo = 0;
      return ts.map((at) => {
        echo *= 0.6;
        if (draw.uniform() < often) echo += (1 + base) * draw.pareto(tail);
        return draw.count(base * (0.3 + dayCurve(at, peak, 1)) * draw.between(0.5, 1.5) + echo);
      });
    },
  },
  {
    name: "passengers",
    stepMs: 30 * MINUTE,
    rows: [8000, 10500],
    floor: 0,
    decimals: 0,
    anomalies: ["quiet-day", "quiet-day", "rhythm", "outage", "burst"],
    signal(ts, draw) {
      const [base, peak, noise] = [10 ** draw.between(3, 4.3), draw.between(0.6, 0.9), draw.between(0.03, 0.08)];
      const slow = wander(draw, 0.97, noise);
      return ts.map(
        (at) =>
          base * (0.15 + dayCurve(isWeekend(at) ? at - 0.1 * DAY : at, peak, 1.2) * (isWeekend(at) ? 0.8 : 1)) * (1 + slow() + (noise / 2) * draw.gaussian()),
      );
    },
  },
  {
    name: "machine",
    stepMs: 5 * MINUTE,
    rows: [15000, 20000],
    decimals: 2,
    anomalies: ["ramp", "dip", "outage", "shift", "ramp"],
    signal(ts, draw) {
      const slow = wander(draw, 0.999, draw.between(3, 8));
      const quick = wander(draw, 0.9, draw.between(0.5, 1.5));
      const swing = draw.between(0, 5);
      return ts.map((at) => 85 + slow() + quick() + swing * dayCurve(at, 0.6, 1));
    },
  },
  {
    name: "room",
    stepMs: 60 * MINUTE,
    rows: [5000, 7500],
    gaps: 0.002,
    decimals: 1,
    anomalies: ["ramp", "shift", "noisier", "spike", "dip"],
    signal(ts, draw) {
      const slow = wander(draw, 0.995, draw.between(1, 4));
      const swing = draw.between(1, 6);
      return ts.map((at) => 68 + slow() + 0.7 * draw.gaussian() + swing * dayCurve(at, 0.6, 1) * (isWeekend(at) ? 0.5 : 1));
    },
  },
  {
    name: "clicks",
    stepMs: 60 * MINUTE,
    rows: [1500, 1700],
    gaps: 0.002,
    floor: 0,
    decimals: 4,
    anomalies: ["spike", "flurry", "shift", "burst"],
    signal(ts, draw) {
      const [base, spread, often, swing] = [draw.between(0.1, 2), draw.between(0.05, 0.4), draw.between(0.002, 0.02), draw.between(0, 0.6)];
      return ts.map((at) => base * Math.exp(spread * draw.gaussian() + swing * dayCurve(at, 0.5, 1)) * (draw.uniform() < often ? draw.between(1.5, 3.5) : 1));
    },
  },
  {
    name: "road-speed",
    stepMs: 8 * MINUTE,
    rows: [1100, 2600],
    gaps: 0.08,
    floor: 0,
    decimals: 0,
    anomalies: ["dip", "outage", "noisier", "quiet-day", "shift"],
    signal(ts, draw) {
      const [base, jam] = [draw.between(60, 75), draw.between(0, 30)];
      return ts.map(
        (at) =>
          base +
          4 * draw.gaussian() -
          (isWeekend(at) ? 0 : jam * dayCurve(at, 0.7, 8) * draw.between(0.6, 1.2)) -
          (draw.uniform() < 0.01 ? draw.between(5, 20) : 0),
      );
    },
  },
  {
    name: "travel-time",
    stepMs: 10 * MINUTE,
    rows: [2000, 2600],
    gaps: 0.15,
    floor: 0,
    decimals: 0,
    anomalies: ["spike", "burst", "flurry", "ramp"],
    signal(ts, draw) {
      const [base, rush] = [draw.between(60, 300), draw.between(0.3, 2)];
      return ts.map(
        (at) =>
          base *
          (1 + (isWeekend(at) ? 0.2 : 1) * rush * dayCurve(at, 0.35, 6) * draw.between(0.5, 1.3) + 0.15 * draw.gaussian()) *
          (draw.uniform() < 0.01 ? draw.between(1.5, 5) : 1),
      );
    },
  },
  {
    name: "square-day",
    stepMs: 5 * MINUTE,
    rows: [4000, 4060],
    decimals: 3,
    anomalies: ["quiet-day", "shift", "burst", "rhythm", "stuck", "noisier"],
    signal(ts, draw) {
      const [high, low, noise, from, long] = [draw.between(60, 90), draw.between(15, 35), draw.pick([0, 2, 4]), draw.uniform(), draw.between(0.2, 0.5)];
      return ts.map((at) => ((at / DAY + from) % 1 < long ? high : low) + noise * draw.uniform());
    },
  },
  {
    name: "calm-noise",
    stepMs: 5 * MINUTE,
    rows: [4000, 4060],
    decimals: 3,
    anomalies: ["noisier", "shift", "spike", "flurry"],
    signal(ts, draw) {
      const [base, size] = [draw.between(20, 60), draw.pick([0, 1, 8, 15])];
      return ts.map(() => base + size * draw.uniform());
    },
  },
  {
    name: "scaling-group",
    stepMs: 5 * MINUTE,
    rows: [4000, 18000],
    floor: 0,
    decimals: 2,
    anomalies: ["spike", "outage", "burst", "shift"],
    signal(ts, draw) {
      let level = draw.between(30, 60);
      const swing = draw.between(0, 15);
      const peak = draw.uniform();
      return ts.map((at) => {
        if (draw.uniform() < 0.0006) level *= draw.between(0.7, 1.4);
        return level + swing * dayCurve(at, peak, 1) + 3 * draw.gaussian() + (draw.uniform() < 0.004 ? draw.between(5, 25) : 0);
      });
    },
  },
  {
    name: "sawtooth",
    stepMs: 5 * MINUTE,
    rows: [4000, 6000],
    decimals: 3,
    anomalies: ["stuck", "shift", "spike", "noisier", "rhythm"],
    signal(ts, draw) {
      const [period, size, noise] = [Math.round(draw.between(15, 200)), draw.between(5, 50), draw.between(0.1, 2)];
      return ts.map((_, row) => 20 + (size * (row % period)) / period + noise * draw.gaussian());
    },
  },
  {
    name: "rare-events",
    stepMs: MINUTE,
    rows: [3000, 8000],
    floor: 0,
    decimals: 1,
    anomalies: ["flurry", "spike", "burst", "shift"],
    signal(ts, draw) {
      const [often, size, level] = [draw.between(0.001, 0.01), draw.between(1, 10), draw.pick([0, 0, 5])];
      return ts.map(() => level + (draw.uniform() < often ? size * draw.between(0.8, 1.2) : 0));
    },
  },
  {
    name: "drift",
    stepMs: 5 * MINUTE,
    rows: [4000, 7000],
    decimals: 3,
    anomalies: ["spike", "shift", "dip", "noisier"],
    signal(ts, draw) {
      const [slope, noise, swing] = [draw.between(-1, 1) / 1000, draw.between(0.05, 0.5), draw.between(0, 1)];
      return ts.map((at, row) => 10 + slope * row + noise * draw.gaussian() + swing * dayCurve(at, 0.3, 1));
    },
  },
];
