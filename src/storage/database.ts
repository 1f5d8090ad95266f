// Opens the data directory's SQLite file: WAL, synchronous=FULL, migrated to this release's schema.
// The writer holds a lock that the operating system releases with the process, however it ends.

import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { GatewayError } from "../error.ts";
import { explaining } from "./data-dir-error.ts";
import { type MigrationOptions, migrate } from "./migrate.ts";
import { newestSchema } from "./migrations/index.ts";
import { ownAs } from "./part-file.ts";

export type Database = Sqlite.Database;

const DATABASE_FILE = "highwater.db";
const LOCK_FILE = "lock.db";
/** As SQLite makes its files; the command line's umask takes the rest away. */
const OWNER_WRITES = 0o644;

/** Pages of a connection. What is not among them is read from the operating system's cache, for a microsecond or two. */
const CACHE_KIB = 4096;
/** For who reads each page once. */
export const SMALL_CACHE_KIB = 1024;

/** A WAL that grew while a backup or a question read is cut to this once it begins anew; a checkpoint comes each 16 MB. */
const WAL_BYTES_KEPT = 32 * 1024 * 1024;

export type OpenOptions = { readonly readonly: boolean; readonly cacheKib?: number } & Partial<MigrationOptions>;

export const databaseFileOf = (dataDir: string): string => join(dataDir, DATABASE_FILE);

/**
 * @throws GatewayError `database_missing` when read-only and not there, those of `migrate` when not, and those of `explaining`
 */
export function openDatabase(dataDir: string, options: OpenOptions): Database {
  const file = databaseFileOf(dataDir);
  if (options.readonly && !existsSync(file))
    throw new GatewayError("database_missing", `there is no database in ${dataDir}`, { hint: "run `highwater run` with this data_dir first" });
  if (!options.readonly) makeDataDir(dataDir);
  return explaining(file, () => {
    if (!options.readonly) makeOwned(file, dataDir);
    const db = new Sqlite(file, { readonly: options.readonly, timeout: 5000 });
    try {
      db.pragma(`cache_size = -${options.cacheKib ?? CACHE_KIB}`);
      if (options.readonly) {
        // SQLite looks at the file only now; what is no database is found here and not by the first query.
        db.pragma("schema_version");
        return db;
      }
      db.pragma("journal_mode = WAL");
      db.pragma("synchronous = FULL");
      db.pragma("wal_autocheckpoint = 4000");
      db.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
      db.pragma("temp_store = MEMORY");
      migrate(db, options);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

const makeDataDir = (dataDir: string): void => void explaining(dataDir, () => mkdirSync(dataDir, { recursive: true }));

/** SQLite takes an empty file for a new database, and gives what it writes beside one to whoever owns that. */
function makeOwned(file: string, dataDir: string): void {
  if (existsSync(file)) return;
  closeSync(openSync(file, "a", OWNER_WRITES));
  ownAs(file, dataDir);
}

/**
 * For readers that run beside no writer of this release, which would have migrated it.
 * @throws GatewayError `database_newer`, `database_older`
 */
export function requireSchema(db: Database): void {
  const [version, newest] = [db.pragma("user_version", { simple: true }) as number, newestSchema];
  if (version === newest) return;
  const word = version > newest ? "newer" : "older";
  throw new GatewayError(`database_${word}`, `${db.name} has schema ${version}; this release reads ${newest}`, {
    hint: version > newest ? "use the release that wrote it, or a later one" : "start the gateway of this release once, which migrates it",
  });
}

/**
 * Takes the data directory for this process.
 * @throws GatewayError `data_dir_in_use`, and those of `explaining`
 */
export function lockDataDir(dataDir: string): { release(): void } {
  makeDataDir(dataDir);
  const file = join(dataDir, LOCK_FILE);
  return explaining(file, () => {
    makeOwned(file, dataDir);
    const lock = new Sqlite(file, { timeout: 0 });
    try {
      lock.pragma("locking_mode = EXCLUSIVE");
      lock.exec("BEGIN EXCLUSIVE");
    } catch (cause) {
      lock.close();
      const { code } = cause as { code: string };
      if (code.startsWith("SQLITE_BUSY"))
        throw new GatewayError("data_dir_in_use", `another highwater uses ${dataDir}`, { hint: "stop it, or set another gateway.data_dir", cause });
      if (code === "SQLITE_NOTADB")
        throw new GatewayError("lock_damaged", `${file} is no lock of highwater`, { hint: "nothing is kept in it: delete it while no highwater runs", cause });
      throw cause;
    }
    return { release: () => lock.close() };
  });
}
