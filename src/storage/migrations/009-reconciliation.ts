// How the stream and the batch differ, and the verdicts of readings that neither counts.

export const reconciliation = {
  version: 9,
  sql: `
    -- Readings that are no history, by the local day in which they arrived (start of it, as raw_day.day), of a stretch of the journal.
    CREATE TABLE refused_day (
      series INTEGER NOT NULL,
      day INTEGER NOT NULL,
      from_seq INTEGER NOT NULL,
      duplicate INTEGER NOT NULL,
      conflict INTEGER NOT NULL,
      quarantined INTEGER NOT NULL,
      PRIMARY KEY (series, day, from_seq)
    ) WITHOUT ROWID;
    -- Of each (series, local day) where they differ.
    CREATE TABLE reconciliation (
      zone TEXT NOT NULL,
      day TEXT NOT NULL,
      series INTEGER NOT NULL,
      body TEXT NOT NULL,              -- JSON: storage/reconciliation.ts Reconciliation
      PRIMARY KEY (zone, day, series)
    ) WITHOUT ROWID;
  `,
} as const;
