// Snapshots over several transactions, of which one may fail and be tried again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { createSnapshotStore, listSnapshots, readSnapshot, readSnapshotAt } from "../../src/storage/snapshot.ts";

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
  db.transaction(() => {
    snapshots.writePart(3, { part: 0, body: bytes(4) });
    snapshots.writePart(3, { part: 1, body: undefined });
    snapshots.complete(3);
  })();
  expect(parts()).toEqual({ 0: [4], 1: [2] });
  // The first snapshot of a day stands.
  expect(db.prepare("SELECT part, seq FROM snapshot_part ORDER BY part, seq").raw().all()).toEqual([
    [0, 1],
    [0, 3],
    [1, 1],
  ]);
});

it("keeps the first of each UTC day as it was, while the journal after it is there", () => {
  const { db, snapshots } = store();
  const day = 86_400_000;
  const row = db.prepare("INSERT INTO journal VALUES (?, ?, 0, NULL, NULL, 0, x'', x'', x'')");
  const values = (seq: number) => [...readSnapshotAt(db, seq)].map(({ body }) => body[0]);
  const kept = () => listSnapshots(db).map(({ seq }) => seq);
  /** Part 0 changes each time, part 1 with each third snapshot. */
  const take = (seq: number, at: number) => {
    row.run(seq, at);
    db.transaction(() => {
      snapshots.writePart(seq, { part: 0, body: bytes(seq) });
      snapshots.writePart(seq, { part: 1, body: seq % 3 === 1 ? bytes(100 + seq) : undefined });
      snapshots.complete(seq);
    })();
  };
  for (let seq = 1; seq <= 4; seq++) take(seq, seq * 1000);
  expect(kept()).toEqual([1, 4]);
  for (let seq = 5; seq <= 8; seq++) take(seq, day + seq * 1000);
  expect(kept()).toEqual([1, 5, 8]);
  take(9, 2 * day);
  take(10, 2 * day + 1);
  expect(kept()).toEqual([1, 5, 9, 10]);
  expect(kept().map(values)).toEqual([
    [1, 101],
    [5, 104],
    [9, 107],
    [10, 110],
  ]);
  expect(db.prepare("SELECT count(*) FROM snapshot_part").pluck().get()).toBe(8);
  // A snapshot whose journal begins right after it is still a beginning; one with a gap is none.
  db.exec("DELETE FROM journal WHERE seq < 6");
  take(11, 2 * day + 2);
  expect(kept()).toEqual([5, 9, 11]);
  db.exec("DELETE FROM journal WHERE seq < 12");
  take(12, 2 * day + 3);
  expect(kept()).toEqual([12]);
  expect(values(12)).toEqual([12, 110]);
  expect(db.prepare("SELECT count(*) FROM snapshot_part").pluck().get()).toBe(2);
});

it("drops the bytes of a snapshot that a crash cut short", () => {
  const { db, parts, snapshots } = store();
  db.transaction(() => {
    snapshots.writePart(1, { part: 0, body: bytes(1) });
    snapshots.complete(1);
    snapshots.writePart(2, { part: 0, body: bytes(2) });
  })();
  const restarted = createSnapshotStore(db);
  db.transaction(() => {
    restarted.writePart(3, { part: 0, body: bytes(3) });
    restarted.complete(3);
  })();
  expect(parts()).toEqual({ 0: [3] });
  expect(db.prepare("SELECT seq FROM snapshot_part ORDER BY seq").pluck().all()).toEqual([1, 3]);
});
