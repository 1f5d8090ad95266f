// Problems and notes as lines: `file:line:column: what (hint)`. One line each where machines read, wrapped on a terminal.

import { isAbsolute, relative } from "node:path";
import { styleText } from "node:util";
import type { Problem } from "../config.ts";

export type Screen = {
  /** Columns of the terminal; undefined where lines are not wrapped. */
  readonly columns: number | undefined;
  readonly colour: boolean;
};

/** How a stream shows text. */
export function screenOf(stream: { isTTY?: boolean; columns?: number; hasColors?: () => boolean }): Screen {
  if (stream.isTTY !== true) return { columns: undefined, colour: false };
  return { columns: Math.max(40, stream.columns ?? 80), colour: stream.hasColors?.() === true };
}

/** Paths below the working directory are shown relative to it. */
export function shownPath(file: string, cwd = process.cwd()): string {
  if (!isAbsolute(file)) return file;
  const short = relative(cwd, file);
  return short === "" || short.startsWith("..") ? file : short;
}

/** One problem or note as text without a last line break. */
export function formatProblem({ file, line, column, message, hint }: Problem, screen: Screen, kind: "problem" | "note" = "problem"): string {
  const place = `${shownPath(file)}:${line}:${column}:`;
  const word = kind === "note" ? "note: " : "";
  const text = `${word}${message}${hint === undefined ? "" : ` (${hint})`}`;
  const plain = screen.columns === undefined ? `${place} ${text}` : wrap(`${place} ${text}`, screen.columns);
  if (!screen.colour) return plain;
  const colour = kind === "note" ? "yellow" : "red";
  return plain.replace(place, styleText(colour, place, { validateStream: false }));
}

/** Says on stderr what was wrong with a file. */
export function printProblems(problems: readonly Problem[]): void {
  for (const problem of problems) process.stderr.write(`${formatProblem(problem, screenOf(process.stderr))}\n`);
}

/** Breaks at spaces, further lines indented; a word longer than the line stays whole. */
export function wrap(text: string, columns: number, indent = "    "): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length <= columns || line.trim() === "") {
      line = line.trim() === "" && lines.length > 0 ? `${indent}${word}` : longer;
      continue;
    }
    lines.push(line);
    line = `${indent}${word}`;
  }
  return [...lines, line].join("\n");
}
