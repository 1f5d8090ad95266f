// `highwater summarize`: the nightly batch by hand, for days that are named (worked out anew) or for what is due. It only ever
// changes daily summaries. Interrupted, it keeps what is done; the rest is done by the next run.

import type { Command } from "commander";
import { type DailySummaryProgress, runDailySummary } from "../batch/jobs/daily-summary.ts";
import type { SummaryReport } from "../batch/jobs/summary-report.ts";
import { renderSummaryMail } from "../batch/summary-mail.ts";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig } from "../config.ts";
import { callControl } from "../control.ts";
import { dayBounds } from "../engine/calendar.ts";
import { GatewayError } from "../error.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED } from "./command.ts";
import { type DayRange, type Days, daysOf, refuse } from "./day-range.ts";
import { formatProblem, screenOf } from "./problems.ts";
import { createProgressLine } from "./progress.ts";
import { runHere } from "./run-here.ts";
import { counted } from "./text.ts";

type Options = DayRange & { readonly config: string; readonly day?: string; readonly json?: true };

export const summarizeCommand: CliCommand = {
  name: "summarize",
  summary: "write daily summaries, of the days named or of those that are due",
  register(program: Command): void {
    program
      .option("--day <day>", "one local day, YYYY-MM-DD: worked out anew")
      .option("--from <day>", "the first of several days")
      .option("--to <day>", "the last of several days")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: the report")
      .action(summarize);
  },
};

async function summarize(options: Options): Promise<void> {
  const days = daysAsked(options);
  if (typeof days === "string") return refuse(days);
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") return refuse(loaded.problems.map((problem) => formatProblem(problem, screenOf(process.stderr))).join("\n"));
  const problem = days === undefined ? undefined : notOver(loaded.config, days, systemClock);
  if (problem !== undefined) return refuse(problem);
  const report = await run(loaded.config, days, systemClock);
  process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : asText(report, loaded.config));
  if (!report.isWhole || report.damaged > 0) process.exitCode = EXIT_FAILED;
}

/** The days named; undefined: those that are due; a text says what is wrong. */
function daysAsked({ day, from, to }: Options): Days | undefined | string {
  if (day !== undefined && (from !== undefined || to !== undefined)) return "use either --day, or --from and --to";
  return daysOf(day === undefined ? { from, to } : { from: day, to: day });
}

function notOver({ plan: { zone } }: GatewayConfig, { from }: Days, clock: Clock): string | undefined {
  return dayBounds(zone, from).end > clock.now() ? `${from} is not over yet in ${zone.name}` : undefined;
}

async function run(
  { gateway: { dataDir }, plan: { zone, devices }, alarmTargets }: GatewayConfig,
  days: Days | undefined,
  clock: Clock,
): Promise<SummaryReport> {
  const line = createProgressLine(process.stderr, clock);
  const progress = (now: DailySummaryProgress): void => line.show(wordsOf(now));
  try {
    const options = { zone, devices, alarmTargets, now: clock.now(), ...(days && { days }), progress };
    return (
      (await runByGateway(dataDir, days, progress)) ??
      (await runHere(dataDir, (db, here) => runDailySummary(db, { ...options, signal: here.signal }, here.emit)))
    );
  } finally {
    line.end();
  }
}

/** While a gateway runs, its processor is the only writer. @returns undefined when none runs on this data directory */
async function runByGateway(dataDir: string, days: Days | undefined, progress: (now: DailySummaryProgress) => void): Promise<SummaryReport | undefined> {
  try {
    const answer = await callControl(dataDir, "summarize", days === undefined ? {} : { days }, (now) => progress(now as DailySummaryProgress));
    return answer?.value as SummaryReport | undefined;
  } catch (cause) {
    throw new GatewayError("summary_failed", (cause as Error).message, { hint: "the gateway's log says more; what is done stays done", cause });
  }
}

const wordsOf = ({ day, done, days, readings }: DailySummaryProgress) => ({ done, of: days, text: `${done} of ${days} days, ${readings} readings, ${day}` });

function asText(report: SummaryReport, { gateway }: GatewayConfig): string {
  const mail = renderSummaryMail(report, { gatewayName: gateway.name, externalUrl: null });
  if (mail !== undefined) return mail.text;
  if (report.damaged > 0)
    return `readings of ${counted(report.damaged, "sensor")} are damaged on the disk, and not summarised: \`highwater verify\` names them\n`;
  return report.isWhole ? "nothing to summarise: no readings in these days, or all of them are summarised already\n" : "ended before anything was done\n";
}
