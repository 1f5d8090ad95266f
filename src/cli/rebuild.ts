// `highwater rebuild --rollups`: derived tables anew from the raw readings, held against what is stored; what differs is written, by the
// gateway if one runs, else here. With --dry-run it only tells. To add a table that can be rebuilt: an option, an entry in `targets`.

import type { Command } from "commander";
import { type RebuildProgress, type RebuildReport, type RebuildRollupsOptions, runRebuildRollups } from "../batch/jobs/rebuild-rollups.ts";
import { wordsOf as differenceText } from "../batch/verify.ts";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig } from "../config.ts";
import { callControl } from "../control.ts";
import { dayBounds, utc } from "../engine/calendar.ts";
import { GatewayError } from "../error.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED } from "./command.ts";
import { type DayRange, type Days, daysOf, refuse } from "./day-range.ts";
import { formatProblem, screenOf } from "./problems.ts";
import { createProgressLine } from "./progress.ts";
import { runHere } from "./run-here.ts";
import { counted, printable, subjectText } from "./text.ts";

type Options = DayRange & { readonly rollups?: true; readonly config: string; readonly dryRun?: true; readonly json?: true };
type Asked = { readonly days: Days; readonly isDryRun: boolean };
/** One table that can be rebuilt. */
type Target = (config: GatewayConfig, asked: Asked, json: boolean) => Promise<{ readonly text: string; readonly isWhole: boolean }>;

const targets = { rollups: rebuildRollups } as const satisfies Readonly<Record<string, Target>>;
const names = Object.keys(targets) as (keyof typeof targets)[];

export const rebuildCommand: CliCommand = {
  name: "rebuild",
  summary: "reckon derived tables again from the raw readings, and write what differs",
  register(program: Command): void {
    program
      .option("--rollups", "the rollups of these days")
      .option("--from <day>", "the first UTC day, YYYY-MM-DD")
      .option("--to <day>", "the last of them")
      .option("--dry-run", "tell what differs, write nothing")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: the report")
      .action(rebuild);
  },
};

async function rebuild(options: Options): Promise<void> {
  const [target, ...others] = names.filter((name) => options[name] === true);
  if (target === undefined || others.length > 0) return refuse(`say what to rebuild: ${names.map((name) => `--${name}`).join(" or ")}`);
  const days = daysOf(options);
  if (typeof days === "string") return refuse(days);
  if (days === undefined) return refuse("say which days: --from DAY --to DAY");
  if (dayBounds(utc, days.from).end > systemClock.now()) return refuse(`${days.from} is not over yet in UTC`);
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") return refuse(loaded.problems.map((problem) => formatProblem(problem, screenOf(process.stderr))).join("\n"));
  const { text, isWhole } = await targets[target](loaded.config, { days, isDryRun: options.dryRun === true }, options.json === true);
  process.stdout.write(text);
  if (!isWhole) process.exitCode = EXIT_FAILED;
}

async function rebuildRollups(config: GatewayConfig, asked: Asked, json: boolean): Promise<{ text: string; isWhole: boolean }> {
  const report = await run(config, asked, systemClock);
  return { text: json ? `${JSON.stringify(report, null, 2)}\n` : asText(report, asked), isWhole: report.isWhole };
}

async function run({ gateway: { dataDir }, plan: { zone } }: GatewayConfig, { days, isDryRun }: Asked, clock: Clock): Promise<RebuildReport> {
  const line = createProgressLine(process.stderr, clock);
  const progress = (now: RebuildProgress): void => line.show(wordsOf(now));
  const options = { days, isDryRun, zone, now: clock.now(), progress };
  try {
    if (isDryRun) return await compareHere(dataDir, options);
    const byGateway = await runByGateway(dataDir, days, progress);
    return byGateway ?? (await runHere(dataDir, (db, { emit, signal }) => runRebuildRollups(db, { ...options, signal }, emit)));
  } finally {
    line.end();
  }
}

/** Only reads, so it needs nobody's leave. */
async function compareHere(dataDir: string, options: RebuildRollupsOptions): Promise<RebuildReport> {
  const db = openDatabase(dataDir, { readonly: true });
  try {
    requireSchema(db);
    return await runRebuildRollups(db, options, () => undefined);
  } finally {
    db.close();
  }
}

/** While a gateway runs, its processor is the only writer. @returns undefined when none runs on this data directory */
async function runByGateway(dataDir: string, days: Days, progress: (now: RebuildProgress) => void): Promise<RebuildReport | undefined> {
  try {
    const answer = await callControl(dataDir, "rebuild-rollups", { days }, (now) => progress(now as RebuildProgress));
    return answer?.value as RebuildReport | undefined;
  } catch (cause) {
    throw new GatewayError("rebuild_failed", (cause as Error).message, { hint: "the gateway's log says more; what is done stays done", cause });
  }
}

const wordsOf = ({ day, done, days, buckets }: RebuildProgress) => ({ done, of: days, text: `${done} of ${days} days, ${buckets} buckets, ${day}` });

const reasons: Readonly<Record<RebuildReport["left"][number]["reason"], string>> = {
  gone: "its raw readings are no longer kept",
  unsound: "its raw readings are not sound: `highwater verify` says more",
  uncompacted: "too much of it waits for compaction: run without --dry-run",
};

function asText(report: RebuildReport, { isDryRun }: Asked): string {
  const { differing, first, left, written, changed, buckets, readings, days, isWhole } = report;
  const differ = differing.minutes + differing.hours;
  const lines = [
    ...first.map(({ labels, ...difference }) => printable(`${subjectText({ labels })}: ${differenceText(difference)}`)),
    ...(differ > first.length ? [`… and ${differ - first.length} more`] : []),
    ...left.map(({ day, reason }) => `${day} is left as it is: ${reasons[reason]}`),
    `held ${counted(buckets, "bucket")} of ${counted(days, "day")} against ${counted(readings, "raw reading")}`,
    differ === 0
      ? "nothing differs"
      : `${counted(differing.minutes, "minute")} and ${counted(differing.hours, "hour")} differ${isDryRun ? "" : `; ${counted(written, "row")} written`}`,
    ...(changed > 0 ? [`${counted(changed, "row")} changed meanwhile: run it again`] : []),
    ...(isWhole ? [] : ["ended early; what was written stands"]),
  ];
  return `${lines.join("\n")}\n`;
}
