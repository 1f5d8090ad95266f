// Runs of jobs, one after the other: each a thread that reads and computes, whose rows go to the writer as they come.

import { once } from "node:events";
import { answerCalls } from "../call.ts";
import { restoreError } from "../error.ts";
import type { JobVerbs } from "../messages.ts";
import { startTerminable } from "../worker.ts";
import type { JobName, JobOptions, JobProgress, JobReport } from "./job-list.ts";

export type JobsOptions = {
  readonly dataDir: string;
  /** Resolves when the rows are committed. */
  readonly emit: JobVerbs["emit"];
  readonly define: JobVerbs["define"];
  /** Ends the run that goes on; what was emitted stands, and the next run goes on from there. */
  readonly signal: AbortSignal;
};
export type Jobs = ReturnType<typeof createJobs>;

/** What the jobs read they also write: two at once would do the same work twice. */
export function createJobs(options: JobsOptions) {
  let last: Promise<unknown> = Promise.resolve();
  return {
    /** When those before it have ended. @param signal ends this run alone @returns undefined when it was ended early */
    run<Name extends JobName>(
      job: Name,
      asked: JobOptions<Name>,
      progress?: (progress: JobProgress<Name>) => void,
      signal?: AbortSignal,
    ): Promise<JobReport<Name> | undefined> {
      const ends = signal === undefined ? options.signal : AbortSignal.any([options.signal, signal]);
      const run = last.then(() => runJob(job, asked, { ...options, signal: ends, stop: options.signal }, progress));
      last = run.catch(() => undefined);
      return run;
    },
  };
}

async function runJob<Name extends JobName>(
  job: Name,
  options: JobOptions<Name>,
  { dataDir, emit, define, signal, stop }: JobsOptions & { readonly stop: AbortSignal },
  progress: ((progress: JobProgress<Name>) => void) | undefined,
): Promise<JobReport<Name> | undefined> {
  if (signal.aborted) return undefined;
  const { worker, terminate } = startTerminable("job", { job, dataDir, options });
  const ended = once(worker, "exit");
  const end = (): void => void terminate();
  signal.addEventListener("abort", end, { once: true });
  const emitted = createEmitted(emit, stop);
  answerCalls<JobVerbs>(worker, { emit: emitted.emit, define });
  let report: JobReport<Name> | undefined;
  worker.on("message", (message: { kind: string; progress?: JobProgress<Name>; report?: JobReport<Name> }) => {
    if (message.kind === "progress" && message.progress !== undefined) progress?.(message.progress);
    if (message.kind === "report") report = message.report;
  });
  try {
    await ended;
  } catch (error) {
    throw (error as Error).name === "GatewayError" ? restoreError(error as Error) : error;
  } finally {
    signal.removeEventListener("abort", end);
    await emitted.written();
  }
  return report;
}

/** What a run that was ended, or failed, left on the way is written before the next one reads. @param stop ends the waiting: the writer ends too */
function createEmitted(emit: JobVerbs["emit"], stop: AbortSignal) {
  const waiting = new Set<Promise<unknown>>();
  return {
    emit(rows: Parameters<JobVerbs["emit"]>[0]): ReturnType<JobVerbs["emit"]> {
      const written = Promise.resolve(emit(rows));
      waiting.add(written);
      void written.catch(() => undefined).finally(() => waiting.delete(written));
      return written;
    },
    async written(): Promise<void> {
      if (waiting.size === 0 || stop.aborted) return;
      await Promise.race([Promise.allSettled(waiting), once(stop, "abort")]);
    },
  };
}
