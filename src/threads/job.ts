// A job thread: reads, computes, and hands finished rows to whoever started it; ends with the job's report.

import { parentPort, workerData } from "node:worker_threads";
import { createCaller } from "../call.ts";
import type { JobStart, JobVerbs } from "../messages.ts";
import { type Database, openDatabase, SMALL_CACHE_KIB } from "../storage/database.ts";
import type { FinishedRow } from "../storage/finished.ts";
import { jobs } from "../upkeep/job-list.ts";
import { giveWay, LOADED } from "../worker.ts";

const port = parentPort as NonNullable<typeof parentPort>;
const { job, dataDir, options } = workerData as JobStart;
type Run = (db: Database, options: unknown, emit: (rows: FinishedRow[]) => Promise<void>, define: JobVerbs["define"]) => Promise<unknown>;
giveWay();
const db = openDatabase(dataDir, { readonly: true, cacheKib: SMALL_CACHE_KIB });
const run = (await jobs[job]()) as Run;
port.postMessage(LOADED);
const ask = createCaller<JobVerbs>(port);
const progress = (value: unknown): void => port.postMessage({ kind: "progress", progress: value });
const report = await run(
  db,
  { ...options, progress },
  (rows) => ask("emit", rows),
  (series) => ask("define", series),
);
db.close();
port.postMessage({ kind: "report", report });
port.close();
