// Puts a backup in a data directory's place. Whenever it is killed, the directory holds the old database or the new one: the copy is
// checked under another name, the old database gets a second name, and one rename puts the copy where the first name was.
// To be called under the lock of the data directory.

import { closeSync, existsSync, linkSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError, reasonOf } from "../error.ts";
import { requireRoom, settle } from "./backup.ts";
import { type BackupFacts, checkBackup } from "./backup-check.ts";
import { explained, explaining } from "./data-dir-error.ts";
import { databaseFileOf } from "./database.ts";
import { createPartFile, flush, sideFiles, stamp } from "./part-file.ts";

const REPLACED = /^highwater-replaced-\w+\.db$/;
const BLOCK_BYTES = 4 * 1024 * 1024;

export type RestoreOptions = {
  /** Whether a database that is there may be moved aside. */
  readonly force: boolean;
  readonly now: EpochMs;
  progress(bytes: number, ofBytes: number): void;
};

export type Restored = BackupFacts & {
  readonly file: string;
  /** The database that was there before, under its new name. */
  readonly replaced: string | null;
};

/**
 * @throws GatewayError `backup_unreadable`, `backup_in_use`, `database_exists`, `no_room`, those of `checkBackup` and of `explaining`; then the
 * old database stands
 */
export function restoreBackup(backup: string, dataDir: string, { force, now, progress }: RestoreOptions): Restored {
  refuseUnfit(backup);
  const file = databaseFileOf(dataDir);
  dropSecondNames(dataDir, file, backup);
  const isThere = ["", ...sideFiles].some((side) => existsSync(`${file}${side}`));
  if (isThere && !force)
    throw new GatewayError("database_exists", `there is a database in ${dataDir} already`, { hint: "--force moves it aside and keeps it" });
  requireRoom(dataDir, [statSync(backup).size, 1]);
  const part = explaining(file, () => createPartFile(file, { overwrites: true }));
  try {
    copy(backup, part.path, progress);
    const facts = checkCopy(part.path, backup);
    const replaced = isThere ? join(dataDir, `highwater-replaced-${stamp(now)}.db`) : null;
    if (replaced !== null) moveAside(file, replaced);
    part.finish();
    return { ...facts, file, replaced };
  } catch (error) {
    part.discard();
    throw explained(file, error);
  }
}

/** @throws GatewayError `backup_unreadable`, `backup_in_use` */
function refuseUnfit(backup: string): void {
  try {
    closeSync(openSync(backup, "r"));
    if (!statSync(backup).isFile()) throw Object.assign(new Error(), { code: "EISDIR" });
  } catch (cause) {
    throw new GatewayError("backup_unreadable", `${backup} cannot be read: ${reasonOf(cause)}`, { hint: "name a file that `highwater backup` wrote", cause });
  }
  const wal = `${backup}-wal`;
  if (!existsSync(wal) || statSync(wal).size === 0) return;
  throw new GatewayError("backup_in_use", `${backup} is no backup but a database with a WAL beside it, and a copy of it alone would not be whole`, {
    hint: "take a backup of it with `highwater backup`",
  });
}

/** The copy is checked, not what it is a copy of: so is the copying. What is wrong is said of the backup. */
function checkCopy(path: string, backup: string): BackupFacts {
  try {
    // What cannot be settled is said by the check, in its words.
    settles(path);
    return checkBackup(path);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { code, hint, cause } = error;
    throw new GatewayError(code, error.message.replaceAll(path, backup), { ...(hint === undefined ? {} : { hint }), cause });
  }
}

/** @returns false when it is damaged, or no database */
function settles(file: string): boolean {
  try {
    settle(file);
    return true;
  } catch (error) {
    if (/^SQLITE_(?:NOTADB|CORRUPT)/.test(String((error as { code?: unknown }).code))) return false;
    throw error;
  }
}

function copy(from: string, to: string, progress: RestoreOptions["progress"]): void {
  const [source, target] = [openSync(from, "r"), openSync(to, "w")];
  try {
    const [block, bytes] = [Buffer.allocUnsafe(BLOCK_BYTES), statSync(from).size];
    for (let done = 0; ; ) {
      const count = readSync(source, block, 0, BLOCK_BYTES, null);
      if (count === 0) return;
      for (let written = 0; written < count; ) written += writeSync(target, block, written, count - written);
      done += count;
      progress(done, bytes);
    }
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

/**
 * Gives the old database a second name; its first is overwritten by the rename. What stood in its WAL is brought into the file before:
 * beside the new database the WAL would be taken for its own.
 * @throws GatewayError `database_busy` when somebody has it open, `no_second_name`
 */
function moveAside(file: string, replaced: string): void {
  if (!isOneFile(file)) for (const side of sideFiles) if (existsSync(`${file}${side}`)) renameSync(`${file}${side}`, `${replaced}${side}`);
  if (existsSync(file)) nameAgain(file, replaced);
  flush(dirname(file));
}

/** Whether nothing lies beside it any more. Of an empty file SQLite would delete the WAL, and what is damaged stays as it is. */
const isOneFile = (file: string): boolean => existsSync(file) && statSync(file).size > 0 && settles(file);

function nameAgain(file: string, replaced: string): void {
  try {
    linkSync(file, replaced);
  } catch (cause) {
    throw new GatewayError("no_second_name", `${file} cannot be kept as ${replaced}: ${(cause as Error).message}`, {
      hint: "move it away by hand, with what lies beside it, and restore again",
      cause,
    });
  }
}

/** Names that a restore gave before it was killed, and that are still of the database itself. @param backup that is to be restored, whatever its name */
function dropSecondNames(dataDir: string, file: string, backup: string): void {
  if (!existsSync(file)) return;
  const { ino } = statSync(file);
  for (const name of readdirSync(dataDir)) {
    const path = join(dataDir, name);
    if (REPLACED.test(name) && path !== backup && statSync(path).ino === ino) rmSync(path);
  }
}
