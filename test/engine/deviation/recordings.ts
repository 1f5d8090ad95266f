// Synthetic labelled recordings: seeded signals of many shapes, each with anomalies put in where the labels say, and with harmless oddities elsewhere.
// A window is centred on its anomaly; the windows of a recording share a tenth of its rows. One seed, one corpus. Nothing here is taken from a real recording.

import { createRandom, seedOf } from "../../../simulators/signals.ts";
import { type AnomalyKind, insertAnomaly, insertOddity } from "./anomalies.ts";
import { createDraw, type Draw } from "./draw.ts";
import { shapes } from "./shapes.ts";

/** First and last row of a labelled window. */
export type LabelWindow = { readonly first: number; readonly last: number };

export type Recording = {
  readonly name: string;
  /** Epoch ms, ascending. */
  readonly ts: Float64Array;
  readonly values: Float64Array;
  readonly windows: readonly LabelWindow[];
  readonly kinds: readonly AnomalyKind[];
};

const HOUR_MS = 3_600_000;
const START_MS = 1_380_000_000_000;
const WINDOW_SHARE = 0.1;

/**
 * A corpus: `perShape` recordings of each shape.
 * @param rowsMax no recording is longer
 */
export function createCorpus(seed: number, perShape: number, rowsMax = 20_000): Recording[] {
  return shapes.flatMap((shape) =>
    Array.from({ length: perShape }, (_, index) => createRecording(`${shape.name}-${index}`, seedOf(seed, `${shape.name}/${index}`), rowsMax)),
  );
}

function createRecording(name: string, seed: number, rowsMax: number): Recording {
  const shape = shapes.find((candidate) => name.startsWith(`${candidate.name}-`));
  if (shape === undefined) throw new Error(`no shape ${name}`);
  const draw = createDraw(createRandom(seed));
  const rows = Math.min(rowsMax, Math.round(draw.between(...shape.rows)));
  const ts = instants(rows, shape.stepMs, shape.gaps ?? 0, draw);
  const values = shape.signal(ts, draw);
  const calm = values.slice();
  for (let left = draw.count(rows / 2500); left > 0; left--) insertOddity(values, calm, Math.floor(draw.between(0, rows - 1)), draw);
  const places = anomalyPlaces(rows, draw);
  const kinds = places.map(() => draw.pick(shape.anomalies));
  const perDay = Math.max(4, Math.round((24 * HOUR_MS) / shape.stepMs));
  places.forEach((at, index) => {
    insertAnomaly(kinds[index] as AnomalyKind, { values, calm, at, perDay, draw });
  });
  if (shape.floor !== undefined) for (let row = 0; row < rows; row++) values[row] = Math.max(shape.floor, values[row] as number);
  if (shape.decimals !== undefined) for (let row = 0; row < rows; row++) values[row] = Number((values[row] as number).toFixed(shape.decimals));
  const half = Math.max(2, Math.round((rows * WINDOW_SHARE) / Math.max(1, places.length) / 2));
  const windows = places.map((at) => ({ first: Math.max(0, at - half), last: Math.min(rows - 1, at + half) }));
  return { name, ts, values, windows, kinds };
}

function instants(rows: number, stepMs: number, gaps: number, draw: Draw): Float64Array {
  const ts = new Float64Array(rows);
  let at = START_MS + Math.floor(draw.between(0, 300)) * HOUR_MS;
  for (let row = 0; row < rows; row++) {
    ts[row] = at;
    at += stepMs;
    if (gaps > 0 && draw.uniform() < gaps) at += stepMs * Math.ceil(draw.exponential(8));
  }
  return ts;
}

/** Rows at which anomalies begin: none in one recording of eight, else one to four, past the first 18 %, apart from each other. */
function anomalyPlaces(rows: number, draw: Draw): number[] {
  if (draw.uniform() < 0.12) return [];
  const wanted = draw.pick([1, 1, 2, 2, 3, 4]);
  const places: number[] = [];
  for (let trial = 0; trial < 50 && places.length < wanted; trial++) {
    const at = Math.floor(draw.between(0.2, 0.94) * rows);
    if (places.every((other) => Math.abs(other - at) > rows * 0.13)) places.push(at);
  }
  return places.toSorted((a, b) => a - b);
}
