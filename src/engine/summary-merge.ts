// Late readings merged into the summary of a day whose readings are no longer whole. Count, sum, mean, deviation, extremes, first and last
// come out as they would have; percentiles, gaps and coverage stay as they were, which is why the day is called approximate.

import type { DaySummary } from "./summary.ts";

/** @param late the summary of the late readings alone */
export function mergeSummary(stored: DaySummary, late: DaySummary): DaySummary {
  const count = stored.count + late.count;
  const avg = stored.avg + ((late.avg - stored.avg) * late.count) / count;
  const sum = stored.sum === null || late.sum === null ? null : finite(stored.sum + late.sum);
  const isFirst = late.first_ts < stored.first_ts;
  const isLast = late.last_ts > stored.last_ts;
  return {
    ...stored,
    count,
    ...(late.min < stored.min && { min: late.min, min_ts: late.min_ts }),
    ...(late.max > stored.max && { max: late.max, max_ts: late.max_ts }),
    avg,
    stddev: stddevOf(stored, late),
    ...(isFirst && { first: late.first, first_ts: late.first_ts }),
    ...(isLast && { last: late.last, last_ts: late.last_ts }),
    sum,
    late: stored.late + late.late,
    alerts: late.alerts,
  };
}

/** By Chan, Golub and LeVeque. */
function stddevOf(a: DaySummary, b: DaySummary): number | null {
  const [squaresA, squaresB] = [squaresOf(a), squaresOf(b)];
  if (squaresA === null || squaresB === null) return null;
  const count = a.count + b.count;
  const delta = b.avg - a.avg;
  return finite(Math.sqrt((squaresA + squaresB + (delta * delta * a.count * b.count) / count) / (count - 1)));
}

/** Null where the deviation is not known. */
function squaresOf({ count, stddev }: DaySummary): number | null {
  if (count === 1) return 0;
  return stddev === null ? null : stddev * stddev * (count - 1);
}

const finite = (figure: number): number | null => (Number.isFinite(figure) ? figure : null);
