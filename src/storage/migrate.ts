// Brings a database to this release's schema: forward only, all steps in one transaction, so that one that fails leaves the database as it
// was. What is in it already is backed up before, whatever a step may do to it; there is no way around that.

import { type Clock, systemClock } from "../clock.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { backUpBeforeMigration } from "./backup.ts";
import { explained } from "./data-dir-error.ts";
import type { Database } from "./database.ts";
import { migrations, newestSchema } from "./migrations/index.ts";

export type MigrationOptions = {
  readonly clock: Clock;
  /** Says what goes on, as it may take long. */
  tell(about: Readonly<Record<string, string | number>>, message: string): void;
};

/** @throws GatewayError `database_newer`, `no_room`, `migration_failed`, and those of a backup; then the database is as it was */
export function migrate(db: Database, { clock = systemClock, tell = () => undefined }: Partial<MigrationOptions>): void {
  const version = db.pragma("user_version", { simple: true }) as number;
  if (version === newestSchema) return;
  if (version > newestSchema)
    throw new GatewayError("database_newer", `${db.name} has schema ${version}; this release knows ${newestSchema}`, {
      hint: "start the release that wrote it, or a later one",
    });
  if (version === 0) return carryOut(db, version, undefined);
  tell({ schema: version, to: newestSchema, file: db.name }, "the database is of an older schema: it is backed up, then migrated");
  const backup = backUp(db, version, clock.now());
  tell({ file: backup }, "backed up");
  carryOut(db, version, backup);
  tell({ schema: newestSchema }, "migrated");
}

function backUp(db: Database, version: number, now: EpochMs): string {
  try {
    return backUpBeforeMigration(db, { schema: newestSchema, now });
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    const about = `${db.name} has schema ${version} and must be backed up before it is migrated to ${newestSchema}: ${cause.message}`;
    throw new GatewayError(cause.code, about, { hint: HINTS[cause.code] ?? "the database is as it was", cause });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  no_room: "make room on the disk, or move the data directory to a larger one; the database is as it was",
  disk_refuses: "make room on the disk, or move the data directory to another one; the database is as it was",
  backup_damaged: "restore an older backup: `highwater restore FILE --force`; the database is as it was",
};

/** @param backup undefined: there was nothing to lose */
function carryOut(db: Database, version: number, backup: string | undefined): void {
  try {
    db.transaction(() => {
      for (const migration of migrations.filter((each) => each.version > version)) {
        db.exec(migration.sql);
        db.pragma(`user_version = ${migration.version}`);
      }
    })();
  } catch (error) {
    const known = explained(db.name, error);
    if (known instanceof GatewayError || backup === undefined) throw known;
    throw new GatewayError("migration_failed", `${db.name} could not be migrated from schema ${version} to ${newestSchema}: ${(error as Error).message}`, {
      hint: `it is as it was, and ${backup} is a copy: start the release that wrote it`,
      cause: error,
    });
  }
}
