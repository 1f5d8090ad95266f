// A data directory with a past (past-process.ts), and where in time it lies.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpochMs } from "../../src/engine/units.ts";
import { measure } from "./child.ts";
import type { Past, PastLoad } from "./past-process.ts";
import { SOURCE } from "./workload.ts";

export const DAY_MS = 24 * 3_600_000;
/** What is stored of today fits into this. */
const TODAY_MS_MIN = 8 * 3_600_000;
/** Readings of a commit at 20,000 a second. */
const TURN = 400;

/** The newest UTC midnight that leaves room for the readings of today: no gateway starts before its journal ends. */
export const untilOf = (now: EpochMs): EpochMs => Math.floor((now - TODAY_MS_MIN) / DAY_MS) * DAY_MS;

/** A day as its name. */
export const dayBefore = (until: EpochMs): string => new Date(until - 1).toISOString().slice(0, 10);

/** A config without rules, under which nothing is dropped. */
export const pastBlocks = (): Record<string, unknown> => ({
  sources: [{ topic: SOURCE, codec: "json" }],
  storage: { retention: { journal: "3650d", raw: "3650d", "1m": "3650d", "1h": "3650d" } },
});

/** @returns what is stored; the data lie in `folder/data` */
export async function makePast(folder: string, load: Omit<PastLoad, "config" | "turn"> & { readonly turn?: number }, blocks = pastBlocks()): Promise<Past> {
  const config = join(folder, "highwater.yaml");
  await writeFile(config, JSON.stringify({ gateway: { name: "bench", data_dir: "./data" }, ...blocks }));
  return measure<Past>("past-process.ts", [JSON.stringify({ turn: TURN, ...load, config } satisfies PastLoad)]);
}
