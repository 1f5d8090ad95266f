// `highwater run`: the gateway, until SIGTERM or SIGINT drains it. SIGHUP reads the config again; a bad file keeps the old one.

import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { startGateway } from "../gateway.ts";
import { giveBackRoom } from "../heap.ts";
import { createLog, type Log } from "../log.ts";
import { type CliCommand, DEFAULT_CONFIG, EXIT_FAILED, EXIT_USAGE } from "./command.ts";
import { printProblems } from "./problems.ts";

type Options = { readonly config: string; readonly logLevel: string; readonly acceptClock?: true };

/** A wall clock before this is wrong: no release is older. */
const RELEASED_AT = Date.UTC(2026, 10, 1);

export const runCommand: CliCommand = {
  name: "run",
  summary: "run the gateway",
  register(program) {
    program
      .option("-c, --config <file>", "the config", DEFAULT_CONFIG)
      .option("--log-level <level>", "trace, debug, info, warn, error, fatal or silent", process.env["HIGHWATER_LOG_LEVEL"] ?? "info")
      .option("--accept-clock", "take the wall clock as it is, though the journal is ahead of it")
      .action(run);
  },
};

/**
 * V8 must not allocate in its old generation what survived its first moments once. A publish lives only until its commit, but in the
 * busy seconds after the start V8 concludes otherwise; from then on each dead packet in the old generation keeps younger ones alive,
 * and the main thread stands still for 30 ms twice a second (docs/adr/0007-new-objects-stay-young.md). Holds for all threads.
 */
const keepNewObjectsYoung = (): void => setFlagsFromString("--no-allocation-site-pretenuring");

/** In the log, and where somebody watches as a line of its own. */
function offerSetup(url: string, log: Log): void {
  log.info({ setup: url }, "there is no account: whoever is on this machine may do everything; this link makes the administrator, once and within 24 hours");
  if (process.stderr.isTTY) process.stderr.write(`\nMake the administrator: ${url}\n\n`);
}

async function run(options: Options): Promise<void> {
  keepNewObjectsYoung();
  const loaded = loadConfig(options.config);
  if (loaded.kind === "invalid") {
    printProblems(loaded.problems);
    process.exitCode = EXIT_USAGE;
    return;
  }
  const log = createLog({ level: options.logLevel, name: "main" });
  for (const { file, line, column, message } of loaded.notes) log.warn({ at: `${file}:${line}:${column}` }, message);
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
  const gateway = await startGateway(loaded.config, {
    version,
    releasedAt: RELEASED_AT,
    clock: systemClock,
    log,
    logLevel: options.logLevel,
    acceptClock: options.acceptClock === true,
    readConfig: () => loadConfig(options.config),
    onFatal(error) {
      log.fatal({ err: error }, "the gateway ends: what it acknowledged is in the journal");
      process.exit(EXIT_FAILED);
    },
  });
  giveBackRoom();
  if (gateway.setupUrl !== undefined) offerSetup(gateway.setupUrl, log);
  process.on("SIGHUP", () => {
    gateway.reload().catch((error: unknown) => log.error({ err: error }, "the reload failed"));
  });
  const stop = (signal: string): void => {
    process.removeAllListeners("SIGTERM").removeAllListeners("SIGINT");
    log.info({ signal }, "draining");
    gateway.close().then(
      () => {
        log.info("stopped");
        process.exit(0);
      },
      (error: unknown) => {
        log.fatal({ err: error }, "closing failed");
        process.exit(EXIT_FAILED);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // Whoever reads it may send a signal at once.
  log.info({ mqtt: gateway.mqtt, http: gateway.http, rules: loaded.config.plan.rules.length, pid: process.pid }, "ready");
}
