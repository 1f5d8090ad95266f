// Snapshots over several transactions, of which one may fail and be tried again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { createSnapshotStore, readSnapshot } from "../../src/storage/snapshot.ts";

const opened: { db: Database; dir: string }[] = [];
afterEach(() => {
  for (const { db, dir } of opened.splice(0)) {
    db.close();
    rmSync(dir, { recursive: true });
  }
});

function store() {
  const dir = mkdtempSync(join(tmpdir(), "highwater-snapshot-"));
  const db = openDatabase(dir, { readonly: false });
  opened.push({ db, dir });
  const parts = () => Object.fromEntries([...(readSnapshot(db)?.parts ?? [])].map(({ part, body }) => [part, [...body]]));
  return { db, parts, snapshots: createSnapshotStore(db) };
}
const bytes = (value: number) => Uint8Array.of(value);

it("names all its parts when the disk refused the commit that completed it", () => {
  const { db, parts, snapshots } = store();
  db.transaction(() => snapshots.writePart(5, { part: 0, body: bytes(10) }))();
  const last = () => {
    snapshots.writePart(5, { part: 1, body: bytes(11) });
    snapshots.complete(5);
  };
  const refused = db.transaction(() => {
    last();
    throw new Error("full");
  });
  expect(refused).toThrow("full");
  db.transaction(last)();
  expect(parts()).toEqual({ 0: [10], 1: [11] });
});

it("keeps the bytes of parts that did not change, and drops what nothing names", () => {
  const { db, parts, snapshots } = store();
  db.transaction(() => {
    snapshots.writePart(1, { part: 0, body: bytes(1) });
    snapshots.writePart(1, { part: 1, body: bytes(2) });
    snapshots.complete(1);
  })();
  db.transaction(() => {
    snapshots.writePart(2, { part: 0, body: bytes(3) });
    snapshots.writePart(2, { part: 1, body: undefined });
    snapshots.complete(2);
  })();
  expect(parts()).toEqual({ 0: [3], 1: [2] });
  expect(db.prepare("SELECT count(*) FROM snapshot_part").pluck().get()).toBe(2);
});
