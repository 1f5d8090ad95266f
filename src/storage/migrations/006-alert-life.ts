// What people do with alerts, and whom dispatch tells of them: acknowledgements, shelves, silences, overrides of schedules, and
// notifications that wait for their group, stand in for others, or say what hid them.

export const alertLife = {
  version: 6,
  sql: `
    ALTER TABLE alert ADD COLUMN acked_by TEXT;
    ALTER TABLE alert ADD COLUMN acked_at INTEGER;
    ALTER TABLE alert ADD COLUMN ack_note TEXT;
    ALTER TABLE alert ADD COLUMN latched_at INTEGER;       -- it would have resolved then, and waits for a reset
    ALTER TABLE alert ADD COLUMN first_acked_at INTEGER;   -- the first acknowledgement, whatever became of it
    CREATE INDEX alert_subject ON alert (rule, subject, fired_at);
    -- What people and time did to an occurrence beside its transitions, in order.
    CREATE TABLE alert_event (
      alert TEXT NOT NULL,
      number INTEGER NOT NULL,         -- 1, 2, … within the occurrence
      at INTEGER NOT NULL,             -- wall clock
      kind TEXT NOT NULL,              -- engine/dispatch/record.ts AlertEventKind
      by TEXT NOT NULL,                -- who; "" when time did it
      text TEXT NOT NULL,              -- note, reason or comment
      until INTEGER,
      PRIMARY KEY (alert, number)
    ) WITHOUT ROWID;
    -- Alerts (rule on subject) that are shelved or out of service now; they outlive occurrences.
    CREATE TABLE shelf (
      key TEXT PRIMARY KEY,            -- the part of an occurrence's id before the dash
      kind TEXT NOT NULL,              -- timed | until_clear | out_of_service
      rule TEXT NOT NULL,
      subject TEXT NOT NULL,
      labels TEXT NOT NULL,            -- JSON
      by TEXT NOT NULL,
      at INTEGER NOT NULL,
      until INTEGER,
      why TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE silence (
      id TEXT PRIMARY KEY,
      matchers TEXT NOT NULL,          -- JSON of LabelMatcher[]
      starts_at INTEGER NOT NULL,
      ends_at INTEGER NOT NULL,        -- as it is now: one that was ended early ends then
      by TEXT NOT NULL,
      why TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      ended_by TEXT                    -- who ended it early
    ) WITHOUT ROWID;
    CREATE INDEX silence_ends ON silence (ends_at);
    CREATE TABLE schedule_override (
      id TEXT PRIMARY KEY,
      schedule TEXT NOT NULL,
      member TEXT NOT NULL,            -- who is on call instead
      starts_at INTEGER NOT NULL,
      ends_at INTEGER NOT NULL,
      by TEXT NOT NULL,
      why TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      removed_by TEXT
    ) WITHOUT ROWID;
    -- disposition: waiting | delivered | grouped | silenced | inhibited | muted | shelved | dead; all but waiting are final.
    ALTER TABLE notification ADD COLUMN kind TEXT NOT NULL DEFAULT 'transition';  -- engine/dispatch/record.ts NotificationKind
    ALTER TABLE notification ADD COLUMN line TEXT;         -- what keeps its order: the group, or the alert when null
    ALTER TABLE notification ADD COLUMN cause TEXT;        -- of what was not sent by itself: which notification, silence, alert or interval
    ALTER TABLE notification ADD COLUMN held_until INTEGER;-- waits for its group or for what inhibits it until then; null: it may be sent
    ALTER TABLE notification ADD COLUMN members TEXT;      -- JSON [[alert, ordinal], …] of all that it tells of; null: only its own
    CREATE INDEX notification_line ON notification (line) WHERE line IS NOT NULL;
    CREATE INDEX notification_disposition ON notification (disposition);
    DROP INDEX notification_waiting;
    CREATE INDEX notification_waiting ON notification (next_at) WHERE disposition = 'waiting' AND held_until IS NULL;
    CREATE INDEX notification_open ON notification (created_at) WHERE disposition = 'waiting';
  `,
} as const;
