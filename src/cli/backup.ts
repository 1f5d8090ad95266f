// `highwater backup`: a copy of the database as of one moment, while a gateway runs and writes, or without one. It reads the file itself and
// asks no gateway, so that it works whatever state that one is in.

import { resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../clock.ts";
import { type BackupStep, backupFileOf, megabytes, writeBackup } from "../storage/backup.ts";
import type { BackupFacts } from "../storage/backup-check.ts";
import { openDatabase } from "../storage/database.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG } from "./command.ts";
import { shownPath } from "./problems.ts";
import { createProgressLine, type Progress } from "./progress.ts";
import { counted, timeText } from "./text.ts";

type Options = { readonly config: string; readonly json?: true };

export const backupCommand: CliCommand = {
  name: "backup",
  summary: "copy the database, checked, while the gateway runs",
  register(program: Command): void {
    program
      .argument("[file]", "where to; default: backups/highwater-TIME.db in the data directory")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines")
      .action(backUp);
  },
};

async function backUp(named: string | undefined, { config, json }: Options): Promise<void> {
  const { dataDir } = configOf(config).gateway;
  const file = named === undefined ? backupFileOf(dataDir, systemClock.now()) : resolve(named);
  const line = createProgressLine(process.stderr, systemClock);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  const db = openDatabase(dataDir, { readonly: true });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, interrupt);
  try {
    const facts = await writeBackup(db, file, { signal: interrupted.signal, progress: (step) => line.show(progressOf(step)) });
    line.end();
    process.stdout.write(json ? `${JSON.stringify({ file, ...factsForMachines(facts) }, null, 2)}\n` : `${shownPath(file)}: ${factsText(facts)}\n`);
  } finally {
    line.end();
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, interrupt);
    db.close();
  }
}

function progressOf({ kind, pages, ofPages, pageBytes }: BackupStep): Progress {
  const [done, all] = [pages * pageBytes, ofPages * pageBytes].map(megabytes);
  return { done: pages, of: ofPages, text: kind === "copying" ? `${done} of ${all} copied` : `${all} copied, checking` };
}

/** Of a backup, for `restore` too. */
export const factsForMachines = ({ bytes, pages, schema, seq, through, readings }: BackupFacts) => ({
  bytes,
  pages,
  schema,
  seq,
  through: through === null ? null : new Date(through).toISOString(),
  readings,
});

export function factsText({ bytes, seq, through, readings }: BackupFacts): string {
  const journal =
    through === null ? "nothing in the journal yet" : `all up to ${timeText(through)} (journal row ${seq}), ${counted(readings, "reading")} in the journal`;
  return `${megabytes(bytes)}, ${journal}; checked`;
}
