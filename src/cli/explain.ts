// `highwater explain`: why an alert fired or resolved, and what became of each notification. It only reads, so that it works beside a
// gateway and without one.

import type { Command } from "commander";
import { explainBody } from "../http/routes/explain.ts";
import { explanationOf } from "../reasons/explanation.ts";
import { answerExplain, type ExplainAnswer } from "../storage/explain-query.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG } from "./command.ts";
import { screenOf, wrap } from "./problems.ts";
import { alertOf, readStore } from "./running-gateway.ts";
import { timeText } from "./text.ts";

type Options = { readonly config: string; readonly json?: true };

export const explainCommand: CliCommand = {
  name: "explain",
  summary: "say why an alert fired or resolved, and who was told",
  register(program: Command): void {
    program
      .argument("<alert>", "its id, as the dashboard, messages and `highwater alerts` show it; of an active alert its beginning is enough")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: as /api/v1/alerts/ID/explain")
      .action(explain);
  },
};

function explain(id: string, { config: file, json }: Options): void {
  const config = configOf(file);
  const { timezone } = config.gateway;
  readStore(config, (store) => {
    const found = answerExplain(store.db, { id }, timezone) ?? answerExplain(store.db, { id: alertOf(store, id).name.id }, timezone);
    if (found === null) return;
    process.stdout.write(json === true ? `${JSON.stringify(explainBody(found), null, 2)}\n` : textOf(found));
  });
}

function textOf(found: ExplainAnswer): string {
  const { alert, transitions, notifications } = found;
  const told = explanationOf(found);
  const lines = [`${alert.rule}, ${alert.severity}, ${alert.state} (${alert.id})`];
  for (const [index, transition] of transitions.entries()) {
    lines.push("", `${transition.evidence.from} → ${transition.to}  ${timeText(transition.ts)}`, ...(told.transitions[index] ?? []).map((line) => `  ${line}`));
    for (const [place, { ordinal }] of notifications.entries()) if (ordinal === transition.ordinal) lines.push(`  - ${told.notifications[place]}`);
  }
  const { columns } = screenOf(process.stdout);
  return `${(columns === undefined ? lines : lines.map((line) => wrapped(line, columns))).join("\n")}\n`;
}

/** A line of a terminal's width, its further lines indented below it. */
function wrapped(line: string, columns: number): string {
  const indent = line.slice(0, line.length - line.trimStart().length);
  return `${indent}${wrap(line.trimStart(), columns - indent.length, `${indent}  `)}`;
}
