// An empty database in a folder of its own, gone after the test.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { type Database, openDatabase } from "../src/storage/database.ts";

const opened: { db: Database; folder: string }[] = [];
afterEach(() => {
  for (const { db, folder } of opened.splice(0)) {
    db.close();
    rmSync(folder, { recursive: true });
  }
});

export function freshDatabase(): Database {
  const folder = mkdtempSync(join(tmpdir(), "highwater-replay-"));
  const db = openDatabase(folder, { readonly: false });
  db.pragma("synchronous = OFF"); // the machine does not lose power in a test
  opened.push({ db, folder });
  return db;
}
