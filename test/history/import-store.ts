// A database that files are imported into, as the command line does it where no gateway runs, and what it holds afterwards by brute force.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { systemClock } from "../../src/clock.ts";
import { utc, type ZoneTable } from "../../src/engine/calendar.ts";
import { createDefiner } from "../../src/history/definer.ts";
import { exportHistory } from "../../src/history/export.ts";
import { formatOf } from "../../src/history/formats/index.ts";
import { type ImportOptions, type ImportReport, runImport } from "../../src/history/import.ts";
import { createLog } from "../../src/log.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { createFinishedStore, type FinishedRow } from "../../src/storage/finished.ts";
import { createHistoryReader } from "../../src/storage/history-query.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Step } from "../../src/storage/query.ts";

export const NOW = Date.UTC(2026, 5, 1);
export type Row = { readonly device: string; readonly ts: number; readonly value: number };
export type Stored = readonly (readonly [ts: number, value: number])[];
export const ALL = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

export const csvOf = (rows: readonly Row[]): string =>
  `timestamp,device,metric,value\n${rows.map(({ device, ts, value }) => `${ts},${device},temperature,${Object.is(value, -0) ? "-0" : value}\n`).join("")}`;

/** Thrown by a store that is killed. */
export class Killed extends Error {}

export type ImportStore = ReturnType<typeof createImportStore>;

/** @param existing opened, and closed by whoever made it */
export function createImportStore(existing?: { readonly dir: string; readonly db: Database }, zone: ZoneTable = utc, seriesMax = 1000) {
  const dir = existing?.dir ?? mkdtempSync(join(tmpdir(), "highwater-import-"));
  const db = existing?.db ?? openDatabase(dir, { readonly: false });
  db.pragma("synchronous = OFF"); // the machine does not lose power in a test
  const write = createFinishedStore(db);
  let files = 0;
  return {
    db,
    dir,
    file(text: string, name = `f${files++}.csv`): string {
      const file = join(dir, name);
      writeFileSync(file, text);
      return file;
    },
    /** @param rowsMax finished rows after which the process is killed */
    async import(file: string, options: Partial<ImportOptions> = {}, rowsMax = Number.POSITIVE_INFINITY): Promise<ImportReport> {
      const definer = createDefiner({ db, clock: systemClock, log: createLog({ level: "silent", name: "test" }) }, seriesMax);
      let left = rowsMax;
      const emit = (rows: readonly FinishedRow[]): void => {
        write(rows.slice(0, left));
        left -= rows.length;
        if (left <= 0) throw new Killed();
      };
      try {
        return await runImport(db, { file, settings: {}, zone, now: NOW, ...options }, emit, definer.define);
      } finally {
        definer.close();
      }
    },
    /** What follows an import. */
    pack: (now = NOW) => runCompaction(db, { zone, now, packs: true }, write),
    /** What is stored, by device. */
    stored(): Record<string, Stored> {
      const series = db.prepare<[], { id: number; labels: string }>("SELECT id, labels FROM series ORDER BY id").all();
      const found: Record<string, [number, number][]> = {};
      const devices = new Map(series.map(({ id, labels }) => [id, (JSON.parse(labels) as { device: string }).device]));
      for (const { series: id, readings } of createHistoryReader(db, ALL).read(series.map(({ id }) => id))) {
        const list = (found[devices.get(id) as string] ??= []);
        readings.ts.forEach((ts, index) => list.push([ts, readings.value[index] as number]));
      }
      return found;
    },
    export: (name = "csv", step: Step = "raw"): string =>
      [...exportHistory(db, { labels: {}, span: ALL, step, format: formatOf(`f.${name}`), zone, devices: {} })].join(""),
    buckets(step: Step, from?: number, to?: number) {
      const context = { devices: {}, zone, clock: systemClock, timeMs: 60_000 };
      const { series } = answerQuery(db, { kind: "readings", step, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }, context);
      return Object.fromEntries(series.map(({ labels, buckets }) => [labels["device"] as string, buckets]));
    },
    close(): void {
      db.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Of equal (device, ts) the first stands. */
export function firstOf(rows: readonly Row[]): Record<string, [number, number][]> {
  const seen = new Set<string>();
  const kept: Record<string, [number, number][]> = {};
  for (const { device, ts, value } of rows) {
    if (seen.has(`${device} ${ts}`)) continue;
    seen.add(`${device} ${ts}`);
    (kept[device] ??= []).push([ts, value]);
  }
  for (const list of Object.values(kept)) list.sort(([a], [b]) => a - b);
  return kept;
}
