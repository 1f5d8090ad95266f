// `highwater check`: reads the config as `run` would and says what is wrong, or what it found. Starts nothing, changes nothing.

import type { Command } from "commander";
import { systemClock } from "../clock.ts";
import { type GatewayConfig, type LoadResult, loadConfig } from "../config.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_USAGE } from "./command.ts";
import { formatProblem, type Screen, screenOf, shownPath } from "./problems.ts";
import { counted } from "./text.ts";

export const checkCommand: CliCommand = {
  name: "check",
  summary: "check the config and its rules files",
  register(program: Command): void {
    program
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: { ok, problems, notes, summary }")
      .action((options: { config: string; json?: true }) => {
        const result = loadConfig(options.config, process.env, systemClock.now());
        const text = options.json === true ? `${JSON.stringify(asJson(result), null, 2)}\n` : asText(result, options.config, screenOf(process.stdout));
        process.stdout.write(text);
        if (result.kind === "invalid") process.exitCode = EXIT_USAGE;
      });
  },
};

function asText(result: LoadResult, file: string, screen: Screen): string {
  if (result.kind === "invalid") {
    const lines = result.problems.map((entry) => formatProblem(entry, screen));
    return `${[...lines, "", `${counted(lines.length, "problem")} in ${shownPath(file)}`].join("\n")}\n`;
  }
  const notes = result.notes.map((entry) => formatProblem(entry, screen, "note"));
  const { rules, sources, devices, receivers } = summaryOf(result.config);
  const found = [
    counted(rules, "rule"),
    counted(sources, "source"),
    counted(devices, "device"),
    counted(receivers.length, "receiver"),
    counted(notes.length, "note"),
  ];
  const told =
    receivers.length === 0
      ? ["nobody is told: there are no receivers"]
      : receivers.map(({ name, channels }) => `${name}: ${channels.join(", ") || "no channel"}`);
  return `${[...notes, ...(notes.length > 0 ? [""] : []), `${shownPath(file)} is valid`, `  ${found.join(", ")}`, ...told.map((line) => `  ${line}`)].join("\n")}\n`;
}

function asJson(result: LoadResult): unknown {
  if (result.kind === "invalid") return { ok: false, problems: result.problems, notes: [] };
  return { ok: true, problems: [], notes: result.notes, summary: summaryOf(result.config) };
}

function summaryOf({ plan, sources, notify }: GatewayConfig) {
  return {
    rules: plan.rules.length,
    sources: sources.length,
    devices: Object.keys(plan.devices).length,
    receivers: notify.receivers.map(({ name, channels }) => ({ name, channels: channels.map(({ key }) => key) })),
    plan: plan.hash,
  };
}
