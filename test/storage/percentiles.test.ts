// Percentiles where not all is plain: sensors that are slow, or many, days that are approximate or damaged, and what lies at the limits.

import { expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { systemClock } from "../../src/clock.ts";
import { utc } from "../../src/engine/calendar.ts";
import { createGrid } from "../../src/storage/grid.ts";
import { answerQuery } from "../../src/storage/queries.ts";
import type { Bucket, QueryRequest } from "../../src/storage/query.ts";
import { rankBuckets } from "../../src/storage/ranked-buckets.ts";
import { plan } from "../engine/harness.ts";
import { oneRecorder } from "./one-recorder.ts";
import type { Recorder } from "./recorder.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const start = Date.UTC(2024, 2, 1);

const fresh = oneRecorder();
const record = (): Recorder => fresh(plan([], { maxFutureMs: 1e15 }), { answersLookups: false });
const pack = (store: Recorder) => runCompaction(store.db, { zone: utc, now: store.now() + 3 * DAY_MS, packs: true }, store.finish);
const summarize = (store: Recorder) => runDailySummary(store.db, { zone: utc, devices: {}, now: store.now() + 3 * DAY_MS }, store.finish);

function ask(store: Recorder, request: Omit<Extract<QueryRequest, { kind: "readings" }>, "kind">): Bucket[] {
  const context = { devices: {}, zone: utc, clock: systemClock, timeMs: 60_000 };
  return answerQuery(store.db, { kind: "readings", ...request }, context).series.flatMap(({ buckets }) => [...buckets]);
}

it("are known of a slow sensor in each step, and change nothing else", async () => {
  const store = record();
  for (let index = 0; index < 288; index += 1) store.receive([{ device: "a", ts: start + index * 5 * MINUTE_MS, value: index % 50 }]);
  store.receive([{ device: "b", ts: start + 10 * HOUR_MS + 1, value: 1 }]);
  store.receive([{ device: "a", ts: start + 30 * MINUTE_MS + 7, value: 99 }]);
  for (let round = 0; round < 2; round += 1) {
    for (const step of [5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS] as const) {
      const [plain, ranked] = [
        ask(store, { step, from: start, to: start + DAY_MS }),
        ask(store, { step, from: start, to: start + DAY_MS, percentiles: ["p95"] }),
      ];
      expect(ranked.map(({ p95: _p95, ...rest }) => rest)).toEqual(plain);
      expect(ranked.filter(({ p95 }) => p95 === null)).toEqual([]);
    }
    await pack(store);
  }
});

it("are not those of an approximate summary, which leave readings out", async () => {
  const store = record();
  for (let index = 0; index < 100; index += 1) store.receive([{ device: "a", ts: start + index * MINUTE_MS, value: 1 }]);
  store.receive([{ device: "a", ts: start + 2 * DAY_MS, value: 1 }]);
  await summarize(store);
  const [exact] = ask(store, { step: "day", to: start + DAY_MS, percentiles: ["p50", "p99"] });
  expect(exact).toMatchObject({ source: "batch", count: 100, p50: 1, p99: 1 });
  store.db.exec("UPDATE raw_day SET gone = 1; DELETE FROM chunk");
  store.receive(
    Array.from({ length: 900 }, (_, index) => ({ device: "a", ts: start + 12 * HOUR_MS + index * 1000, value: 50 })),
    1000,
  );
  await summarize(store);
  const [approximate] = ask(store, { step: "day", to: start + DAY_MS, percentiles: ["p50", "p99"] });
  expect(approximate).toMatchObject({ source: "batch", count: 1000, max: 50, p50: null, p99: null });
});

it("are null where readings are damaged, and the other figures stand", async () => {
  const store = record();
  for (let index = 0; index < 240; index += 1) store.receive([{ device: "a", ts: start + index * MINUTE_MS, value: index % 60 }]);
  await pack(store);
  store.db.exec("UPDATE chunk SET body = zeroblob(length(body))");
  const minutes = ask(store, { step: 15 * MINUTE_MS, from: start, to: start + HOUR_MS, percentiles: ["p50"] });
  expect(minutes.map(({ count, p50 }) => [count, p50])).toEqual(Array.from({ length: 4 }, () => [15, null]));
  const [hour] = ask(store, { step: HOUR_MS, from: start, to: start + HOUR_MS, percentiles: ["p50"] });
  expect(Math.abs((hour?.p50 as number) - 29)).toBeLessThan(0.3);
});

it("never lie beyond the least and the largest reading", async () => {
  const store = record();
  for (let index = 0; index < 240; index += 1) store.receive([{ device: "a", ts: start + index * MINUTE_MS, value: 20 }]);
  await pack(store);
  store.db.exec("UPDATE raw_day SET gone = 1; DELETE FROM chunk");
  expect(ask(store, { step: HOUR_MS, to: start + 2 * HOUR_MS, percentiles: ["p50", "p99"] })).toMatchObject([
    { source: "stream", p50: 20, p99: 20 },
    { source: "stream", p50: 20, p99: 20 },
  ]);
});

it("are null where what is read holds more or fewer readings than the bucket, and where no time is left", () => {
  const store = record();
  for (let index = 0; index < 60; index += 1) store.receive([{ device: "a", ts: start + index * MINUTE_MS, value: index }]);
  const bucket: Bucket = { t: start, end: start + HOUR_MS, count: 60, min: 0, max: 59, avg: 29.5, sum: 1770, source: "stream", provisional: false };
  const rank = (given: Bucket, left: number) =>
    rankBuckets(store.db, new Map([[0, [given]]]), {
      grid: createGrid(HOUR_MS, utc),
      percentiles: ["p50"],
      deadline: { left: () => left, check: () => undefined },
      budget: { rows: 1000, readings: 1000 },
    })
      .get(0)
      ?.map(({ p50 }) => p50);
  expect(rank(bucket, 2000)).toEqual([29]);
  expect(rank({ ...bucket, count: 59 }, 2000)).toEqual([null]);
  expect(rank({ ...bucket, count: 61 }, 2000)).toEqual([null]);
  expect(rank(bucket, 100)).toEqual([null]);
});
