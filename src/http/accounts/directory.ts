// The accounts, tokens and sessions in memory, as they are stored: each change is made here first, so that it holds at once, and
// then written. The only one who changes them while it lives; bounded. It judges no password and knows no rights.

import type { Clock } from "../../clock.ts";
import { GatewayError } from "../../error.ts";
import type { AccountsRow, StoredAccount, StoredAccounts, StoredSession, StoredToken } from "../../storage/accounts.ts";
import { hashOf, newSecret } from "./secret.ts";

export const ACCOUNTS_MAX = 1_000;
export const TOKENS_MAX = 1_000;
/** Of one account; the oldest ends when another begins. */
export const SESSIONS_MAX = 20;
export const SESSION_IDLE_MS = 12 * 3_600_000;
export const SESSION_MS_MAX = 7 * 86_400_000;
/** The store learns of a use so often at most. */
const USE_WRITTEN_MS = 300_000;

export type DirectoryDeps = {
  /** Resolves when the rows are committed. */
  write(rows: readonly AccountsRow[]): Promise<void>;
  readonly clock: Pick<Clock, "now">;
};
export type Directory = ReturnType<typeof createDirectory>;

export function createDirectory({ write, clock }: DirectoryDeps) {
  const accounts = new Map<string, StoredAccount>();
  const sessions = createSessions({ write, clock });
  const tokens = createTokens({ write, clock });
  return {
    load(stored: StoredAccounts): void {
      for (const account of stored.accounts) accounts.set(account.name, account);
      sessions.load(stored.sessions);
      tokens.load(stored.tokens);
    },
    sessions,
    tokens,
    account: (name: string) => accounts.get(name),
    accounts: (): StoredAccount[] => [...accounts.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    count: () => accounts.size,
    /** New, or in the place of the one of that name. @throws GatewayError `too_many_accounts` */
    async putAccount(account: StoredAccount): Promise<void> {
      if (!accounts.has(account.name) && accounts.size >= ACCOUNTS_MAX)
        throw new GatewayError("too_many_accounts", `there are ${ACCOUNTS_MAX} accounts already`, { hint: "remove one first" });
      accounts.set(account.name, account);
      await write([{ kind: "account", ...account }]);
    },
    /** With its sessions. */
    async removeAccount(name: string): Promise<void> {
      accounts.delete(name);
      sessions.forget(name);
      await write([{ kind: "account-gone", name }]);
    },
  };
}

function createSessions({ write, clock }: DirectoryDeps) {
  const sessions = new Map<string, StoredSession>();
  const isOver = ({ expiresAt, lastUsedAt }: StoredSession): boolean => clock.now() >= Math.min(expiresAt, lastUsedAt + SESSION_IDLE_MS);
  const end = (hash: string): void => {
    if (sessions.delete(hash)) void write([{ kind: "session-gone", hash }]);
  };
  const endOld = (): void => {
    for (const session of sessions.values()) if (isOver(session)) end(session.hash);
  };
  const of = (account: string): StoredSession[] => [...sessions.values()].filter((session) => session.account === account);
  const forget = (account: string): void => {
    for (const { hash } of of(account)) sessions.delete(hash);
  };
  return {
    load(stored: readonly StoredSession[]): void {
      for (const session of stored) sessions.set(session.hash, session);
      endOld();
    },
    /** @returns the secret of the cookie */
    begin(account: string): string {
      endOld();
      const [oldest, ...others] = of(account);
      if (oldest !== undefined && others.length + 1 >= SESSIONS_MAX) end(oldest.hash);
      const [secret, now] = [newSecret(), clock.now()];
      const session = { hash: hashOf(secret), account, createdAt: now, expiresAt: now + SESSION_MS_MAX, lastUsedAt: now };
      sessions.set(session.hash, session);
      void write([{ kind: "session", ...session }]);
      return secret;
    },
    /** That of a hash, unless it is over; asking for it is no use of it. */
    find(hash: string): StoredSession | undefined {
      const session = sessions.get(hash);
      return session === undefined || isOver(session) ? undefined : session;
    },
    use(session: StoredSession): void {
      const lastUsedAt = clock.now();
      if (lastUsedAt - session.lastUsedAt < USE_WRITTEN_MS) return;
      const used = { ...session, lastUsedAt };
      sessions.set(session.hash, used);
      void write([{ kind: "session", ...used }]);
    },
    end,
    async endAll(account: string): Promise<void> {
      forget(account);
      await write([{ kind: "sessions-gone", account }]);
    },
    /** In memory only: the account's removal takes the stored ones along. */
    forget,
  };
}

function createTokens({ write, clock }: DirectoryDeps) {
  /** By id, oldest first. */
  const tokens = new Map<string, StoredToken>();
  const idByHash = new Map<string, string>();
  const isOver = ({ expiresAt, revokedAt }: StoredToken): boolean => revokedAt !== null || (expiresAt !== null && clock.now() >= expiresAt);
  const keep = (token: StoredToken): void => {
    tokens.set(token.id, token);
    idByHash.set(token.hash, token.id);
  };
  return {
    load(stored: readonly StoredToken[]): void {
      for (const token of stored) keep(token);
    },
    all: (): StoredToken[] => [...tokens.values()],
    isOver,
    /** Of an id, or of a name while it holds. */
    named: (name: string): StoredToken | undefined => tokens.get(name) ?? [...tokens.values()].find((token) => token.name === name && !isOver(token)),
    find(hash: string): StoredToken | undefined {
      const token = tokens.get(idByHash.get(hash) ?? "");
      return token === undefined || isOver(token) ? undefined : token;
    },
    use(token: StoredToken): void {
      const lastUsedAt = clock.now();
      if (token.lastUsedAt !== null && lastUsedAt - token.lastUsedAt < USE_WRITTEN_MS) return;
      keep({ ...token, lastUsedAt });
      void write([{ kind: "api-token", ...token, lastUsedAt }]);
    },
    /** One that no longer holds gives way when there are many. @throws GatewayError `too_many_tokens` */
    async add(token: StoredToken): Promise<void> {
      const rows: AccountsRow[] = [{ kind: "api-token", ...token }];
      if (tokens.size >= TOKENS_MAX) {
        const old = [...tokens.values()].find(isOver);
        if (old === undefined) throw new GatewayError("too_many_tokens", `there are ${TOKENS_MAX} tokens already`, { hint: "revoke one first" });
        tokens.delete(old.id);
        idByHash.delete(old.hash);
        rows.push({ kind: "api-token-gone", id: old.id });
      }
      keep(token);
      await write(rows);
    },
    async revoke(token: StoredToken): Promise<void> {
      const revoked = { ...token, revokedAt: clock.now() };
      keep(revoked);
      await write([{ kind: "api-token", ...revoked }]);
    },
  };
}
