// `highwater rules`: the rules in force, the versions of one, what differs between two, and the way back to one. All but `rollback`
// only read the data directory, beside a gateway or without one.

import type { Command } from "commander";
import { systemClock } from "../clock.ts";
import { differenceLines, differences, writtenRule } from "../engine/rule-settings.ts";
import { GatewayError } from "../error.ts";
import { versionView } from "../http/routes/rule-versions.ts";
import { versionName } from "../reasons/explain-lines.ts";
import { type Database, openDatabase, requireSchema } from "../storage/database.ts";
import { answerRuleVersions, findVersion, type RuleVersion, readRulesInForce } from "../storage/rule-versions-query.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG } from "./command.ts";
import { type RollbackOptions, rollback } from "./rollback.ts";
import { counted, printLine, timeText } from "./text.ts";

type Options = { readonly config: string; readonly json?: true };

const VERSION_WORDS = "its number, or the beginning of its hash";

export const rulesCommand: CliCommand = {
  name: "rules",
  summary: "the versions of rules: list, diff, roll back",
  register(program: Command): void {
    common(program.command("list").description("show the rules in force")).action(list);
    common(program.command("versions <name>").description("show the versions of a rule, and when each was in force")).action(versions);
    common(program.command("diff <name> <a> [b]").description(`what differs between two versions (each ${VERSION_WORDS}); without b, the newest`)).action(diff);
    common(program.command("rollback <name> <version>").description(`write a version (${VERSION_WORDS}) into the file of the rule, and reload`))
      .option("--dry-run", "only say what would change")
      .action(async (name: string, text: string, options: RollbackOptions) => await rollback(name, versionOf(read(options, name), name, text), options));
  },
};

const common = (command: Command): Command =>
  command.option("-c, --config <file>", "the config", DEFAULT_CONFIG).option("--json", "for machines").exitOverride();

function withStore<Answer>({ config }: Options, ask: (db: Database) => Answer): Answer {
  const db = openDatabase(configOf(config).gateway.dataDir, { readonly: true });
  try {
    requireSchema(db);
    return ask(db);
  } finally {
    db.close();
  }
}

/** @throws GatewayError `unknown_rule` */
function read(options: Options, name: string): readonly RuleVersion[] {
  const found = withStore(options, (db) => answerRuleVersions(db, { kind: "rule_versions", rule: name }, { clock: systemClock })).versions;
  if (found.length > 0) return found;
  throw new GatewayError("unknown_rule", `there was never a rule ${name}`, { hint: "`highwater rules list` names those in force" });
}

/** @throws GatewayError `unknown_version` */
function versionOf(found: readonly RuleVersion[], name: string, text: string): RuleVersion {
  const version = findVersion(found, text);
  if (version !== undefined) return version;
  throw new GatewayError("unknown_version", `${name} has no version ${text}`, {
    hint: `it has ${counted(found.length, "version")}; see \`highwater rules versions\``,
  });
}

function list(options: Options): void {
  const rules = withStore(options, readRulesInForce);
  if (options.json === true) for (const rule of rules) printLine({ logic: rule.logic, text: rule.text, rule: writtenRule(rule) });
  else
    process.stdout.write(
      `${rules.map((rule) => `${versionName(rule.name, rule.logic)}  ${rule.condition.type}, ${rule.severity}`).join("\n") || "no rules"}\n`,
    );
}

function versions(name: string, options: Options): void {
  const found = read(options, name);
  if (options.json === true) for (const version of found) printLine(versionView(version));
  else process.stdout.write(`${found.flatMap((version, index) => versionLines(version, found[index - 1])).join("\n")}\n`);
}

/** When it was in force, and what it changed. */
function versionLines({ number, rule, inForce }: RuleVersion, before: RuleVersion | undefined): string[] {
  const spans = inForce.map(({ from, until }) => `  from ${timeText(from)} ${until === null ? "until now" : `to ${timeText(until)}`}`);
  const changes = before === undefined ? [] : differenceLines(differences(writtenRule(before.rule), writtenRule(rule)));
  return [`${number}  ${rule.logic}.${rule.text}`, ...spans, ...changes.map((line) => `    ${line}`)];
}

function diff(name: string, a: string, b: string | undefined, options: Options): void {
  const found = read(options, name);
  const [before, after] = [versionOf(found, name, a), b === undefined ? newestOf(found) : versionOf(found, name, b)];
  const changes = differences(writtenRule(before.rule), writtenRule(after.rule));
  if (options.json === true) printLine({ name, a: before.number, b: after.number, changes });
  else process.stdout.write(`${[`${name}, version ${before.number} to ${after.number}`, ...differenceLines(changes)].join("\n")}\n`);
}

/** The one that came into force last. */
function newestOf(found: readonly RuleVersion[]): RuleVersion {
  const since = ({ inForce }: RuleVersion): number => inForce.at(-1)?.from ?? 0;
  return found.reduce((newest, each) => (since(each) >= since(newest) ? each : newest));
}
