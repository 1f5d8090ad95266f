// `highwater token`: API tokens for programs, such as Prometheus. A token is told once, when it is made; only its hash is kept.

import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../engine/units.ts";
import type { AccountsAnswer, TokenView } from "../http/accounts/administer.ts";
import { type Scope, scopes } from "../storage/accounts.ts";
import { type CommonOptions, carryOut, checkName, common, configOf } from "./account-store.ts";
import type { CliCommand } from "./command.ts";
import { timeText } from "./text.ts";

export const tokenCommand: CliCommand = {
  name: "token",
  summary: "API tokens for programs",
  register(program: Command): void {
    common(program.command("create <name>").description("make a token and print it, once"))
      .requiredOption("--scope <scopes>", `what it may do: ${scopes.join(", ")}; several by commas`, scopesOf)
      .option("--expires <duration>", "how long it holds, such as 90d; default: until it is revoked", expiryOf)
      .action(create);
    common(program.command("list").description("show the tokens, not their secrets")).action(list);
    common(program.command("revoke <id>").description("end a token, by its id or name")).action(revoke);
  },
};

function scopesOf(text: string): Scope[] {
  const given = text.split(",").map((part) => part.trim());
  const unknown = given.find((part) => !scopes.includes(part as Scope));
  if (unknown !== undefined) throw new InvalidArgumentError(`there is no scope ${JSON.stringify(unknown)}; use ${scopes.join(", ")}`);
  return scopes.filter((scope) => given.includes(scope));
}

function expiryOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError("write a duration, such as 90d or 12h");
  return ms;
}

async function create(name: string, options: CommonOptions & { readonly scope: Scope[]; readonly expires?: number }): Promise<void> {
  checkName(name);
  const command = { kind: "token create", name, scopes: options.scope, expiresInMs: options.expires ?? null, why: options.why ?? "" } as const;
  const answer = await carryOut(configOf(options.config), command);
  print(answer, options, answer.kind === "tokens" ? `${answer.secret}\n\nIt is not shown again; revoke it with: highwater token revoke ${name}` : "");
}

async function list(options: CommonOptions): Promise<void> {
  const answer = await carryOut(configOf(options.config), { kind: "token list", why: "" });
  const lines = (answer.kind === "tokens" ? answer.tokens : []).map(line);
  print(answer, options, lines.length === 0 ? "there are no tokens" : lines.join("\n"));
}

async function revoke(id: string, options: CommonOptions): Promise<void> {
  const answer = await carryOut(configOf(options.config), { kind: "token revoke", id, why: options.why ?? "" });
  print(answer, options, `${id} no longer holds`);
}

function line({ id, name, scopes: given, expiresAt, lastUsedAt, revokedAt }: TokenView): string {
  const end = revokedAt === null ? (expiresAt === null ? "holds until revoked" : `holds until ${timeText(expiresAt)}`) : `revoked ${timeText(revokedAt)}`;
  return `${id}  ${name}  ${given.join(",")}  ${end}; ${lastUsedAt === null ? "never used" : `last used ${timeText(lastUsedAt)}`}`;
}

function print(answer: AccountsAnswer, { json }: CommonOptions, text: string): void {
  if (answer.kind !== "tokens") return;
  const secret = answer.secret === undefined ? {} : { token: answer.secret };
  process.stdout.write(`${json ? JSON.stringify({ tokens: answer.tokens.map(tokenJson), ...secret }, null, 2) : text}\n`);
}

const instant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
const tokenJson = ({ id, name, scopes: given, createdBy, createdAt, expiresAt, lastUsedAt, revokedAt }: TokenView) => ({
  ...{ id, name, scopes: given, created_by: createdBy, created_at: instant(createdAt), expires_at: instant(expiresAt) },
  ...{ last_used_at: instant(lastUsedAt), revoked_at: instant(revokedAt) },
});
