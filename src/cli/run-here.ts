// A job in this process, under the data directory's lock: for verbs that write while no gateway runs. Interrupted, it keeps what is done.

import type { Emit } from "../batch/jobs/emitter.ts";
import { explainedWhileOpen } from "../storage/data-dir-error.ts";
import { type Database, lockDataDir, openDatabase } from "../storage/database.ts";
import { writeFinished } from "../storage/finished.ts";

/** @throws GatewayError `database_missing`, `data_dir_in_use`, and those of `explaining`: a page may turn out to be damaged at any time */
export async function runHere<Report>(
  dataDir: string,
  job: (db: Database, here: { readonly emit: Emit; readonly signal: AbortSignal }) => Promise<Report>,
): Promise<Report> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  // Asked first, as opening to write would make a database where there is none.
  openDatabase(dataDir, { readonly: true }).close();
  const lock = lockDataDir(dataDir);
  const db = openDatabase(dataDir, { readonly: false });
  process.once("SIGINT", interrupt);
  try {
    return await job(db, { emit: (rows) => writeFinished(db, rows), signal: interrupted.signal });
  } catch (error) {
    throw explainedWhileOpen(db.name, error);
  } finally {
    process.off("SIGINT", interrupt);
    db.close();
    lock.release();
  }
}
