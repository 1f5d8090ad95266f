// Local days without Date or Intl: a zone is a table of its offsets, made by the shell (src/zone.ts) and carried in the plan.
// A day has 23, 23.5, 24, 24.5 or 25 hours; it begins at the first instant whose local date it is.

import type { DurationMs, EpochMs } from "./units.ts";

/** `offsets[i]` (ms east of UTC) holds from `from[i]` (inclusive) on; `from[0]` is -Infinity's stand-in, Number.MIN_SAFE_INTEGER. */
export type ZoneTable = { readonly name: string; readonly from: readonly EpochMs[]; readonly offsets: readonly DurationMs[] };

/** A local day as `YYYY-MM-DD`. */
export type Day = string;
