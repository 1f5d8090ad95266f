// `highwater audit`: who did what, when and why, newest first. It only reads, so that it works beside a gateway and without one.

import { type Command, InvalidArgumentError } from "commander";
import { type AuditView, answerAudit } from "../storage/audit.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import { LIMIT_MAX } from "../storage/query.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG } from "./command.ts";
import { printable, printLine, timeText } from "./text.ts";

type Options = { readonly config: string; readonly who?: string; readonly action?: string; readonly limit: number; readonly json?: true };

const LIMIT_SHOWN = 50;

export const auditCommand: CliCommand = {
  name: "audit",
  summary: "show who did what, when and why",
  register(program: Command): void {
    program
      .option("--who <name>", "only theirs: a user, token:NAME or local")
      .option("--action <action>", 'only those: login, reload, "user add" …')
      .option("--limit <rows>", "how many, the newest", limitOf, LIMIT_SHOWN)
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: a line of JSON each")
      .action(audit);
  },
};

function limitOf(text: string): number {
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > LIMIT_MAX) throw new InvalidArgumentError(`write a whole number from 1 to ${LIMIT_MAX}`);
  return limit;
}

function audit({ config, json, who, action, limit }: Options): void {
  const db = openDatabase(configOf(config).gateway.dataDir, { readonly: true });
  try {
    requireSchema(db);
    const { audit: rows } = answerAudit(db, { limit, ...(who === undefined ? {} : { who }), ...(action === undefined ? {} : { action }) });
    if (json) for (const { lastAt, ...row } of rows) printLine({ ...row, at: new Date(row.at).toISOString(), last_at: new Date(lastAt).toISOString() });
    else process.stdout.write(`${rows.length === 0 ? "nothing of that is in the audit log" : rows.map(lineOf).join("\n")}\n`);
  } finally {
    db.close();
  }
}

function lineOf({ at, who, origin, action, target, why, outcome, count }: AuditView): string {
  const what = target === "" ? action : `${action} ${target}`;
  const line = `${who === "" ? "somebody" : who} from ${origin}: ${what}, ${outcome}${count > 1 ? `, ${count} times` : ""}${why === "" ? "" : ` (${why})`}`;
  return `${timeText(at)}  ${printable(line)}`;
}
