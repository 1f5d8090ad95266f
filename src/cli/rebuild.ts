// `highwater rebuild`: derived tables again from what they are derived of, held against what is stored; what differs is written.

import type { Command } from "commander";
import { GatewayError } from "../error.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG, USAGE } from "./command.ts";
import { rebuildAlerts } from "./rebuild-alerts.ts";

type Options = {
  readonly config: string;
  readonly alerts?: true;
  readonly from?: string;
  readonly to?: string;
  readonly byEventTime?: true;
  readonly dryRun?: true;
  readonly json?: true;
};

export const rebuildCommand: CliCommand = {
  name: "rebuild",
  summary: "work out derived tables again, and write what differs",
  register(program: Command): void {
    program
      .option("--alerts", "the alerts of a time, through the engine; nobody is told")
      .option("--from <time>", "RFC 3339, a day YYYY-MM-DD, or milliseconds")
      .option("--to <time>", "until then, exclusive; a day is meant whole; default: now")
      .option("--by-event-time", "alerts: stored readings by their own times, though the journal is there")
      .option("--dry-run", "tell what differs, write nothing")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: the report")
      .action(rebuild);
  },
};

async function rebuild({ config, alerts, from, to, byEventTime, dryRun, json }: Options): Promise<void> {
  if (alerts !== true) throw new GatewayError(USAGE, "say what to rebuild", { hint: "--alerts" });
  process.stdout.write(await rebuildAlerts(configOf(config), { from, to, byEventTime, isDry: dryRun === true }, json === true));
}
