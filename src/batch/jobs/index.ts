// The open list of batch jobs. One line per job.

import { runCompaction } from "./compaction.ts";
import { runDailySummary } from "./daily-summary.ts";
import { runRetention } from "./retention.ts";

export const jobs = { compaction: runCompaction, "daily-summary": runDailySummary, retention: runRetention } as const;
