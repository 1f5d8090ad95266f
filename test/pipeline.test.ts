// The loop on a real database: what was committed is recovered, a disk that refuses loses nothing, and the journal holds
// every bit of what went in.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine } from "../src/engine/contract.ts";
import { createEngine } from "../src/engine/engine.ts";
import type { Input } from "../src/engine/input.ts";
import type { RulePlan } from "../src/engine/rule.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { createPipeline } from "../src/pipeline.ts";
import { type Database, openDatabase } from "../src/storage/database.ts";
import { readJournal } from "../src/storage/journal.ts";
import { recover } from "../src/storage/recovery.ts";
import { SECOND, SOURCE } from "./engine/harness.ts";
import { inputsOf, labels, log, plans, runs } from "./engine/random-log.ts";

const folders: string[] = [];
const databases: Database[] = [];

function freshDatabase(): Database {
  const folder = mkdtempSync(join(tmpdir(), "highwater-pipeline-"));
  folders.push(folder);
  const db = openDatabase(folder, { readonly: false });
  db.pragma("synchronous = OFF"); // the machine does not lose power in a test
  databases.push(db);
  return db;
}

afterEach(() => {
  for (const db of databases.splice(0)) db.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const open = (db: Database, more: Partial<Parameters<typeof createPipeline>[0]> = {}) =>
  createPipeline({
    db,
    monotonic: () => performance.now(),
    sleep: () => undefined,
    holding: () => undefined,
    log: createLog({ level: "silent", name: "test" }),
    metrics: createMetrics(),
    ...more,
  });

/** The whole state as bytes: the same rules again touch every series, so that the snapshot is whole. */
function stateOf(engine: Engine, last: Input): unknown {
  engine.step([{ kind: "rules", at: last.at, up: last.up, plan: plans[0] as RulePlan }], { now: last.at, up: last.up });
  engine.beginSnapshot();
  const parts = [];
  for (;;) {
    const { isLast, ...part } = engine.nextSnapshotPart();
    parts.push(part);
    if (isLast) return parts;
  }
}

function turns(inputs: readonly Input[], cuts: readonly number[]): Input[][] {
  const groups: Input[][] = [];
  for (let from = 0; from < inputs.length; ) {
    const to = from + 1 + (cuts[groups.length % cuts.length] as number);
    groups.push(inputs.slice(from, to));
    from = to;
  }
  return groups;
}

const batchOf = (series: number, ts: number[], value: number[], isNew: boolean) => ({
  series: Uint32Array.from(ts, () => series),
  ts: Float64Array.from(ts),
  value: Float64Array.from(value),
  defined: isNew ? [{ id: series, labels: labels[series] as (typeof labels)[0], source: SOURCE }] : [],
  rejected: {},
});

describe("recovery", () => {
  it("brings the engine to where it was, from any snapshot, and decides every row alike", () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(4), { minLength: 1, maxLength: 10 }), fc.integer({ min: 1, max: 60 }), (events, cuts, snapshotAfter) => {
        const inputs = inputsOf(events);
        const db = freshDatabase();
        const pipeline = open(db, { snapshotAfter });
        for (const group of turns(inputs, cuts)) {
          pipeline.turn({ inputs: group, finished: [] });
          pipeline.idle([]);
        }
        const engine = createEngine();
        const { differing, seq } = recover(db, engine);
        expect(differing).toEqual([]);
        expect(seq).toBe(pipeline.seq());
        expect(engine.books()).toEqual(pipeline.engine.books());
        const last = inputs.at(-1) as Input;
        // Both have stepped the same rows; a step more or less that had no effect is not part of the state.
        expect(withoutStep(stateOf(engine, last))).toEqual(withoutStep(stateOf(pipeline.engine, last)));
      }),
      { numRuns: runs(60) },
    );
  });

  it("says when this release decides otherwise", () => {
    const db = freshDatabase();
    const pipeline = open(db);
    pipeline.turn({ inputs: inputsOf([{ kind: "readings", listen: 1, readings: [{ series: 0, lag: 0, value: 1 }] }]), finished: [] });
    db.prepare("UPDATE journal SET effects = ?").run(Buffer.alloc(8));
    expect(recover(db, createEngine()).differing).toEqual([1]);
  });
});

/** Part 0 counts the steps, which cuts and wakes change. */
const withoutStep = (parts: unknown): unknown => {
  const [global, ...rest] = parts as { saved?: { numbers: Float64Array; texts: readonly string[] } }[];
  return [global?.saved?.texts, [...(global?.saved?.numbers ?? [])].filter((_value, index) => index !== 2), rest];
};

describe("the disk", () => {
  it("is asked again with the same row while it is full, and then nothing is missing", () => {
    const db = freshDatabase();
    let sleeps = 0;
    const reasons: string[] = [];
    const unlimited = db.pragma("max_page_count", { simple: true }) as number;
    const pipeline = open(db, {
      sleep: () => {
        sleeps += 1;
        if (sleeps === 3) db.pragma(`max_page_count = ${unlimited}`);
      },
      holding: (reason) => void reasons.push(reason),
    });
    pipeline.turn({ inputs: [{ kind: "rules", at: 0, up: 0, plan: plans[0] as RulePlan }], finished: [] });
    db.pragma(`max_page_count = ${db.pragma("page_count", { simple: true })}`);
    const random = Array.from({ length: 5000 }, (_, index) => Math.sin(index) * 1e9);
    const ts = random.map((_, index) => index * SECOND);
    pipeline.turn({ inputs: [{ kind: "readings", at: 6e6, up: 0, batch: batchOf(0, ts, random, true) }], finished: [] });
    expect(sleeps).toBe(3);
    expect(reasons[0]).toContain("full");
    const [stored] = [...readJournal(db, {})];
    expect([...(stored?.value ?? [])]).toEqual(random);
    expect(pipeline.seq()).toBe(2);
  });

  it("is timed, apart from the engine, by what it says in the metrics", async () => {
    let now = 0;
    const pipeline = open(freshDatabase(), { monotonic: () => (now += 3) });
    pipeline.turn({ inputs: inputsOf([{ kind: "readings", listen: 1, readings: [{ series: 0, lag: 0, value: 1 }] }]), finished: [] });
    pipeline.turn({ inputs: [{ kind: "clock", at: 1e6, up: 2000 }], finished: [] });
    const text = await pipeline.metricsText();
    // A wake of which nothing came is stepped and not committed.
    for (const [what, count] of Object.entries({ step: 2, commit: 1 })) {
      expect(text).toContain(`highwater_${what}_duration_seconds_count ${count}`);
      expect(text).toMatch(new RegExp(`highwater_${what}_duration_seconds_sum 0\\.00[1-9]`));
    }
  });

  it("ends the process on anything else", () => {
    const db = freshDatabase();
    const pipeline = open(db);
    db.exec("DROP TABLE rollup");
    db.exec("DROP TABLE journal_span");
    expect(() => pipeline.turn({ inputs: inputsOf([{ kind: "readings", listen: 1, readings: [{ series: 0, lag: 0, value: 1 }] }]), finished: [] })).toThrow(
      /commit of row 1 failed/,
    );
  });
});

describe("old timestamps", () => {
  it("are known again as duplicate or conflict, however long ago", () => {
    const db = freshDatabase();
    const pipeline = open(db);
    const count = 3000;
    const ts = Array.from({ length: count }, (_, index) => index * SECOND);
    const at = count * SECOND;
    pipeline.turn({ inputs: [{ kind: "rules", at, up: 0, plan: plans[0] as RulePlan }], finished: [] });
    for (let from = 0; from < count; from += 100) {
      const part = ts.slice(from, from + 100);
      pipeline.turn({
        inputs: [
          {
            kind: "readings",
            at,
            up: 0,
            batch: batchOf(
              0,
              part,
              part.map(() => 1),
              from === 0,
            ),
          },
        ],
        finished: [],
      });
    }
    const { effects } = pipeline.turn({
      inputs: [{ kind: "readings", at, up: 0, batch: batchOf(0, [5 * SECOND, 5 * SECOND, 500, 500], [1, 2, 1, 1], false) }],
      finished: [],
    });
    // duplicate, conflict, late (never seen), duplicate of the one just before
    expect([...(effects?.verdicts[0] ?? [])]).toEqual([2, 3, 1, 2]);
    expect(recover(db, createEngine()).differing).toEqual([]);
  });
});

describe("the journal", () => {
  const anyDouble = fc.oneof(
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.integer({ min: -1e6, max: 1e6 }).map((whole) => whole / 100),
    fc.constant(-0),
  );

  it("holds every bit of values and times", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -1e12, max: 4e12 }), anyDouble), { minLength: 1, maxLength: 300 }), (readings) => {
        const db = freshDatabase();
        const pipeline = open(db);
        const unique = [...new Map(readings).entries()].sort(([a], [b]) => a - b);
        const [ts, value] = [unique.map(([time]) => time), unique.map(([, one]) => one)];
        pipeline.turn({
          inputs: [
            { kind: "rules", at: 4e12, up: 0, plan: plans[0] as RulePlan },
            { kind: "readings", at: 4e12, up: 0, batch: batchOf(0, ts, value, true) },
          ],
          finished: [],
        });
        const [row] = [...readJournal(db, {})];
        expect([...(row?.ts ?? [])]).toEqual(ts);
        expect([...(row?.value ?? [])].every((one, index) => Object.is(one, value[index]))).toBe(true);
      }),
      { numRuns: runs(50) },
    );
  });

  it("finds rows by event time and by series", () => {
    const db = freshDatabase();
    const pipeline = open(db);
    for (let row = 0; row < 20; row++) {
      const at = row * 10 * SECOND;
      pipeline.turn({ inputs: [{ kind: "readings", at, up: 0, batch: batchOf(row % 2, [at], [row], row < 2) }], finished: [] });
    }
    const values = (filter: Parameters<typeof readJournal>[1]) => [...readJournal(db, filter)].flatMap((columns) => [...columns.value]);
    expect(values({ fromTs: 50 * SECOND, toTs: 80 * SECOND })).toEqual([5, 6, 7]);
    expect(values({ series: new Set([1]), toTs: 60 * SECOND })).toEqual([1, 3, 5]);
    expect(values({ afterSeq: 18 })).toEqual([18, 19]);
    expect(values({ throughSeq: 2 })).toEqual([0, 1]);
  });
});
