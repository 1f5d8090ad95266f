// `highwater test`: unit tests of rules, in promtool's notation, through the engine that runs live. Says exactly what differs.

import { styleText } from "node:util";
import { loadRuleTests, type Problem, type RuleTestFile } from "../config.ts";
import { formatDuration } from "../engine/units.ts";
import { type CheckResult, type Difference, runRuleTests, type TestResult } from "../rule-test.ts";
import { type CliCommand, EXIT_FAILED, EXIT_USAGE } from "./command.ts";
import { formatProblem, printProblems, type Screen, screenOf, shownPath } from "./problems.ts";
import { counted } from "./text.ts";

type Options = { readonly json?: true };
type FileResult = { readonly file: string; readonly tests: readonly TestResult[] };

/** A line of a difference is not longer; on a narrower terminal as long as that is. */
const COLUMNS_MAX = 80;

export const testCommand: CliCommand = {
  name: "test",
  summary: "run tests of rules: which alerts fire for which readings",
  register(program) {
    program.argument("<files...>", "files with the key tests, in promtool's notation").option("--json", "one JSON line per check").action(testRules);
  },
};

function testRules(paths: readonly string[], options: Options): void {
  const problems: Problem[] = [];
  const results: FileResult[] = [];
  for (const path of paths) {
    const loaded = loadRuleTests(path);
    if (loaded.kind === "invalid") problems.push(...loaded.problems);
    else results.push(run(loaded.tests));
  }
  const screen = screenOf(process.stdout);
  for (const result of results) process.stdout.write(options.json === true ? jsonOf(result) : textOf(result, screen));
  printProblems(problems);
  const checks = results.flatMap(({ tests }) => tests.flatMap((test) => test.checks));
  const failed = checks.filter(({ differences }) => differences.length > 0).length;
  if (options.json !== true && results.length > 0) process.stdout.write(`${verdictOf(results, checks.length, failed)}\n`);
  if (problems.length > 0) process.exitCode = EXIT_USAGE;
  else if (failed > 0) process.exitCode = EXIT_FAILED;
}

const run = (tests: RuleTestFile): FileResult => ({ file: tests.file, tests: runRuleTests(tests) });

function verdictOf(results: readonly FileResult[], checks: number, failed: number): string {
  const tests = results.reduce((sum, { tests: { length } }) => sum + length, 0);
  return `${counted(tests, "test")}, ${counted(checks, "check")}: ${failed === 0 ? "all passed" : `${failed} failed`}`;
}

function jsonOf({ file, tests }: FileResult): string {
  const lines = tests.flatMap(({ test, checks }) =>
    checks.map(({ check, got, differences }) => ({
      file,
      line: check.place.line,
      column: check.place.column,
      test: test.name,
      alertname: check.alertname,
      eval_time_ms: check.evalTime,
      ok: differences.length === 0,
      expected: check.expected.map(({ labels, annotations }) => ({ labels, annotations })),
      got,
    })),
  );
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function textOf({ file, tests }: FileResult, screen: Screen): string {
  const paint = (colour: "red" | "green", text: string): string => (screen.colour ? styleText(colour, text, { validateStream: false }) : text);
  return tests
    .flatMap(({ test, checks }, index) => {
      const name = test.name ?? `test ${index + 1}`;
      const failed = checks.filter(({ differences }) => differences.length > 0);
      const head = failed.length === 0 ? paint("green", "✓") : paint("red", "✗");
      return [`${head} ${name}`, ...failed.flatMap((result) => failureOf(file, result, screen))];
    })
    .map((line) => `${line}\n`)
    .join("");
}

/** Places are those of the expectation that was not met. */
function failureOf(file: string, { check, differences }: CheckResult, screen: Screen): string[] {
  const head = formatProblem(
    {
      file,
      ...check.place,
      message: `${check.alertname} at ${formatDuration(check.evalTime)}: ${summaryOf(differences)}`,
    },
    screen,
  );
  return [...head.split("\n"), ...differences.flatMap((difference) => differenceLines(file, difference, screen)), ""];
}

function summaryOf(differences: readonly Difference[]): string {
  const count = (is: (difference: Difference) => boolean): number => differences.filter(is).length;
  const parts: [number, string, string][] = [
    [count(({ expected, got }) => expected !== undefined && got !== undefined), "fires otherwise than expected", "fire otherwise than expected"],
    [count(({ got }) => got === undefined), "does not fire", "do not fire"],
    [count(({ expected }) => expected === undefined), "fires and is not expected", "fire and are not expected"],
  ];
  const told = parts.filter(([number]) => number > 0);
  return told.map(([number, one, many]) => (differences.length === 1 ? one : `${number} ${number === 1 ? one : many}`)).join(", ");
}

/** The whole alert: lines with - are expected only, with + they are what fires. */
function differenceLines(file: string, { expected, got }: Difference, screen: Screen): string[] {
  const width = Math.min(screen.columns ?? COLUMNS_MAX, COLUMNS_MAX);
  const place = expected === undefined ? "fires" : `${shownPath(file)}:${expected.place.line}:${expected.place.column}`;
  const lines = (["labels", "annotations"] as const).flatMap((kind) => {
    const [before, after] = [expected?.[kind] ?? {}, got?.[kind] ?? {}];
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    if (names.length === 0) return [];
    const mark = expected === undefined ? "+" : got === undefined ? "-" : " ";
    return [`${mark}   ${kind}:`, ...names.flatMap((name) => entryLines(name, before[name], after[name]))];
  });
  return [`  ${place}`, ...lines.flatMap((line) => folded(line, width)).map((line) => painted(line, screen))];
}

function entryLines(name: string, before: string | undefined, after: string | undefined): string[] {
  const line = (mark: string, value: string): string => `${mark}     ${name}: ${quoted(value)}`;
  if (before === after) return [line(" ", before ?? "")];
  return [...(before === undefined ? [] : [line("-", before)]), ...(after === undefined ? [] : [line("+", after)])];
}

/** Plain where it cannot be misread, else as JSON: blanks at the ends and line breaks can be seen. */
const quoted = (value: string): string => (/^[^\s"'\\](?:[^\n\r\t"\\]*[^\s"\\])?$/.test(value) ? value : JSON.stringify(value));

/** Cut at the width, further lines under the same mark. */
function folded(line: string, width: number): string[] {
  const mark = line.slice(0, 1);
  const parts: string[] = [];
  let rest = Array.from(line);
  while (rest.length > width) {
    parts.push(rest.slice(0, width).join(""));
    rest = Array.from(`${mark}         `).concat(rest.slice(width));
  }
  return [...parts, rest.join("")];
}

function painted(line: string, { colour }: Screen): string {
  if (!colour || line.startsWith(" ")) return line;
  return styleText(line.startsWith("-") ? "red" : "green", line, { validateStream: false });
}
