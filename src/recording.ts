// A recording: a CSV file with the columns `timestamp,value`, read line by line, so that its length does not matter.
// Timestamps without an offset are UTC. A line that cannot be read is an error with its number; nothing is skipped in silence.

import type { ReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import { utc } from "./engine/calendar.ts";
import { GatewayError, reasonOf } from "./error.ts";
import { splitCells } from "./history/csv-cells.ts";
import { createTimeReader } from "./history/time-text.ts";

/** `text` is the value as it stands in the file: it is published with all its digits. */
export type RecordedReading = { readonly ts: number; readonly value: number; readonly text: string };

const times = createTimeReader(utc);

/**
 * Reads a recording in the file's order.
 * @throws GatewayError `not_a_recording` when the file cannot be read or its first line does not name the columns; `bad_recording` at the
 * first line that is no reading; both as `file:line:column: …`
 */
export async function* readRecording(file: string): AsyncGenerator<RecordedReading> {
  const input = await openRecording(file);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  let columns: { timestamp: number; value: number } | undefined;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    const split = splitCells(line, ",");
    if (split.kind !== "cells") throw bad(file, number, split.at + 1, "the quotes of this cell do not fit");
    const cells = split.texts;
    if (columns === undefined) {
      columns = { timestamp: cells.indexOf("timestamp"), value: cells.indexOf("value") };
      if (columns.timestamp < 0 || columns.value < 0) throw none(file, number, "the first line must name the columns timestamp and value");
      continue;
    }
    const text = cells[columns.value] ?? "";
    const ts = parseTimestamp(cells[columns.timestamp] ?? "");
    const value = text === "" ? Number.NaN : Number(text);
    if (ts === undefined)
      throw bad(
        file,
        number,
        (split.starts[columns.timestamp] ?? line.length) + 1,
        `"${cells[columns.timestamp] ?? ""}" is not a timestamp; write 2013-12-02 21:15:00, RFC 3339 or a number`,
      );
    if (!Number.isFinite(value)) throw bad(file, number, (split.starts[columns.value] ?? line.length) + 1, `"${text}" is not a number`);
    yield { ts, value, text };
  }
  if (columns === undefined) throw none(file, 1, "the file is empty; its first line must name the columns timestamp and value");
}

/** A stream that fails to open would end the process from elsewhere: so it is opened, and looked at, before it is read. */
async function openRecording(file: string): Promise<ReadStream> {
  try {
    const handle = await open(file);
    if (!(await handle.stat()).isDirectory()) return handle.createReadStream({ encoding: "utf8" });
    await handle.close();
  } catch (error) {
    throw unreadable(file, reasonOf(error));
  }
  throw unreadable(file, "it is a folder");
}

/**
 * Reads `2013-12-02 21:15:00` (UTC), RFC 3339, or a number: seconds below 10^11, else milliseconds.
 * @returns epoch ms, or undefined
 */
export function parseTimestamp(text: string): number | undefined {
  const ts = times.read(text, 0, text.length);
  return Number.isNaN(ts) ? undefined : ts;
}

const bad = (file: string, line: number, column: number, what: string): GatewayError => new GatewayError("bad_recording", `${file}:${line}:${column}: ${what}`);

const unreadable = (file: string, why: string): GatewayError =>
  new GatewayError("not_a_recording", `${file}:1:1: this file cannot be read: ${why}`, { hint: "give a CSV file with the columns timestamp,value" });

const none = (file: string, line: number, what: string): GatewayError =>
  new GatewayError("not_a_recording", `${file}:${line}:1: ${what}`, { hint: "give a CSV file that begins with the line timestamp,value" });
