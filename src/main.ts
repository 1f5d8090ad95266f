// The command line's program: verbs from cli/index.ts, and what their ends mean to the shell: 0 ok, 1 the work failed, 2 wrong usage or config.
// Does no work of its own.

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, usageCodes } from "./cli/command.ts";
import { commands } from "./cli/index.ts";
import { GatewayError } from "./error.ts";

function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  const program = new Command("highwater")
    .description("IoT sensor alerting gateway in one process")
    .version(version)
    .showHelpAfterError("(highwater --help says what there is)")
    .exitOverride();
  for (const { name, summary, register } of commands) {
    const command = program.command(name).summary(summary).description(summary).exitOverride();
    register(command);
  }
  return program;
}

/** What it writes is nobody else's: readings, hashes of passwords, the socket that takes orders. */
const OWNER_ONLY = 0o077;

async function main(args: readonly string[]): Promise<void> {
  process.umask(OWNER_ONLY);
  try {
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
      return;
    }
    if (!(error instanceof GatewayError)) throw error;
    process.stderr.write(`highwater: ${error.message}${error.hint === undefined ? "" : ` (${error.hint})`}\n`);
    process.exitCode = usageCodes.has(error.code) ? EXIT_USAGE : EXIT_FAILED;
  }
}

// A reader that goes away (`highwater schema | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

await main(process.argv.slice(2));
