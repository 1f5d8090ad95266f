// The rows of the store run at tiny sizes: their books balance, they give every figure, and DuckDB finds the same as the nightly summary.
// What they measure here means nothing.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordingBytes } from "../bench/recording-bytes.ts";
import type { Figure } from "../bench/row.ts";
import { rows } from "../bench/rows/index.ts";
import { createWalk, placesOf } from "../bench/walks.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hw-bench-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, readings: number): Promise<readonly Figure[]> {
  const row = rows.find((each) => each.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row.run({ runs: 1, seconds: 0.2, readings, folder, nodeOptions: [], say: () => undefined });
}

describe("a row of the store", { timeout: 120_000 }, () => {
  it.each([
    ["bytes", 20_000],
    ["compaction", 20_000],
    ["nightly", 20_000],
    ["latency-beside", 20_000],
    ["queries", 60_000],
  ])("%s runs, and its books balance", async (name, readings) => {
    const figures = await run(name, readings);
    expect(figures.flatMap(({ what, problem }) => (problem === undefined ? [] : [`${what}: ${problem}`]))).toEqual([]);
    expect(figures.filter(({ value }) => !(value >= 0))).toEqual([]);
    expect(figures.length).toBeGreaterThan(5);
  });
});

it("walks give the same readings however they are taken, in order, of one decimal and of two", () => {
  const day = 86_400_000;
  for (const id of [0, 1, 2, 17]) {
    const whole = createWalk(id, 10_000).take(0, 2 * day);
    const walk = createWalk(id, 10_000);
    const parts = [walk.take(0, day), walk.take(day, 2 * day)];
    expect(parts.flatMap(({ ts }) => [...ts])).toEqual([...whole.ts]);
    expect(parts.flatMap(({ value }) => [...value])).toEqual([...whole.value]);
    expect(whole.ts.every((ts, index) => ts >= index * 10_000 && ts < (index + 1) * 10_000)).toBe(true);
    expect(whole.at.every((at, index) => at > (whole.ts[index] as number))).toBe(true);
    const scale = 10 ** placesOf(id);
    expect(whole.value.every((value) => value >= 15 && value <= 25 && Math.round(value * scale) / scale === value)).toBe(true);
  }
});

it("a recording is taken line by line, each instant once", () => {
  const file = join(folder, "one.csv");
  writeFileSync(file, "timestamp,value\n2014-01-01 00:00:00,20.5\n2014-01-01 00:05:00,20.6\n2014-01-01 00:05:00,20.7\n2014-01-02 00:00:00,21\n");
  expect(recordingBytes(file)).toEqual({ readings: 3, bytes: expect.any(Number) });
});
