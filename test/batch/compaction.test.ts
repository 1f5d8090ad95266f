// Compaction over real stores: chunks hold exactly the history of the journal, cut into local days, whatever was killed on the way;
// a second run writes nothing, and many small chunks become few.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CompactionOptions, runCompaction } from "../../src/batch/jobs/compaction.ts";
import type { Emit } from "../../src/batch/jobs/emitter.ts";
import { dayBounds, dayOf, utc, type ZoneTable } from "../../src/engine/calendar.ts";
import { History } from "../../src/engine/history.ts";
import { decodeChunk } from "../../src/storage/chunk-codec.ts";
import { compactedThrough, createChunkReader, rawDays } from "../../src/storage/chunks.ts";
import { isHistory, newestSeq, readJournal } from "../../src/storage/journal.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan } from "../engine/harness.ts";
import { oneRecorder } from "../storage/one-recorder.ts";
import { type Recorder, type Sent } from "../storage/recorder.ts";

const hour = 3_600_000;
const zones = [utc, zoneTable("Europe/Oslo"), zoneTable("Australia/Lord_Howe"), zoneTable("Asia/Kathmandu")] as ZoneTable[];
const start = Date.UTC(2024, 2, 29, 20);

const fresh = oneRecorder();
const record = (): Recorder => fresh(plan([], { maxFutureMs: 1e15 }), { answersLookups: false });

const arrivals = fc.array(
  fc.array(
    fc.record({
      device: fc.constantFrom("a", "b", "c"),
      hop: fc.oneof(fc.integer({ min: 0, max: hour }), fc.integer({ min: -30 * hour, max: 30 * hour })),
      value: fc.oneof(
        fc.integer({ min: -300, max: 300 }).map((tenths) => tenths / 10),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      ),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  { minLength: 1, maxLength: 60 },
);
type Arrivals = typeof arrivals extends fc.Arbitrary<infer List> ? List : never;

function fill(store: Recorder, list: Arrivals): void {
  let ts = start;
  for (const batch of list) {
    store.receive(
      batch.map(({ device, hop, value }): Sent => {
        ts += hop;
        return { device, ts, value };
      }),
    );
  }
}

type Flat = { series: number; ts: number; value: number; late: number; at: number };
const rowsOf = (series: number, { ts, value, late, at }: ReturnType<History["ordered"]>): Flat[] =>
  Array.from(ts, (each, index) => ({ series, ts: each, value: value[index] as number, late: late[index] as number, at: at[index] as number }));

/** By the journal's single readings. */
function expected(store: Recorder): Flat[] {
  const histories = new Map<number, History>();
  for (const { count, series, ts, value, verdict, at } of readJournal(store.db, {})) {
    for (let index = 0; index < count; index += 1) {
      if (!isHistory(verdict[index] as number)) continue;
      const id = series[index] as number;
      histories.set(id, histories.get(id) ?? new History());
      histories.get(id)?.add(ts[index] as number, value[index] as number, verdict[index] === 1, at);
    }
  }
  return [...histories].sort(([a], [b]) => a - b).flatMap(([id, history]) => rowsOf(id, history.ordered()));
}

function stored(store: Recorder): Flat[] {
  const chunks = createChunkReader(store.db);
  return store.db
    .prepare<[], number>("SELECT id FROM series ORDER BY id")
    .pluck()
    .all()
    .flatMap((id) => {
      const history = new History();
      for (const columns of chunks.read(id, { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }, { at: true })) history.append(columns);
      return rowsOf(id, history.ordered());
    });
}

type Row = { series: number; day: number; count: number; late: number; min_ts: number; max_ts: number; body: Uint8Array };
const chunkRows = (store: Recorder): Row[] =>
  store.db.prepare<[], Row>("SELECT series, day, count, late, min_ts, max_ts, body FROM chunk ORDER BY day, series, from_seq").all();

function expectSound(store: Recorder, zone: ZoneTable): void {
  const rows = chunkRows(store);
  for (const { day, count, late, min_ts, max_ts, body } of rows) {
    const columns = decodeChunk(body);
    expect([columns.ts.length, columns.ts[0], columns.ts.at(-1)]).toEqual([count, min_ts, max_ts]);
    expect(columns.late.filter((mark) => mark === 1).length).toBe(late);
    const bounds = dayBounds(zone, dayOf(zone, day));
    expect([bounds.start, bounds.start <= min_ts && max_ts < bounds.end]).toEqual([day, true]);
  }
  const days = [...Map.groupBy(rows, ({ day }) => day)].sort(([a], [b]) => a - b);
  expect(
    rawDays(store.db)
      .filter(({ readings }) => readings > 0)
      .map(({ day, readings }) => [day, readings]),
  ).toEqual(days.map(([day, of]) => [day, of.reduce((sum, { count }) => sum + count, 0)]));
}

describe("compaction", () => {
  it("keeps exactly the history, in passes of any size, and a second run writes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, fc.constantFrom(...zones), fc.constantFrom(1, 5, 1000), fc.boolean(), async (list, zone, heldMax, settles) => {
        const store = record();
        fill(store, list);
        const options: CompactionOptions = { zone, now: store.now(), heldMax, settles };
        const report = await runCompaction(store.db, options, store.finish);
        expect(report).toMatchObject({ isWhole: true, through: newestSeq(store.db) });
        expect(compactedThrough(store.db)).toBe(newestSeq(store.db));
        expect(stored(store)).toEqual(expected(store));
        expectSound(store, zone);
        const before = chunkRows(store);
        const again = await runCompaction(store.db, options, store.finish);
        expect([again.chunks, again.merged]).toEqual([0, 0]);
        expect(chunkRows(store)).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });

  it("loses and doubles nothing, wherever runs are killed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arrivals, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(40), { maxLength: 4 }), async (lists, kills) => {
        const store = record();
        for (const list of lists) {
          fill(store, list);
          for (const kill of kills) {
            let rows = 0;
            const emit: Emit = (emitted) => {
              // The writer takes a slice of what it was given.
              const taken = emitted.slice(0, Math.max(0, kill - rows));
              store.finish(taken);
              rows += emitted.length;
              if (taken.length < emitted.length) throw new Error("killed");
            };
            await runCompaction(store.db, { zone: utc, now: store.now(), heldMax: 20, settles: true }, emit).catch((error: Error) =>
              expect(error.message).toBe("killed"),
            );
          }
        }
        await runCompaction(store.db, { zone: utc, now: store.now(), heldMax: 20, settles: true }, store.finish);
        expect(stored(store)).toEqual(expected(store));
        expectSound(store, utc);
      }),
      { numRuns: 40 },
    );
  });

  it("merges small chunks as they grow many, and makes one of a day that is over", async () => {
    const store = record();
    const run = (settles: boolean) => runCompaction(store.db, { zone: utc, now: store.now(), settles }, store.finish);
    for (let minute = 0; minute < 23 * 60; minute += 5) {
      store.receive([{ device: "a", ts: minute * 60_000, value: minute }], 5 * 60_000);
      await run(false);
      expect(chunkRows(store).length).toBeLessThanOrEqual(7 * 3);
    }
    store.receive([{ device: "a", ts: 30 * hour, value: 1 }]);
    await run(true);
    expect(chunkRows(store).map(({ day, count }) => [day, count])).toEqual([
      [0, 276],
      [24 * hour, 1],
    ]);
    expect(rawDays(store.db).map(({ settled }) => settled)).toEqual([1, 0]);
    store.receive([{ device: "a", ts: hour + 1, value: 2 }]);
    await run(false);
    expect(rawDays(store.db).map(({ settled }) => settled)).toEqual([0, 0]);
    await run(true);
    expect(chunkRows(store).map(({ day, count }) => [day, count])).toEqual([
      [0, 277],
      [24 * hour, 1],
    ]);
  });

  it("ends early by its signal, and goes on where it was", async () => {
    const store = record();
    for (let index = 0; index < 30; index += 1) store.receive([{ device: "a", ts: index * hour, value: index }]);
    const stop = new AbortController();
    const report = await runCompaction(store.db, { zone: utc, now: store.now(), heldMax: 5, signal: stop.signal, progress: () => stop.abort() }, store.finish);
    expect(report.isWhole).toBe(false);
    expect(compactedThrough(store.db)).toBeLessThan(newestSeq(store.db));
    await runCompaction(store.db, { zone: utc, now: store.now() }, store.finish);
    expect(stored(store)).toEqual(expected(store));
  });
});
