// Who may do what over HTTP, and what they did. Of tokens and sessions only the SHA-256 of a random secret is kept.

export const accounts = {
  version: 4,
  sql: `
    CREATE TABLE account (
      name TEXT PRIMARY KEY,
      role TEXT NOT NULL,              -- viewer | operator | admin
      scrypt TEXT NOT NULL,            -- src/password.ts
      created_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE api_token (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      hash TEXT NOT NULL,              -- SHA-256 of the token, hex
      scopes TEXT NOT NULL,            -- read operate admin metrics, by spaces
      created_by TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      last_used_at INTEGER,            -- within five minutes
      revoked_at INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE session (
      hash TEXT PRIMARY KEY,           -- SHA-256 of the cookie, hex
      account TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      last_used_at INTEGER NOT NULL    -- within five minutes
    ) WITHOUT ROWID;
    CREATE INDEX session_account ON session (account);
    -- Who did what, when and why; bounded (storage/audit.ts).
    CREATE TABLE audit (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      last_at INTEGER NOT NULL,        -- of the last time that it was repeated
      count INTEGER NOT NULL,
      who TEXT NOT NULL,
      origin TEXT NOT NULL,
      action TEXT NOT NULL,
      target TEXT NOT NULL,
      why TEXT NOT NULL,
      outcome TEXT NOT NULL
    );
    CREATE INDEX audit_repeated ON audit (origin, action, at) WHERE outcome <> 'ok';
  `,
} as const;
