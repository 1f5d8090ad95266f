// `highwater summarize`: the nightly batch by hand, for days that are named (worked out anew) or for what is due. It only ever
// changes daily summaries. Interrupted, it keeps what is done; the rest is done by the next run.

import type { Command } from "commander";
import { type DailySummaryProgress, type Emit, runDailySummary } from "../batch/jobs/daily-summary.ts";
import type { SummaryReport } from "../batch/jobs/summary-report.ts";
import { renderSummaryMail } from "../batch/summary-mail.ts";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig } from "../config.ts";
import { type Day, dayBounds, isDay } from "../engine/calendar.ts";
import { lockDataDir, openDatabase } from "../storage/database.ts";
import { writeFinished } from "../storage/finished.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED, EXIT_USAGE } from "./command.ts";
import { formatProblem, screenOf } from "./problems.ts";
import { createProgressLine } from "./progress.ts";

type Options = { readonly config: string; readonly day?: string; readonly from?: string; readonly to?: string; readonly json?: true };
type Days = { readonly from: Day; readonly to: Day };

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
  const days = daysOf(options);
  if (typeof days === "string") return refuse(days);
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") return refuse(loaded.problems.map((problem) => formatProblem(problem, screenOf(process.stderr))).join("\n"));
  const problem = days === undefined ? undefined : notOver(loaded.config, days, systemClock);
  if (problem !== undefined) return refuse(problem);
  const report = await run(loaded.config, days, systemClock);
  process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : asText(report, loaded.config));
  if (!report.isWhole) process.exitCode = EXIT_FAILED;
}

function refuse(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = EXIT_USAGE;
}

/** The days named; undefined: those that are due; a text says what is wrong. */
function daysOf({ day, from, to }: Options): Days | undefined | string {
  if (day !== undefined && (from !== undefined || to !== undefined)) return "use either --day, or --from and --to";
  if ((from === undefined) !== (to === undefined)) return "--from and --to need each other";
  const [first, last] = [day ?? from, day ?? to];
  if (first === undefined || last === undefined) return undefined;
  const wrong = [first, last].find((each) => !isDay(each));
  if (wrong !== undefined) return `${wrong} is no day (write YYYY-MM-DD)`;
  return first > last ? `--from ${first} is after --to ${last}` : { from: first, to: last };
}

function notOver({ plan: { zone } }: GatewayConfig, { from }: Days, clock: Clock): string | undefined {
  return dayBounds(zone, from).end > clock.now() ? `${from} is not over yet in ${zone.name}` : undefined;
}

async function run(config: GatewayConfig, days: Days | undefined, clock: Clock): Promise<SummaryReport> {
  const { dataDir } = config.gateway;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  const line = createProgressLine(process.stderr, clock);
  const db = openDatabase(dataDir, { readonly: true });
  const sink = await openSink(dataDir);
  process.once("SIGINT", interrupt);
  try {
    const { zone, devices } = config.plan;
    const options = {
      zone,
      devices,
      now: clock.now(),
      ...(days && { days }),
      signal: interrupted.signal,
      progress: (now: DailySummaryProgress) => line.show(wordsOf(now)),
    };
    return await runDailySummary(db, options, sink.emit);
  } finally {
    process.off("SIGINT", interrupt);
    line.end();
    await sink.close();
    db.close();
  }
}

/**
 * Where the rows go: to this process's own hand under the data directory's lock. While a gateway runs, its processor is the only
 * writer: the rows will go to it through the socket in the data directory.
 * @throws GatewayError `data_dir_in_use`
 */
async function openSink(dataDir: string): Promise<{ emit: Emit; close(): Promise<void> }> {
  const lock = lockDataDir(dataDir);
  const db = openDatabase(dataDir, { readonly: false });
  return {
    emit: (rows) => writeFinished(db, rows),
    async close() {
      db.close();
      lock.release();
    },
  };
}

const wordsOf = ({ day, done, days, readings }: DailySummaryProgress) => ({ done, of: days, text: `${done} of ${days} days, ${readings} readings, ${day}` });

function asText(report: SummaryReport, { gateway }: GatewayConfig): string {
  if (report.days.length > 0) return renderSummaryMail(report, { gatewayName: gateway.name, externalUrl: null }).text;
  return report.isWhole ? "nothing to summarise: no readings in these days, or all of them are summarised already\n" : "ended before anything was done\n";
}
