// Imports into days of which retention took the readings: nothing that may have been there already counts twice, whatever is given again and
// wherever an import was killed.

import { afterEach, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { runRetention } from "../../src/batch/jobs/retention.ts";
import { utc } from "../../src/engine/calendar.ts";
import type { DaySummary } from "../../src/engine/summary.ts";
import { createFinishedStore } from "../../src/storage/finished.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS, type Tier } from "../../src/storage/rollups.ts";
import { createImportStore, csvOf, type ImportStore, Killed, NOW } from "./import-store.ts";

const DAY_MS = 24 * HOUR_MS;
const start = Date.UTC(2026, 2, 1);
const later = NOW + 40 * DAY_MS;
const month = { timeMs: 30 * DAY_MS, bytes: null };
const years = { timeMs: 3650 * DAY_MS, bytes: null };

let open: ImportStore | undefined;
afterEach(() => open?.close());

const lines = (from: number, count: number, device = "a") =>
  csvOf(Array.from({ length: count }, (_, index) => ({ device, ts: start + (from + index) * 30_000, value: from + index })));

const summarize = (store: ImportStore, now: number) => runDailySummary(store.db, { zone: utc, now, devices: {} }, createFinishedStore(store.db));

/** Sixty readings, two a minute, whose day was summarised and whose readings are gone. */
async function withGoneDay({ keepsMinutes = true } = {}): Promise<ImportStore> {
  open?.close();
  const store = createImportStore();
  open = store;
  await store.import(store.file(lines(0, 60)));
  await store.pack();
  await summarize(store, NOW);
  const retention = { journal: month, raw: month, minutes: keepsMinutes ? years : month, hours: years };
  await runRetention(store.db, { zone: utc, now: later, retention }, createFinishedStore(store.db));
  expect(store.stored()).toEqual({});
  return store;
}

const countOf = (store: ImportStore, tier: Tier): number =>
  createRollupReader(store.db)
    .rows(tier, 0, start, start + DAY_MS)
    .reduce((sum, { values }) => sum + values.count, 0);
const summaryOf = (store: ImportStore): number =>
  (JSON.parse(store.db.prepare<[], string>("SELECT body FROM daily_summary WHERE series = 0").pluck().get() as string) as DaySummary).count;

it("what may have been there is left out and counted; what cannot have been is in", async () => {
  const store = await withGoneDay();
  const report = await store.import(store.file(lines(0, 65)), { now: later });
  expect(report.progress).toMatchObject({ readings: 5, duplicates: 0, doubtful: 60 });
  await store.pack(later);
  await summarize(store, later);
  expect([countOf(store, MINUTE_MS), countOf(store, HOUR_MS), summaryOf(store)]).toEqual([65, 65, 65]);
});

it("where minutes are no longer kept, hours say what was there", async () => {
  const store = await withGoneDay({ keepsMinutes: false });
  const report = await store.import(store.file(lines(0, 130)), { now: later });
  // The first hour holds 120.
  expect(report.progress).toMatchObject({ readings: 10, doubtful: 120 });
  expect(countOf(store, HOUR_MS)).toBe(70);
});

it("killed after whichever row, and given again, each reading is in rollups and in the summary once", async () => {
  for (let rows = 1; rows < 6; rows += 1) {
    const store = await withGoneDay();
    const file = store.file(lines(60, 60));
    const killed = await store.import(file, { now: later }, rows).then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof Killed)) throw error;
        return true;
      },
    );
    if (killed && rows === 2) await summarize(store, later);
    await store.import(file, { now: later });
    await store.pack(later);
    await summarize(store, later);
    expect([rows, countOf(store, MINUTE_MS), countOf(store, HOUR_MS), summaryOf(store)]).toEqual([rows, 120, 120, 120]);
  }
});

it("blocks of one import that share a minute are told apart", async () => {
  const store = await withGoneDay();
  const text = csvOf(Array.from({ length: 300 }, (_, index) => ({ device: "a", ts: start + 3 * HOUR_MS + index * 7000, value: index })));
  const report = await store.import(store.file(text), { now: later, blockReadings: 50, blockBytes: 500 });
  expect(report.progress).toMatchObject({ readings: 300, duplicates: 0, doubtful: 0 });
  expect(countOf(store, MINUTE_MS)).toBe(360);
});
