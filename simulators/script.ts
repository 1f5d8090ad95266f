// What the simulators' scripts share: numbers on the command line, and exit codes (0 ok, 1 the work failed, 2 bad usage).

/**
 * Reads a number of 0 or more.
 * @throws RangeError naming the option
 */
export function numberOption<Name extends string>(values: Partial<Record<Name, string | boolean>>, name: Name, fallback: number): number {
  const text = values[name];
  const value = text === undefined ? fallback : Number(text);
  if (text === "" || !(value >= 0)) throw new RangeError(`--${name} must be a number of 0 or more`);
  return value;
}

/** Options with a value, for `parseArgs`. */
export function textOptions<const Names extends readonly string[]>(...names: Names): Record<Names[number], { type: "string" }> {
  return Object.fromEntries(names.map((name) => [name, { type: "string" }])) as Record<Names[number], { type: "string" }>;
}

/** Runs a script's main function; what it throws becomes one line on stderr. RangeError and TypeError are bad usage. */
export function runScript(main: () => Promise<number>): void {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: Error) => {
      process.stderr.write(`${error.message || String(error)}\n`);
      process.exitCode = error instanceof RangeError || error instanceof TypeError ? 2 : 1;
    },
  );
}
