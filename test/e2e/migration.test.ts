// A gateway that starts on the database of an older release: it is backed up and migrated, the log says so, and what was in it is there.
// Where there is no room for the backup the gateway does not start, and says what mends it.

import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, expect, it } from "vitest";
import { checkBackup } from "../../src/storage/backup-check.ts";
import { migrations, newestSchema } from "../../src/storage/migrations/index.ts";
import { mountSmallDisk } from "../storage/small-disk.ts";
import { createFolder, highwater, startHighwater, writeConfig } from "./gateway-process.ts";

const OLDER = newestSchema - 1;

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

/** As the release before made it, with an account and so many megabytes of samples. */
function makeOlder(dataDir: string, megabytes: number): void {
  mkdirSync(dataDir, { recursive: true });
  const db = new Sqlite(join(dataDir, "highwater.db"));
  for (const migration of migrations.filter(({ version }) => version <= OLDER)) db.exec(migration.sql);
  db.pragma(`user_version = ${OLDER}`);
  db.exec("INSERT INTO account VALUES ('ada', 'admin', 'no hash', 0)");
  for (let row = 0; row < megabytes; row++) db.prepare("INSERT INTO rejected VALUES (?, 'big', 1, 0, 0, '', zeroblob(1048576))").run(`topic ${row}`);
  db.close();
}

function newFolder(): string {
  const folder = createFolder("migration");
  cleanUp.push(() => folder.remove());
  return folder.path;
}

it("is backed up, migrated and started on, and the log says so", async () => {
  const folder = newFolder();
  makeOlder(join(folder, "data"), 0);
  const gateway = await startHighwater(folder, {});
  cleanUp.push(() => gateway.stop());
  const said = gateway.log.filter(({ thread }) => thread === "processor").map(({ msg }) => msg);
  expect(said.slice(0, 3)).toEqual(["the database is of an older schema: it is backed up, then migrated", "backed up", "migrated"]);
  const backups = join(folder, "data", "backups");
  expect(readdirSync(backups)).toEqual([expect.stringMatching(/^before-schema-\d+-\d{8}T\d{6}Z\.db$/)]);
  expect(checkBackup(join(backups, readdirSync(backups)[0] as string)).schema).toBe(OLDER);
  expect(await gateway.stop()).toBe(0);
  expect((await highwater("user", "list", "--config", join(folder, "highwater.yaml"))).stdout).toMatch(/^ada /);
});

const disk = mountSmallDisk(30);
afterAll(() => disk?.remove());
// Skipped where a file system may not be mounted: without one, no disk is small.
it.skipIf(disk === undefined)("without room for the backup it does not start, and says what mends it", async () => {
  const dataDir = join(disk?.path ?? "", "data");
  makeOlder(dataDir, 10);
  const file = writeConfig(newFolder(), { gateway: { data_dir: dataDir } });
  const { code, stderr } = await highwater("run", "--config", file);
  expect(code).toBe(1);
  expect(stderr.trimEnd()).toMatch(
    /^highwater: \S+ has schema \d+ and must be backed up before it is migrated to \d+: there is no room .* \(make room on the disk, .* the database is as it was\)$/,
  );
  const db = new Sqlite(join(dataDir, "highwater.db"), { readonly: true });
  expect(db.pragma("user_version", { simple: true })).toBe(OLDER);
  db.close();
});
