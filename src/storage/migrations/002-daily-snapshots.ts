// Snapshots know when they were taken, so that the first of each UTC day can be kept for replay.

export const dailySnapshots = {
  version: 2,
  sql: `
    ALTER TABLE snapshot ADD COLUMN at INTEGER NOT NULL DEFAULT 0; -- of the last journal row that it holds
    UPDATE snapshot SET at = coalesce((SELECT at FROM journal WHERE journal.seq = snapshot.seq), 0);
  `,
} as const;
