// Compacts what the journal of a data directory holds, as the job does where no gateway runs, as a process of its own. `--dry`: what comes
// out is thrown away, so that the job alone is measured. Takes the folder on the command line; prints its figures as a line of JSON.

import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { utc } from "../../src/engine/calendar.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { writeFinished } from "../../src/storage/finished.ts";

/** By processor time, all threads of the process counted, and by the clock on the wall. */
export type CompactionFigures = { readonly readings: number; readonly cpuSeconds: number; readonly seconds: number };

async function run(dataDir: string, isDry: boolean): Promise<CompactionFigures> {
  const db = openDatabase(dataDir, { readonly: false });
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  const { readings } = await runCompaction(db, { zone: utc, now: Date.now() }, (rows) => {
    if (!isDry) writeFinished(db, rows);
  });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - begun) / 1000;
  db.close();
  return { readings, cpuSeconds: (user + system) / 1e6, seconds };
}

process.stdout.write(`${JSON.stringify(await run(process.argv[2] as string, process.argv.includes("--dry")))}\n`);
