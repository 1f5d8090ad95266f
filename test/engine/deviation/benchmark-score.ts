// The scoring rule of the Numenta Anomaly Benchmark's standard profile (Lavin and Ahmad, 2015): the first detection in a window counts, the earlier the
// better; each detection outside costs 0.11, less just after a window; a window without detection costs 1. One threshold for the whole corpus.
// A detector that finds nothing has 0, a perfect one 100.

import type { LabelWindow, Recording } from "./recordings.ts";

const FALSE_ALARM = 0.11;
const PROBATION_SHARE = 0.15;
const PROBATION_ROWS_MAX = 750;
/** No threshold is tried that would make more of all rows detections. */
const DETECTIONS_SHARE_MAX = 0.02;

export type Verdict = {
  /** 0 for a detector that finds nothing, 100 for a perfect one; below 0 is possible. */
  readonly score: number;
  readonly threshold: number;
  readonly found: number;
  readonly windows: number;
  readonly falseAlarms: number;
  readonly rows: number;
};

/** @returns the verdict at the threshold that is best for the corpus as a whole */
export function scoreCorpus(corpus: readonly Recording[], scores: readonly Float64Array[]): Verdict {
  const sorted = Float64Array.from(scores.flatMap((list) => Array.from(list.subarray(probationOf(list.length)))))
    .sort()
    .reverse();
  const lowest = sorted[Math.floor(sorted.length * DETECTIONS_SHARE_MAX)] as number;
  const high = scores.map((list) => Uint32Array.from(list.keys().filter((row) => row >= probationOf(list.length) && (list[row] as number) >= lowest)));
  let best = scoreAt(corpus, scores, Number.POSITIVE_INFINITY, high);
  for (let rank = 0; rank < sorted.length * DETECTIONS_SHARE_MAX; rank = Math.max(rank + 1, Math.ceil(rank * 1.03))) {
    const verdict = scoreAt(corpus, scores, sorted[rank] as number, high);
    if (verdict.score > best.score) best = verdict;
  }
  return best;
}

/**
 * @param rows of each recording, those that may be detections; all without it
 * @returns the verdict when each score at or above `threshold` is a detection
 */
export function scoreAt(corpus: readonly Recording[], scores: readonly Float64Array[], threshold: number, rows?: readonly Uint32Array[]): Verdict {
  const sum = { points: 0, found: 0, windows: 0, falseAlarms: 0, rows: 0 };
  corpus.forEach((recording, index) => {
    const one = scoreRecording(recording, scores[index] as Float64Array, threshold, rows?.[index]);
    sum.points += one.points;
    sum.found += one.found;
    sum.falseAlarms += one.falseAlarms;
    sum.windows += recording.windows.length;
    sum.rows += recording.values.length;
  });
  const perfect = sum.windows * sigmoid(-1);
  return { score: (100 * (sum.points + sum.windows)) / (perfect + sum.windows), threshold, ...sum };
}

function scoreRecording(recording: Recording, scores: Float64Array, threshold: number, rows: Iterable<number> = scores.keys()) {
  const { windows } = recording;
  const probation = probationOf(scores.length);
  let [points, falseAlarms, next] = [0, 0, 0];
  const found = new Set<LabelWindow>();
  for (const row of rows) {
    if (row < probation || !((scores[row] as number) >= threshold)) continue;
    while (next < windows.length && (windows[next] as LabelWindow).last < row) next++;
    const window = windows[next];
    if (window !== undefined && row >= window.first) {
      if (!found.has(window)) points += sigmoid(-(window.last - row + 1) / (window.last - window.first + 1));
      found.add(window);
    } else {
      falseAlarms += 1;
      points += FALSE_ALARM * afterWindow(windows[next - 1], row);
    }
  }
  return { points: points - (windows.length - found.size), found: found.size, falseAlarms };
}

export function probationOf(rows: number): number {
  return Math.floor(PROBATION_SHARE * Math.min(rows, PROBATION_ROWS_MAX / PROBATION_SHARE));
}

/** From 0.99 at the window's begin (−1) over 0 at its end (0) towards −1 after it. */
function sigmoid(position: number): number {
  return 2 / (1 + Math.exp(5 * position)) - 1;
}

function afterWindow(window: LabelWindow | undefined, row: number): number {
  if (window === undefined) return -1;
  const position = (row - window.last) / Math.max(1, window.last - window.first);
  return position > 3 ? -1 : sigmoid(position);
}
