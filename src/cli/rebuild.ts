// `highwater rebuild`: derived tables anew from what they are derived of, held against what is stored; what differs is written. To add a
// table that can be rebuilt: an option, an entry in `targets`.

import type { Command } from "commander";
import { loadConfig } from "../config.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED } from "./command.ts";
import { refuse } from "./day-range.ts";
import { formatProblem, screenOf } from "./problems.ts";
import { alertsTarget } from "./rebuild-alerts.ts";
import { rollupsTarget } from "./rebuild-rollups.ts";
import type { RebuildOptions, RebuildTarget } from "./rebuild-target.ts";

const targets = { rollups: rollupsTarget, alerts: alertsTarget } as const satisfies Readonly<Record<string, RebuildTarget>>;
type Name = keyof typeof targets;
const names = Object.keys(targets) as Name[];

type Options = RebuildOptions & { readonly [Target in Name]?: true } & { readonly config: string };

export const rebuildCommand: CliCommand = {
  name: "rebuild",
  summary: "work out derived tables anew, and write what differs",
  register(program: Command): void {
    program
      .option("--rollups", "the rollups of these days, from the raw readings")
      .option("--alerts", "the alerts of this time, through the engine; nobody is told")
      .option("--from <day or time>", "rollups: the first UTC day, YYYY-MM-DD; alerts: also RFC 3339 or milliseconds, days being local")
      .option("--to <day or time>", "rollups: the last of them; alerts: until then, a day meant whole; default: now")
      .option("--by-event-time", "alerts: stored readings by their own times, though the journal is there")
      .option("--dry-run", "tell what differs, write nothing")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: the report")
      .action(rebuild);
  },
};

async function rebuild(options: Options): Promise<void> {
  const [name, ...others] = names.filter((each) => options[each] === true);
  if (name === undefined || others.length > 0) return refuse(`say what to rebuild: ${names.map((each) => `--${each}`).join(" or ")}`);
  const wrong = targets[name].check(options);
  if (wrong !== undefined) return refuse(wrong);
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") return refuse(loaded.problems.map((problem) => formatProblem(problem, screenOf(process.stderr))).join("\n"));
  const { text, isWhole } = await targets[name].run(loaded.config, options);
  process.stdout.write(text);
  if (!isWhole) process.exitCode = EXIT_FAILED;
}
