// The raw history by series, made of the journal by compaction, and what is known of its days.

export const chunks = {
  version: 8,
  sql: `
    -- Readings that are history, of one series in one local day; several parts of a day follow each other in the order of (from_seq, part).
    CREATE TABLE chunk (
      id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: it stands for the readings
      series INTEGER NOT NULL,
      day INTEGER NOT NULL,            -- start of the local day by which it was cut
      from_seq INTEGER NOT NULL,       -- journal rows that it was made of
      part INTEGER NOT NULL,           -- 0 of the journal; 1, 2, … of an import
      through_seq INTEGER NOT NULL,
      level INTEGER NOT NULL,          -- how often it was merged
      count INTEGER NOT NULL,
      late INTEGER NOT NULL,
      min_ts INTEGER NOT NULL,
      max_ts INTEGER NOT NULL,
      body BLOB NOT NULL               -- storage/chunk-codec.ts
    );
    CREATE UNIQUE INDEX chunk_part ON chunk (series, day, from_seq, part);
    -- Of each local day of which there are, or were, chunks.
    CREATE TABLE raw_day (
      day INTEGER PRIMARY KEY,         -- start, as in chunk
      until INTEGER NOT NULL,          -- end, exclusive
      readings INTEGER NOT NULL,
      bytes INTEGER NOT NULL,          -- of bodies
      newest_at INTEGER NOT NULL,      -- newest arrival
      settled INTEGER NOT NULL,        -- 1: each series has one chunk
      gone INTEGER NOT NULL            -- 1: retention took readings away: it is no longer whole; more: is taking those with an id below
    );
    -- Rows of the journal through begun may be in chunks, those through through all are.
    CREATE TABLE compaction (id INTEGER PRIMARY KEY CHECK (id = 1), through INTEGER NOT NULL, begun INTEGER NOT NULL);
    INSERT INTO compaction VALUES (1, 0, 0);
    -- Rollup buckets as the stream closed or amended them wait in rollup until they are packed; one that is in both is the merge of both.
    ALTER TABLE rollup ADD COLUMN seq INTEGER NOT NULL DEFAULT 0; -- journal seq of the newest change
    CREATE TABLE packed_rollup (
      id INTEGER PRIMARY KEY,
      tier INTEGER NOT NULL,
      series INTEGER NOT NULL,
      unit INTEGER NOT NULL,           -- start of the stretch of time that a row holds (storage/rollups.ts)
      first_start INTEGER NOT NULL,
      last_start INTEGER NOT NULL,
      at INTEGER NOT NULL,             -- when it was packed: nothing in it arrived later
      body BLOB NOT NULL               -- storage/packed-rollups.ts
    );
    CREATE UNIQUE INDEX packed_rollup_unit ON packed_rollup (tier, series, unit);
  `,
} as const;
