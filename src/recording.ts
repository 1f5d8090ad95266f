// A recording: a CSV file with the columns `timestamp,value`, read line by line, so that its length does not matter.
// Timestamps without an offset are UTC. A line that cannot be read is an error with its number; nothing is skipped in silence.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { GatewayError } from "./error.ts";

/** `text` is the value as it stands in the file: it is published with all its digits. */
export type RecordedReading = { readonly ts: number; readonly value: number; readonly text: string };

/**
 * Reads a recording in the file's order.
 * @throws GatewayError `bad_recording`, `file:line:column: …`, at the first line that is no reading or when a column is absent
 */
export async function* readRecording(file: string): AsyncGenerator<RecordedReading> {
  const lines = createInterface({ input: createReadStream(file, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  let columns: { timestamp: number; value: number } | undefined;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    const cells = line.split(",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    if (columns === undefined) {
      columns = { timestamp: cells.indexOf("timestamp"), value: cells.indexOf("value") };
      if (columns.timestamp < 0 || columns.value < 0) throw bad(file, number, 1, "the first line must name the columns timestamp and value");
      continue;
    }
    const text = cells[columns.value] ?? "";
    const ts = parseTimestamp(cells[columns.timestamp] ?? "");
    const value = text === "" ? Number.NaN : Number(text);
    if (ts === undefined)
      throw bad(
        file,
        number,
        columnOf(cells, columns.timestamp),
        `"${cells[columns.timestamp] ?? ""}" is not a timestamp; write 2013-12-02 21:15:00, RFC 3339 or a number`,
      );
    if (!Number.isFinite(value)) throw bad(file, number, columnOf(cells, columns.value), `"${text}" is not a number`);
    yield { ts, value, text };
  }
}

/**
 * Reads `2013-12-02 21:15:00` (UTC), RFC 3339, or a number: seconds below 10^11, else milliseconds.
 * @returns epoch ms, or undefined
 */
export function parseTimestamp(text: string): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    return Math.round(Math.abs(number) < 1e11 ? number * 1000 : number);
  }
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/.exec(text);
  if (parts === null) return undefined;
  const ms = Date.parse(`${parts[1]}T${parts[2]}${parts[3] ?? "Z"}`);
  return Number.isNaN(ms) ? undefined : ms;
}

const bad = (file: string, line: number, column: number, what: string): GatewayError => new GatewayError("bad_recording", `${file}:${line}:${column}: ${what}`);

/** Where a cell begins in its line, from 1. */
const columnOf = (cells: readonly string[], index: number): number => cells.slice(0, index).reduce((length, cell) => length + cell.length + 1, 1);
