// The last hour of the sensors that are on the screen: asked for in batches, then carried on by live readings.

import { type Signal, signal } from "@preact/signals";
import type { SeriesBucketsRow } from "../http/routes/readings.ts";

/** A minute (or less) of a series: its middle and its extremes. */
export type Point = { readonly t: number; readonly low: number; readonly mid: number; readonly high: number };

export type Histories = {
  /** Oldest first; undefined until it is known. Asking for it makes it be fetched. */
  of(id: number): Signal<readonly Point[] | undefined>;
  /** Does not ask for it. */
  known(id: number): Signal<readonly Point[] | undefined> | undefined;
  append(id: number, reading: { readonly ts: number; readonly value: number }): void;
  /** All is asked for anew: readings were missed. */
  forget(): void;
};

export const SPAN_MS = 3_600_000;
/** Live readings that are closer than this share of what is drawn become one point. */
const POINT_SHARE = 1 / 200;
/** As many series as one request may name. */
const BATCH_MAX = 100;

export function createHistories(fetchBuckets: (ids: readonly number[], from: number) => Promise<readonly SeriesBucketsRow[]>): Histories {
  const known = new Map<number, Signal<readonly Point[] | undefined>>();
  const wanted = new Set<number>();
  let scheduled = false;

  const want = (id: number): void => {
    wanted.add(id);
    if (scheduled) return;
    scheduled = true;
    setTimeout(() => void load(), 60);
  };
  const load = async (): Promise<void> => {
    const ids = [...wanted].slice(0, BATCH_MAX);
    for (const id of ids) wanted.delete(id);
    const from = Date.now() - SPAN_MS;
    try {
      const rows = await fetchBuckets(ids, from);
      const points = new Map(
        rows.map(({ id, buckets }) => [id, buckets.map(({ t, end, min, max, avg }) => ({ t: (t + end) / 2, low: min ?? 0, mid: avg ?? 0, high: max ?? 0 }))]),
      );
      for (const id of ids) {
        const cell = known.get(id);
        if (cell !== undefined) cell.value = merge(points.get(id) ?? [], cell.peek() ?? []);
      }
    } catch {
      for (const id of ids) known.delete(id);
    }
    scheduled = false;
    const [next] = wanted;
    if (next !== undefined) want(next);
  };
  return {
    of(id) {
      const found = known.get(id);
      if (found !== undefined) return found;
      const cell = signal<readonly Point[] | undefined>(undefined);
      known.set(id, cell);
      want(id);
      return cell;
    },
    known: (id) => known.get(id),
    append(id, { ts, value }) {
      const cell = known.get(id);
      const points = cell?.peek();
      if (cell === undefined || points === undefined) return;
      cell.value = carryOn(points, ts, value);
    },
    forget() {
      for (const id of known.keys()) want(id);
    },
  };
}

/** Stored minutes, then the live points that are newer than all of them. */
const merge = (stored: readonly Point[], live: readonly Point[]): readonly Point[] => {
  const last = stored.at(-1)?.t ?? Number.NEGATIVE_INFINITY;
  return [...stored, ...live.filter(({ t }) => t > last)];
};

function carryOn(points: readonly Point[], ts: number, value: number): readonly Point[] {
  const start = ts - SPAN_MS;
  const kept = points.filter(({ t }) => t >= start && t <= ts);
  const last = kept.at(-1);
  const beforeLast = kept.at(-2);
  const span = ts - (kept[0]?.t ?? ts);
  // The newest point moves along until it is far enough from the one before it.
  if (last !== undefined && beforeLast !== undefined && ts - beforeLast.t < span * POINT_SHARE) kept.pop();
  kept.push({ t: ts, low: value, mid: value, high: value });
  return kept;
}
