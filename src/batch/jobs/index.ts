// The open list of batch jobs. One line per job.

import { runCompaction } from "./compaction.ts";
import { runDailySummary } from "./daily-summary.ts";
import { runRebuildRollups } from "./rebuild-rollups.ts";
import { runRetention } from "./retention.ts";

export const jobs = { compaction: runCompaction, "daily-summary": runDailySummary, "rebuild-rollups": runRebuildRollups, retention: runRetention } as const;
