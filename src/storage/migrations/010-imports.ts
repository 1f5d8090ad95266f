// Files of history that are brought in, and the days whose rollups wait to be reckoned from what came with them.

export const imports = {
  version: 10,
  sql: `
    -- How far each file is taken; one that is given again goes on there.
    CREATE TABLE import (
      key TEXT PRIMARY KEY,            -- of the file and of what it was read with (history/identity.ts)
      file TEXT NOT NULL,
      began_at INTEGER NOT NULL,
      changed_at INTEGER NOT NULL,
      ended_at INTEGER,                -- null: not all of it is in
      first_ts INTEGER,                -- event times that it brought; null: none yet
      last_ts INTEGER,
      progress TEXT NOT NULL           -- JSON: storage/imports.ts ImportProgress
    ) WITHOUT ROWID;
    -- Rollup buckets of these UTC days do not hold what chunks of imports brought.
    CREATE TABLE rollup_open (tier INTEGER NOT NULL, series INTEGER NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (tier, series, day)) WITHOUT ROWID;
  `,
} as const;
