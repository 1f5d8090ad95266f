// A data directory with readings in it, made in a process of its own that ends as by kill -9.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measure } from "./child.ts";
import type { Stored, StoreLoad } from "./store-process.ts";
import { EVERY_MS, mixedRules, SOURCE } from "./workload.ts";

/** The gateway's config for these rows, without what it listens on. Nobody listens to its webhooks, and no alert fires. */
export const mixedBlocks = (): Record<string, unknown> => ({
  sources: [{ topic: SOURCE, codec: "json" }],
  rules: mixedRules(20),
  notify: { receivers: [{ name: "bench", webhook: { url: "http://127.0.0.1:9/alerts" } }], route: { receiver: "bench" } },
});

/** When to begin so that the last of so many readings was measured an hour ago. */
export const startOf = (readings: number, series: number, now: number): number => now - 3_600_000 - Math.ceil(readings / series) * EVERY_MS;

/** @returns what is stored; the data lie in `folder/data` */
export async function fill(folder: string, load: Omit<StoreLoad, "config" | "start">): Promise<Stored> {
  const config = join(folder, "highwater.yaml");
  await writeFile(config, JSON.stringify({ gateway: { name: "bench", data_dir: "./data" }, ...mixedBlocks() }));
  return measure<Stored>("store-process.ts", [JSON.stringify({ ...load, config, start: startOf(load.readings, load.series, Date.now()) } satisfies StoreLoad)]);
}
