// `highwater report`: what a device did in a month or some days, as a page to print, a table for spreadsheets, or JSON. Reads the data directory
// beside a running gateway; writes nothing but the file that it is told to.

import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { systemClock } from "../clock.ts";
import { isDay } from "../engine/calendar.ts";
import { GatewayError } from "../error.ts";
import { reportOf } from "../http/routes/report.ts";
import { type ReportFormat, reportFormats } from "../reports/report-text.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import { answerQuery } from "../storage/queries.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG, USAGE } from "./command.ts";
import { refuseDatabase } from "./output-file.ts";
import { writeWhole } from "./whole-file.ts";

type Options = {
  readonly config: string;
  readonly month?: string;
  readonly from?: string;
  readonly to?: string;
  readonly format?: string;
  readonly output?: string;
};

/** Nobody else waits for this process: a large store may take longer than an answer of the API. */
const TIME_MS = 60_000;

export const reportCommand: CliCommand = {
  name: "report",
  summary: "what a device did in a month: extremes, alerts, gaps, to print or as CSV",
  register(program) {
    program
      .argument("<device>", "its name, as in the label `device`")
      .option("--month <month>", "YYYY-MM; default: the month that it is")
      .option("--from <day>", "or the first of some days, YYYY-MM-DD")
      .option("--to <day>", "and the last of them; default: today")
      .option("--format <format>", `${reportFormats.join(", ")}; default: what the file's name ends in, else html`)
      .option("-o, --output <file>", "into this file; default: on the screen")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .exitOverride()
      .action(report);
  },
};

/** @throws GatewayError */
async function report(device: string, options: Options): Promise<void> {
  const format = formatOf(options);
  const time = timeOf(options);
  if (options.output !== undefined) refuseDatabase(options.output);
  const { gateway, plan } = configOf(options.config);
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  const about = { name: gateway.name, version };
  const context = { devices: plan.devices, zone: plan.zone, clock: systemClock, gateway: about, timeMs: TIME_MS };
  const db = openDatabase(gateway.dataDir, { readonly: true });
  try {
    requireSchema(db);
    const text = await reportOf({ query: async (request) => answerQuery(db, request, context) }, { device, time, format });
    if (options.output === undefined) process.stdout.write(format === "json" ? `${text}\n` : text);
    else writeWhole(options.output, text, { mode: 0o644, code: "output_failed" });
  } catch (cause) {
    if (cause instanceof GatewayError && cause.code === "query_invalid")
      throw new GatewayError(USAGE, cause.message.replaceAll("`", ""), { cause, ...(cause.hint !== undefined && { hint: cause.hint }) });
    throw cause;
  } finally {
    db.close();
  }
}

function formatOf({ format, output }: Options): ReportFormat {
  const wanted = format ?? (output === undefined ? "" : extname(output).slice(1).toLowerCase());
  const known = reportFormats.find((each) => each === wanted);
  if (known !== undefined) return known;
  if (format === undefined) return "html";
  throw new GatewayError(USAGE, `${format} is no format of a report`, { hint: `use ${reportFormats.join(", ")}` });
}

function timeOf({ month, from, to }: Options): { month?: string; from?: string; to?: string } {
  const wrong = [from, to].find((day) => day !== undefined && !isDay(day));
  if (wrong !== undefined) throw new GatewayError(USAGE, `${wrong} is no day`, { hint: "write YYYY-MM-DD" });
  return { ...(month !== undefined && { month }), ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}
