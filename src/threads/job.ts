// A job thread: reads, computes, and hands finished rows to whoever started it; ends with the job's report.

import { parentPort, workerData } from "node:worker_threads";
import { jobs } from "../batch/jobs/index.ts";
import { createCaller } from "../call.ts";
import type { JobStart, JobVerbs } from "../messages.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import type { FinishedRow } from "../storage/finished.ts";
import { giveWay, LOADED } from "../worker.ts";

const port = parentPort as NonNullable<typeof parentPort>;
const { job, dataDir, options } = workerData as JobStart;
type Run = (db: Database, options: unknown, emit: (rows: FinishedRow[]) => Promise<void>) => Promise<unknown>;
giveWay();
const db = openDatabase(dataDir, { readonly: true });
port.postMessage(LOADED);
const ask = createCaller<JobVerbs>(port);
const run = jobs[job] as Run;
const report = await run(db, { ...options, progress: (progress: unknown) => port.postMessage({ kind: "progress", progress }) }, (rows) => ask("emit", rows));
db.close();
port.postMessage({ kind: "report", report });
port.close();
