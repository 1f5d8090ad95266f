// What the job thread can be asked to run: the batch jobs, and what needs more of the gateway than those know.

import { jobs as batchJobs } from "../batch/jobs/index.ts";

export const jobs = {
  ...batchJobs,
  import: async () => (await import("../history/import.ts")).runImport,
  "rebuild-alerts": async () => (await import("../replay/rebuild-alerts.ts")).runRebuildAlerts,
} as const;
export type JobName = keyof typeof jobs;
type Run<Name extends JobName> = Awaited<ReturnType<(typeof jobs)[Name]>>;
type Options<Name extends JobName> = Parameters<Run<Name>>[1];
/** What a job is told; how it is ended and asked how far it is, is its thread's business. */
export type JobOptions<Name extends JobName> = Omit<Options<Name>, "signal" | "progress" | "input">;
export type JobProgress<Name extends JobName> = Parameters<NonNullable<Options<Name>["progress"]>>[0];
export type JobReport<Name extends JobName> = Awaited<ReturnType<Run<Name>>>;
