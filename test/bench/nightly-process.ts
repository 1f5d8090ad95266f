// Summarises a day of a data directory that holds it in chunks, as `highwater summarize --day` does, as a process of its own. Takes the
// folder and the day on the command line; prints its figures as a line of JSON.

import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { dayBounds, utc } from "../../src/engine/calendar.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { writeFinished } from "../../src/storage/finished.ts";

/** By processor time, all threads of the process counted, and by the clock on the wall. */
export type NightlyFigures = { readonly readings: number; readonly cpuSeconds: number; readonly seconds: number };

async function run(dataDir: string, day: string): Promise<NightlyFigures> {
  const db = openDatabase(dataDir, { readonly: false });
  // As on the first night: what stands there already would not be written again.
  db.exec("DELETE FROM daily_summary");
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  const report = await runDailySummary(db, { zone: utc, now: dayBounds(utc, day).end, days: { from: day, to: day }, devices: {} }, (rows) =>
    writeFinished(db, rows),
  );
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - begun) / 1000;
  db.close();
  return { readings: report.readings, cpuSeconds: (user + system) / 1e6, seconds };
}

process.stdout.write(`${JSON.stringify(await run(process.argv[2] as string, process.argv[3] as string))}\n`);
