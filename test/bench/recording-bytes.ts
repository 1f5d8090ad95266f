// What a recording, a CSV file with the columns `timestamp,value`, takes as one series that is compacted: its days as chunks.

import { readFileSync } from "node:fs";
import { byDay, chunkOf } from "../../src/batch/jobs/compaction.ts";
import { utc } from "../../src/engine/calendar.ts";
import { History } from "../../src/engine/history.ts";

/** A reading arrives some milliseconds after it was taken, now more, now fewer. */
const delayOf = (index: number): number => 3 + ((Math.imul(index + 1, 2_654_435_761) >>> 8) % 12);

export function recordingBytes(file: string): { readonly readings: number; readonly bytes: number } {
  const history = new History();
  for (const [index, line] of readFileSync(file, "utf8").trim().split("\n").slice(1).entries()) {
    const [timestamp = "", value] = line.split(",");
    const ts = Date.parse(`${timestamp.trim().replace(" ", "T")}Z`);
    if (Number.isFinite(ts)) history.add(ts, Number(value), false, ts + delayOf(index));
  }
  let [readings, bytes] = [0, 0];
  for (const { day, bounds, columns } of byDay(utc, history.ordered())) {
    const row = chunkOf(columns, { series: 0, zone: utc.name, name: day, bounds, fromSeq: 1, part: 0, throughSeq: 1, level: 0 }, []);
    readings += row.count;
    bytes += row.body.length;
  }
  return { readings, bytes };
}
