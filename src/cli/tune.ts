// `highwater tune RULE`: which deadband or delay would have spared alerts of a rule that alarms too often, tried on the stored
// readings of one series. Reads the data directory beside a running gateway; changes nothing: it prints the lines to write.

import { styleText } from "node:util";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig } from "../config.ts";
import type { Rule } from "../engine/rule.ts";
import { type DurationMs, formatDuration } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { rfc3339 } from "../http/view.ts";
import { formatQuantity, formatSpan, oneLine } from "../reasons/format.ts";
import { type Tuning, tune } from "../replay/tuning.ts";
import type { Tried } from "../replay/tuning-effect.ts";
import { NEARLY, SPARED_MIN } from "../replay/tuning-effect.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import type { LabelFilter } from "../storage/query.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_USAGE, USAGE } from "./command.ts";
import { printProblems, screenOf, wrap } from "./problems.ts";
import { createProgressLine } from "./progress.ts";
import { counted, timeText } from "./text.ts";

type Options = { config: string; device?: string; days: string; json?: true };

const DAY_MS = 86_400_000;
const DAYS_MAX = 90;
const COLUMNS = 80;

export const tuneCommand: CliCommand = {
  name: "tune",
  summary: "try deadbands and delays for a rule that alarms too often",
  register(program) {
    program
      .argument("<rule>", "the rule, as the config names it")
      .argument("[labels...]", "label=value, of the alerts: on which series; default: where it fired most")
      .option("--device <name>", "the same as device=NAME")
      .option("--days <count>", `days of stored readings until now, 1 to ${DAYS_MAX}`, "7")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines")
      .action((name: string, labels: string[], options: Options) => run(name, labels, options, systemClock));
  },
};

function run(name: string, labels: readonly string[], options: Options, clock: Clock): void {
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") {
    printProblems(loaded.problems);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const rule = ruleOf(name, loaded.config);
  const filter = filterOf(labels, options.device);
  const to = clock.now();
  const from = to - daysOf(options.days) * DAY_MS;
  const db = openDatabase(loaded.config.gateway.dataDir, { readonly: true });
  const line = createProgressLine(process.stderr, clock);
  try {
    requireSchema(db);
    const progress = ({ done, of }: { done: number; of: number }): void => line.show({ done, of, text: `${done} of ${counted(of, "reading")}` });
    const tuning = tune(db, { config: loaded.config, rule, labels: filter, from, to, progress });
    line.end();
    if (options.json === true) process.stdout.write(`${JSON.stringify({ rule: name, from: rfc3339(from), to: rfc3339(to), ...asJson(tuning) }, null, 2)}\n`);
    else process.stdout.write(`${textOf(rule, tuning, `${timeText(from).slice(0, 16)}Z to ${timeText(to).slice(0, 16)}Z`).join("\n")}\n`);
  } finally {
    line.end();
    db.close();
  }
}

/** @throws GatewayError */
function ruleOf(name: string, { plan: { rules } }: GatewayConfig): Rule {
  const rule = rules.find((each) => each.name === name);
  if (rule !== undefined) return rule;
  const known = rules.map((each) => each.name).slice(0, 10);
  throw new GatewayError(USAGE, `the config has no rule ${name}`, { hint: known.length === 0 ? "it has none" : `it has ${known.join(", ")}` });
}

/** @throws GatewayError */
function filterOf(labels: readonly string[], device: string | undefined): LabelFilter {
  const pairs = labels.map((text) => {
    const [label = "", ...rest] = text.split("=");
    if (rest.length === 0 || label === "") throw new GatewayError(USAGE, `${text} is not label=value`, { hint: "write device=fz-7" });
    return [label, [rest.join("=")]] as const;
  });
  return Object.fromEntries(device === undefined ? pairs : [...pairs, ["device", [device]] as const]);
}

/** @throws GatewayError */
function daysOf(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (days >= 1 && days <= DAYS_MAX) return days;
  throw new GatewayError(USAGE, `--days ${text} is no number of days`, { hint: `write a whole number from 1 to ${DAYS_MAX}` });
}

function asJson({ tried, suggestion, ...tuning }: Tuning): object {
  const one = ({ candidate, effect }: Tried): object => ({
    kind: candidate.kind,
    change: candidate.text,
    yaml: candidate.lines.join("\n"),
    alerts: effect.alerts,
    spared: effect.spared,
    told_later_median_ms: effect.laterMedianMs,
    told_later_max_ms: effect.laterMaxMs,
    missed_episodes: effect.missed,
    longest_missed_ms: effect.longestMissedMs,
    joined_episodes: effect.joined,
  });
  return { ...tuning, tried: tried.map(one), suggestion: suggestion === undefined ? null : one(suggestion) };
}

function textOf(rule: Rule, tuning: Tuning, time: string): string[] {
  const { labels, unit, readings, noise, stored, alerts, episodes, tried, suggestion } = tuning;
  const subject = [labels["device"], labels["metric"]].filter((label) => label !== undefined).join(" ");
  const step = noise > 0 ? ` Median step from one reading to the next: ${formatQuantity(Number(noise.toPrecision(3)), unit)}.` : "";
  const live = stored === alerts ? "" : ` Live it fired ${stored} times: an earlier version of the rule, late readings or downtime.`;
  return [
    oneLine(`${rule.name} on ${subject}`),
    `${time}, ${counted(readings, "reading")} by event time`,
    ...paragraph(
      `As it is: ${counted(alerts, "alert")} in ${counted(episodes, "episode")} (alerts at most ${formatDuration(600_000)} apart are one).${live}${step}`,
    ),
    "",
    ...(alerts === 0 ? ["In the replay it does not fire: nothing to suggest."] : [...table(tried, suggestion), "", ...legend, "", ...wordsOf(rule, tuning)]),
  ];
}

function wordsOf(rule: Rule, { suggestion, alerts }: Tuning): string[] {
  if (suggestion === undefined) {
    const share = `${SPARED_MIN * 100} %`;
    return paragraph(
      `No suggestion: nothing that was tried spares ${share} of the alerts without joining episodes. Perhaps the limit is wrong, or the alerts are true.`,
    );
  }
  const { candidate, effect } = suggestion;
  const later = effect.laterMaxMs === null || effect.laterMaxMs === 0 ? "at the same time as now" : `at most ${formatSpan(effect.laterMaxMs)} later than now`;
  const missed =
    effect.missed === 0 ? "" : ` ${counted(effect.missed, "episode")}, the longest ${formatSpan(effect.longestMissedMs)}, would not have been told.`;
  const harm = candidate.kind === "for" ? "" : " Each alert resolves later than now.";
  const named =
    candidate.kind === "deadband" && namesLimit(rule.condition)
      ? " The rule takes its limit from the device: put the number there too, as a limit of its own."
      : "";
  return [
    ...paragraph(
      `Suggested: ${candidate.text}. ${alerts - effect.alerts} of ${alerts} alerts would have been spared; what is left would have been told ${later}.${missed}${harm}${named}`,
    ),
    "",
    `  - name: ${rule.name}`,
    ...candidate.lines.map((line) => `    ${line}`),
    "",
    ...paragraph(
      `A rule of thumb chose it: of all that spares at least ${NEARLY * 100} % of what the best spares, a deadband before an off-delay before an on-delay, and the least of its kind.`,
    ),
  ];
}

const paragraph = (text: string): string[] => wrap(text, COLUMNS, "").split("\n");
const legend = paragraph(
  "Told later: the most, from the first alert of an episode as it is. Not told: episodes in which the changed rule would not have fired (the longest); joins: those that run into the one before.",
);
const namesLimit = (condition: object): boolean => JSON.stringify(condition).includes('"limit.');

function table(tried: readonly Tried[], suggestion: Tried | undefined): string[] {
  const { colour } = screenOf(process.stdout);
  const row = (cells: readonly string[]): string => {
    const [change = "", alerts = "", spared = "", later = "", missed = ""] = cells;
    return `  ${fitted(change, 24)} ${alerts.padStart(6)} ${spared.padStart(6)}  ${later.padEnd(12)} ${missed}`.trimEnd().slice(0, COLUMNS);
  };
  return [
    row(["Change", "Alerts", "Spared", "Told later", "Not told"]),
    `  ${"-".repeat(COLUMNS - 2)}`,
    ...tried.map((one) => {
      const { candidate, effect } = one;
      const missed = effect.missed === 0 ? "-" : `${effect.missed} (${span(effect.longestMissedMs)})`;
      const joined = effect.joined === 0 ? "" : `, joins ${effect.joined}`;
      const text = row([candidate.text, String(effect.alerts), `${Math.floor(effect.spared * 100)} %`, span(effect.laterMaxMs), `${missed}${joined}`]);
      if (one !== suggestion) return text;
      const marked = `→${text.slice(1)}`;
      return colour ? styleText("green", marked, { validateStream: false }) : marked;
    }),
  ];
}

const fitted = (text: string, columns: number): string => (text.length > columns ? `${text.slice(0, columns - 1)}…` : text.padEnd(columns));
const span = (ms: DurationMs | null): string => (ms === null || ms === 0 ? "-" : formatSpan(ms));
