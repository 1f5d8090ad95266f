// `highwater explain`: why an alert fired or resolved, and what became of each notification. It only reads, so that it works beside a
// gateway and without one.

import type { Command } from "commander";
import { GatewayError } from "../error.ts";
import { explainBody } from "../http/routes/explain.ts";
import { explanationOf } from "../reasons/explanation.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import { answerExplain, type ExplainAnswer } from "../storage/explain-query.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG } from "./command.ts";
import { timeText } from "./text.ts";

type Options = { readonly config: string; readonly json?: true };

export const explainCommand: CliCommand = {
  name: "explain",
  summary: "say why an alert fired or resolved, and who was told",
  register(program: Command): void {
    program
      .argument("<alert>", "its id, as the dashboard, messages and /api/v1/alerts show it")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: as /api/v1/alerts/ID/explain")
      .action(explain);
  },
};

function explain(id: string, { config, json }: Options): void {
  const { gateway } = configOf(config);
  const db = openDatabase(gateway.dataDir, { readonly: true });
  try {
    requireSchema(db);
    const found = answerExplain(db, { id }, gateway.timezone);
    if (found === null)
      throw new GatewayError("unknown_alert", `there is no alert ${id}`, { hint: "ids are listed at /api/v1/alerts; pending alerts have none yet" });
    process.stdout.write(json === true ? `${JSON.stringify(explainBody(found), null, 2)}\n` : textOf(found));
  } finally {
    db.close();
  }
}

function textOf(found: ExplainAnswer): string {
  const { alert, transitions, notifications } = found;
  const told = explanationOf(found);
  const lines = [`${alert.rule}, ${alert.severity}, ${alert.state} (${alert.id})`];
  for (const [index, transition] of transitions.entries()) {
    lines.push("", `${transition.evidence.from} → ${transition.to}  ${timeText(transition.ts)}`, ...(told.transitions[index] ?? []).map((line) => `  ${line}`));
    for (const [place, { ordinal }] of notifications.entries()) if (ordinal === transition.ordinal) lines.push(`  - ${told.notifications[place]}`);
  }
  return `${lines.join("\n")}\n`;
}
