// `highwater verify` over real stores: a sound one is called sound at any moment of its life, and each kind of damage is found, said with
// its place and what mends it, and nothing else is.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runDailySummary } from "../../src/batch/jobs/daily-summary.ts";
import { runRetention } from "../../src/batch/jobs/retention.ts";
import { type VerifyOptions, type VerifyReport, verifyStore } from "../../src/batch/verify.ts";
import { utc } from "../../src/engine/calendar.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Rule } from "../../src/engine/rule.ts";
import { createCommitter } from "../../src/storage/commit.ts";
import { packPart } from "../../src/storage/parts.ts";
import { decodeRollup, encodeRollup, HOUR_MS, MINUTE_MS } from "../../src/storage/rollups.ts";
import type { Problem } from "../../src/storage/verify/problem.ts";
import { partsOf, plan, rule } from "../engine/harness.ts";
import { histories, live, pack } from "../storage/histories.ts";
import { oneRecorder } from "../storage/one-recorder.ts";
import { type Recorder } from "../storage/recorder.ts";

const DAY_MS = 24 * HOUR_MS;
const start = Date.UTC(2024, 2, 28);

const fresh = oneRecorder();
const record = (outOfOrdernessMs = 0, rules: readonly Rule[] = []): Recorder => fresh(plan(rules, { maxFutureMs: 1e15, outOfOrdernessMs }));

/** By a connection that cannot write, as the command line does. */
function verify(store: Recorder, options: Partial<VerifyOptions> = {}): { report: VerifyReport; problems: Problem[] } {
  const problems: Problem[] = [];
  const db = store.reader();
  try {
    const report = verifyStore(
      db,
      { zone: utc, keptSince: { [MINUTE_MS]: 0, [HOUR_MS]: 0 }, isQuick: false, ...options },
      { found: (problem) => problems.push(problem), progress: () => undefined },
    );
    return { report, problems };
  } finally {
    db.close();
  }
}

const summarize = (store: Recorder) => runDailySummary(store.db, { zone: utc, now: store.now(), devices: {} }, store.finish);

/** Two sensors over two and a half days, a reading a minute, some late; packed and summarised, and the last hours not compacted. */
async function filled(): Promise<Recorder> {
  const store = record(0, [rule({ name: "hot", condition: { type: "threshold", above: 5 } })]);
  const send = (from: number, hours: number) => {
    for (let hour = 0; hour < hours; hour += 1) {
      const minutes = Array.from({ length: 60 }, (_, minute) => start + (from + hour) * HOUR_MS + minute * MINUTE_MS);
      store.receive(
        minutes.flatMap((ts) => ["a", "b"].map((device) => ({ device, ts, value: Math.round(Math.sin(ts / 1e6) * 100) / 10 }))),
        HOUR_MS,
      );
    }
  };
  send(0, 54);
  store.receive([{ device: "a", ts: start + 5 * HOUR_MS + 1, value: 3 }]);
  await summarize(store);
  send(54, 6);
  store.receive([{ device: "b", ts: start + 50 * HOUR_MS + 2, value: 4 }]);
  const parts = partsOf(createEngine()).map(({ part, saved }) => ({ part, body: packPart(saved) }));
  createCommitter(store.db)({ step: undefined, finished: [], snapshot: { seq: store.seq(), parts, isLast: true } });
  return store;
}

/** Turns one bit of a blob. */
function flip(store: Recorder, table: string, where: string, at: number): void {
  const row = store.db.prepare<[], { body: Buffer }>(`SELECT body FROM ${table} WHERE ${where}`).get() as { body: Buffer };
  const place = at < 0 ? row.body.length + at : at;
  row.body[place] = (row.body[place] as number) ^ 0x10;
  store.db.prepare(`UPDATE ${table} SET body = ? WHERE ${where}`).run(row.body);
}

describe("verify", () => {
  it("finds nothing wrong at any moment of a store's life", async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.constantFrom(0, 45_000), async (steps, outOfOrderness) => {
        const store = record(outOfOrderness);
        const half = Math.floor(steps.length / 2);
        await live(store, steps.slice(0, half));
        expect(verify(store).problems).toEqual([]);
        await summarize(store);
        await live(store, steps.slice(half));
        expect(verify(store).problems).toEqual([]);
        store.silence(2 * HOUR_MS);
        await pack(store, 2 * DAY_MS);
        await summarize(store);
        expect(verify(store).problems).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it("says what it looked at, and leaves the comparison out when it shall be quick", async () => {
    const store = await filled();
    const { report, problems } = verify(store);
    expect(problems).toEqual([]);
    expect(report).toMatchObject({ journalRows: store.seq(), chunks: 6 });
    expect(report.compared).toMatchObject({ readings: 2 * 60 * 60 + 2, summaries: 4, open: 2, bucketsLeft: 0 });
    expect(report.compared?.buckets).toBeGreaterThan(7000);
    expect(report.compared?.dirty).toBeGreaterThan(0);
    expect(verify(store, { isQuick: true })).toMatchObject({ report: { chunks: 6, compared: null }, problems: [] });
    const { compared } = verify(store, { days: { from: "2024-03-29", to: "2024-03-29" } }).report;
    expect(compared).toMatchObject({ readings: 2 * 24 * 60, summaries: 2, open: 0 });
  });

  it("takes what retention took for no damage", async () => {
    const store = await filled();
    await summarize(store);
    const day = { timeMs: DAY_MS, bytes: null };
    // The first day had a late reading on the third.
    const retention = { journal: day, raw: { ...day, timeMs: 10 * HOUR_MS }, minutes: day, hours: day };
    await runRetention(store.db, { zone: utc, now: store.now() + 90 * 60_000, retention }, store.finish);
    expect(store.db.prepare("SELECT sum(gone) FROM raw_day").pluck().get()).toBe(1);
    const { report, problems } = verify(store);
    expect(problems).toEqual([]);
    expect(report.compared?.readings).toBeLessThan(5000);
    expect(report.compared?.summariesLeft).toBe(2);
    store.db.exec(`DELETE FROM packed_rollup WHERE tier = ${MINUTE_MS} AND unit = ${start} AND series = 0`);
    expect(verify(store, { keptSince: { [MINUTE_MS]: start + DAY_MS, [HOUR_MS]: 0 } }).problems).toEqual([]);
    expect(verify(store).problems).toEqual([expect.objectContaining({ kind: "packed-rollup", place: { series: 0, day: "2024-03-28" } })]);
  });

  const firstDay = `day = ${start}`;
  const rebuild = { kind: "rebuild", from: "2024-03-28", to: "2024-03-28" };
  const rebuildHours = { kind: "rebuild", from: "2024-03-26", to: "2024-04-26" };
  const restore = { kind: "restore" };
  const fresh = { tier: MINUTE_MS, start: start + 58 * HOUR_MS };
  const amendFresh = (store: Recorder): void => {
    const where = `tier = ${fresh.tier} AND series = 0 AND start = ${fresh.start}`;
    const body = store.db.prepare<[], Uint8Array>(`SELECT body FROM rollup WHERE ${where}`).pluck().get() as Uint8Array;
    const values = decodeRollup(body, fresh.start);
    store.db.prepare(`UPDATE rollup SET body = ? WHERE ${where}`).run(encodeRollup({ ...values, count: values.count + 1 }, fresh.start));
  };
  const journalled = (seq: number) => `seq = ${seq}`;
  const damages: readonly [string, (store: Recorder) => unknown, object][] = [
    [
      "a byte of a chunk",
      (store) => flip(store, "chunk", `series = 0 AND ${firstDay}`, 40),
      { kind: "chunk", place: { series: 0, day: "2024-03-28" }, mend: restore },
    ],
    [
      "what a chunk's row says",
      (store) => store.db.exec(`UPDATE chunk SET min_ts = min_ts + 1 WHERE series = 1 AND ${firstDay}`),
      { kind: "chunk", place: { series: 1, day: "2024-03-28" } },
    ],
    [
      "a chunk that is lost",
      (store) => store.db.exec(`DELETE FROM chunk WHERE series = 1 AND ${firstDay}`),
      { kind: "raw-day", place: { day: "2024-03-28" }, mend: restore },
    ],
    [
      "the sums of a day",
      (store) => store.db.exec(`UPDATE raw_day SET readings = readings - 1 WHERE ${firstDay}`),
      { kind: "raw-day", place: { day: "2024-03-28" } },
    ],
    [
      "a byte of packed minutes",
      (store) => flip(store, "packed_rollup", `tier = ${MINUTE_MS} AND series = 0 AND unit = ${start}`, -9),
      { kind: "packed-rollup", place: { series: 0, day: "2024-03-28" }, mend: rebuild },
    ],
    [
      "a byte of packed hours",
      (store) => flip(store, "packed_rollup", `tier = ${HOUR_MS} AND series = 1`, 30),
      { kind: "packed-rollup", place: { series: 1, day: "2024-03-26" }, mend: rebuildHours },
    ],
    [
      "packed minutes that are lost",
      (store) => store.db.exec(`DELETE FROM packed_rollup WHERE tier = ${MINUTE_MS} AND series = 0 AND unit = ${start}`),
      { kind: "packed-rollup", place: { series: 0, day: "2024-03-28" }, mend: rebuild },
    ],
    [
      "a figure of a rollup",
      amendFresh,
      { kind: "rollup", place: { series: 0, day: "2024-03-30" }, what: expect.stringContaining("count is 2, raw makes it 1") },
    ],
    [
      "a rollup that cannot be read",
      (store) => store.db.exec(`UPDATE rollup SET body = x'05' WHERE tier = ${fresh.tier} AND series = 0 AND start = ${fresh.start}`),
      { kind: "rollup", place: { series: 0, day: "2024-03-30" } },
    ],
    [
      "a figure of a summary",
      (store) => store.db.exec("UPDATE daily_summary SET body = json_set(body, '$.p95', 1e3) WHERE day = '2024-03-29' AND series = 1"),
      {
        kind: "summary",
        place: { series: 1, day: "2024-03-29" },
        what: expect.stringMatching(/^p95 is 1000, raw makes it /),
        mend: { kind: "summarize", day: "2024-03-29" },
      },
    ],
    [
      "a summary that cannot be read",
      (store) => store.db.exec("UPDATE daily_summary SET body = substr(body, 2) WHERE day = '2024-03-29' AND series = 1"),
      { kind: "summary", what: "it cannot be read" },
    ],
    [
      "a summary that is lost",
      (store) => store.db.exec("DELETE FROM daily_summary WHERE day = '2024-03-28' AND series = 0"),
      { kind: "summary", place: { series: 0, day: "2024-03-28" } },
    ],
    ["a byte of a journal row", (store) => flip(store, "journal", journalled(20), -20), { kind: "journal", place: { seq: 20 }, mend: restore }],
    ["a byte at the head of a journal row", (store) => flip(store, "journal", journalled(30), 0), { kind: "journal", place: { seq: 30 } }],
    [
      "a journal row that is lost",
      (store) => store.db.exec("DELETE FROM journal WHERE seq = 20"),
      { kind: "journal", place: { seq: 21 }, what: "rows 20 to 20 are missing" },
    ],
    [
      "a span by which a row is found",
      (store) => store.db.exec("DELETE FROM journal_span WHERE seq = 20"),
      { kind: "journal", place: { seq: 20 }, what: expect.stringContaining("not found by its time") },
    ],
    [
      "the series by which a row is found",
      (store) => store.db.exec("UPDATE journal SET series = x'02' WHERE seq = 20"),
      { kind: "journal", place: { seq: 20 }, what: expect.stringContaining("other series") },
    ],
    ["rules that are lost", (store) => store.db.exec("DELETE FROM rule_version"), { kind: "plan", place: { seq: 1 } }],
    [
      "a series that is lost",
      (store) => store.db.exec("DELETE FROM rollup WHERE series = 1; DELETE FROM series WHERE id = 1"),
      { kind: "series", place: { series: 1 }, what: expect.stringContaining("there are chunks of it") },
    ],
    ["labels that cannot be read", (store) => store.db.exec("UPDATE series SET labels = '{oops' WHERE id = 1"), { kind: "series", place: { series: 1 } }],
    ["labels that are no texts", (store) => store.db.exec(`UPDATE series SET labels = '{"device":1}' WHERE id = 1`), { kind: "series", place: { series: 1 } }],
    [
      "labels of another series",
      (store) => store.db.exec("UPDATE series SET labels = (SELECT labels FROM series WHERE id = 0) WHERE id = 1"),
      { kind: "series", place: { series: 1 }, what: "it has the labels of series 0" },
    ],
    ["an alert that is lost", (store) => store.db.exec("DELETE FROM alert WHERE id = (SELECT min(id) FROM alert)"), { kind: "alert", mend: restore }],
    [
      "transitions that are lost",
      (store) => store.db.exec("DELETE FROM transition WHERE alert = (SELECT max(id) FROM alert)"),
      { kind: "alert", what: expect.stringContaining("has no transitions") },
    ],
    [
      "a snapshot that is beyond the journal",
      (store) => store.db.exec("UPDATE snapshot SET seq = seq + 1"),
      { kind: "snapshot", what: expect.stringContaining("does not go on from its newest snapshot") },
    ],
    [
      "a journal that begins after the newest snapshot",
      (store) => store.db.exec("DELETE FROM journal WHERE seq < 20; DELETE FROM journal_span WHERE seq < 20; DELETE FROM snapshot"),
      { kind: "snapshot", what: expect.stringContaining("does not go on from its newest snapshot") },
    ],
    ["a part of a snapshot that is lost", (store) => store.db.exec("DELETE FROM snapshot_part WHERE part = 0"), { kind: "snapshot" }],
    ["a byte of a part of a snapshot", (store) => flip(store, "snapshot_part", "part = 0", -6), { kind: "snapshot" }],
  ];
  it.each(damages)("finds %s, and only it", async (_, damage, problem) => {
    const store = await filled();
    damage(store);
    expect(verify(store).problems).toEqual([expect.objectContaining(problem)]);
  });

  const unread = { kind: "rollup", place: { series: 0, day: "2024-03-30" }, what: expect.stringContaining("raw has no readings there"), mend: restore };

  it("finds a compaction that is said to have come too far, and has no rollup taken away that may be the last of its readings", async () => {
    const store = await filled();
    store.db.exec("UPDATE compaction SET through = (SELECT max(seq) FROM journal)");
    const { problems } = verify(store);
    expect(problems[0]).toMatchObject({ kind: "journal", what: expect.stringContaining("721 of their readings are in no chunk"), mend: restore });
    expect(problems).toContainEqual(unread);
    expect(problems.every(({ mend }) => mend.kind === "restore")).toBe(true);
    expect(verify(store, { isQuick: true }).problems).toEqual(problems.slice(0, 1));
  });

  it("finds a compaction that is said to be further than the journal", async () => {
    const store = await filled();
    store.db.exec("UPDATE compaction SET through = 1e6");
    expect(verify(store, { isQuick: true }).problems).toContainEqual(
      expect.objectContaining({ kind: "journal", place: { seq: 1_000_000 }, what: expect.stringContaining(`the newest row is ${store.seq()}`) }),
    );
  });

  it("finds the chunks of a whole day that are lost with what was kept of it, while the journal still has its rows", async () => {
    const store = await filled();
    store.db.exec(`DELETE FROM chunk WHERE ${firstDay}; DELETE FROM raw_day WHERE ${firstDay}`);
    // The late reading of the day came with a later row.
    expect(verify(store, { isQuick: true }).problems).toEqual([
      { kind: "journal", place: { seq: 2 }, what: expect.stringContaining("2880 of their readings are in no chunk"), mend: restore },
      { kind: "journal", place: { seq: 56 }, what: expect.stringContaining("1 of their readings are in no chunk"), mend: restore },
    ]);
  });

  it("finds a day that is lost, of which nothing but summaries and rollups is left", async () => {
    const store = await filled();
    store.db.exec("DELETE FROM journal WHERE seq < 57; DELETE FROM journal_span WHERE seq < 57");
    expect(verify(store).problems).toEqual([]);
    store.db.exec(`DELETE FROM chunk WHERE ${firstDay}; DELETE FROM raw_day WHERE ${firstDay}`);
    const problem = { kind: "summary", what: "raw has nothing of the day, and retention did not take it", mend: restore };
    expect(verify(store).problems).toEqual([0, 1].map((series) => ({ ...problem, place: { series, day: "2024-03-28" } })));
  });

  it("sends nobody to summarise a day anew whose readings are lost", async () => {
    const store = await filled();
    store.db.exec(`UPDATE raw_day SET readings = (SELECT sum(count) FROM chunk WHERE series = 1 AND ${firstDay}),
      bytes = (SELECT sum(length(body)) FROM chunk WHERE series = 1 AND ${firstDay}) WHERE ${firstDay}`);
    store.db.exec(`DELETE FROM chunk WHERE series = 0 AND ${firstDay}`);
    expect(verify(store).problems).toContainEqual({
      kind: "summary",
      place: { series: 0, day: "2024-03-28" },
      what: "raw has no readings of the day",
      mend: restore,
    });
  });
});
