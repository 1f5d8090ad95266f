// Rebuilding rollups over real stores: whatever was damaged, dropped or killed on the way, afterwards rollups are what raw makes them, and a
// second run writes nothing; where raw is not whole nothing is touched.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Emit } from "../../src/batch/jobs/emitter.ts";
import { type RebuildReport, type RebuildRollupsOptions, runRebuildRollups } from "../../src/batch/jobs/rebuild-rollups.ts";
import { verifyStore } from "../../src/batch/verify.ts";
import { utc } from "../../src/engine/calendar.ts";
import { Sketch } from "../../src/engine/sketch.ts";
import type { FinishedRow } from "../../src/storage/finished.ts";
import { decodePacked, encodePacked, type PackedBucket } from "../../src/storage/packed-rollups.ts";
import { createRollupReader, decodeRollup, encodeRollup, HOUR_MS, MINUTE_MS, type Rollup, type Tier, unitOf } from "../../src/storage/rollups.ts";
import type { Problem } from "../../src/storage/verify/problem.ts";
import { plan } from "../engine/harness.ts";
import { devices, histories, killedAfter, live, pack } from "../storage/histories.ts";
import { oneRecorder } from "../storage/one-recorder.ts";
import { type Recorder } from "../storage/recorder.ts";

const DAY_MS = 24 * HOUR_MS;
const start = Date.UTC(2024, 2, 28);
const all = { from: "2024-03-01", to: "2024-04-30" };

const fresh = oneRecorder();
const record = (outOfOrdernessMs = 0): Recorder => fresh(plan([], { maxFutureMs: 1e15, outOfOrdernessMs }));

const rebuild = (store: Recorder, options: Partial<RebuildRollupsOptions> = {}, emit: Emit = store.finish): Promise<RebuildReport> =>
  runRebuildRollups(store.db, { days: all, isDryRun: false, zone: utc, now: store.now(), ...options }, emit);

function problems(store: Recorder): Problem[] {
  const found: Problem[] = [];
  verifyStore(
    store.db,
    { zone: utc, keptSince: { [MINUTE_MS]: 0, [HOUR_MS]: 0 }, isQuick: false },
    { found: (problem) => found.push(problem), progress: () => undefined },
  );
  return found;
}

const stored = (store: Recorder, tier: Tier, device: string): Rollup[] => createRollupReader(store.db).rows(tier, store.idOf(device), 0, start + 99 * DAY_MS);
const dump = (store: Recorder): unknown => [
  store.db.prepare("SELECT * FROM rollup").all(),
  store.db.prepare("SELECT tier, series, unit, body FROM packed_rollup ORDER BY tier, series, unit").all(),
];

type Damage = { readonly kind: "bytes" | "lost" | "figures" | "unreadable" | "marked"; readonly pick: number; readonly at: number };
const damages = fc.array(fc.record({ kind: fc.constantFrom<Damage["kind"]>("bytes", "lost", "figures", "unreadable"), pick: fc.nat(), at: fc.nat() }), {
  minLength: 1,
  maxLength: 5,
});

type FreshRow = { tier: Tier; series: number; start: number; body: Uint8Array };

function damage({ db }: Recorder, { kind, pick, at }: Damage): void {
  const packed = db.prepare<[], { id: number; body: Buffer }>("SELECT id, body FROM packed_rollup ORDER BY id").all();
  const fresh = db
    .prepare<[], FreshRow>("SELECT tier, series, start, body FROM rollup WHERE dirty = 0 AND length(body) > 1 ORDER BY tier, series, start")
    .all();
  const row = packed[pick % packed.length];
  const bucket = fresh[pick % fresh.length];
  const write = db.prepare("UPDATE rollup SET body = ? WHERE tier = ? AND series = ? AND start = ?");
  if (kind === "bytes" && row !== undefined) {
    row.body[at % row.body.length] = (row.body[at % row.body.length] as number) ^ 0x41;
    db.prepare("UPDATE packed_rollup SET body = ? WHERE id = ?").run(row.body, row.id);
  } else if (kind === "lost" && row !== undefined) db.prepare("DELETE FROM packed_rollup WHERE id = ?").run(row.id);
  else if (kind === "figures" && bucket !== undefined) {
    const values = decodeRollup(bucket.body, bucket.start);
    write.run(encodeRollup({ ...values, count: values.count + 3 }, bucket.start), bucket.tier, bucket.series, bucket.start);
  } else if (kind === "unreadable" && bucket !== undefined) write.run(Buffer.of(9), bucket.tier, bucket.series, bucket.start);
}

describe("rebuilding rollups", () => {
  it("makes good any damage, however often it is killed, and then writes nothing more", async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.constantFrom(0, 45_000), damages, fc.array(fc.nat(4), { maxLength: 3 }), async (steps, outOfOrderness, wrong, kills) => {
        const store = record(outOfOrderness);
        await live(store, steps);
        for (const each of wrong) damage(store, each);
        // The sensors go on, so that all of it is known to be closed.
        const now = store.now() + 3 * DAY_MS;
        store.receive(
          devices.map((device) => ({ device, ts: now, value: 1 })),
          3 * DAY_MS,
        );
        for (const rows of kills) await rebuild(store, { now }, killedAfter(store, rows)).catch((error: Error) => expect(error.message).toBe("killed"));
        const report = await rebuild(store, { now });
        expect(report).toMatchObject({ isWhole: true, changed: 0, left: [] });
        expect(problems(store)).toEqual([]);
        const before = dump(store);
        expect(await rebuild(store, { now })).toMatchObject({ differing: { minutes: 0, hours: 0 }, written: 0 });
        expect(dump(store)).toEqual(before);
        store.silence(2 * HOUR_MS);
        await pack(store, 3 * DAY_MS);
        for (const device of devices) {
          const count = (tier: Tier) => stored(store, tier, device).reduce((sum, { values }) => sum + values.count, 0);
          expect([count(MINUTE_MS), count(HOUR_MS)]).toEqual([store.kept(device).length, store.kept(device).length]);
        }
      }),
      { numRuns: 60 },
    );
  });

  /** A reading a minute over two days and ten hours; packed but for the last hours. */
  async function filled(): Promise<Recorder> {
    const store = record();
    for (let hour = 0; hour < 58; hour += 1)
      store.receive(
        Array.from({ length: 60 }, (_, minute) => ({ device: "a", ts: start + hour * HOUR_MS + minute * MINUTE_MS, value: minute / 10 })),
        HOUR_MS,
      );
    await pack(store);
    return store;
  }
  const spoil = (store: Recorder, bucket: number): void => {
    const values = decodeRollup(
      store.db.prepare<[number], Uint8Array>("SELECT body FROM rollup WHERE tier = 60000 AND start = ?").pluck().get(bucket) as Uint8Array,
      bucket,
    );
    store.db.prepare("UPDATE rollup SET body = ? WHERE tier = 60000 AND start = ?").run(encodeRollup({ ...values, first: 99 }, bucket), bucket);
  };
  const unpacked = start + 57 * HOUR_MS + 30 * MINUTE_MS;

  it("tells what differs and writes nothing when it is dry", async () => {
    const store = await filled();
    spoil(store, unpacked);
    const before = dump(store);
    const through = store.db.prepare("SELECT through FROM compaction").pluck().get();
    store.receive([{ device: "a", ts: start + 59 * HOUR_MS, value: 1 }]);
    const report = await rebuild(store, { isDryRun: true }, () => {
      throw new Error("it writes");
    });
    expect(report).toMatchObject({
      isWhole: true,
      differing: { minutes: 1, hours: 0 },
      written: 0,
      first: [{ tier: MINUTE_MS, start: unpacked, labels: { device: "a" }, stored: { max: 99 }, rebuilt: { max: 3 } }],
    });
    expect(store.db.prepare("SELECT through FROM compaction").pluck().get()).toBe(through);
    expect((dump(store) as unknown[])[1]).toEqual((before as unknown[])[1]);
  });

  it("finds a sketch that is not of the readings, and mends it; one that is not there is no fault, and is made", async () => {
    const store = await filled();
    const at = { tier: HOUR_MS, series: 0, unit: unitOf(HOUR_MS, start) };
    const read = store.db.prepare<number[], Buffer>("SELECT body FROM packed_rollup WHERE tier = ? AND series = ? AND unit = ?").pluck();
    const body = (): Buffer => read.get(at.tier, at.series, at.unit) as Buffer;
    const sound = body();
    const rewrite = (change: (bucket: PackedBucket, index: number) => PackedBucket): void => {
      const changed = encodePacked(decodePacked(sound, at.unit, HOUR_MS).map(change), at.unit, HOUR_MS);
      store.db.prepare("UPDATE packed_rollup SET body = ? WHERE tier = ? AND series = ? AND unit = ?").run(changed, at.tier, at.series, at.unit);
    };
    rewrite((bucket) => ({ ...bucket, sketch: undefined }));
    expect(problems(store)).toEqual([]);
    expect(await rebuild(store)).toMatchObject({ differing: { minutes: 0, hours: 48 }, written: 2, first: [] });
    expect(body()).toEqual(sound);
    rewrite((bucket, index) => ({
      ...bucket,
      ...(index === 2 && { sketch: new Sketch() }),
      ...(index === 3 && { sketch: Sketch.ofBins(0, Int32Array.of(7), Float64Array.of(60)) }),
    }));
    expect(problems(store)).toMatchObject([{ place: { series: 0 }, mend: { kind: "rebuild" } }]);
    expect(await rebuild(store)).toMatchObject({ differing: { hours: 2 }, written: 1 });
    expect(problems(store)).toEqual([]);
    expect(body()).toEqual(sound);
  });

  it("looks at the days that are named alone", async () => {
    const store = await filled();
    spoil(store, unpacked);
    expect(await rebuild(store, { days: { from: "2024-03-28", to: "2024-03-29" } })).toMatchObject({ days: 2, readings: 2880, differing: { minutes: 0 } });
    expect(await rebuild(store, { days: { from: "2024-03-30", to: "2024-03-30" } })).toMatchObject({
      days: 1,
      readings: 600,
      differing: { minutes: 1 },
      written: 1,
    });
    expect(problems(store)).toEqual([]);
  });

  it("leaves a bucket that is amended between reading and writing to the next run, and says so", async () => {
    const store = await filled();
    spoil(store, unpacked);
    const amending = (rows: FinishedRow[]): void => {
      if (rows.some(({ kind }) => kind === "packed-rollups")) store.receive([{ device: "a", ts: unpacked + 1, value: 50 }]);
      store.finish(rows);
    };
    expect(await rebuild(store, {}, amending)).toMatchObject({ differing: { minutes: 1 }, written: 0, changed: 1 });
    expect(await rebuild(store)).toMatchObject({ written: 1, changed: 0 });
    expect(stored(store, MINUTE_MS, "a").find((each) => each.start === unpacked)?.values).toMatchObject({ count: 2, max: 50 });
    expect(problems(store)).toEqual([]);
  });

  it.each([
    ["gone", "UPDATE raw_day SET gone = 1; DELETE FROM chunk"],
    ["unsound", `DELETE FROM chunk WHERE day = ${start}`],
    ["unsound", `UPDATE chunk SET body = zeroblob(40) WHERE day = ${start}`],
  ])("leaves a day alone whose raw readings are %s, and says so", async (reason, sql) => {
    const store = await filled();
    store.db.exec(sql);
    const before = dump(store);
    const report = await rebuild(store, { days: { from: "2024-03-28", to: "2024-03-28" } });
    expect(report).toMatchObject({ differing: { minutes: 0, hours: 0 }, written: 0 });
    expect(report.left).toEqual([expect.objectContaining({ day: "2024-03-28", reason })]);
    expect(dump(store)).toEqual(before);
  });

  it("leaves rollups of readings that raw does not have, perhaps the last that is known of them, and says so", async () => {
    const store = await filled();
    for (let hour = 58; hour < 64; hour += 1)
      store.receive(
        Array.from({ length: 60 }, (_, minute) => ({ device: "a", ts: start + hour * HOUR_MS + minute * MINUTE_MS, value: minute / 10 })),
        HOUR_MS,
      );
    store.db.exec("UPDATE compaction SET through = (SELECT max(seq) FROM journal), begun = (SELECT max(seq) FROM journal)");
    spoil(store, unpacked);
    const unread = (): Rollup[] =>
      [MINUTE_MS, HOUR_MS].flatMap((tier) => stored(store, tier as Tier, "a").filter((each) => each.start >= start + 58 * HOUR_MS));
    const before = unread();
    expect(before.length).toBeGreaterThan(300);
    const report = await rebuild(store);
    expect(report).toMatchObject({ differing: { minutes: 1, hours: 0 }, written: 1, left: [{ day: "2024-03-30", reason: "unread", buckets: before.length }] });
    expect(unread()).toEqual(before);
    expect(await rebuild(store)).toMatchObject({ differing: { minutes: 0, hours: 0 }, written: 0, left: report.left });
  });

  it("has damaged hours from their minutes where raw is gone", async () => {
    const store = await filled();
    await pack(store, 5 * DAY_MS);
    const before = stored(store, HOUR_MS, "a");
    store.db.exec(
      `UPDATE raw_day SET gone = 1 WHERE day = ${start}; DELETE FROM chunk WHERE day = ${start}; UPDATE packed_rollup SET body = zeroblob(9) WHERE tier = ${HOUR_MS}`,
    );
    expect(await rebuild(store, { days: { from: "2024-03-30", to: "2024-03-30" } })).toMatchObject({ written: 1 });
    const after = stored(store, HOUR_MS, "a");
    const plain = ({ start: from, isApproximate, values: { count, min, max, area } }: Rollup) => [from, isApproximate, count, min, max, area];
    expect(after.map(plain)).toEqual(before.map(plain));
  });
});
