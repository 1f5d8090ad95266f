// `highwater restore`: puts a backup in the place of the data directory's database, which is moved aside and kept. No gateway may run there
// meanwhile; the next start recovers from what the backup holds.

import { resolve } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../clock.ts";
import { megabytes } from "../storage/backup.ts";
import { lockDataDir } from "../storage/database.ts";
import { type Restored, restoreBackup } from "../storage/restore.ts";
import { configOf } from "./account-store.ts";
import { factsForMachines, factsText } from "./backup.ts";
import { type CliCommand, DEFAULT_CONFIG } from "./command.ts";
import { shownPath } from "./problems.ts";
import { createProgressLine } from "./progress.ts";

type Options = { readonly config: string; readonly force?: boolean; readonly json?: true };

export const restoreCommand: CliCommand = {
  name: "restore",
  summary: "put a backup in the place of the database, while no gateway runs",
  register(program: Command): void {
    program
      .argument("<file>", "what `highwater backup` wrote")
      .option("--force", "also where a database is already: it is moved aside and kept")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines")
      .action(restore);
  },
};

function restore(backup: string, { config, force = false, json }: Options): void {
  const { dataDir } = configOf(config).gateway;
  const line = createProgressLine(process.stderr, systemClock);
  const progress = (done: number, of: number): void => line.show({ done, of, text: `${megabytes(done)} of ${megabytes(of)} copied` });
  const lock = lockDataDir(dataDir);
  try {
    const restored = restoreBackup(resolve(backup), dataDir, { force, now: systemClock.now(), progress });
    line.end();
    process.stdout.write(json ? `${JSON.stringify(forMachines(restored), null, 2)}\n` : `${asText(restored)}\n`);
  } finally {
    line.end();
    lock.release();
  }
}

const forMachines = (restored: Restored) => ({ file: restored.file, replaced: restored.replaced, ...factsForMachines(restored) });

function asText(restored: Restored): string {
  const lines = [`${shownPath(restored.file)}: ${factsText(restored)}`];
  if (restored.replaced !== null) lines.push(`the database that was there is ${shownPath(restored.replaced)} now`);
  return [...lines, "`highwater run` goes on from here"].join("\n");
}
