// The open list of batch jobs: what the job thread can be asked to run. One line per job.

import { runDailySummary } from "./daily-summary.ts";

export const jobs = { "daily-summary": runDailySummary } as const;
export type JobName = keyof typeof jobs;
