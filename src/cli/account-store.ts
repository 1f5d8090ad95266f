// What the verbs about accounts have in common: their options, and carrying out a command, through the gateway that runs on the data directory, where it holds at once, or, where
// none runs, in this process under the directory's lock.

import type { Command } from "commander";
import { systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig } from "../config.ts";
import { callControl } from "../control.ts";
import { GatewayError } from "../error.ts";
import { createAccounts } from "../http/accounts/accounts.ts";
import { type AccountsAnswer, type AccountsCommand, accountName } from "../http/accounts/administer.ts";
import { createMetrics } from "../metrics.ts";
import { readAccounts } from "../storage/accounts.ts";
import { lockDataDir, openDatabase } from "../storage/database.ts";
import { writeFinished } from "../storage/finished.ts";
import { DEFAULT_CONFIG, USAGE } from "./command.ts";
import { formatProblem, screenOf } from "./problems.ts";

export type CommonOptions = { readonly config: string; readonly json?: true; readonly why?: string };

export const common = (command: Command): Command =>
  command
    .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
    .option("--why <reason>", "for the audit log")
    .option("--json", "for machines")
    .exitOverride();

/** Of an account or a token. @throws GatewayError `usage` */
export function checkName(name: string): void {
  if (accountName.test(name)) return;
  throw new GatewayError(USAGE, `${name} cannot be a name`, { hint: "use 1 to 64 small letters, digits, . _ @ or -, a letter or digit first" });
}

type Answered = Exclude<AccountsAnswer, { kind: "refused" }>;

/** @throws GatewayError `usage` when the config is not valid */
export function configOf(file: string): GatewayConfig {
  const loaded = loadConfig(file);
  if (loaded.kind === "ok") return loaded.config;
  throw new GatewayError(USAGE, loaded.problems.map((problem) => formatProblem(problem, screenOf(process.stderr))).join("\n"));
}

/** @throws GatewayError what stands against it, or `data_dir_in_use` */
export async function carryOut({ gateway: { dataDir } }: GatewayConfig, command: AccountsCommand): Promise<Answered> {
  const answer = (await byGateway(dataDir, command)) ?? (await here(dataDir, command));
  if (answer.kind !== "refused") return answer;
  throw new GatewayError(answer.code, answer.message, answer.hint === "" ? {} : { hint: answer.hint });
}

async function byGateway(dataDir: string, command: AccountsCommand): Promise<AccountsAnswer | undefined> {
  try {
    const answer = await callControl(dataDir, "accounts", command, () => undefined);
    return answer?.value as AccountsAnswer | undefined;
  } catch (cause) {
    throw new GatewayError("gateway_failed", (cause as Error).message, { hint: "the gateway's log says more", cause });
  }
}

async function here(dataDir: string, command: AccountsCommand): Promise<AccountsAnswer> {
  const lock = lockDataDir(dataDir);
  try {
    const db = openDatabase(dataDir, { readonly: false });
    try {
      const accounts = createAccounts({ write: async (rows) => writeFinished(db, rows), clock: systemClock, metrics: createMetrics() });
      accounts.load(readAccounts(db));
      return await accounts.administer(command);
    } finally {
      db.close();
    }
  } finally {
    lock.release();
  }
}
