// The open list of batch jobs: what the job thread can be asked to run. One line per job.

import { runCompaction } from "./compaction.ts";
import { runDailySummary } from "./daily-summary.ts";
import { runRebuildRollups } from "./rebuild-rollups.ts";
import { runRetention } from "./retention.ts";

export const jobs = { compaction: runCompaction, "daily-summary": runDailySummary, "rebuild-rollups": runRebuildRollups, retention: runRetention } as const;
export type JobName = keyof typeof jobs;
type Options<Name extends JobName> = Parameters<(typeof jobs)[Name]>[1];
/** What a job is told; how it is ended and asked how far it is, is its thread's business. */
export type JobOptions<Name extends JobName> = Omit<Options<Name>, "signal" | "progress">;
export type JobProgress<Name extends JobName> = Parameters<NonNullable<Options<Name>["progress"]>>[0];
export type JobReport<Name extends JobName> = Awaited<ReturnType<(typeof jobs)[Name]>>;
