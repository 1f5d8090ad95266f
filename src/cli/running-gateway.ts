// What the verbs about alerts and silences have in common: they read what is stored beside a gateway, and act through its control
// socket. Acts go to a running gateway only, as its engine carries them out.

import { userInfo } from "node:os";
import type { Command as Program } from "commander";
import { systemClock } from "../clock.ts";
import type { GatewayConfig } from "../config.ts";
import { callControl } from "../control.ts";
import type { AlertName, Command, CommandAnswer } from "../engine/dispatch/command.ts";
import { refusals } from "../engine/dispatch/life.ts";
import type { DurationMs } from "../engine/units.ts";
import { parseDuration } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import type { CommandOfCli } from "../http/operate.ts";
import { answerAlert, findAlerts } from "../storage/alert-query.ts";
import { type Database, openDatabase, requireSchema } from "../storage/database.ts";
import { answerQuery } from "../storage/queries.ts";
import type { AlertView, Answer, QueryRequest } from "../storage/query.ts";
import { DEFAULT_CONFIG, USAGE } from "./command.ts";
import { printable, subjectText } from "./text.ts";

export type ActOptions = { readonly config: string; readonly json?: true };

export const actOptions = (program: Program): Program =>
  program.option("-c, --config <file>", "the config", DEFAULT_CONFIG).option("--json", "for machines").exitOverride();

export type Store = {
  readonly db: Database;
  query<Request extends QueryRequest>(request: Request): Answer<Request>;
};

/** @throws GatewayError `database_missing`, `database_newer`, `database_older` */
export function readStore<Value>({ gateway, plan: { devices, zone } }: GatewayConfig, read: (store: Store) => Value): Value {
  const db = openDatabase(gateway.dataDir, { readonly: true });
  try {
    requireSchema(db);
    return read({ db, query: (request) => answerQuery(db, request, { devices, zone, clock: systemClock }) });
  } finally {
    db.close();
  }
}

const AMBIGUOUS_SHOWN = 5;

/** @param prefix beginning of an id @throws GatewayError `unknown_alert`, `ambiguous_alert` */
export function alertOf({ db }: Store, prefix: string): { readonly alert: AlertView; readonly name: AlertName } {
  const [found, ...others] = findAlerts(db, prefix);
  const history = found?.id == null ? null : answerAlert(db, { id: found.id });
  if (found === undefined || history === null) {
    const { message, hint } = refusals.unknown_alert;
    throw new GatewayError("unknown_alert", `${message}: ${printable(prefix)}`, { hint });
  }
  if (others.length > 0) {
    const listed = [found, ...others].slice(0, AMBIGUOUS_SHOWN).map((each) => `${each.id} (${each.rule} on ${subjectText(each)})`);
    throw new GatewayError("ambiguous_alert", `${others.length + 1} alerts begin with ${prefix}`, {
      hint: printable(`write more of the id: ${listed.join(", ")}`),
    });
  }
  const { alert, subject } = history;
  return { alert, name: { id: alert.id as string, rule: alert.rule, subject, labels: alert.labels } };
}

/** @throws GatewayError `no_gateway`, or what the engine refused */
export async function ask({ gateway: { dataDir } }: GatewayConfig, command: Command, why = ""): Promise<string | null> {
  const answer = await asked(dataDir, { user: userInfo().username, why, command });
  if (answer === undefined)
    throw new GatewayError("no_gateway", `no gateway runs on ${dataDir}, and this acts on a running one`, { hint: "start it: `highwater run`" });
  const given = answer.value as CommandAnswer;
  if (given.kind === "refused") throw new GatewayError(given.code, given.message, { hint: given.hint });
  return given.id;
}

async function asked(dataDir: string, argument: CommandOfCli): Promise<{ readonly value: unknown } | undefined> {
  try {
    return await callControl(dataDir, "command", argument, () => undefined);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("gateway_failed", (cause as Error).message, { hint: "the gateway's log says more", cause });
  }
}

/** @throws GatewayError `usage` */
export function durationOf(text: string): DurationMs {
  const duration = parseDuration(text);
  if (duration === undefined || duration <= 0) throw new GatewayError(USAGE, `${text} is no duration`, { hint: "write 30m, 2h or 1d12h" });
  return duration;
}
