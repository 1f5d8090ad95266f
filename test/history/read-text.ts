// Reads a text as a history file: a real file in a folder of its own, read to its end.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Labels } from "../../src/engine/reading.ts";
import type { Position } from "../../src/history/lines.ts";
import { type History, type ReadOptions, readHistory } from "../../src/history/read.ts";

export type Record = { readonly labels: Labels; readonly ts: number; readonly value: number };
export type Whole = {
  readonly records: readonly Record[];
  /** As `line:column: what (hint)`. */
  readonly problems: readonly string[];
  /** Only those that are not 0. */
  readonly skipped: Readonly<{ [reason: string]: number }>;
  /** After each batch: where it ended, and how many records were read until then. */
  readonly ends: readonly { readonly end: Position; readonly count: number }[];
};

/** Writes a file that goes with the test. */
export function historyFile(name: string, content: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), "highwater-history-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

export async function readFile(file: string, options: ReadOptions = {}): Promise<Whole> {
  return readWhole(await readHistory(file, options));
}

export async function readWhole(history: History): Promise<Whole> {
  const records: Record[] = [];
  const ends: { end: Position; count: number }[] = [];
  for await (const { series, ts, value, labels, end } of history.batches) {
    for (const [row, number] of series.entries()) records.push({ labels: labels[number] as Labels, ts: ts[row] as number, value: value[row] as number });
    ends.push({ end, count: records.length });
  }
  const problems = history.problems.told.map(({ line, column, message, hint }) => `${line}:${column}: ${message} (${hint})`);
  return { records, problems, skipped: Object.fromEntries(Object.entries(history.skipped).filter(([, count]) => count > 0)), ends };
}

export const readText = (format: string, text: string, options: ReadOptions = {}): Promise<Whole> =>
  readFile(historyFile("history", text), { format, ...options });
