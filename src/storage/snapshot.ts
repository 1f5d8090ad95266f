// Snapshots of the engine, in parts. A snapshot stands when its row is written, which names for each part the seq under which
// its bytes lie; a part that did not change keeps its old bytes. Older snapshots and unnamed parts are then dropped.

import type { Database } from "./database.ts";

/** A part of the engine's state as of the snapshot's seq. `body: undefined` refers to the bytes of the snapshot before. */
export type SnapshotPart = { readonly part: number; readonly body: Uint8Array | undefined };

export type SnapshotStore = {
  /** Call within a transaction. Parts of one snapshot may be written over several commits. */
  writePart(snapshot: number, part: SnapshotPart): void;
  /** Call within a transaction, after the last part. */
  complete(snapshot: number): void;
};

export function createSnapshotStore(db: Database): SnapshotStore {
  const insertPart = db.prepare("INSERT OR REPLACE INTO snapshot_part VALUES (?, ?, ?)");
  const insertSnapshot = db.prepare("INSERT INTO snapshot VALUES (?, ?)");
  const dropSnapshots = db.prepare("DELETE FROM snapshot WHERE seq < ?");
  const dropParts = db.prepare("DELETE FROM snapshot_part WHERE part = ? AND seq <> ?");
  let standing = partsOf(db);
  let building: { readonly seq: number; readonly parts: Map<number, number>; isComplete: boolean } | undefined;
  // What a rolled back transaction did is done again by its retry. So a snapshot stands only when the next one begins.
  const buildingOf = (seq: number) => {
    if (building?.seq === seq) return building;
    if (building?.isComplete) standing = building.parts;
    building = { seq, parts: new Map(), isComplete: false };
    return building;
  };
  return {
    writePart(snapshot, { part, body }) {
      const { parts } = buildingOf(snapshot);
      const kept = standing.get(part);
      if (body === undefined && kept === undefined) throw new Error(`snapshot part ${part} refers to bytes that are not there`);
      parts.set(part, body === undefined ? (kept as number) : snapshot);
      if (body !== undefined) insertPart.run(part, snapshot, body);
    },
    complete(snapshot) {
      const whole = buildingOf(snapshot);
      insertSnapshot.run(snapshot, JSON.stringify([...whole.parts]));
      dropSnapshots.run(snapshot);
      for (const [part, seq] of whole.parts) if (standing.get(part) !== seq) dropParts.run(part, seq);
      whole.isComplete = true;
    },
  };
}

/** The newest complete snapshot, or undefined when there is none. */
export function readSnapshot(db: Database): { seq: number; parts: Generator<{ part: number; body: Uint8Array }> } | undefined {
  const seq = db.prepare<[], number>("SELECT max(seq) FROM snapshot").pluck().get();
  if (seq === undefined || seq === null) return undefined;
  return { seq, parts: bodiesOf(db, partsOf(db)) };
}

function* bodiesOf(db: Database, parts: ReadonlyMap<number, number>): Generator<{ part: number; body: Uint8Array }> {
  const read = db.prepare<[number, number], Uint8Array>("SELECT body FROM snapshot_part WHERE part = ? AND seq = ?").pluck();
  for (const [part, seq] of parts) {
    const body = read.get(part, seq);
    if (body === undefined) throw new Error(`snapshot part ${part} of seq ${seq} is missing`);
    yield { part, body };
  }
}

function partsOf(db: Database): Map<number, number> {
  const parts = db.prepare<[], string>("SELECT parts FROM snapshot ORDER BY seq DESC LIMIT 1").pluck().get();
  return new Map(parts === undefined ? [] : (JSON.parse(parts) as [number, number][]));
}
