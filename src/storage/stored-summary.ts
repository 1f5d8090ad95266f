// A daily summary as the store gives it back, from whatever version wrote it.

import type { DaySummary } from "../engine/summary.ts";
import type { EpochMs } from "../engine/units.ts";

/** Summaries that were written before it was kept do not say when the extremes were read, and list no gap, whatever `gaps` counts. */
export type StoredSummary = Omit<DaySummary, "min_ts" | "max_ts"> & { readonly min_ts: EpochMs | null; readonly max_ts: EpochMs | null };

/** @param body JSON, as `daily_summary` keeps it */
export const readSummary = (body: string): StoredSummary => ({
  min_ts: null,
  max_ts: null,
  longest_gaps: [],
  ...(JSON.parse(body) as Omit<StoredSummary, "min_ts" | "max_ts" | "longest_gaps">),
});
