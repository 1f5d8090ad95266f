// Restores on real files: what takes the database's place, what becomes of the one that was there, and what is refused and changes nothing.
// Killed at any moment: test/cli/backup.test.ts.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import { writeBackup } from "../../src/storage/backup.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { newestSchema } from "../../src/storage/migrations/index.ts";
import { recover } from "../../src/storage/recovery.ts";
import { type RestoreOptions, restoreBackup } from "../../src/storage/restore.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder } from "./recorder.ts";
import { mountSmallDisk } from "./small-disk.ts";

const T0 = Date.UTC(2026, 0, 5, 12);
const restoring: RestoreOptions = { force: false, now: T0, progress: () => undefined };
const forced: RestoreOptions = { ...restoring, force: true };
const REPLACED = "highwater-replaced-20260105T120000Z.db";

let dir = "";
let data = "";
let backup = "";
let seq = 0;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "highwater-restore-"));
  [data, backup] = [join(dir, "data"), join(dir, "copy.db")];
  mkdirSync(data);
  const recorder = createRecorder(plan([]));
  try {
    for (let row = 0; row < 30; row++) {
      recorder.receive([{ device: "freezer", ts: T0 + row * 1000, value: row }]);
      if (row === 20) recorder.snapshot();
    }
    seq = recorder.seq();
    await writeBackup(recorder.db, backup, { signal: new AbortController().signal, progress: () => undefined });
  } finally {
    recorder.close();
  }
});
afterEach(() => rmSync(dir, { recursive: true }));

function opened<Result>(folder: string, read: (db: Database) => Result): Result {
  const db = openDatabase(folder, { readonly: false });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

/** How far recovery comes, the way a gateway starts. */
const recoveredSeq = (folder: string): number => opened(folder, (db) => recover(db, createEngine()).seq);

const rejectedIn = (db: Database): unknown[] => db.prepare("SELECT topic FROM rejected ORDER BY topic").pluck().all();

/** A database whose newest rows stand only in the WAL, as after a SIGKILL. */
function leaveUnclosed(topics: readonly string[]): void {
  const aside = join(dir, "unclosed");
  const db = openDatabase(aside, { readonly: false });
  db.pragma("wal_checkpoint(TRUNCATE)");
  for (const topic of topics) db.prepare("INSERT INTO rejected VALUES (?, 'odd', 1, 0, 0, '', x'00')").run(topic);
  for (const side of ["", "-wal"]) copyFileSync(join(aside, `highwater.db${side}`), join(data, `highwater.db${side}`));
  db.close();
  rmSync(aside, { recursive: true });
}

const asDataDir = (file: string): string => {
  const folder = mkdtempSync(join(dir, "looked-at-"));
  copyFileSync(file, join(folder, "highwater.db"));
  if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, join(folder, "highwater.db-wal"));
  return folder;
};

it("takes an empty place; what was in the journal is recovered", () => {
  const done: number[] = [];
  const restored = restoreBackup(backup, data, { ...restoring, progress: (bytes, of) => void done.push(bytes / of) });
  expect(restored).toMatchObject({ file: join(data, "highwater.db"), replaced: null, seq, readings: 30, schema: newestSchema });
  expect(done.at(-1)).toBe(1);
  expect(readdirSync(data)).toEqual(["highwater.db"]);
  expect(recoveredSeq(data)).toBe(seq);
  expect(readFileSync(backup).equals(readFileSync(restored.file))).toBe(false); // it is used already
});

it("replaces a database only when forced, and keeps it with all that stood in its WAL", () => {
  leaveUnclosed(["a", "b"]);
  expect(() => restoreBackup(backup, data, restoring)).toThrow(expect.objectContaining({ code: "database_exists" }));
  expect(restoreBackup(backup, data, forced)).toMatchObject({ replaced: join(data, REPLACED), seq });
  expect(readdirSync(data).sort()).toEqual([REPLACED, "highwater.db"]);
  expect(recoveredSeq(data)).toBe(seq);
  expect(opened(data, rejectedIn)).toEqual([]);
  expect(opened(asDataDir(join(data, REPLACED)), rejectedIn)).toEqual(["a", "b"]);
});

it("keeps a database that is damaged with all that lies beside it, and leaves none of that to the new one", () => {
  leaveUnclosed(["a"]);
  const wal = readFileSync(join(data, "highwater.db-wal"));
  writeFileSync(join(data, "highwater.db"), "damaged ".repeat(4000));
  restoreBackup(backup, data, forced);
  expect(recoveredSeq(data)).toBe(seq);
  expect(readdirSync(data).sort()).toEqual([REPLACED, `${REPLACED}-shm`, `${REPLACED}-wal`, "highwater.db"]);
  expect(readFileSync(join(data, `${REPLACED}-wal`)).equals(wal)).toBe(true);
  expect(readFileSync(join(data, REPLACED), "utf8")).toMatch(/^damaged /);
});

it.each<[what: string, lose: (file: string) => void]>([
  ["gone", rmSync],
  ["empty", (file) => truncateSync(file)],
])("keeps a WAL whose database is %s, and does not take it for the new one's", (_, lose) => {
  leaveUnclosed(["a"]);
  const wal = readFileSync(join(data, "highwater.db-wal"));
  lose(join(data, "highwater.db"));
  expect(() => restoreBackup(backup, data, restoring)).toThrow(expect.objectContaining({ code: "database_exists" }));
  restoreBackup(backup, data, forced);
  expect(opened(data, rejectedIn)).toEqual([]);
  expect(recoveredSeq(data)).toBe(seq);
  expect(readFileSync(join(data, `${REPLACED}-wal`)).equals(wal)).toBe(true);
});

it("waits for nobody: a database that somebody reads stays", () => {
  leaveUnclosed(["a"]);
  opened(data, () => undefined);
  const reader = openDatabase(data, { readonly: true });
  try {
    rejectedIn(reader);
    expect(() => restoreBackup(backup, data, forced)).toThrow(expect.objectContaining({ code: "database_busy" }));
    expect(rejectedIn(reader)).toEqual(["a"]);
  } finally {
    reader.close();
  }
  expect(readdirSync(data).filter((name) => /replaced|part/.test(name))).toEqual([]);
  expect(opened(data, rejectedIn)).toEqual(["a"]);
});

it.each<[what: string, code: string, spoil: () => unknown]>([
  ["that is not there", "backup_unreadable", () => rmSync(backup)],
  ["that is a folder", "backup_unreadable", () => [rmSync(backup), mkdirSync(backup)]],
  ["that is damaged", "backup_damaged", () => writeFileSync(backup, readFileSync(backup).subarray(0, -4096))],
  ["that is no database", "not_a_backup", () => writeFileSync(backup, "dear diary, ".repeat(2000))],
  ["that is a database in use", "backup_in_use", () => writeFileSync(`${backup}-wal`, "some frames")],
])("a backup %s is refused, by its name, and what is there stays", (_, code, spoil) => {
  leaveUnclosed(["a"]);
  spoil();
  const refused = expect.objectContaining({ code, message: expect.stringContaining(backup) as string }) as Error;
  expect(() => restoreBackup(backup, data, forced)).toThrow(refused);
  expect(readdirSync(data).sort()).toEqual(["highwater.db", "highwater.db-wal"]);
  expect(opened(data, rejectedIn)).toEqual(["a"]);
});

it("mends what a restore that was killed left: its copy, and the second name of the database", () => {
  leaveUnclosed(["a"]);
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(data, `highwater.db.highwater-${dead}.part`), "half a copy");
  linkSync(join(data, "highwater.db"), join(data, "highwater-replaced-20260104T120000Z.db"));
  writeFileSync(join(data, "highwater-replaced-20260103T120000Z.db"), "an older one");
  restoreBackup(backup, data, forced);
  expect(readdirSync(data).sort()).toEqual(["highwater-replaced-20260103T120000Z.db", REPLACED, "highwater.db"]);
  expect(opened(asDataDir(join(data, REPLACED)), rejectedIn)).toEqual(["a"]);
});

it("restores what another restore moved aside", () => {
  leaveUnclosed(["a"]);
  restoreBackup(backup, data, forced);
  restoreBackup(join(data, REPLACED), data, { ...forced, now: T0 + 1000 });
  expect(opened(data, rejectedIn)).toEqual(["a"]);
  // Killed in the midst, it would be a second name of the database itself.
  rmSync(join(data, REPLACED));
  linkSync(join(data, "highwater.db"), join(data, REPLACED));
  expect(restoreBackup(join(data, REPLACED), data, { ...forced, now: T0 + 2000 }).seq).toBe(0);
  expect(opened(data, rejectedIn)).toEqual(["a"]);
});

const disk = mountSmallDisk(8);
afterAll(() => disk?.remove());
// Skipped where a file system may not be mounted: without one, no disk is small.
it.skipIf(disk === undefined)("is refused where there is no room for it", () => {
  expect(() => restoreBackup(backup, disk?.path ?? "", restoring)).toThrow(expect.objectContaining({ code: "no_room" }));
  expect(readdirSync(disk?.path ?? "")).toEqual([]);
});
