// `highwater backup` and `highwater restore` as a shell sees them: what they write, print and refuse, their exit codes, and what a SIGKILL
// at any moment leaves. Beside a gateway under load: test/e2e/backup.test.ts.

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkBackup } from "../../src/storage/backup-check.ts";
import { lockDataDir, openDatabase } from "../../src/storage/database.ts";
import { newestSchema } from "../../src/storage/migrations/index.ts";
import { createDraw, drawSeed } from "../e2e/gateway-process.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder } from "../storage/recorder.ts";

const highwater = fileURLToPath(new URL("../../bin/highwater.js", import.meta.url));
const T0 = Date.UTC(2026, 0, 5, 12);
const KILLS = 10;
const MEGABYTE = 1024 * 1024;
const PART = /\.highwater-\d+\.part/;

let dir = "";
let data = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "highwater-backup-cli-"));
  data = join(dir, "data");
  writeFileSync(join(dir, "highwater.yaml"), "gateway: { data_dir: ./data }\n");
});
afterEach(() => rmSync(dir, { recursive: true }));

const argsOf = (args: readonly string[]): string[] => [highwater, ...args, "-c", join(dir, "highwater.yaml")];

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, argsOf(args), { encoding: "utf8", cwd: dir });
  return { code: status, out: stdout, err: stderr };
}

/** The data directory of a gateway that took some readings. @param megabytes beside them, so that copying takes a while */
function fillData(readings: number, megabytes = 0): void {
  const recorder = createRecorder(plan([]));
  for (let row = 0; row < readings; row++) recorder.receive([{ device: "freezer", ts: T0 + row * 1000, value: row }]);
  recorder.snapshot();
  const insert = recorder.db.prepare("INSERT INTO rejected VALUES (?, 'big', 1, 0, 0, '', ?)");
  for (let row = 0; row < megabytes; row++) insert.run(`topic ${row}`, randomBytes(MEGABYTE));
  recorder.db.pragma("wal_checkpoint(TRUNCATE)");
  mkdirSync(data, { recursive: true });
  copyFileSync(join(recorder.dir, "highwater.db"), join(data, "highwater.db"));
  recorder.close();
}

const seqInPlace = (): number => {
  const db = openDatabase(data, { readonly: false });
  try {
    return db.prepare<[], number>("SELECT max(seq) FROM journal").pluck().get() ?? 0;
  } finally {
    db.close();
  }
};

describe("backup and restore", () => {
  it("copy and put back, in words and for machines", () => {
    fillData(30);
    const said = run("backup");
    expect(said).toMatchObject({ code: 0, err: "" });
    expect(said.out).toMatch(
      /^data\/backups\/highwater-\d{8}T\d{6}Z\.db: 0\.\d MB, all up to 2026-01-05 12:00:\d\d.*Z \(journal row 31\), 30 readings in the journal; checked\n$/,
    );
    const copy = join(dir, "copy.db");
    const told = JSON.parse(run("backup", "copy.db", "--json").out) as { bytes: number };
    expect(told).toEqual({
      file: copy,
      bytes: statSync(copy).size,
      pages: told.bytes / 4096,
      schema: newestSchema,
      seq: 31,
      through: expect.any(String),
      readings: 30,
    });
    expect(statSync(copy).mode & 0o777).toBe(0o600);

    fillData(40);
    expect(run("restore", "copy.db")).toEqual({
      code: 1,
      out: "",
      err: `highwater: there is a database in ${data} already (--force moves it aside and keeps it)\n`,
    });
    expect(seqInPlace()).toBe(41);
    const restored = run("restore", "copy.db", "--force");
    expect([restored.code, restored.err]).toEqual([0, ""]);
    expect(restored.out).toMatch(
      /^data\/highwater\.db: .* \(journal row 31\), .*\nthe database that was there is data\/highwater-replaced-.*\.db now\n`highwater run` goes on from here\n$/,
    );
    expect(seqInPlace()).toBe(31);
    rmSync(data, { recursive: true });
    expect(JSON.parse(run("restore", "copy.db", "--json").out)).toMatchObject({ file: join(data, "highwater.db"), replaced: null, seq: 31, readings: 30 });
    expect(seqInPlace()).toBe(31);
  });

  it("refuse in a sentence", () => {
    expect(run("backup")).toMatchObject({ code: 1, err: expect.stringContaining("there is no database in") as string });
    fillData(3);
    run("backup", "copy.db");
    expect(run("backup", "copy.db")).toEqual({
      code: 1,
      out: "",
      err: `highwater: ${join(dir, "copy.db")} is there already (nothing is overwritten: write another name)\n`,
    });
    expect(run("restore")).toMatchObject({ code: 2, err: expect.stringContaining("missing required argument 'file'") as string });
    expect(run("restore", "nothing.db", "--force")).toMatchObject({
      code: 1,
      err: expect.stringContaining("nothing.db cannot be read: no such file") as string,
    });
    const lock = lockDataDir(data);
    expect(run("restore", "copy.db", "--force")).toMatchObject({ code: 1, err: expect.stringContaining("another highwater uses") as string });
    expect(run("backup", "second.db").code).toBe(0);
    lock.release();
    const db = openDatabase(data, { readonly: false });
    db.pragma(`user_version = ${newestSchema + 1}`);
    db.close();
    for (const args of [["backup"], ["summarize"], ["audit"], ["run"]])
      expect(run(...args)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^highwater: \S+ has schema \d+; this release \w+ \d+ \(.*a later one\)\n$/m) as string,
      });
    writeFileSync(join(dir, "highwater.yaml"), "gateway: { data_dirr: x }\n");
    expect(run("backup").code).toBe(2);
  });

  it("end in order when they are interrupted", async () => {
    fillData(3, 60);
    const { code } = await startAndStop(["backup", "copy.db"], dir, "SIGINT", 0);
    expect(code).toBe(1);
    expect(readdirSync(dir).sort()).toEqual(["data", "highwater.yaml"]);
  });
});

/** Starts a command and signals it so long after its first trace in the folder. @returns its exit code, null for a signal */
async function startAndStop(args: readonly string[], folder: string, signal: NodeJS.Signals, afterMs: number): Promise<{ code: number | null }> {
  const child = spawn(process.execPath, argsOf(args), { cwd: dir, stdio: "ignore" });
  const closed = once(child, "close") as Promise<[number | null]>;
  while (child.exitCode === null && !(existsSync(folder) && readdirSync(folder).some((name) => PART.test(name)))) await sleep(1);
  await sleep(afterMs);
  child.kill(signal);
  const [code] = await closed;
  return { code };
}

describe("a SIGKILL", { timeout: 120_000 }, () => {
  const draw = createDraw(drawSeed("test/cli/backup.test.ts"));

  it("of a backup leaves no file that looks whole and is not; the next one takes away what is left", async () => {
    fillData(30, 60);
    const copies = join(dir, "copies");
    mkdirSync(copies);
    for (let round = 0; round < KILLS; round++) {
      await startAndStop(["backup", join(copies, `${round}.db`)], copies, "SIGKILL", draw.whole(0, 100));
      for (const name of readdirSync(copies).filter((each) => each.endsWith(".db"))) expect(checkBackup(join(copies, name)).seq).toBe(31);
    }
    expect(run("backup", join(copies, "last.db")).code).toBe(0);
    expect(readdirSync(copies).filter((name) => !/^\w+\.db$/.test(name))).toEqual([]);
  });

  it("of a restore leaves the old database or the new one; the next one goes through", async () => {
    fillData(30, 60);
    expect(run("backup", "copy.db").code).toBe(0);
    for (let round = 0; round < KILLS; round++) {
      for (const name of readdirSync(data)) if (name.startsWith("highwater")) rmSync(join(data, name));
      fillData(5);
      await startAndStop(["restore", "copy.db", "--force"], data, "SIGKILL", draw.whole(0, 100));
      const isNew = seqInPlace() === 31;
      if (!isNew) expect(seqInPlace()).toBe(6);
      const replaced = readdirSync(data).filter((name) => name.startsWith("highwater-replaced"));
      if (isNew) expect(replaced).toHaveLength(1);
      for (const name of replaced) expect(checkBackup(join(data, name)).seq).toBe(6);
    }
    expect(run("restore", "copy.db", "--force").code).toBe(0);
    expect(seqInPlace()).toBe(31);
    expect(readdirSync(data).filter((name) => PART.test(name))).toEqual([]);
  });
});
