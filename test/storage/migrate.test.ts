// Databases of older schemas: backed up before they are migrated, whole, and as they were when either fails. They are made here by the
// migrations up to some schema, as a release of that time made them.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { GatewayError } from "../../src/error.ts";
import { checkBackup } from "../../src/storage/backup-check.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { migrations, newestSchema } from "../../src/storage/migrations/index.ts";
import { restoreBackup } from "../../src/storage/restore.ts";
import { mountSmallDisk } from "./small-disk.ts";

const T0 = Date.UTC(2026, 0, 5, 12);
const MEGABYTE = 1024 * 1024;

let data = "";
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "highwater-migrate-"));
});
afterEach(() => rmSync(data, { recursive: true }));

const clockAt = (now: number): Clock => ({ now: () => now, monotonic: () => 0 });

/** @param alter what it holds beside */
function makeOlder(folder: string, schema: number, alter: (db: Database) => unknown = () => undefined): void {
  mkdirSync(folder, { recursive: true });
  const db = new Sqlite(join(folder, "highwater.db"));
  db.pragma("journal_mode = WAL");
  for (const migration of migrations.filter(({ version }) => version <= schema)) db.exec(migration.sql);
  db.pragma(`user_version = ${schema}`);
  db.exec("INSERT INTO rejected VALUES ('topic', 'odd', 1, 0, 0, '', x'00')");
  alter(db);
  db.close();
}

function opened<Result>(file: string, read: (db: Database) => Result): Result {
  const db = new Sqlite(file);
  try {
    return read(db);
  } finally {
    db.close();
  }
}

const schemaOf = (file: string): unknown => opened(file, (db) => db.pragma("user_version", { simple: true }));
const dumpOf = (file: string): unknown =>
  opened(file, (db) => [db.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY name").all(), db.prepare("SELECT * FROM rejected").all()]);
const migrate = (folder: string, now = T0): void => void openDatabase(folder, { readonly: false, clock: clockAt(now) }).close();
const backupsOf = (folder: string): string[] => readdirSync(join(folder, "backups")).sort();

function refusalOf(work: () => unknown): GatewayError {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("an older database", () => {
  it.each(migrations.slice(0, -1).map(({ version }) => version))("of schema %i is backed up, then migrated, and can be gone back to", (schema) => {
    makeOlder(data, schema);
    const before = dumpOf(join(data, "highwater.db"));
    const said: string[] = [];
    openDatabase(data, { readonly: false, clock: clockAt(T0), tell: (_, message) => void said.push(message) }).close();
    expect(schemaOf(join(data, "highwater.db"))).toBe(newestSchema);
    expect(said).toEqual(["the database is of an older schema: it is backed up, then migrated", "backed up", "migrated"]);
    expect(backupsOf(data)).toEqual([`before-schema-${newestSchema}-20260105T120000Z.db`]);
    const backup = join(data, "backups", backupsOf(data)[0] as string);
    expect(checkBackup(backup)).toMatchObject({ schema, seq: 0 });
    expect(dumpOf(backup)).toEqual(before);
    restoreBackup(backup, data, { force: true, now: T0, progress: () => undefined });
    expect(schemaOf(join(data, "highwater.db"))).toBe(schema);
    migrate(data, T0 + 1000);
    expect(schemaOf(join(data, "highwater.db"))).toBe(newestSchema);
  });

  it("is backed up once; a new one and one of this release never", () => {
    migrate(data);
    migrate(data);
    expect(readdirSync(data)).toEqual(["highwater.db"]);
  });

  it("leaves three backups, the newest, and those of people alone", () => {
    makeOlder(data, newestSchema - 1);
    mkdirSync(join(data, "backups"));
    const older = ["before-schema-2-20250101T000000Z.db", "before-schema-9-20240101T000000Z.db", "before-schema-3-20250301T000000Z.db"];
    const mine = ["highwater-20200101T000000Z.db", "before-schema-mine.db"];
    for (const name of [...older, ...mine]) writeFileSync(join(data, "backups", name), "a backup");
    migrate(data);
    expect(backupsOf(data)).toEqual([older[0], older[2], `before-schema-${newestSchema}-20260105T120000Z.db`, ...mine].toSorted());
  });

  it("stays as it was when a step fails, also the steps before it", () => {
    // The last step finds its table there already.
    makeOlder(data, 5, (db) => db.exec("CREATE TABLE rules_in_force (mine TEXT)"));
    const before = dumpOf(join(data, "highwater.db"));
    const { code, message, hint } = refusalOf(() => migrate(data));
    expect(code).toBe("migration_failed");
    expect(message).toMatch(/highwater\.db could not be migrated from schema 5 to \d+: table rules_in_force already exists$/);
    expect(hint).toContain(join(data, "backups", "before-schema-"));
    expect(schemaOf(join(data, "highwater.db"))).toBe(5);
    expect(dumpOf(join(data, "highwater.db"))).toEqual(before);
    expect(refusalOf(() => migrate(data)).code).toBe("migration_failed");
    expect(backupsOf(data)).toHaveLength(1);
  });

  it("is not touched when it is damaged", () => {
    makeOlder(data, 5, (db) => db.exec("INSERT INTO journal VALUES (3, 0, 0, NULL, NULL, 0, x'', x'', x''), (9, 0, 0, NULL, NULL, 0, x'', x'', x'')"));
    const { code, message } = refusalOf(() => migrate(data));
    expect(code).toBe("backup_damaged");
    expect(message).toContain("must be backed up before it is migrated");
    expect(schemaOf(join(data, "highwater.db"))).toBe(5);
    expect(backupsOf(data)).toEqual([]);
  });
});

it("a newer database is refused in a sentence, and nothing is copied", () => {
  makeOlder(data, newestSchema);
  opened(join(data, "highwater.db"), (db) => db.pragma(`user_version = ${newestSchema + 1}`));
  const { code, message, hint } = refusalOf(() => migrate(data));
  expect([code, hint]).toEqual(["database_newer", "start the release that wrote it, or a later one"]);
  expect(message).toBe(`${join(data, "highwater.db")} has schema ${newestSchema + 1}; this release knows ${newestSchema}`);
  expect(readdirSync(data).map((name) => basename(name, ".db"))).not.toContain("backups");
});

const disk = mountSmallDisk(40);
afterAll(() => disk?.remove());
// Skipped where a file system may not be mounted: without one, no disk can be filled without harm.
it.skipIf(disk === undefined)("without room for the backup it is not migrated, and says what mends it; with room it is", () => {
  const folder = join(disk?.path ?? "", "data");
  makeOlder(folder, newestSchema - 1, (db) => {
    for (let row = 0; row < 15; row++) db.prepare("INSERT INTO rejected VALUES (?, 'big', 1, 0, 0, '', zeroblob(?))").run(`topic ${row}`, MEGABYTE);
  });
  const { code, message, hint } = refusalOf(() => migrate(folder));
  expect([code, hint]).toEqual(["no_room", "make room on the disk, or move the data directory to a larger one; the database is as it was"]);
  expect(message).toMatch(/must be backed up before it is migrated to \d+: there is no room/);
  expect(schemaOf(join(folder, "highwater.db"))).toBe(newestSchema - 1);
  expect(backupsOf(folder)).toEqual([]);
  opened(join(folder, "highwater.db"), (db) => db.exec("DELETE FROM rejected WHERE reason = 'big'; VACUUM"));
  migrate(folder);
  expect(schemaOf(join(folder, "highwater.db"))).toBe(newestSchema);
});
