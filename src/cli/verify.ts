// `highwater verify`: checks what is stored, beside a running gateway or without one. Each problem is a line that says what, where, and what
// mends it. It changes nothing.

import type { Command } from "commander";
import { type Compared, type VerifyOptions, type VerifyProgress, type VerifyReport, verifyStore } from "../batch/verify.ts";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig } from "../config.ts";
import type { Labels } from "../engine/reading.ts";
import type { Kept } from "../storage/retention.ts";
import { HOUR_MS, MINUTE_MS } from "../storage/rollups.ts";
import { createSeriesReader } from "../storage/series-query.ts";
import type { Mend, Problem, ProblemKind } from "../storage/verify/problem.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED } from "./command.ts";
import { type DayRange, daysOf, refuse } from "./day-range.ts";
import { formatProblem, screenOf } from "./problems.ts";
import { createProgressLine } from "./progress.ts";
import { readStore } from "./running-gateway.ts";
import { counted, printable, subjectText } from "./text.ts";

type Options = DayRange & { readonly config: string; readonly quick?: true; readonly json?: true };

/** Problems that are shown one by one; the others are counted. */
const SHOWN_MAX = 50;

export const verifyCommand: CliCommand = {
  name: "verify",
  summary: "check that what is stored is sound, and that what is derived is what the raw readings make it",
  register(program: Command): void {
    program
      .option("--from <day>", "the first local day to look at, YYYY-MM-DD; default: all days")
      .option("--to <day>", "the last of them")
      .option("--quick", "leave out the comparison with raw readings")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: the report")
      .action(verify);
  },
};

function verify(options: Options): void {
  const days = daysOf(options);
  if (typeof days === "string") return refuse(days);
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") return refuse(loaded.problems.map((problem) => formatProblem(problem, screenOf(process.stderr))).join("\n"));
  const outcome = run(
    loaded.config,
    { zone: loaded.config.plan.zone, keptSince: keptSinceOf(loaded.config, systemClock), isQuick: options.quick === true, ...(days && { days }) },
    options.json !== true,
  );
  process.stdout.write(options.json === true ? `${JSON.stringify(asJson(outcome), null, 2)}\n` : asText(outcome));
  if (outcome.count > 0) process.exitCode = EXIT_FAILED;
}

/** Retention counts from when a row was packed, which is after what it holds. Where it counts bytes, anything may have gone. */
function keptSinceOf({ storage: { retention } }: GatewayConfig, clock: Clock): VerifyOptions["keptSince"] {
  const since = ({ timeMs, bytes }: Kept): number => (bytes === null ? clock.now() - timeMs : Number.POSITIVE_INFINITY);
  return { [MINUTE_MS]: since(retention.minutes), [HOUR_MS]: since(retention.hours) };
}

type Shown = Problem & { readonly labels?: Labels };
type Outcome = { readonly report: VerifyReport; readonly count: number; readonly kinds: ReadonlyMap<ProblemKind, number>; readonly shown: readonly Shown[] };

function run(config: GatewayConfig, options: VerifyOptions, prints: boolean): Outcome {
  const line = createProgressLine(process.stderr, systemClock);
  const kinds = new Map<ProblemKind, number>();
  const shown: Shown[] = [];
  let count = 0;
  try {
    return readStore(config, ({ db }) => {
      const labelsOf = createSeriesReader(db, {});
      const found = (problem: Problem): void => {
        count += 1;
        kinds.set(problem.kind, (kinds.get(problem.kind) ?? 0) + 1);
        if (shown.length >= SHOWN_MAX) return;
        const { series } = problem.place;
        const one = series === undefined ? problem : { ...problem, labels: labelsOrNone(() => labelsOf(series).labels) };
        shown.push(one);
        line.end();
        if (prints) process.stdout.write(`${lineOf(one)}\n`);
      };
      return { report: verifyStore(db, options, { found, progress: (now) => line.show(wordsOf(now)) }), count, kinds, shown };
    });
  } finally {
    line.end();
  }
}

/** Those of a series may be what is damaged: then its number is said. */
function labelsOrNone(read: () => Labels): Labels {
  try {
    return read();
  } catch {
    return {};
  }
}

const wordsOf = ({ stage, done, of }: VerifyProgress) => ({ done, of, text: `${stage}: ${done} of ${of}` });

function lineOf({ kind, place: { series, day, seq }, what, mend, labels }: Shown): string {
  const name = labels === undefined || Object.keys(labels).length === 0 ? series !== undefined && `series ${series}` : subjectText({ labels });
  const place = [seq !== undefined && `row ${seq}`, name, day].filter((part) => typeof part === "string").join(" ");
  return printable(`${kind}${place === "" ? "" : ` ${place}`}: ${what} (${mendText(mend)})`);
}

export function mendText(mend: Mend): string {
  switch (mend.kind) {
    case "rebuild":
      return `highwater rebuild --rollups --from ${mend.from} --to ${mend.to}`;
    case "summarize":
      return `highwater summarize --day ${mend.day}`;
    case "restore":
      return "highwater restore BACKUP";
    default: {
      const never: never = mend;
      return never;
    }
  }
}

const asJson = ({ report, count, kinds, shown }: Outcome): object => ({
  sound: count === 0,
  problems: count,
  by_kind: Object.fromEntries(kinds),
  first: shown.map(({ mend, ...problem }) => ({ ...problem, mend: mendText(mend) })),
  journal_rows: report.journalRows,
  chunks: report.chunks,
  packed_rows: report.packedRows,
  compared: report.compared,
});

function asText({ report, count, kinds, shown }: Outcome): string {
  const { journalRows, chunks, packedRows, compared } = report;
  const looked = [counted(journalRows, "journal row"), counted(chunks, "chunk"), counted(packedRows, "packed row")].join(", ");
  const more = count > shown.length ? `… and ${count - shown.length} more\n` : "";
  const outcome = count === 0 ? "sound" : `${counted(count, "problem")}: ${[...kinds].map(([kind, of]) => `${of} ${kind}`).join(", ")}`;
  return `${more}looked at ${looked}${compared === null ? "" : `\n${comparedText(compared)}`}\n${outcome}\n`;
}

function comparedText({ buckets, dirty, bucketsLeft, summaries, open, summariesLeft, readings }: Compared): string {
  const rest = [
    dirty > 0 && `${counted(dirty, "bucket")} amended and not reckoned again yet`,
    bucketsLeft > 0 && `${counted(bucketsLeft, "bucket")} without whole raw readings`,
    open > 0 && `${open} summaries still to be made`,
    summariesLeft > 0 && `${summariesLeft} summaries without whole raw readings`,
  ].filter((part) => typeof part === "string");
  const held = `held ${counted(buckets, "rollup bucket")} and ${summaries} summaries against ${counted(readings, "raw reading")}`;
  return rest.length === 0 ? held : `${held}; ${rest.join(", ")}`;
}
