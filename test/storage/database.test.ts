// Whose the files of a data directory are: what the administrator makes there as root the gateway's user can open.

import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockDataDir, openDatabase } from "../../src/storage/database.ts";

const USER = 12_345;
let dir = "";
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "highwater-owner-"))));
afterEach(() => rmSync(dir, { recursive: true }));

const ownersIn = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder).map((name) => {
      const { uid, gid } = statSync(join(folder, name));
      return [name, [uid, gid]];
    }),
  );

// Only root may give files away.
it.skipIf(process.getuid?.() !== 0)("what root makes in a data directory is the directory's owner's", () => {
  chownSync(dir, USER, USER);
  const lock = lockDataDir(dir);
  const db = openDatabase(dir, { readonly: false });
  db.exec("INSERT INTO summary_progress VALUES ('UTC', 1)");
  const owner = [USER, USER];
  expect(ownersIn(dir)).toMatchObject({ "highwater.db": owner, "highwater.db-shm": owner, "highwater.db-wal": owner, "lock.db": owner });
  expect(Object.values(ownersIn(dir)).filter(([uid]) => uid !== USER)).toEqual([]);
  db.close();
  lock.release();
});

// Only root may give files away.
it.skipIf(process.getuid?.() !== 0)("leaves files that are there to whom they are", () => {
  lockDataDir(dir).release();
  openDatabase(dir, { readonly: false }).close();
  chownSync(dir, USER, USER);
  lockDataDir(dir).release();
  openDatabase(dir, { readonly: false }).close();
  expect(Object.values(ownersIn(dir))).toEqual([
    [0, 0],
    [0, 0],
  ]);
});
