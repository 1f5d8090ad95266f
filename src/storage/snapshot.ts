// Snapshots of the engine, in parts. A snapshot stands when its row is written, which names for each part the seq under which
// its bytes lie; a part that did not change keeps its old bytes. Kept are the newest snapshot and, as long as the journal after
// it is there, the first of each UTC day, from which replay starts; the others and bytes that no snapshot names are dropped.

import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";

/** A part of the engine's state as of the snapshot's seq. `body: undefined` refers to the bytes of the snapshot before. */
export type SnapshotPart = { readonly part: number; readonly body: Uint8Array | undefined };

export type SnapshotStore = {
  /** Call within a transaction. Parts of one snapshot may be written over several commits. */
  writePart(snapshot: number, part: SnapshotPart): void;
  /** Call within a transaction, after the last part. */
  complete(snapshot: number): void;
};

/** By part: the seq under which its bytes lie. */
type Parts = ReadonlyMap<number, number>;

const FIRST_OF_DAY = "SELECT min(seq) FROM snapshot GROUP BY at / 86400000";

export function createSnapshotStore(db: Database): SnapshotStore {
  const insertPart = db.prepare("INSERT OR REPLACE INTO snapshot_part VALUES (?, ?, ?)");
  const insertSnapshot = db.prepare("INSERT INTO snapshot (seq, parts, at) VALUES (@seq, @parts, coalesce((SELECT at FROM journal WHERE seq = @seq), 0))");
  const dropPassing = db.prepare(`DELETE FROM snapshot WHERE seq < ? AND seq NOT IN (${FIRST_OF_DAY})`);
  const dropBeforeJournal = db.prepare("DELETE FROM snapshot WHERE seq < ? AND seq < (SELECT min(seq) FROM journal) - 1");
  const dropParts = db.prepare("DELETE FROM snapshot_part WHERE part = ? AND seq > ? AND seq < ?");
  const dropUnnamed = db.prepare(
    "DELETE FROM snapshot_part WHERE (part, seq) NOT IN (SELECT value ->> 0, value ->> 1 FROM snapshot, json_each(snapshot.parts))",
  );
  let building: { readonly seq: number; readonly before: Parts; readonly daily: Parts; readonly parts: Map<number, number> } | undefined;
  // What a rolled back transaction did is done again by its retry: what stood before is read once, when a snapshot begins.
  const buildingOf = (seq: number) => {
    if (building?.seq !== seq) building = { seq, before: partsOf(db, newestSeq(db)), daily: partsOf(db, newestDailySeq(db)), parts: new Map() };
    return building;
  };
  return {
    writePart(snapshot, { part, body }) {
      const { parts, before } = buildingOf(snapshot);
      const kept = before.get(part);
      if (body === undefined && kept === undefined) throw new Error(`snapshot part ${part} refers to bytes that are not there`);
      parts.set(part, body === undefined ? (kept as number) : snapshot);
      if (body !== undefined) insertPart.run(part, snapshot, body);
    },
    complete(snapshot) {
      const { parts, before, daily } = buildingOf(snapshot);
      insertSnapshot.run({ seq: snapshot, parts: JSON.stringify([...parts]) });
      dropPassing.run(snapshot);
      // Between the bytes of the last daily snapshot and the new ones nothing is named any more.
      for (const [part, seq] of parts) if (before.get(part) !== seq) dropParts.run(part, daily.get(part) ?? -1, seq);
      if (dropBeforeJournal.run(snapshot).changes > 0) dropUnnamed.run();
    },
  };
}

export type StoredSnapshot = { readonly seq: number; readonly parts: Generator<{ part: number; body: Uint8Array }> };

/** The newest complete snapshot, or undefined when there is none. */
export function readSnapshot(db: Database): StoredSnapshot | undefined {
  const seq = newestSeq(db);
  return seq === undefined ? undefined : { seq, parts: bodiesOf(db, partsOf(db, seq)) };
}

/** The snapshots that are kept, oldest first. */
export function listSnapshots(db: Database): { readonly seq: number; readonly at: EpochMs }[] {
  return db.prepare<[], { seq: number; at: EpochMs }>("SELECT seq, at FROM snapshot ORDER BY seq").all();
}

/** The bodies of a snapshot that is kept; ask within one transaction while a gateway writes. */
export const readSnapshotAt = (db: Database, seq: number): StoredSnapshot["parts"] => bodiesOf(db, partsOf(db, seq));

function* bodiesOf(db: Database, parts: Parts): Generator<{ part: number; body: Uint8Array }> {
  const read = db.prepare<[number, number], Uint8Array>("SELECT body FROM snapshot_part WHERE part = ? AND seq = ?").pluck();
  for (const [part, seq] of parts) {
    const body = read.get(part, seq);
    if (body === undefined) throw new Error(`snapshot part ${part} of seq ${seq} is missing`);
    yield { part, body };
  }
}

const newestSeq = (db: Database): number | undefined => db.prepare<[], number | null>("SELECT max(seq) FROM snapshot").pluck().get() ?? undefined;
const newestDailySeq = (db: Database): number | undefined =>
  db.prepare<[], number | null>(`SELECT max(seq) FROM snapshot WHERE seq IN (${FIRST_OF_DAY})`).pluck().get() ?? undefined;

function partsOf(db: Database, seq: number | undefined): Map<number, number> {
  const parts = seq === undefined ? undefined : db.prepare<[number], string>("SELECT parts FROM snapshot WHERE seq = ?").pluck().get(seq);
  return new Map(parts === undefined ? [] : (JSON.parse(parts) as [number, number][]));
}
