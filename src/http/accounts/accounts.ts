// Who may come in: logins, sessions, API tokens and the one-time link that makes the administrator. It decides who asks; what that
// one may do is decided by rights.ts, and where it is asked by http/access.ts. While there is no account it lets nobody in by name.

import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../../clock.ts";
import type { Metrics } from "../../metrics.ts";
import { hashPassword, isPassword } from "../../password.ts";
import type { AccountsRow, StoredAccounts } from "../../storage/accounts.ts";
import type { AuditRow } from "../../storage/audit.ts";
import { createTurns } from "../../turns.ts";
import { type AccountsAnswer, type AccountsCommand, accountName, administer } from "./administer.ts";
import { createDirectory, SESSION_MS_MAX } from "./directory.ts";
import { type Caller, rightsOfRole, rightsOfScopes } from "./rights.ts";
import { hashOf, newSecret } from "./secret.ts";
import { createThrottle, type ThrottleLimits } from "./throttle.ts";

/** How long the one-time link holds. */
export const SETUP_MS = 86_400_000;
/** Passwords that are worked on at once, 32 MiB each, and that wait for it; more are refused. */
const PASSWORDS_AT_ONCE = 2;
const PASSWORDS_WAITING = 16;

export type AccountsDeps = {
  /** Resolves when the rows are committed. */
  write(rows: readonly (AccountsRow | AuditRow)[]): Promise<void>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly throttle?: ThrottleLimits;
};

export type Login = {
  readonly name: string;
  readonly password: string;
  readonly origin: string /** Session that the new one replaces. */;
  readonly session?: string;
};
export type LoginOutcome =
  /** `secret` goes into the cookie. */
  | { readonly kind: "ok"; readonly secret: string; readonly maxAgeS: number; readonly name: string }
  | { readonly kind: "failed" }
  | { readonly kind: "throttled"; readonly retryAfterS: number }
  | { readonly kind: "busy" };
export type SetupOutcome = LoginOutcome | { readonly kind: "over" };

/** `session`: hash of the session, where it came by cookie. */
export type Known = { readonly caller: Caller; readonly session?: string };
export type Accounts = {
  /** Takes what is stored; before, there are none. */
  load(stored: StoredAccounts): void;
  count(): number;
  /** A new secret for the one-time link; the one before no longer holds. */
  offerSetup(): string;
  /** Who has this session. It counts as used unless `peek`. */
  bySession(hash: string, origin: string, peek?: "peek"): Known | undefined;
  byToken(secret: string, origin: string, peek?: "peek"): Known | undefined;
  login(login: Login): Promise<LoginOutcome>;
  logout(session: string | undefined, caller: Caller): void;
  setup(given: Login & { readonly token: string }): Promise<SetupOutcome>;
  audit(row: Omit<AuditRow, "kind" | "at">): Promise<void>;
  /** For whoever holds the data directory. */
  administer(command: AccountsCommand): Promise<AccountsAnswer>;
};

export function createAccounts({ write, clock, metrics, throttle: limits }: AccountsDeps): Accounts {
  const directory = createDirectory({ write, clock });
  const throttle = createThrottle(clock, limits);
  const atWork = createTurns(PASSWORDS_AT_ONCE, PASSWORDS_WAITING);
  const logins = metrics.counter("highwater_http_logins_total", "Attempts to log in, by what came of them", ["outcome"]);
  let offered: { readonly hash: string; readonly until: number } | undefined;

  const audit = (row: Omit<AuditRow, "kind" | "at">): Promise<void> => write([{ kind: "audit", at: clock.now(), ...row }]);
  /** A name that nobody has may be a password that was typed into the wrong field: it is not written down. */
  const tellLogin = (action: "login" | "setup", origin: string, name: string, outcome: LoginOutcome["kind"]): void => {
    const target = outcome !== "throttled" && directory.account(name) !== undefined ? name : "";
    void audit({ who: outcome === "ok" ? name : "", origin, action, target, why: "", outcome });
  };
  const begin = (name: string, session: string | undefined): LoginOutcome => {
    if (session !== undefined) directory.sessions.end(session);
    return { kind: "ok", secret: directory.sessions.begin(name), maxAgeS: SESSION_MS_MAX / 1000, name };
  };
  /** One that is not the link's costs an attempt, as a wrong password does. */
  const isOffered = (token: string): boolean =>
    directory.count() === 0 && offered !== undefined && clock.now() < offered.until && timingSafeEqual(Buffer.from(hashOf(token)), Buffer.from(offered.hash));

  async function attempt(action: "login" | "setup", { name, origin }: Login, work: () => Promise<LoginOutcome>): Promise<LoginOutcome> {
    const tried = throttle.begin(origin, action === "setup" ? "" : name);
    const outcome = tried.kind === "wait" ? ({ kind: "throttled", retryAfterS: Math.ceil(tried.ms / 1000) } as const) : await work();
    if (tried.kind === "go" && (outcome.kind === "ok" || outcome.kind === "busy")) tried.succeeded();
    logins.inc({ outcome: outcome.kind });
    // One row for each wait: whoever hammers at the door must not make the store work.
    if (tried.kind === "go" || tried.isNews) tellLogin(action, origin, name, outcome.kind);
    return outcome;
  }

  return {
    load: directory.load,
    count: directory.count,
    offerSetup() {
      const secret = newSecret();
      offered = { hash: hashOf(secret), until: clock.now() + SETUP_MS };
      return secret;
    },
    bySession(hash, origin, peek) {
      const session = directory.sessions.find(hash);
      const account = session && directory.account(session.account);
      if (session === undefined || account === undefined) return undefined;
      if (peek === undefined) directory.sessions.use(session);
      const { name, role } = account;
      return { caller: { kind: "account", name, role, rights: rightsOfRole(role), origin }, session: hash };
    },
    byToken(secret, origin, peek) {
      const token = directory.tokens.find(hashOf(secret));
      if (token === undefined) return undefined;
      if (peek === undefined) directory.tokens.use(token);
      return { caller: { kind: "token", name: token.name, role: null, rights: rightsOfScopes(token.scopes), origin } };
    },
    login(given) {
      const login = { ...given, name: given.name.trim().toLowerCase() };
      return attempt("login", login, async () => {
        const account = directory.account(login.name);
        const isRight = await atWork(() => isPassword(login.password, account?.scrypt));
        if (isRight === undefined) return { kind: "busy" };
        // Meanwhile the password may have been changed, or the account removed.
        const isSame = account !== undefined && directory.account(login.name)?.scrypt === account.scrypt;
        return isRight && isSame ? begin(login.name, login.session) : { kind: "failed" };
      });
    },
    logout(session, caller) {
      if (session === undefined) return;
      directory.sessions.end(session);
      void audit({ who: caller.name, origin: caller.origin, action: "logout", target: "", why: "", outcome: "ok" });
    },
    async setup(given) {
      const login = { ...given, name: given.name.trim().toLowerCase() };
      if (directory.count() > 0 || offered === undefined) return { kind: "over" };
      return attempt("setup", login, async () => {
        if (!isOffered(given.token) || !accountName.test(login.name)) return { kind: "failed" };
        const scrypt = await atWork(() => hashPassword(given.password));
        if (scrypt === undefined) return { kind: "busy" };
        // Two may have followed the link at once: it makes one administrator.
        if (!isOffered(given.token)) return { kind: "failed" };
        offered = undefined;
        await directory.putAccount({ name: login.name, role: "admin", scrypt, createdAt: clock.now() });
        return begin(login.name, login.session);
      });
    },
    audit,
    administer: (command) => administer({ directory, clock, audit }, command),
  };
}
