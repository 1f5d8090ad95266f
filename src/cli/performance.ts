// `highwater performance`: how alarms performed in a span of time, against the targets of the config. Reads the data directory
// beside a running gateway, writes nothing. For machines it prints what /api/v1/performance answers.

import { styleText } from "node:util";
import { type Table, textTable } from "../batch/mail-table.ts";
import { actorsTable, figuresTable, leadOf } from "../batch/performance-tables.ts";
import { type Clock, systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { type AlarmPerformance, performanceOf } from "../engine/alarm-performance.ts";
import type { Span } from "../engine/alarm-rate.ts";
import { dayBounds, isDay, type ZoneTable } from "../engine/calendar.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { instantSchema } from "../http/parameter.ts";
import { performanceOfView } from "../http/performance-view.ts";
import { formatSpan } from "../reasons/format.ts";
import { type Database, openDatabase, requireSchema } from "../storage/database.ts";
import { LONG_WORK_ALERTS_MAX, readOccurrences, spanOf } from "../storage/performance-query.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_USAGE, USAGE } from "./command.ts";
import { printProblems, screenOf, wrap } from "./problems.ts";
import { timeText } from "./text.ts";

type Options = { config: string; from?: string; to?: string; day?: string; json?: true };

/** Floods and stale alerts of a list; --json tells all. */
const LIST_MAX = 5;
const COLUMNS = 80;

export const performanceCommand: CliCommand = {
  name: "performance",
  summary: "how alarms performed: rates, floods, bad actors, against targets",
  register(program) {
    program
      .option("--from <time>", "RFC 3339, a day YYYY-MM-DD, or milliseconds; default: 24 hours before")
      .option("--to <time>", "until then, exclusive; a day is meant whole; default: now")
      .option("--day <day>", "one local day, YYYY-MM-DD")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: what /api/v1/performance answers")
      .action((options: Options) => run(options, systemClock));
  },
};

function run(options: Options, clock: Clock): void {
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") {
    printProblems(loaded.problems);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const { gateway, plan, alarmTargets } = loaded.config;
  const span = spanOfOptions(options, plan.zone, clock.now());
  const db = openDatabase(gateway.dataDir, { readonly: true });
  try {
    requireSchema(db);
    const performance = performanceOf(occurrencesOf(db, span), span, alarmTargets);
    if (options.json === true) process.stdout.write(`${JSON.stringify(performanceOfView(performance), null, 2)}\n`);
    else process.stdout.write(`${textOf(performance).join("\n")}\n`);
  } finally {
    db.close();
  }
}

function occurrencesOf(db: Database, span: Span) {
  const found = readOccurrences(db, span, { alertsMax: LONG_WORK_ALERTS_MAX });
  if (found !== undefined) return found;
  throw new GatewayError("query_too_large", `more than ${LONG_WORK_ALERTS_MAX} alerts fired in this time and the week before`, {
    hint: "ask for another time",
  });
}

/** @throws GatewayError */
function spanOfOptions({ from, to, day }: Options, zone: ZoneTable, now: EpochMs): Span {
  if (day !== undefined && (from !== undefined || to !== undefined))
    throw new GatewayError(USAGE, "--day and --from or --to are two answers to one question", { hint: "keep one" });
  if (day !== undefined && !isDay(day)) throw new GatewayError(USAGE, `${day} is no day`, { hint: "write YYYY-MM-DD" });
  const [first, last] = [day ?? from, day ?? to];
  try {
    return spanOf(
      {
        ...(first !== undefined && { from: instantOf("--from", first, zone, "start") }),
        ...(last !== undefined && { to: instantOf("--to", last, zone, "end") }),
      },
      now,
    );
  } catch (cause) {
    if (cause instanceof GatewayError && cause.code === "query_invalid") throw new GatewayError(USAGE, cause.message.replaceAll("`", ""), { cause });
    throw cause;
  }
}

/** A local day is meant whole. @throws GatewayError */
function instantOf(option: string, text: string, zone: ZoneTable, edge: "start" | "end"): EpochMs {
  if (isDay(text)) return dayBounds(zone, text)[edge];
  const instant = instantSchema.safeParse(text);
  if (instant.success) return instant.data;
  throw new GatewayError(USAGE, `${option} ${text} is no time`, { hint: "write 2026-01-31T04:15:00Z, a day as 2026-01-31, or milliseconds since 1970" });
}

function textOf(performance: AlarmPerformance): string[] {
  const { from, to } = performance.span;
  const isOneDay = to - from <= 26 * 3_600_000;
  const short = (at: EpochMs): string => `${timeText(at).slice(isOneDay ? 11 : 0, 16)}Z`;
  const actors = actorsTable(performance);
  return [
    `${timeText(from)} to ${timeText(to)}, ${formatSpan(to - from)}`,
    ...wrap(leadOf(performance), COLUMNS, "").split("\n"),
    "",
    ...shown(figuresTable("Alarm performance", performance, short)),
    ...(actors === undefined ? [] : ["", ...shown(actors)]),
    ...floodLines(performance),
    ...staleLines(performance),
    ...(actors === undefined ? [] : ["", "`highwater tune RULE` tries deadbands and delays on what is stored."]),
  ];
}

function floodLines({ flood: { floods, count } }: AlarmPerformance): string[] {
  if (count === 0) return [];
  const lines = [...floods]
    .sort((a, b) => b.count - a.count)
    .slice(0, LIST_MAX)
    .map(
      ({ start, end, count: alerts }) =>
        `${timeText(start).slice(0, 16)}Z  ${(end === null ? "goes on" : formatSpan(end - start)).padEnd(14)} ${alerts} alerts`,
    );
  return ["", "Floods, the largest first", "", ...lines, ...more(count)];
}

function staleLines({ stale: { alerts, count } }: AlarmPerformance): string[] {
  if (count === 0) return [];
  const lines = alerts.slice(0, LIST_MAX).map(({ toldAt, clearedAt, rule, labels }) => {
    const stood = clearedAt === null ? "stands" : formatSpan(clearedAt - toldAt);
    return `${timeText(toldAt).slice(0, 16)}Z  ${stood.padEnd(14)} ${rule} ${labels["device"] ?? ""}`.trimEnd().slice(0, COLUMNS);
  });
  return ["", "Stale: stood for more than a day", "", ...lines, ...more(count)];
}

const more = (count: number): string[] => (count > LIST_MAX ? [`and ${count - LIST_MAX} more, which --json tells`] : []);

/** With colour for what is missed, where the terminal has some. */
function shown(table: Table): string[] {
  const lines = textTable(table);
  if (!screenOf(process.stdout).colour) return lines;
  return lines.map((line) =>
    line
      .replace(/ (missed|chattering)(?= |$)/, (word) => styleText("red", word, { validateStream: false }))
      .replace(/ met(?= |$)/, (word) => styleText("green", word, { validateStream: false })),
  );
}
