// The grids that buckets lie on: single readings, steps of fixed width on the epoch, local days of a zone.

import { type Day, dayBounds, dayOf, type ZoneTable } from "../engine/calendar.ts";
import { type DurationMs, type EpochMs, floorMod } from "../engine/units.ts";
import type { Step } from "./query.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** From the finest to the coarsest: what a query without `step` chooses from. */
export const STEPS: readonly Step[] = [
  "raw",
  MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  "day",
];

export type Grid = {
  readonly step: Step;
  /** 1 for raw, 24 h for days, whatever their length. */
  readonly stepMs: DurationMs;
  /** Bounds of the bucket that holds `ts`: start inclusive, end exclusive. */
  boundsOf(ts: EpochMs): { readonly start: EpochMs; readonly end: EpochMs };
  /** The local day that begins at `start`; only of the grid of days. */
  dayAt(start: EpochMs): Day | undefined;
};

export function createGrid(step: Step, zone: ZoneTable): Grid {
  if (step === "day") return dayGrid(zone);
  const size = step === "raw" ? 1 : step;
  return {
    step,
    stepMs: size,
    boundsOf(ts) {
      const start = ts - floorMod(ts, size);
      return { start, end: start + size };
    },
    dayAt: () => undefined,
  };
}

function dayGrid(zone: ZoneTable): Grid {
  let last = { start: 0, end: 0 };
  return {
    step: "day",
    stepMs: DAY_MS,
    boundsOf(ts) {
      if (ts < last.start || ts >= last.end) last = dayBounds(zone, dayOf(zone, ts));
      return last;
    },
    dayAt: (start) => dayOf(zone, start),
  };
}

/** How many buckets of a step it takes to hold the span; exact but for days, which are counted as of 24 hours. */
export function bucketsIn(grid: Grid, from: EpochMs, to: EpochMs): number {
  return from < to ? Math.ceil((grid.boundsOf(to - 1).end - grid.boundsOf(from).start) / grid.stepMs) : 0;
}
