// The detectors that are compared on the synthetic recordings: ours, and two that the literature knows, written here from their descriptions.

import { DeviationDetector } from "../../../src/engine/deviation.ts";
import type { Recording } from "./recordings.ts";

/** Called once per reading; 0 and up, higher is odder. */
export type Contestant = { score(ts: number, value: number): number };

/** The benchmark's own baseline is of this kind: how many standard deviations from the mean of the last `size` readings. */
export function createSlidingGaussian(size: number): Contestant {
  const kept = new Float64Array(size);
  let [seen, sum, squares] = [0, 0, 0];
  return {
    score(_ts, value) {
      const count = Math.min(seen, size);
      const mean = count === 0 ? value : sum / count;
      const deviation = Math.sqrt(Math.max(1e-12, count === 0 ? 0 : squares / count - mean * mean));
      const old = seen >= size ? (kept[seen % size] as number) : 0;
      kept[seen % size] = value;
      sum += value - old;
      squares += value * value - old * old;
      seen += 1;
      return count < 10 ? 0 : Math.abs(value - mean) / deviation;
    },
  };
}

const NEIGHBOUR_WIDTH = 19;
const NEIGHBOURS = 10;

/** Conformal nearest neighbours of windows, as in KNN-CAD (Burnaev and Ishimtsev, 2016): `history` windows, silent for `rest` readings after a detection. */
export function createNearestNeighbours(history: number, rest: number): Contestant {
  const window = new Float64Array(NEIGHBOUR_WIDTH);
  const windows = new Float64Array(history * NEIGHBOUR_WIDTH);
  const sums = new Float64Array(history);
  const distances = new Float64Array(history);
  let [seen, resting] = [0, 0];
  return {
    score(_ts, value) {
      window.copyWithin(0, 1);
      window[NEIGHBOUR_WIDTH - 1] = value;
      seen += 1;
      const kept = Math.min(history, seen - NEIGHBOUR_WIDTH);
      if (kept < 0) return 0;
      for (let at = 0; at < kept; at++) distances[at] = squaredDistance(windows, at * NEIGHBOUR_WIDTH, window);
      distances.subarray(0, kept).sort();
      let sum = 0;
      for (const squared of distances.subarray(0, Math.min(NEIGHBOURS, kept))) sum += Math.sqrt(squared);
      let lower = 0;
      for (let at = 0; at < kept; at++) if ((sums[at] as number) < sum) lower += 1;
      const rank = kept < 30 ? 0 : lower / kept;
      const place = (seen - NEIGHBOUR_WIDTH) % history;
      windows.set(window, place * NEIGHBOUR_WIDTH);
      sums[place] = sum;
      if (resting-- > 0) return rank / 2;
      if (rank >= 0.9965) resting = rest;
      return rank;
    },
  };
}

function squaredDistance(windows: Float64Array, at: number, window: Float64Array): number {
  let sum = 0;
  for (let lag = 0; lag < window.length; lag++) sum += ((windows[at + lag] as number) - (window[lag] as number)) ** 2;
  return sum;
}

export const contestants: Readonly<Record<string, () => Contestant>> = {
  "sliding Gaussian": () => createSlidingGaussian(6400),
  "nearest neighbours": () => createNearestNeighbours(300, 120),
  deviation: () => new DeviationDetector(),
};

/** The scores of a fresh detector for each recording. */
export function runContestant(create: () => Contestant, corpus: readonly Recording[]): Float64Array[] {
  return corpus.map((recording) => {
    const contestant = create();
    return recording.values.map((value, row) => contestant.score(recording.ts[row] as number, value));
  });
}
