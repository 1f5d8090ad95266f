// Exports over real stores: all that is stored, in order, from chunks and from the journal's tail; and what comes back of it is the same, bit
// for bit.

import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { createHistoryReader } from "../../src/storage/history-query.ts";
import { zoneTable } from "../../src/zone.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "../storage/recorder.ts";
import { ALL, createImportStore, csvOf, type ImportStore } from "./import-store.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const t0 = Date.UTC(2026, 2, 28, 20);
const utc = zoneTable("UTC") as NonNullable<ReturnType<typeof zoneTable>>;
const oslo = zoneTable("Europe/Oslo") as typeof utc;
const devices = ["a", "b", "c"] as const;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const each of open.splice(0).reverse()) each.close();
});
function makeLive(): { live: Recorder; store: ImportStore } {
  const live = createRecorder(plan([], { maxFutureMs: 1e15, outOfOrdernessMs: hour }));
  open.push(live);
  return { live, store: createImportStore({ dir: live.dir, db: live.db }) };
}
const compact = (live: Recorder, zone = utc) => runCompaction(live.db, { zone, now: live.now(), settles: true }, live.finish);
const keptOf = (live: Recorder) =>
  Object.fromEntries(devices.map((device) => [device, live.kept(device).map(({ ts, value }) => [ts, value])] as const).filter(([, list]) => list.length > 0));

/** Any finite double. */
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 0.1 + 0.2, 5e-324),
  fc.integer({ min: -1000, max: 1000 }).map((each) => each / 10),
);
const reading = fc.record({ device: fc.constantFrom(...devices), ts: fc.integer({ min: 0, max: 40 }).map((step) => t0 + step * hour), value });
/** Commits of readings, and between them compaction, by one zone or, as if the config was changed, by another. */
const life = fc.array(fc.oneof({ weight: 4, arbitrary: fc.array(reading, { minLength: 1, maxLength: 12 }) }, fc.constantFrom(utc, oslo)), { maxLength: 14 });

describe("an export", () => {
  it("says of which series and day a damaged chunk is, and so does an import into that day", async () => {
    const { live, store } = makeLive();
    live.receive([0, 1].map((hours) => ({ device: "b", ts: t0 + hours * day, value: 1 })));
    await compact(live);
    live.db.exec(`UPDATE chunk SET body = zeroblob(40) WHERE day = ${Date.UTC(2026, 2, 29)}`);
    const damaged = {
      code: "chunk_damaged",
      message: 'of {device="b",metric="temperature"} on 2026-03-29, stored readings are damaged: a checksum does not fit',
      hint: expect.stringContaining("`highwater verify`") as string,
    };
    expect(() => store.export()).toThrow(expect.objectContaining(damaged));
    const file = store.file(csvOf([0, 1].map((hours) => ({ device: "b", ts: t0 + day + hours - 1, value: 2 }))));
    await expect(store.import(file)).rejects.toMatchObject(damaged);
    live.db.exec("UPDATE series SET labels = '{oops'");
    await expect(async () => [...createHistoryReader(live.db, ALL).read([live.idOf("b")])]).rejects.toMatchObject({
      message: expect.stringContaining("of series 0 on 2026-03-29") as string,
    });
  });

  it("has all that is stored, and import makes the same store of it, in both formats", async () => {
    await fc.assert(
      fc.asyncProperty(life, async (steps) => {
        const { live, store } = makeLive();
        for (const step of steps) {
          if (Array.isArray(step)) live.receive(step);
          else await compact(live, step);
        }
        expect(store.stored()).toEqual(keptOf(live));
        for (const name of ["csv", "ndjson"]) {
          const text = store.export(name);
          const copy = createImportStore(undefined, oslo);
          try {
            const report = await copy.import(copy.file(text, `f.${name}`), { blockReadings: 20, blockBytes: 500, now: t0 + 10 * day });
            expect(report.progress).toMatchObject({ duplicates: 0, conflicts: 0, problems: {} });
            expect(copy.export(name)).toBe(text);
          } finally {
            copy.close();
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it("puts what the journal's tail has between what chunks have, and before and behind it", async () => {
    const { live, store } = makeLive();
    live.receive([10, 20, 30].map((each) => ({ device: "a", ts: t0 + each * minute, value: each })));
    await compact(live);
    live.receive([5, 15, 25, 35].map((each) => ({ device: "a", ts: t0 + each * minute, value: each })));
    expect(store.stored()["a"]?.map(([, each]) => each)).toEqual([5, 10, 15, 20, 25, 30, 35]);
  });

  it("reads the journal's tail in parts where it is long, and loses nothing to a compaction meanwhile", async () => {
    const { live, store } = makeLive();
    for (let index = 0; index < 60; index += 1) live.receive(devices.map((device) => ({ device, ts: t0 + index * hour, value: index })));
    const found: Record<string, number> = {};
    for (const { series, readings } of createHistoryReader(store.db, ALL, 50).read([0, 1, 2])) {
      found[series] = (found[series] ?? 0) + readings.ts.length;
      if (series === 0) await compact(live);
    }
    expect(found).toEqual({ 0: 60, 1: 60, 2: 60 });
  });

  it("goes on where chunks are merged while it reads", async () => {
    const { live, store } = makeLive();
    for (let index = 0; index < 20; index += 1) {
      live.receive([{ device: "a", ts: t0 + ((index * 7) % 20) * 4 * hour, value: index }]);
      await runCompaction(live.db, { zone: utc, now: 0 }, live.finish);
    }
    const times: number[] = [];
    for (const { readings } of createHistoryReader(store.db, ALL).read([0])) {
      times.push(...readings.ts);
      if (times.length === 1) await compact(live);
    }
    expect(times).toEqual(live.kept("a").map(({ ts }) => ts));
  });

  it("gives buckets of a step with their figures and where they come from", async () => {
    const { live, store } = makeLive();
    live.receive([0, 1, 61].map((minutes) => ({ device: "a", ts: t0 + minutes * minute, value: minutes })));
    expect(store.export("csv", hour).split("\n")).toEqual([
      "start,end,device,metric,count,min,max,avg,sum,source,provisional",
      "2026-03-28T20:00:00.000Z,2026-03-28T21:00:00.000Z,a,temperature,2,0,1,0.5,1,stream,true",
      "2026-03-28T21:00:00.000Z,2026-03-28T22:00:00.000Z,a,temperature,1,61,61,61,61,raw,true",
      "",
    ]);
    expect(JSON.parse(store.export("ndjson", "day").split("\n")[0] as string)).toMatchObject({ start: "2026-03-28T00:00:00.000Z", device: "a", count: 3 });
  });

  it("of nothing is only what a file begins with", () => {
    const { store } = makeLive();
    expect([store.export("csv"), store.export("ndjson")]).toEqual(["timestamp,device,metric,value\n", ""]);
  });
});
