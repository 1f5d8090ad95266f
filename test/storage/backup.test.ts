// Backups on real files: one moment of a database that is written to meanwhile; what is no whole backup is refused; and nothing half done
// has a name that looks whole. By processes of their own, and killed: test/cli/backup.test.ts.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { GatewayError } from "../../src/error.ts";
import { type BackupOptions, backupFileOf, writeBackup } from "../../src/storage/backup.ts";
import { checkBackup } from "../../src/storage/backup-check.ts";
import type { Database } from "../../src/storage/database.ts";
import { newestSchema } from "../../src/storage/migrations/index.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { fill, mountSmallDisk } from "./small-disk.ts";

const T0 = Date.UTC(2026, 0, 5, 12);
const MEGABYTE = 1024 * 1024;
const quiet: BackupOptions = { signal: new AbortController().signal, progress: () => undefined };

let dir = "";
let recorder: Recorder;
let file = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "highwater-backup-"));
  file = join(dir, "copy.db");
  recorder = createRecorder(plan([]));
  for (let row = 0; row < 20; row++) receive(row);
  recorder.snapshot();
  for (let row = 20; row < 30; row++) receive(row);
});
afterEach(() => {
  recorder.close();
  rmSync(dir, { recursive: true });
});

const receive = (row: number): void => recorder.receive([{ device: "freezer", ts: T0 + row * 1000, value: row }]);

/** Bytes that are no matter: a copy takes several steps. */
function grow(megabytes: number): void {
  const insert = recorder.db.prepare("INSERT INTO rejected VALUES (?, 'big', 1, 0, 0, '', ?)");
  for (let row = 0; row < megabytes; row++) insert.run(`topic ${row}`, randomBytes(MEGABYTE));
}

async function copyAsReader(options: BackupOptions = quiet) {
  const reader = recorder.reader();
  try {
    return await writeBackup(reader, file, options);
  } finally {
    reader.close();
  }
}

const journalOf = (db: Database): unknown[] => db.prepare("SELECT * FROM journal ORDER BY seq").all();

function opened<Result>(path: string, read: (db: Database) => Result): Result {
  const db = new Sqlite(path);
  try {
    return read(db);
  } finally {
    db.close();
  }
}

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return error instanceof GatewayError ? error.code : `no GatewayError: ${String(error)}`;
  }
  return undefined;
};

describe("a backup", () => {
  it("is one moment, though another connection commits at each step of the copy", async () => {
    grow(30);
    const [before, seq] = [journalOf(recorder.db), recorder.seq()];
    let steps = 0;
    const facts = await copyAsReader({
      ...quiet,
      progress({ kind, pages, ofPages }) {
        // Not without end: a copy that begins anew at each commit would end here, with rows that came after its begin.
        if (kind === "copying" && steps < 50) receive(30 + steps++);
        expect(pages).toBeLessThanOrEqual(ofPages);
      },
    });
    expect(steps).toBeGreaterThan(3);
    expect(recorder.seq()).toBe(seq + steps);
    expect(facts).toMatchObject({ schema: newestSchema, seq, readings: 30, through: T0 + 29_000, bytes: statSync(file).size });
    expect(opened(file, journalOf)).toEqual(before);
    expect(journalOf(recorder.db)).toHaveLength(before.length + steps);
  });

  it("is its owner's, one file, and can be read where nothing may be written", async () => {
    await copyAsReader();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir)).toEqual(["copy.db"]);
    // The header says that no WAL belongs to it.
    expect([...readFileSync(file).subarray(18, 20)]).toEqual([1, 1]);
  });

  it("goes by default to a folder in the data directory", async () => {
    file = backupFileOf(recorder.dir, T0);
    await copyAsReader();
    expect(file).toBe(join(recorder.dir, "backups", "highwater-20260105T120000Z.db"));
    expect(checkBackup(file).seq).toBe(recorder.seq());
    expect(statSync(join(recorder.dir, "backups")).isDirectory()).toBe(true);
  });

  it("overwrites nothing, also what came while it copied, and makes no folder elsewhere", async () => {
    writeFileSync(file, "mine");
    await expect(copyAsReader()).rejects.toMatchObject({ code: "file_exists" });
    rmSync(file);
    await expect(copyAsReader({ ...quiet, progress: () => writeFileSync(file, "mine") })).rejects.toMatchObject({ code: "file_exists" });
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect(readdirSync(dir)).toEqual(["copy.db"]);
    file = join(dir, "disk-that-is-not-mounted", "copy.db");
    await expect(copyAsReader()).rejects.toMatchObject({ code: "no_folder" });
    expect(readdirSync(dir)).toEqual(["copy.db"]);
  });

  it.each(["copying", "checking"])("leaves nothing when it is interrupted while %s", async (kind) => {
    const stop = new AbortController();
    const progress = (step: { kind: string }): void => void (step.kind === kind && stop.abort());
    grow(10);
    await expect(copyAsReader({ signal: stop.signal, progress })).rejects.toMatchObject({ code: "interrupted" });
    expect(readdirSync(dir)).toEqual([]);
    expect((await copyAsReader()).seq).toBe(recorder.seq());
  });

  it("says of the database, not of the copy that is gone again, that it is damaged, and what mends it", async () => {
    recorder.db.exec("DELETE FROM journal WHERE seq = 15");
    const refused = await copyAsReader().catch((error: unknown) => error as GatewayError);
    const database = join(recorder.dir, "highwater.db");
    expect(refused).toMatchObject({ code: "backup_damaged", message: expect.stringContaining(`${database} is damaged: its journal has`) });
    expect((refused as GatewayError).hint).toMatch(/`highwater verify`.*`highwater restore`/);
    expect(readdirSync(dir)).toEqual([]);
  });

  it("takes away what dead processes left, and nothing else", async () => {
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    const gone = ["", "-journal", "-wal", "-shm"].map((side) => `copy.db.highwater-${dead}.part${side}`);
    const kept = [`other.db.highwater-${process.ppid}.part`, "film.12.part", `highwater-${dead}.db`];
    for (const name of [...gone, ...kept]) writeFileSync(join(dir, name), "x");
    await copyAsReader();
    expect(readdirSync(dir).sort()).toEqual(["copy.db", ...kept].sort());
  });

  it("lets the WAL grow while it copies, and no longer", async () => {
    grow(10);
    const wal = join(recorder.dir, "highwater.db-wal");
    let grown = 0;
    await copyAsReader({
      ...quiet,
      progress({ kind }) {
        if (kind === "copying" && grown === 0)
          recorder.db.prepare("INSERT INTO rejected VALUES ('ballast', 'big', 1, 0, 0, '', ?)").run(randomBytes(48 * MEGABYTE));
        grown = statSync(wal).size;
      },
    });
    expect(grown).toBeGreaterThan(48 * MEGABYTE);
    // The next commit checkpoints, the one after it begins the WAL anew.
    for (let row = 30; row < 33; row++) receive(row);
    expect(statSync(wal).size).toBeLessThanOrEqual(32 * MEGABYTE);
  });

  it("is refused of a database that could not be recovered from", async () => {
    recorder.db.exec("DELETE FROM journal WHERE seq = 25");
    await expect(copyAsReader()).rejects.toMatchObject({ code: "backup_damaged" });
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe("a file is no backup", () => {
  const change = (sql: string) => (): void => void opened(file, (db) => db.exec(sql));
  const overwrite = (from: number, bytes: Buffer): void => {
    const all = readFileSync(file);
    bytes.copy(all, from);
    writeFileSync(file, all);
  };
  it.each<[what: string, code: string, says: RegExp, spoil: () => void]>([
    ["empty", "not_a_backup", /no database of highwater/, () => truncateSync(file, 0)],
    ["text", "not_a_backup", /no database/, () => writeFileSync(file, "dear diary, ".repeat(2000))],
    ["another program's", "not_a_backup", /no database of highwater/, change("DROP TABLE snapshot")],
    ["of a later release", "database_newer", /this release knows/, change(`PRAGMA user_version = ${newestSchema + 1}`)],
    ["cut in half", "backup_damaged", /damaged/, () => truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096)],
    ["cut within a page", "backup_damaged", /damaged/, () => truncateSync(file, statSync(file).size - 1000)],
    ["without its last page", "backup_damaged", /damaged/, () => truncateSync(file, statSync(file).size - 4096)],
    ["overwritten in the middle", "backup_damaged", /damaged/, () => overwrite(4096 * 3, Buffer.alloc(4096 * 8, 7))],
    ["without a journal row", "backup_damaged", /some are missing/, change("DELETE FROM journal WHERE seq = 5")],
    ["without the rows after its snapshot", "backup_damaged", /does not go on/, change("DELETE FROM journal WHERE seq < 25")],
    ["without the rows before its snapshot", "backup_damaged", /does not go on/, change("DELETE FROM journal WHERE seq > 15")],
    ["without a part of its snapshot", "backup_damaged", /part \d+ of seq \d+ is missing/, change("DELETE FROM snapshot_part WHERE part = 0")],
    ["with a part that is no part", "backup_damaged", /damaged/, change("UPDATE snapshot_part SET body = x'0102'")],
    ["with a row that cannot be read", "backup_damaged", /damaged/, change("UPDATE journal SET body = x'0102' WHERE seq = 28")],
  ])("%s: %s", async (_, code, says, spoil) => {
    await copyAsReader();
    expect(codeOf(() => checkBackup(file))).toBeUndefined();
    spoil();
    expect(codeOf(() => checkBackup(file))).toBe(code);
    expect(() => checkBackup(file)).toThrow(says);
    expect(readdirSync(dir)).toEqual(["copy.db"]);
  });

  it("is one whose first rows were dropped: its snapshot holds them", async () => {
    await copyAsReader();
    opened(file, (db) => db.exec("DELETE FROM journal WHERE seq < 21"));
    expect(checkBackup(file)).toMatchObject({ seq: recorder.seq(), readings: 11 });
  });
});

const disk = mountSmallDisk(40);
afterAll(() => disk?.remove());
// Skipped where a file system may not be mounted: without one, no disk can be filled without harm.
describe.skipIf(disk === undefined)("on a full disk", () => {
  it("is refused before it begins when there is no room for it", async () => {
    grow(30);
    file = join(disk?.path ?? "", "copy.db");
    await expect(copyAsReader()).rejects.toMatchObject({ code: "no_room", message: expect.stringMatching(/it takes \d+\.\d MB, .* free/) as string });
    expect(readdirSync(disk?.path ?? "")).toEqual([]);
  });

  it("says so when the room goes while it copies, and leaves nothing", async () => {
    grow(15);
    file = join(disk?.path ?? "", "copy.db");
    const filler = join(disk?.path ?? "", "filler");
    const progress = (): void => {
      if (!existsSync(filler)) fill(filler);
    };
    await expect(copyAsReader({ ...quiet, progress })).rejects.toMatchObject({ code: "disk_refuses" });
    expect(readdirSync(disk?.path ?? "")).toEqual(["filler"]);
    rmSync(filler);
    expect((await copyAsReader()).seq).toBe(recorder.seq());
  });
});
