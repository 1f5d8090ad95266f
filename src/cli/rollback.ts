// `highwater rules rollback`: the rule's own file is made to say what it said. The file is the user's: only the rule is written anew, as
// a whole or not at all; a config that is not valid afterwards gets its file back. A gateway that runs is asked to read it again.

import { readFileSync } from "node:fs";
import { type PlacedRule, type Problem, placeRules, ruleAsYaml, withRule } from "../config.ts";
import { callControl } from "../control.ts";
import { differenceLines, differences, type RuleChangeLine, writtenRule } from "../engine/rule-settings.ts";
import { GatewayError } from "../error.ts";
import type { RuleVersion } from "../storage/rule-versions-query.ts";
import { configOf } from "./account-store.ts";
import { EXIT_FAILED, USAGE } from "./command.ts";
import { formatProblem, screenOf, shownPath } from "./problems.ts";
import { printLine } from "./text.ts";
import { writeWhole } from "./whole-file.ts";

export type RollbackOptions = { readonly config: string; readonly dryRun?: true; readonly json?: true };

/** `in_force`: a gateway runs and has taken it. `waits`: none runs. `refused`: one runs and keeps what it had. */
type Taken = "in_force" | "waits" | "refused";

/** @throws GatewayError what keeps it from being written; then nothing is changed */
export async function rollback(name: string, version: RuleVersion, options: RollbackOptions): Promise<void> {
  const { dataDir } = configOf(options.config).gateway;
  const placed = rulesOf(options.config).find(({ rule }) => rule.name === name);
  if (placed === undefined) return sayGone(name, version);
  const changes = differences(writtenRule(placed.rule), writtenRule(version.rule));
  const about = { name, version: version.number, file: placed.file, changes };
  if (changes.length === 0) return say({ ...about, outcome: "unchanged" }, options);
  if (options.dryRun === true) return say({ ...about, outcome: "dry_run" }, options);
  write(placed, version, options.config);
  const outcome = await reload(dataDir);
  say({ ...about, outcome }, options);
  if (outcome === "refused") process.exitCode = EXIT_FAILED;
}

/** @throws GatewayError `usage` when the config is not valid */
function rulesOf(config: string): readonly PlacedRule[] {
  const placed = placeRules(config);
  if (placed.kind === "ok") return placed.rules;
  throw new GatewayError(USAGE, linesOf(placed.problems));
}

const linesOf = (problems: readonly Problem[]): string => problems.map((problem) => formatProblem(problem, screenOf(process.stderr))).join("\n");

/** There is no file to write into: what to add is printed, so that it can be redirected. */
function sayGone(name: string, { rule }: RuleVersion): void {
  const [first = "", ...rest] = ruleAsYaml(writtenRule(rule)).trimEnd().split("\n");
  process.stdout.write(`${[`  - ${first}`, ...rest.map((line) => (line === "" ? line : `    ${line}`))].join("\n")}\n`);
  throw new GatewayError("rule_gone", `no file of the config has a rule ${name} any more`, {
    hint: "to have it again, add the lines above under `rules:` of a rules file",
  });
}

/** @throws GatewayError `rule_not_written`: the file is as it was */
function write({ file, path }: PlacedRule, { rule, number }: RuleVersion, config: string): void {
  const options = { mode: 0o640, code: "rule_not_written" };
  const before = readFileSync(file, "utf8");
  const after = withRule(before, path, writtenRule(rule));
  if (after === undefined) throw new GatewayError(options.code, `${file} has changed meanwhile`, { hint: "try again" });
  writeWhole(file, after, options);
  const flaw = flawOf(config, rule, number);
  if (flaw === undefined) return;
  writeWhole(file, before, options);
  throw new GatewayError(options.code, `${shownPath(file)} stays as it was, as the config would not be valid:\n${flaw}`, {
    hint: "`highwater rules rollback --dry-run` shows what is to be changed by hand",
  });
}

/** What is wrong with the config now that the rule is written; undefined: it is valid, and the rule says what it should. */
function flawOf(config: string, rule: RuleVersion["rule"], number: number): string | undefined {
  const placed = placeRules(config);
  if (placed.kind === "invalid") return linesOf(placed.problems);
  const written = placed.rules.find(({ rule: { name } }) => name === rule.name);
  const isSame = written !== undefined && differences(writtenRule(written.rule), writtenRule(rule)).length === 0;
  return isSame ? undefined : `the rule would not be read as version ${number}`;
}

async function reload(dataDir: string): Promise<Taken> {
  const answer = await callControl(dataDir, "reload", {}, () => undefined);
  if (answer === undefined) return "waits";
  return (answer.value as { kind?: string }).kind === "ok" ? "in_force" : "refused";
}

type Said = {
  readonly name: string;
  readonly version: number;
  readonly file: string;
  readonly changes: readonly RuleChangeLine[];
  readonly outcome: Taken | "unchanged" | "dry_run";
};

const outcomes: Readonly<Record<Said["outcome"], string>> = {
  in_force: "in force now",
  waits: "in force when a gateway starts: none runs",
  refused: "written, but the gateway that runs does not take its config and keeps the rules that it had; its log says why",
  unchanged: "its file says so already",
  dry_run: "nothing is written yet",
};

function say(said: Said, { json }: RollbackOptions): void {
  if (json === true) return printLine(said);
  const head = `${said.name}, back to version ${said.version} in ${shownPath(said.file)}: ${outcomes[said.outcome]}`;
  process.stdout.write(`${[head, ...differenceLines(said.changes)].join("\n")}\n`);
}
