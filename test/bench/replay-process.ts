// Replays a data directory, exactly, as `highwater replay` does, as a process of its own. Takes the folder on the command line; prints
// its figures as a line of JSON.

import { countReadings, engineAt, findBase, findRange, replayJournal } from "../../src/replay/journal-replay.ts";
import { openDatabase } from "../../src/storage/database.ts";

export type ReplayFigures = {
  readonly readings: number;
  readonly rows: number;
  /** Rows whose effects are not those of the live run. */
  readonly differing: number;
  /** Of processor time, all threads of the process counted. */
  readonly perSecond: number;
  /** By the clock on the wall. */
  readonly perSecondElapsed: number;
};

function run(dataDir: string): ReplayFigures {
  const db = openDatabase(dataDir, { readonly: true });
  const range = findRange(db, 0, Number.MAX_SAFE_INTEGER);
  const base = range && findBase(db, range.firstSeq, range.from);
  if (range === undefined || base === undefined) throw new Error(`there is nothing to replay in ${dataDir}`);
  const readings = countReadings(db, base.seq, range.lastSeq);
  let [rows, differing] = [0, 0];
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  replayJournal(db, { engine: engineAt(db, base), base, range }, ({ isSame }) => {
    rows += 1;
    if (!isSame) differing += 1;
  });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - begun) / 1000;
  db.close();
  return { readings, rows, differing, perSecond: (readings * 1e6) / (user + system), perSecondElapsed: readings / seconds };
}

process.stdout.write(`${JSON.stringify(run(process.argv[2] as string))}\n`);
