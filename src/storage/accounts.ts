// Accounts, API tokens and sessions as they are stored. They are few and bounded by who writes them (http/accounts), so that
// they are read whole at the start. Secrets are not here: only their hashes.

import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";

export const roles = ["viewer", "operator", "admin"] as const;
export type Role = (typeof roles)[number];
export const scopes = ["read", "operate", "admin", "metrics"] as const;
export type Scope = (typeof scopes)[number];

export type StoredAccount = { readonly name: string; readonly role: Role /** Of password.ts. */; readonly scrypt: string; readonly createdAt: EpochMs };
export type StoredToken = {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly createdBy: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs | null;
  readonly lastUsedAt: EpochMs | null;
  readonly revokedAt: EpochMs | null;
};
export type StoredSession = {
  /** SHA-256 of the cookie, hex. */
  readonly hash: string;
  readonly account: string;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
  readonly lastUsedAt: EpochMs;
};
export type StoredAccounts = {
  readonly accounts: readonly StoredAccount[];
  readonly tokens: readonly StoredToken[];
  readonly sessions: readonly StoredSession[];
};

/** Rows with all their columns replace what is there. */
export type AccountsRow =
  | ({ readonly kind: "account" } & StoredAccount)
  /** With its sessions. */
  | { readonly kind: "account-gone"; readonly name: string }
  | ({ readonly kind: "api-token" } & StoredToken)
  | { readonly kind: "api-token-gone"; readonly id: string }
  | ({ readonly kind: "session" } & StoredSession)
  | { readonly kind: "session-gone"; readonly hash: string }
  | { readonly kind: "sessions-gone"; readonly account: string };

/** @returns a function that writes rows; call it within a transaction */
export function createAccountsWriter(db: Database): (row: AccountsRow) => void {
  const account = db.prepare("INSERT OR REPLACE INTO account VALUES (@name, @role, @scrypt, @createdAt)");
  const accountGone = db.prepare("DELETE FROM account WHERE name = ?");
  const token = db.prepare("INSERT OR REPLACE INTO api_token VALUES (@id, @name, @hash, @scopes, @createdBy, @createdAt, @expiresAt, @lastUsedAt, @revokedAt)");
  const tokenGone = db.prepare("DELETE FROM api_token WHERE id = ?");
  const session = db.prepare("INSERT OR REPLACE INTO session VALUES (@hash, @account, @createdAt, @expiresAt, @lastUsedAt)");
  const sessionGone = db.prepare("DELETE FROM session WHERE hash = ?");
  const sessionsGone = db.prepare("DELETE FROM session WHERE account = ?");
  return (row) => {
    switch (row.kind) {
      case "account":
        return void account.run(row);
      case "account-gone":
        sessionsGone.run(row.name);
        return void accountGone.run(row.name);
      case "api-token":
        return void token.run({ ...row, scopes: row.scopes.join(" ") });
      case "api-token-gone":
        return void tokenGone.run(row.id);
      case "session":
        return void session.run(row);
      case "session-gone":
        return void sessionGone.run(row.hash);
      case "sessions-gone":
        return void sessionsGone.run(row.account);
      default: {
        const never: never = row;
        return never;
      }
    }
  };
}

export function readAccounts(db: Database): StoredAccounts {
  const accounts = db.prepare<[], StoredAccount>("SELECT name, role, scrypt, created_at AS createdAt FROM account ORDER BY name").all();
  const tokens = db
    .prepare<[], Omit<StoredToken, "scopes"> & { readonly scopes: string }>(
      `SELECT id, name, hash, scopes, created_by AS createdBy, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt,
         revoked_at AS revokedAt FROM api_token ORDER BY created_at, id`,
    )
    .all();
  const sessions = db
    .prepare<[], StoredSession>(
      "SELECT hash, account, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt FROM session ORDER BY created_at, hash",
    )
    .all();
  return { accounts, tokens: tokens.map((row) => ({ ...row, scopes: row.scopes.split(" ") as Scope[] })), sessions };
}
