// `highwater replay`: what the stored inputs of a time make of the present rules, of others, or of those that were in force, and how
// that differs from what the live run told. Reads the data directory beside a running gateway; sends nothing, writes nothing.

import { styleText } from "node:util";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig, loadRules, type Problem } from "../config.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { formatSpan, oneLine } from "../reasons/format.ts";
import { type ReplayReport, type ReplayRules, replay } from "../replay.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import type { Difference, Occurrence } from "../storage/occurrences.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED, EXIT_USAGE, USAGE } from "./command.ts";
import { printProblems, screenOf } from "./problems.ts";
import { createProgressLine } from "./progress.ts";
import { instantOf } from "./range.ts";
import { counted, printLine, timeText } from "./text.ts";

type Options = { config: string; from: string; to?: string; rules?: string; inForce?: true; byEventTime?: true; json?: true };

/** Alerts of a table; the others are counted, and told by --json. */
const ROWS_MAX = 200;

export const replayCommand: CliCommand = {
  name: "replay",
  summary: "run what arrived once more, by the same or other rules",
  register(program) {
    program
      .requiredOption("--from <time>", "when it arrived: RFC 3339, a day YYYY-MM-DD, or milliseconds")
      .option("--to <time>", "until then, exclusive; a day is meant whole; default: now")
      .option("-r, --rules <file>", "rules instead of those in force; default: the rules of the config")
      .option("--in-force", "the rules that were in force, whatever the config says now")
      .option("--by-event-time", "stored readings by their own times, though the journal is there")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "one JSON line per transition and difference, and a summary")
      .action((options: Options) => run(options, systemClock));
  },
};

function run(options: Options, clock: Clock): void {
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") return refuse(loaded.problems);
  const rules = rulesOf(options, loaded.config);
  if (Array.isArray(rules)) return refuse(rules);
  const { zone } = loaded.config.plan;
  const from = instantOf("--from", options.from, zone, "start");
  const to = options.to === undefined ? clock.now() + 1 : instantOf("--to", options.to, zone, "end");
  if (from >= to) throw new GatewayError(USAGE, "--from is not before --to", { hint: "--to is exclusive" });
  const db = openDatabase(loaded.config.gateway.dataDir, { readonly: true });
  requireSchema(db);
  const line = createProgressLine(process.stderr, clock);
  const started = clock.monotonic();
  try {
    const report = replay(db, {
      ...{ from, to, rules, config: loaded.config, byEventTime: options.byEventTime === true },
      progress: ({ done, of, at }) => line.show({ done, of, text: `${counted(done, "reading")} of ${of}, ${timeText(at)}` }),
      ...(options.json === true ? { transition: (transition, alert) => printLine({ kind: "transition", ...transition, labels: alert.labels }) } : {}),
    });
    line.end();
    const seconds = (clock.monotonic() - started) / 1000;
    if (options.json === true) printJson(report, { from, to, seconds });
    else process.stdout.write(`${textOf(report, { from, to, rules: wordsOf(options, report), seconds }).join("\n")}\n`);
    if (report.differingCount > 0) process.exitCode = EXIT_FAILED;
  } finally {
    line.end();
    db.close();
  }
}

function refuse(problems: readonly Problem[]): void {
  printProblems(problems);
  process.exitCode = EXIT_USAGE;
}

function rulesOf({ rules, inForce }: Options, config: GatewayConfig): ReplayRules | Problem[] {
  if (rules !== undefined && inForce === true) throw new GatewayError(USAGE, "--rules and --in-force are two answers to one question", { hint: "keep one" });
  if (inForce === true) return { kind: "in-force" };
  if (rules === undefined) return { kind: "config", config };
  const loaded = loadRules(rules);
  return loaded.kind === "invalid" ? [...loaded.problems] : { kind: "rules", rules: loaded.rules };
}

function wordsOf({ rules, config, inForce }: Options, { isOther }: ReplayReport): string {
  if (rules !== undefined) return isOther ? `rules of ${rules} instead of those in force` : `rules of ${rules}, which were in force`;
  if (inForce === true) return "rules that were in force";
  return isOther ? `rules of ${config} instead of those in force` : `rules of ${config}, which were in force`;
}

function printJson(report: ReplayReport, { from, to, seconds }: { from: EpochMs; to: EpochMs; seconds: number }): void {
  const { fired, differences, differingRows, ...summary } = report;
  for (const seq of differingRows) printLine({ kind: "differing-row", seq });
  for (const difference of differences) printLine(difference);
  printLine({ kind: "summary", from, to, ...summary, fired: fired.length, differences: differences.length, seconds });
}

type Words = { readonly from: EpochMs; readonly to: EpochMs; readonly rules: string; readonly seconds: number };

function textOf(report: ReplayReport, { from, to, rules, seconds }: Words): string[] {
  const isExact = report.grade === "exact";
  const read = report.readings + report.warmUp.readings;
  const head = `${timeText(from)} to ${timeText(to)}, ${isExact ? "by arrival" : "by event time"}`;
  if (isExact && report.rows === 0) return [head, "nothing arrived, nothing fires"];
  const lines = [
    head,
    isExact ? `exact, from the journal: ${counted(report.rows, "row")}, ${counted(report.readings, "reading")}` : `by event time, as ${report.because}`,
    ...(isExact ? [] : [`${counted(report.readings, "reading")} in the order of their own times; no downtime, no lateness`]),
    rules,
    ...(report.warmUp.isShort ? ["windows and delays were not filled yet when the range began: history before it is gone"] : []),
    "",
    report.fired.length === 0 ? "nothing fires" : report.isOther ? "what would have fired" : "what fires",
    ...table(report.fired.map((occurrence) => ["  ", occurrence])),
    "",
  ];
  const speed = seconds >= 1 ? `, ${Math.round(read / seconds)} readings/s` : "";
  return [...lines, ...differenceLines(report), `${counted(read, "reading")} in ${seconds.toFixed(1)} s${speed}`];
}

function differenceLines({ differences, differingRows, differingCount, grade, isOther, rows, left }: ReplayReport): string[] {
  const count = (kind: Difference["kind"]): number => differences.filter((each) => each.kind === kind).length;
  const told = `${count("only-live")} only live, ${count("only-replay")} only in the replay, ${count("changed")} at other times`;
  const lines = differences.length === 0 ? ["the same alerts as live"] : ["differs from what did (- only live, + only here, ~ live and below it here)"];
  lines.push(...table(differences.flatMap(marked)), ...(differences.length === 0 ? [] : ["", told]));
  if (left > 0) lines.push(`${counted(left, "alert")} more were not compared`);
  if (grade !== "exact" || isOther) return lines;
  const first = differingRows.slice(0, 10).join(", ");
  if (differingCount === 0) lines.push(`the same effects as live, byte for byte: ${counted(rows, "row")}`);
  else lines.push(`this release decides otherwise about ${counted(differingCount, "row")} of the journal: ${first}${differingCount > 10 ? ", …" : ""}`);
  return lines;
}

function marked(difference: Difference): [string, Occurrence][] {
  if (difference.kind === "only-live") return [["- ", difference.live]];
  if (difference.kind === "only-replay") return [["+ ", difference.replay]];
  return [
    ["~ ", difference.live],
    ["  ", difference.replay],
  ];
}

const colours = { "- ": "red", "+ ": "green", "~ ": "yellow", "  ": "reset" } as const;

/** Columns for 80: when it fired, how long it stood, the rule, the series. */
function table(rows: readonly (readonly [string, Occurrence])[]): string[] {
  const { colour } = screenOf(process.stdout);
  const lines = rows.slice(0, ROWS_MAX).map(([mark, { firedAt, resolvedAt, rule, labels }]) => {
    const lasted = resolvedAt === null ? "stands" : formatSpan(resolvedAt - firedAt);
    const line = `${mark}${timeText(firedAt).padEnd(20)} ${lasted.padEnd(11)} ${fitted(rule, 22)} ${fitted(oneLine(seriesText(labels)), 22)}`.trimEnd();
    return colour ? styleText(colours[mark as keyof typeof colours], line, { validateStream: false }) : line;
  });
  return rows.length <= ROWS_MAX ? lines : [...lines, `  and ${rows.length - ROWS_MAX} more, which --json tells`];
}

function fitted(text: string, columns: number): string {
  const letters = Array.from(text);
  return letters.length <= columns ? text.padEnd(columns) : `${letters.slice(0, columns - 1).join("")}…`;
}

/** Of a group the labels in which its members agree. */
function seriesText(labels: Labels): string {
  const own = [labels["device"], labels["metric"]].filter((label) => label !== undefined);
  if (own.length > 0) return own.join(" ");
  return Object.keys(labels)
    .flatMap((name) => (name === "alertname" || name === "severity" ? [] : [labels[name]]))
    .join(" ");
}
