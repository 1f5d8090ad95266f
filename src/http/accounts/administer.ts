// What the command line asks about accounts and tokens: the same where a gateway runs (through its control socket) and where
// none does. Passwords come hashed; a new token is told once. Each change is in the audit log, with the reason that was given.

import type { Clock } from "../../clock.ts";
import { GatewayError } from "../../error.ts";
import { isPasswordHash } from "../../password.ts";
import type { Role, Scope, StoredToken } from "../../storage/accounts.ts";
import type { AuditRow } from "../../storage/audit.ts";
import type { Directory } from "./directory.ts";
import { hashOf, newId, newSecret, TOKEN_PREFIX } from "./secret.ts";

/** Lower case, so that no two names look alike. */
export const accountName = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
export const PASSWORD_LENGTH_MIN = 10;
/** Two of them and a name fit into a request's body. */
export const PASSWORD_LENGTH_MAX = 200;

export type AccountsCommand = { readonly why: string } & (
  | { readonly kind: "user add"; readonly name: string; readonly role: Role; readonly scrypt: string }
  | { readonly kind: "user passwd"; readonly name: string; readonly scrypt: string }
  | { readonly kind: "user role"; readonly name: string; readonly role: Role }
  | { readonly kind: "user remove"; readonly name: string }
  | { readonly kind: "user list" }
  | {
      readonly kind: "token create";
      readonly name: string;
      readonly scopes: readonly Scope[] /** From now; null: never. */;
      readonly expiresInMs: number | null;
    }
  | { readonly kind: "token revoke"; readonly id: string }
  | { readonly kind: "token list" }
);
export type UserView = { readonly name: string; readonly role: Role; readonly createdAt: number };
export type TokenView = Omit<StoredToken, "hash">;
export type AccountsAnswer =
  | { readonly kind: "users"; readonly users: readonly UserView[] }
  /** `secret` only of one that was just made. */
  | { readonly kind: "tokens"; readonly tokens: readonly TokenView[]; readonly secret?: string }
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly hint: string };

export type AdministerDeps = { readonly directory: Directory; readonly clock: Pick<Clock, "now">; audit(row: Omit<AuditRow, "kind" | "at">): Promise<void> };

/** Does it, and resolves when it is committed. What cannot be done is an answer. */
export async function administer(deps: AdministerDeps, command: AccountsCommand): Promise<AccountsAnswer> {
  const target = "name" in command ? command.name : "id" in command ? command.id : "";
  const isChange = command.kind !== "user list" && command.kind !== "token list";
  const tell = async (outcome: string): Promise<void> => {
    if (isChange) await deps.audit({ who: "local", origin: "cli", action: command.kind, target: targetText(command, target), why: command.why, outcome });
  };
  try {
    const answer = await carryOut(deps, command);
    await tell("ok");
    return answer;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    await tell("refused");
    return { kind: "refused", code: error.code, message: error.message, hint: error.hint ?? "" };
  }
}

function targetText(command: AccountsCommand, target: string): string {
  if ("role" in command) return `${target} (${command.role})`;
  return "scopes" in command ? `${target} (${command.scopes.join(" ")})` : target;
}

async function carryOut({ directory, clock }: AdministerDeps, command: AccountsCommand): Promise<AccountsAnswer> {
  switch (command.kind) {
    case "user list":
      return { kind: "users", users: directory.accounts().map(({ name, role, createdAt }) => ({ name, role, createdAt })) };
    case "user add":
      if (!accountName.test(command.name) || !isPasswordHash(command.scrypt)) throw new GatewayError("bad_name", `${command.name} cannot be a name`);
      if (directory.account(command.name) !== undefined)
        throw new GatewayError("user_exists", `there is a user ${command.name} already`, { hint: "change it with `user passwd` or `user role`" });
      await directory.putAccount({ name: command.name, role: command.role, scrypt: command.scrypt, createdAt: clock.now() });
      return userOf(directory, command.name);
    case "user passwd":
      if (!isPasswordHash(command.scrypt)) throw new GatewayError("bad_password", "the password came in no form that is known");
      await Promise.all([directory.putAccount({ ...accountOf(directory, command.name), scrypt: command.scrypt }), directory.sessions.endAll(command.name)]);
      return userOf(directory, command.name);
    case "user role":
      keepAnAdmin(directory, command.name, command.role);
      await directory.putAccount({ ...accountOf(directory, command.name), role: command.role });
      return userOf(directory, command.name);
    case "user remove":
      keepAnAdmin(directory, command.name, undefined);
      await directory.removeAccount(command.name);
      return { kind: "users", users: [] };
    case "token list":
      return { kind: "tokens", tokens: directory.tokens.all().map(tokenView) };
    case "token create":
      return await createToken(directory, command, clock.now());
    case "token revoke": {
      const token = directory.tokens.named(command.id);
      if (token === undefined) throw new GatewayError("unknown_token", `there is no token ${command.id}`, { hint: "`token list` shows their ids" });
      await directory.tokens.revoke(token);
      return { kind: "tokens", tokens: [tokenView(directory.tokens.named(token.id) ?? token)] };
    }
    default: {
      const never: never = command;
      return never;
    }
  }
}

async function createToken(directory: Directory, { name, scopes, expiresInMs }: Extract<AccountsCommand, { kind: "token create" }>, now: number) {
  if (!accountName.test(name)) throw new GatewayError("bad_name", `${name} cannot be a name`);
  if (directory.tokens.named(name) !== undefined)
    throw new GatewayError("token_exists", `there is a token ${name} already`, { hint: "revoke it first, or take another name" });
  const secret = `${TOKEN_PREFIX}${newSecret()}`;
  const times = { createdAt: now, expiresAt: expiresInMs === null ? null : now + expiresInMs, lastUsedAt: null, revokedAt: null };
  const token: StoredToken = { id: newId(), name, hash: hashOf(secret), scopes, createdBy: "local", ...times };
  await directory.tokens.add(token);
  return { kind: "tokens", tokens: [tokenView(token)], secret } as const;
}

function accountOf(directory: Directory, name: string) {
  const account = directory.account(name);
  if (account === undefined) throw new GatewayError("unknown_user", `there is no user ${name}`, { hint: "`user list` shows who there is" });
  return account;
}

/** While there are others, somebody must be able to administer. The last account of all may go: then HTTP is for this machine only. */
function keepAnAdmin(directory: Directory, name: string, role: Role | undefined): void {
  const { role: before } = accountOf(directory, name);
  const others = directory.accounts().filter((account) => account.name !== name);
  const isLastAdmin = before === "admin" && role !== "admin" && !others.some((account) => account.role === "admin");
  if (isLastAdmin && (role !== undefined || others.length > 0))
    throw new GatewayError("last_admin", `${name} is the only administrator`, { hint: "make another one first: `user role NAME admin`" });
}

const userOf = (directory: Directory, user: string): AccountsAnswer => {
  const { name, role, createdAt } = accountOf(directory, user);
  return { kind: "users", users: [{ name, role, createdAt }] };
};

function tokenView(token: StoredToken): TokenView {
  const { hash: _, ...view } = token;
  return view;
}
