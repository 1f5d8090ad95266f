// What goes wrong in the synthetic recordings, and what only looks odd. Sizes are drawn from modest to gross, relative to the signal's own spread.
// An anomaly begins within a few rows of its label; an oddity has no label, so whoever cries at it pays.

import type { Draw } from "./draw.ts";

export type AnomalyKind = "spike" | "dip" | "shift" | "ramp" | "noisier" | "stuck" | "quiet-day" | "burst" | "outage" | "rhythm" | "flurry";

/** Where an anomaly goes: the signal to change, the signal as it was, the row, and how many rows a day has. */
export type Place = { readonly values: Float64Array; readonly calm: Float64Array; readonly at: number; readonly perDay: number; readonly draw: Draw };

type Spread = { readonly low: number; readonly middle: number; readonly high: number; readonly range: number; readonly noise: number };

export function insertAnomaly(kind: AnomalyKind, place: Place): void {
  insertions[kind](place, spreadOf(place.calm));
}

/** A lone small spike, a short small shift or a few repeated values: nothing that a person would be called for. */
export function insertOddity(values: Float64Array, calm: Float64Array, at: number, draw: Draw): void {
  const spread = spreadOf(calm);
  const choice = draw.uniform();
  if (choice < 0.6) add(values, at, 1 + draw.count(0.5), () => draw.pick([-1, 1]) * draw.between(0.15, 0.5) * spread.range);
  else if (choice < 0.8) add(values, at, 5 + draw.count(20), () => draw.between(0.05, 0.15) * spread.range);
  else add(values, at, 3 + draw.count(4), (row) => (values[at] as number) - (values[row] as number));
}

function spreadOf(calm: Float64Array): Spread {
  const sorted = calm.toSorted();
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number;
  const steps = new Float64Array(calm.length - 1);
  for (let row = 1; row < calm.length; row++) steps[row - 1] = Math.abs((calm[row] as number) - (calm[row - 1] as number));
  const noise = steps.toSorted()[Math.floor(steps.length * 0.6)] as number;
  const [low, middle, high] = [quantile(0.01), quantile(0.5), quantile(0.99)];
  return { low, middle, high, range: Math.max(high - low, 1e-6 + Math.abs(middle) * 0.02), noise };
}

/** Adds to `length` rows from `at`. */
function add(values: Float64Array, at: number, length: number, amount: (row: number, part: number) => number): void {
  const end = Math.min(values.length, at + length);
  for (let row = at; row < end; row++) values[row] = (values[row] as number) + amount(row, (row - at) / length);
}

const insertions: Readonly<Record<AnomalyKind, (place: Place, spread: Spread) => void>> = {
  spike({ values, at, draw }, { range, high }) {
    const size = draw.between(0.4, 2) * range;
    const top = high + size * draw.between(0.2, 1);
    add(values, at, 1 + draw.count(1.5), (row) => (draw.uniform() < 0.9 ? Math.max(size, top - (values[row] as number)) : size));
  },
  dip({ values, at, draw }, { range, low }) {
    const bottom = low - draw.between(0.15, 1.2) * range;
    add(values, at, 1 + draw.count(3), (row) => bottom - (values[row] as number));
  },
  shift({ values, at, perDay, draw }, { range, noise }) {
    const size = draw.pick([-1, 1, 1]) * Math.max(draw.between(0.3, 1) * range, 3 * noise);
    const length = draw.uniform() < 0.4 ? values.length : Math.round(draw.between(0.1, 2) * perDay);
    add(values, at, length, () => size);
  },
  ramp({ values, at, perDay, draw }, { range }) {
    const size = draw.pick([-1, 1]) * draw.between(0.6, 1.6) * range;
    add(values, at, Math.round(draw.between(0.3, 2) * perDay), (_, part) => size * part);
  },
  noisier({ values, at, perDay, draw }, { range, noise }) {
    const size = Math.max(draw.between(0.12, 0.4) * range, 2.5 * noise);
    add(values, at, Math.round(draw.between(0.1, 1) * perDay) + 8, () => draw.gaussian() * size);
  },
  stuck({ values, at, perDay, draw }) {
    const held = values[at] as number;
    add(values, at, Math.round(draw.between(0.3, 1.5) * perDay) + 12, (row) => held - (values[row] as number));
  },
  "quiet-day"({ values, calm, at, perDay, draw }, { low, middle }) {
    const length = Math.round(draw.between(0.6, 1.2) * perDay);
    const share = draw.between(0.5, 1);
    add(values, at - (length >> 1), length, (row) => -share * Math.max(0, (calm[row] as number) - (low + middle) / 2));
  },
  burst({ values, at, perDay, draw }, { range }) {
    const size = draw.between(1, 4) * range;
    const fade = Math.round(draw.between(0.02, 0.2) * perDay) + 2;
    add(values, at, fade * 5, (row) => size * Math.exp(-(row - at) / fade) * draw.between(0.5, 1.1));
  },
  outage({ values, at, draw, perDay }, { low, range }) {
    const level = low - draw.between(0, 0.3) * range;
    add(values, at, Math.round(draw.between(0.03, 0.4) * perDay) + 3, (row) => level - (values[row] as number));
  },
  rhythm({ values, calm, at, perDay, draw }) {
    const late = Math.round(draw.between(0.2, 0.6) * perDay);
    add(values, at, Math.round(draw.between(1, 2) * perDay), (row) => (calm[Math.max(0, row - late)] as number) - (calm[row] as number));
  },
  flurry({ values, at, draw }, { range }) {
    for (let left = 4 + draw.count(5), row = at; left > 0; left--, row += 1 + draw.count(5)) add(values, row, 1, () => draw.between(0.5, 1.5) * range);
  },
};
