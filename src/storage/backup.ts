// Copies of the database: one moment of it as one file, checked before it has its name. A copy is made page by page beside a gateway that
// writes, within one read transaction: without it SQLite begins anew at each commit of another connection and never ends. While it is
// open the WAL only grows. Before a migration, where opening is synchronous, SQLite writes the copy itself.

import { closeSync, existsSync, fdatasyncSync, mkdirSync, openSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import Sqlite, { type BackupMetadata } from "better-sqlite3";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { type BackupFacts, checkBackup } from "./backup-check.ts";
import { explained } from "./data-dir-error.ts";
import type { Database } from "./database.ts";
import { createPartFile, ownAs, type PartFile, refuseExisting, stamp } from "./part-file.ts";

const FOLDER = "backups";
/** Between two looks at progress and at the signal; 8 MiB at SQLite's 4 KiB. */
const PAGES_PER_STEP = 2048;
/** Of the automatic ones, newest first. */
const BEFORE_SCHEMA_KEPT = 3;
const BEFORE_SCHEMA = /^before-schema-(\d+)-(\d{8}T\d{6}Z)\.db$/;
/** A copy leaves so much of the disk free: a gateway may be writing to it. */
const RESERVE_BYTES = 16 * 1024 * 1024;

export type BackupStep =
  | { readonly kind: "copying"; readonly pages: number; readonly ofPages: number; readonly pageBytes: number }
  | { readonly kind: "checking"; readonly pages: number; readonly ofPages: number; readonly pageBytes: number };

export type BackupOptions = { readonly signal: AbortSignal; progress(step: BackupStep): void };

export const backupFileOf = (dataDir: string, now: EpochMs): string => join(dataDir, FOLDER, `highwater-${stamp(now)}.db`);

/**
 * @param source may be read-only, and others may write to it meanwhile
 * @throws GatewayError `file_exists`, `no_folder`, `no_room`, `interrupted`, `database_damaged`, those of `checkBackup` and of `explaining`; then nothing is left of it
 */
export async function writeBackup(source: Database, file: string, { signal, progress }: BackupOptions): Promise<BackupFacts> {
  refuseExisting(file);
  const part = openPart(source, file);
  try {
    const [ofPages, pageBytes] = sizeOf(source);
    await copyPages(source, part.path, ({ totalPages, remainingPages }) => {
      stopWhenAborted(signal, file);
      progress({ kind: "copying", pages: totalPages - remainingPages, ofPages: totalPages, pageBytes });
    });
    progress({ kind: "checking", pages: ofPages, ofPages, pageBytes });
    stopWhenAborted(signal, file);
    return finish(part, source);
  } catch (error) {
    part.discard();
    throw refusal(file, ofSource(source, error));
  }
}

/** As of one moment, however much is committed meanwhile. */
async function copyPages(source: Database, to: string, progress: (step: BackupMetadata) => void): Promise<void> {
  const descriptor = openSync(to, "r");
  // The read, not BEGIN, is what fixes the moment.
  source.exec("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1");
  try {
    await source.backup(to, {
      progress(step) {
        progress(step);
        // Step by step, or the commits of a gateway on this disk would wait for all of it at once.
        fdatasyncSync(descriptor);
        return PAGES_PER_STEP;
      },
    });
  } finally {
    source.exec("COMMIT");
    closeSync(descriptor);
  }
}

/**
 * The same before a migration, in one go.
 * @param db the only connection that writes, outside of a transaction
 * @param schema to which it will be migrated
 * @returns the file
 * @throws GatewayError `no_room`, those of `checkBackup` and of `explaining`; then nothing is left of it
 */
export function backUpBeforeMigration(db: Database, { schema, now }: { readonly schema: number; readonly now: EpochMs }): string {
  const file = join(dirname(db.name), FOLDER, `before-schema-${schema}-${stamp(now)}.db`);
  // Of the same second: a start that is tried again and again.
  rmSync(file, { force: true });
  const part = openPart(db, file);
  try {
    db.prepare("VACUUM INTO ?").run(part.path);
    finish(part, db);
  } catch (error) {
    part.discard();
    throw refusal(file, ofSource(db, error));
  }
  dropOldest(dirname(file));
  return file;
}

/** Makes a file that SQLite wrote whole by itself: it needs no WAL, and can be opened where nothing may be written. */
export function settle(file: string): void {
  const db = new Sqlite(file, { timeout: 0, fileMustExist: true });
  try {
    db.pragma("journal_mode = DELETE");
  } finally {
    db.close();
  }
}

function finish(part: PartFile, source: Database): BackupFacts {
  settle(part.path);
  const facts = checkCopy(part.path, source);
  part.finish();
  return facts;
}

/** The copy is checked, and is taken away when it is damaged: what is wrong is said of what it is a copy of. */
function checkCopy(path: string, source: Database): BackupFacts {
  try {
    return checkBackup(path);
  } catch (error) {
    const { code, message } = error as GatewayError;
    throw code === "backup_damaged" ? damagedSource(code, message.replaceAll(path, source.name), error) : error;
  }
}

const damagedSource = (code: string, message: string, cause: unknown): GatewayError =>
  new GatewayError(code, message, {
    hint: "no backup was made; `highwater verify` says more, `highwater restore` puts an earlier backup in its place",
    cause,
  });

/** Pages that cannot be read are those of the source: the copy is new. */
function ofSource(source: Database, error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  return typeof code === "string" && code.startsWith("SQLITE_CORRUPT")
    ? damagedSource("database_damaged", `${source.name} is damaged: ${message}`, error)
    : error;
}

/** @throws GatewayError `no_folder`, `no_room` */
function openPart(db: Database, file: string): PartFile {
  const folder = dirname(file);
  try {
    makeFolder(folder, dirname(db.name));
    requireRoom(folder, sizeOf(db));
    return createPartFile(file, { overwrites: false });
  } catch (error) {
    throw refusal(file, error);
  }
}

/** Only the data directory's own is made: another that is not there may be a disk that is not mounted. */
function makeFolder(folder: string, dataDir: string): void {
  if (existsSync(folder)) return;
  if (folder !== join(dataDir, FOLDER)) throw new GatewayError("no_folder", `there is no folder ${folder}`, { hint: "make it, or mount its disk" });
  mkdirSync(folder);
  ownAs(folder, dataDir);
}

/** Asked before, so that a gateway on the same disk is not kept from writing by a copy that will not fit. */
export function requireRoom(folder: string, [pages, pageBytes]: readonly [pages: number, pageBytes: number]): void {
  const { bavail, bsize } = statfsSync(folder);
  const [free, needed] = [bavail * bsize, pages * pageBytes + RESERVE_BYTES];
  if (free >= needed) return;
  throw new GatewayError(
    "no_room",
    `there is no room for a copy in ${folder}: it takes ${megabytes(needed)}, a reserve included, and ${megabytes(free)} are free`,
    {
      hint: "make room on the disk, or write to another one",
    },
  );
}

/** `12.3 MB`. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const sizeOf = (db: Database): [pages: number, pageBytes: number] => [
  db.pragma("page_count", { simple: true }) as number,
  db.pragma("page_size", { simple: true }) as number,
];

function stopWhenAborted(signal: AbortSignal, file: string): void {
  if (signal.aborted) throw new GatewayError("interrupted", `${file} was not finished`, { hint: "nothing of it is left" });
}

const refusal = (file: string, error: unknown): unknown => explained(file, error, "make room there, let this user write there, or name another folder");

function dropOldest(folder: string): void {
  const timeOf = (name: string): string => BEFORE_SCHEMA.exec(name)?.[2] ?? "";
  const automatic = readdirSync(folder).filter((name) => BEFORE_SCHEMA.test(name));
  const newestFirst = automatic.sort((a, b) => timeOf(b).localeCompare(timeOf(a)));
  for (const name of newestFirst.slice(BEFORE_SCHEMA_KEPT)) rmSync(join(folder, name), { force: true });
}
