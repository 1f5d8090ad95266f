// The first schema. All times are EpochMs or UptimeMs integers; texts are UTF-8 JSON where it says so.

export const initial = {
  version: 1,
  sql: `
    CREATE TABLE series (
      id INTEGER PRIMARY KEY,
      labels TEXT NOT NULL,            -- JSON object, keys sorted
      source TEXT NOT NULL             -- topic template that brought it first
    );
    -- One row per commit: every input of it, as columns (storage/journal.ts).
    CREATE TABLE journal (
      seq INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,             -- of the last input
      up INTEGER NOT NULL,
      min_ts INTEGER,                  -- event times of accepted and late readings; null: none
      max_ts INTEGER,
      count INTEGER NOT NULL,          -- readings, of any verdict
      series BLOB NOT NULL,            -- ids of the accepted and late readings, sorted, varint deltas
      body BLOB NOT NULL,
      effects BLOB NOT NULL            -- hash of the step's effects
    );
    -- Spans of event time in whole seconds, for rows that hold history (storage/journal.ts, spanSecond).
    CREATE VIRTUAL TABLE journal_span USING rtree_i32 (seq, min_s, max_s);
    CREATE TABLE rule_version (hash TEXT PRIMARY KEY, at INTEGER NOT NULL, plan TEXT NOT NULL) WITHOUT ROWID;
    -- A snapshot is complete when its row is there; parts that did not change are referred to by the seq of their writing.
    CREATE TABLE snapshot (seq INTEGER PRIMARY KEY, parts TEXT NOT NULL);
    CREATE TABLE snapshot_part (part INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (part, seq)) WITHOUT ROWID;
    CREATE TABLE rollup (
      tier INTEGER NOT NULL,           -- width of the bucket in ms
      series INTEGER NOT NULL,
      start INTEGER NOT NULL,
      dirty INTEGER NOT NULL,          -- 1: late readings came after it closed; ask the raw readings
      body BLOB NOT NULL,              -- storage/rollups.ts
      PRIMARY KEY (tier, series, start)
    ) WITHOUT ROWID;
    CREATE TABLE alert (
      id TEXT PRIMARY KEY,
      rule TEXT NOT NULL,
      series INTEGER NOT NULL,
      severity TEXT NOT NULL,
      labels TEXT NOT NULL,            -- JSON
      annotations TEXT NOT NULL,       -- JSON of Liquid templates
      state TEXT NOT NULL,             -- firing | recovering | resolved
      since INTEGER NOT NULL,
      fired_at INTEGER NOT NULL,
      resolved_at INTEGER,
      value REAL NOT NULL,
      peak REAL NOT NULL,
      "limit" REAL,
      unit TEXT,
      changed_seq INTEGER NOT NULL     -- journal seq of the newest transition
    ) WITHOUT ROWID;
    CREATE INDEX alert_newest ON alert (fired_at DESC, id);
    CREATE INDEX alert_state ON alert (state, fired_at DESC);
    CREATE TABLE transition (
      alert TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      "to" TEXT NOT NULL,
      reason TEXT NOT NULL,
      ts INTEGER NOT NULL,             -- event time
      at INTEGER NOT NULL,             -- when it was committed
      value REAL NOT NULL,             -- the record's figures as they were then
      peak REAL NOT NULL,
      evidence TEXT NOT NULL,          -- JSON
      PRIMARY KEY (alert, ordinal)
    ) WITHOUT ROWID;
    CREATE TABLE pending (rule TEXT NOT NULL, series INTEGER NOT NULL, since INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (rule, series)) WITHOUT ROWID;
    -- The outbox. waiting until it ends in exactly one of the others.
    CREATE TABLE notification (
      id TEXT PRIMARY KEY,
      alert TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      receiver TEXT NOT NULL,
      channel TEXT NOT NULL,
      seq INTEGER NOT NULL,            -- per alert, receiver and channel
      state TEXT NOT NULL,             -- firing | resolved
      disposition TEXT NOT NULL,       -- waiting | delivered | dead
      created_at INTEGER NOT NULL,
      created_seq INTEGER NOT NULL,    -- journal seq
      attempts INTEGER NOT NULL,
      next_at INTEGER NOT NULL,
      ended_at INTEGER,
      reason TEXT                      -- of the last failure
    ) WITHOUT ROWID;
    CREATE INDEX notification_waiting ON notification (next_at) WHERE disposition = 'waiting';
    CREATE INDEX notification_newest ON notification (created_at DESC, id);
    CREATE INDEX notification_dead ON notification (created_at DESC, id) WHERE disposition = 'dead';
    CREATE INDEX notification_alert ON notification (alert);
    -- What could not be decoded: a count and the newest sample (first 1 KiB) per topic and reason; bounded.
    CREATE TABLE rejected (topic TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, detail TEXT NOT NULL, sample BLOB NOT NULL, PRIMARY KEY (topic, reason)) WITHOUT ROWID;
    CREATE TABLE daily_summary (
      zone TEXT NOT NULL,
      day TEXT NOT NULL,               -- local day, YYYY-MM-DD
      series INTEGER NOT NULL,
      version INTEGER NOT NULL,        -- counts the times that the figures changed
      approximate INTEGER NOT NULL,
      body TEXT NOT NULL,              -- JSON: engine/summary.ts DaySummary
      computed_at INTEGER NOT NULL,
      PRIMARY KEY (zone, day, series)
    ) WITHOUT ROWID;
    -- Which (series, day) were touched by readings but are not summarised yet, as of journal seq summary_progress.through.
    CREATE TABLE summary_open (zone TEXT NOT NULL, day TEXT NOT NULL, series INTEGER NOT NULL, PRIMARY KEY (zone, day, series)) WITHOUT ROWID;
    CREATE TABLE summary_progress (zone TEXT PRIMARY KEY, through INTEGER NOT NULL) WITHOUT ROWID;
  `,
} as const;
