// What a verb of the command line is. One file per verb, one line in index.ts.

import type { Command } from "commander";

export type CliCommand = {
  readonly name: string;
  /** One line for `highwater --help`. */
  readonly summary: string;
  /** Adds the verb's arguments, options and action; `name` and `summary` are set already. The action sets `process.exitCode` for 1 and 2, or throws a GatewayError (1; with one of usageCodes 2). */
  register(program: Command): void;
};

/** Where the config is, when --config does not say. */
export const DEFAULT_CONFIG = "config/highwater.yaml";

export const EXIT_OK = 0;
/** The work failed. */
export const EXIT_FAILED = 1;
/** Code of a GatewayError that says the command line was wrong. */
export const USAGE = "usage";
/** Codes of errors that only another command line or config mends: the program ends with EXIT_USAGE. */
export const usageCodes: ReadonlySet<string> = new Set([USAGE, "not_a_recording", "not_a_history", "unknown_format", "bad_data_dir"]);
/** Wrong usage, or a config that is not valid. */
export const EXIT_USAGE = 2;
