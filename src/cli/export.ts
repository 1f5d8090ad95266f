// `highwater export`: history as text, to standard output or a file. It only reads, beside a running gateway or without one. A file is
// written under another name and renamed when it is whole.

import { createWriteStream, renameSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { type Command, InvalidArgumentError } from "commander";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig } from "../config.ts";
import { GatewayError, reasonOf } from "../error.ts";
import { type ExportProgress, exportHistory } from "../history/export.ts";
import { formatOf, historyFormats } from "../history/formats/index.ts";
import { explainedWhileOpen } from "../storage/data-dir-error.ts";
import { openDatabase, requireSchema } from "../storage/database.ts";
import type { LabelFilter, Step } from "../storage/query.ts";
import { HOUR_MS, MINUTE_MS } from "../storage/rollups.ts";
import { configOf } from "./account-store.ts";
import { type CliCommand, DEFAULT_CONFIG, USAGE } from "./command.ts";
import { refuseDatabase } from "./output-file.ts";
import { createProgressLine } from "./progress.ts";
import { rangeOf } from "./range.ts";
import { counted } from "./text.ts";

type Options = {
  readonly config: string;
  readonly from?: string;
  readonly to?: string;
  readonly format?: string;
  readonly output?: string;
  readonly step: Step;
};

const steps: Readonly<Record<string, Step>> = { raw: "raw", "1m": MINUTE_MS, "1h": HOUR_MS, day: "day" };

export const exportCommand: CliCommand = {
  name: "export",
  summary: "write history as text that import reads back",
  register(program: Command): void {
    program
      .argument("[label=value...]", "only series with these labels; one label several times: any of its values")
      .option("--from <time>", "RFC 3339, a day YYYY-MM-DD, or milliseconds; default: all there is")
      .option("--to <time>", "until then, exclusive; a day is meant whole")
      .option("--step <step>", `single readings, or buckets with their figures: ${Object.keys(steps).join(", ")}`, stepOf, "raw" as Step)
      .option("--format <name>", `${written().join(" or ")}; default: by the ending of --output, else csv`)
      .option("-o, --output <file>", "instead of standard output; also .gz or .zst")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .action((labels: string[], options: Options) => write(labels, options, systemClock));
  },
};

const written = (): string[] => historyFormats.filter(({ writer }) => writer !== undefined).map(({ name }) => name);

function stepOf(text: string): Step {
  const step = Object.hasOwn(steps, text) ? steps[text] : undefined;
  if (step === undefined) throw new InvalidArgumentError(`Write one of ${Object.keys(steps).join(", ")}.`);
  return step;
}

/** @throws GatewayError `usage` */
function filterOf(texts: readonly string[]): LabelFilter {
  const filter: Record<string, string[]> = {};
  for (const text of texts) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new GatewayError(USAGE, `${text} is no label`, { hint: "write device=fz-7" });
    filter[name] = [...(filter[name] ?? []), value];
  }
  return filter;
}

async function write(labels: readonly string[], { config, from, to, format, output, step }: Options, clock: Clock): Promise<void> {
  const loaded: GatewayConfig = configOf(config);
  const { zone, devices } = loaded.plan;
  const chosen = format === undefined && output === undefined ? formatOf("-", "csv") : formatOf(output ?? "-", format);
  if (chosen.writer === undefined)
    throw new GatewayError(USAGE, `${chosen.name} is read, but not written`, { hint: `give --format ${written().join(" or ")}` });
  if (output !== undefined) refuseDatabase(output);
  const span = rangeOf({ from, to }, zone);
  const filter = filterOf(labels);
  const db = openDatabase(loaded.gateway.dataDir, { readonly: true });
  const line = createProgressLine(process.stderr, clock);
  const shows = output !== undefined || process.stdout.isTTY !== true;
  const progress = (now: ExportProgress): void =>
    line.show({ done: now.done, of: now.series, text: `${now.done} of ${now.series} series, ${counted(now.rows, "row")}` });
  try {
    requireSchema(db);
    const text = exportHistory(db, { labels: filter, span, step, format: chosen, zone, devices, ...(shows ? { progress } : {}) });
    const read = explainedText(db.name, text);
    if (output === undefined) await toStandardOutput(read);
    else await toFile(resolve(output), read);
  } finally {
    line.end();
    db.close();
  }
}

/** What cannot be read is the database's, not of the file that is written. */
function* explainedText(database: string, text: Iterable<string>): Generator<string> {
  try {
    yield* text;
  } catch (error) {
    throw explainedWhileOpen(database, error);
  }
}

/** Whoever does not read on (`highwater export | head`) has enough. */
async function toStandardOutput(text: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(text), process.stdout, { end: false });
  } catch (error) {
    if (!["EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** @throws GatewayError `not_writable` */
async function toFile(file: string, text: Iterable<string>): Promise<void> {
  const temporary = join(dirname(file), `.${process.pid}.export`);
  try {
    const into = createWriteStream(temporary, { flags: "wx", flush: true });
    await pipeline([Readable.from(text), ...compressionOf(file), into]);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof GatewayError) throw error;
    throw new GatewayError("not_writable", `${file} cannot be written: ${reasonOf(error)}`, { hint: "look at its folder and the room there", cause: error });
  }
}

function compressionOf(file: string): (NodeJS.ReadWriteStream & Writable)[] {
  if (file.toLowerCase().endsWith(".gz")) return [createGzip()];
  return file.toLowerCase().endsWith(".zst") ? [createZstdCompress()] : [];
}
