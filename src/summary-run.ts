// One run of the daily summary: a job thread that reads and computes, whose rows go to the writer as they come.

import { once } from "node:events";
import type { DailySummaryProgress } from "./batch/jobs/daily-summary.ts";
import type { SummaryReport } from "./batch/jobs/summary-report.ts";
import { answerCalls } from "./call.ts";
import type { JobStart, JobVerbs } from "./messages.ts";
import { startTerminable } from "./worker.ts";

/**
 * @param emit resolves when the rows are committed
 * @param signal ends the thread; what was emitted stands, and the next run goes on from there
 */
export async function runSummary(
  start: Omit<JobStart, "job">,
  emit: JobVerbs["emit"],
  options: { signal?: AbortSignal; progress?: (progress: DailySummaryProgress) => void } = {},
): Promise<SummaryReport | undefined> {
  const { worker, terminate } = startTerminable("job", { job: "daily-summary", ...start } satisfies JobStart);
  const ended = once(worker, "exit");
  const end = (): void => void terminate();
  options.signal?.addEventListener("abort", end, { once: true });
  answerCalls<JobVerbs>(worker, { emit });
  let report: SummaryReport | undefined;
  worker.on("message", (message: { kind: string; progress?: DailySummaryProgress; report?: SummaryReport }) => {
    if (message.kind === "progress" && message.progress !== undefined) options.progress?.(message.progress);
    if (message.kind === "report") report = message.report;
  });
  try {
    await ended;
  } finally {
    options.signal?.removeEventListener("abort", end);
  }
  return report;
}
