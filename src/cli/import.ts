// `highwater import`: brings a file of the past into history, exactly, and pages nobody. While a gateway runs it does the work, and reads
// the file itself; else this process does, under the data directory's lock. Interrupted, it keeps what is in; the same command goes on.

import { resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { runCompaction } from "../batch/jobs/compaction.ts";
import { type Clock, systemClock } from "../clock.ts";
import { type GatewayConfig, loadConfig } from "../config.ts";
import { callControl } from "../control.ts";
import { GatewayError } from "../error.ts";
import { createDefiner } from "../history/definer.ts";
import { precisions } from "../history/format.ts";
import { formatOf, historyFormats } from "../history/formats/index.ts";
import type { ImportSettings } from "../history/identity.ts";
import { type ImportReport, type ImportState, runImport } from "../history/import.ts";
import { createLog } from "../log.ts";
import type { RebuildAlertsReport } from "../replay/rebuild-alerts.ts";
import { explainedWhileOpen } from "../storage/data-dir-error.ts";
import { lockDataDir, openDatabase } from "../storage/database.ts";
import { createFinishedStore, type FinishedRow } from "../storage/finished.ts";
import type { ImportOrder } from "../upkeep/importer.ts";
import { zoneTable } from "../zone.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED, EXIT_USAGE, USAGE } from "./command.ts";
import { importLines, problemsOf } from "./import-text.ts";
import { printProblems } from "./problems.ts";
import { createProgressLine } from "./progress.ts";
import { alertLines, rebuildAlertsOf } from "./rebuild-alerts.ts";
import { counted } from "./text.ts";

type Options = {
  readonly config: string;
  readonly format?: string;
  readonly device?: string;
  readonly metric?: string;
  readonly label: Readonly<Record<string, string>>;
  readonly timezone?: string;
  readonly precision?: string;
  readonly deviceTag?: string;
  readonly dryRun?: true;
  readonly again?: true;
  readonly alerts?: true;
  readonly json?: true;
};

export const importCommand: CliCommand = {
  name: "import",
  summary: "bring a file of readings into history",
  register(program: Command): void {
    program
      .argument("<file>", "readings as CSV, NDJSON or line protocol, also .gz or .zst; - is standard input")
      .option("--format <name>", `${historyFormats.map(({ name }) => name).join(", ")}; default: by the file's ending`)
      .option("--device <name>", "device of readings that name none")
      .option("--metric <name>", "metric of readings that name none")
      .option("--label <name=value>", "a label of readings that do not have it; may be given again", addLabel, {})
      .option("--timezone <zone>", "of local times without offset")
      .option("--precision <unit>", `line protocol: unit of its timestamps: ${precisions.join(", ")}; default: ns`)
      .option("--device-tag <name>", "line protocol: the tag that is the device")
      .option("--dry-run", "read all and say what would come of it; write nothing")
      .option("--again", "also when the file is in already: read it from its beginning")
      .option("--alerts", "afterwards work out which alerts would have fired; nobody is told")
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--json", "for machines: the report")
      .action((file: string, options: Options) => importFile(file, options, systemClock));
  },
};

function addLabel(text: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("Write name=value.");
  return { ...labels, [name]: value };
}

async function importFile(given: string, options: Options, clock: Clock): Promise<void> {
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") {
    printProblems(loaded.problems);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const file = given === "-" ? given : resolve(given);
  const order = { file, settings: settingsOf(file, options), isDry: options.dryRun === true, isAgain: options.again === true };
  const started = clock.monotonic();
  const report = await run(loaded.config, order, clock);
  const seconds = (clock.monotonic() - started) / 1000;
  if (options.json !== true) {
    printProblems(report.problems);
    process.stdout.write(`${importLines(report, { given, config: loaded.config, seconds }).join("\n")}\n`);
  }
  const alerts = options.alerts === true ? await alertsOf(report, loaded.config, clock) : undefined;
  if (alerts !== undefined && options.json !== true && report.span !== null) process.stdout.write(`${alertLines(alerts, report.span).join("\n")}\n`);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ ...report, seconds, ...(alerts && { alerts }) }, null, 2)}\n`);
  if (report.outcome === "interrupted" || problemsOf(report) > 0) process.exitCode = EXIT_FAILED;
}

/** What would have fired in the time that the file brought; prints it where people read. */
async function alertsOf({ outcome, span }: ImportReport, config: GatewayConfig, clock: Clock): Promise<RebuildAlertsReport | undefined> {
  if (span === null || (outcome !== "done" && outcome !== "there")) return undefined;
  const order = { from: span.from, to: Math.min(span.to, clock.now() + 1), byEventTime: true };
  return rebuildAlertsOf(config, order, { isDry: false, clock });
}

/** @throws GatewayError `usage`, `unknown_format` */
function settingsOf(file: string, { format, device, metric, label: labels, timezone, precision, deviceTag }: Options): ImportSettings {
  const zone = timezone === undefined ? undefined : zoneTable(timezone);
  if (timezone !== undefined && zone === undefined) throw new GatewayError(USAGE, `${timezone} is no time zone`, { hint: "write one such as Europe/Oslo" });
  const unit = precisions.find((each) => each === precision);
  if (precision !== undefined && unit === undefined)
    throw new GatewayError(USAGE, `--precision ${precision} is none`, { hint: `write one of ${precisions.join(", ")}` });
  return { format: formatOf(file, format).name, device, metric, labels, zone, precision: unit, deviceTag };
}

async function run(config: GatewayConfig, order: ImportOrder, clock: Clock): Promise<ImportReport> {
  const line = createProgressLine(process.stderr, clock);
  const words = createWords(clock);
  const progress = (state: ImportState): void => line.show(words(state));
  try {
    return (await runByGateway(config, order, progress)) ?? (await runHere(config, order, { clock, progress }));
  } finally {
    line.end();
  }
}

/** @returns undefined when no gateway runs on the data directory */
async function runByGateway(
  { gateway: { dataDir } }: GatewayConfig,
  order: ImportOrder,
  progress: (state: ImportState) => void,
): Promise<ImportReport | undefined> {
  if (order.file === "-" && (await isRunning(dataDir)))
    throw new GatewayError("no_standard_input", "a gateway runs on this data directory, and it cannot read this standard input", {
      hint: "give it a file that it can read, or stop it",
    });
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const answer = await callControl(dataDir, "import", order, (state) => progress(state as ImportState), interrupted.signal);
    return answer?.value as ImportReport | undefined;
  } catch (cause) {
    if (interrupted.signal.aborted)
      throw new GatewayError("import_interrupted", "interrupted: what is in stays in", { hint: "the same command goes on where it was", cause });
    if (!(cause instanceof GatewayError))
      throw new GatewayError("import_failed", (cause as Error).message, { hint: "what is in stays in: the same command goes on there", cause });
    if (cause.code !== "not_a_history") throw cause;
    throw new GatewayError(cause.code, cause.message, { hint: `${cause.hint}; the running gateway reads the file itself, as its own user`, cause });
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

const isRunning = async (dataDir: string): Promise<boolean> => (await callControl(dataDir, "running", undefined, () => undefined)) !== undefined;

type Here = { readonly clock: Clock; readonly progress: (state: ImportState) => void };

/** Reads and writes in this process. Makes the database where there is none: history may come before the first reading. @throws GatewayError `data_dir_in_use` */
async function runHere(config: GatewayConfig, order: ImportOrder, { clock, progress }: Here): Promise<ImportReport> {
  const { dataDir } = config.gateway;
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  const lock = lockDataDir(dataDir);
  const db = openDatabase(dataDir, { readonly: false });
  const definer = createDefiner({ db, clock, log: createLog({ level: "error", name: "import" }) }, config.mqtt.limits.series);
  const write = createFinishedStore(db);
  const emit = (rows: readonly FinishedRow[]): void => write(rows);
  const { zone } = config.plan;
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const report = await runImport(
      db,
      { ...order, zone, now: clock.now(), diskLimit: config.storage.diskLimit, signal: interrupted.signal, progress, input: process.stdin },
      emit,
      definer.define,
    );
    if (report.outcome === "done") await runCompaction(db, { zone, now: clock.now(), packs: true, signal: interrupted.signal }, emit);
    return report;
  } catch (error) {
    throw explainedWhileOpen(db.name, error);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    definer.close();
    db.close();
    lock.release();
  }
}

/** How far it is, how fast, and how long it will take. */
function createWords(clock: Clock): (state: ImportState) => { done: number; of: number; text: string } {
  const started = clock.monotonic();
  let first: number | undefined;
  return ({ bytes, size, readings }) => {
    first ??= bytes;
    const seconds = Math.max(0.001, (clock.monotonic() - started) / 1000);
    const speed = `${counted(readings, "reading")}, ${Math.round(readings / seconds)} readings/s`;
    if (size === null || size === 0) return { done: 0, of: 1, text: speed };
    const left = bytes > first ? ((size - bytes) / (bytes - first)) * seconds : 0;
    return { done: bytes, of: size, text: `${Math.floor((bytes / size) * 100)} %, ${speed}, ${Math.ceil(left)} s left` };
  };
}
