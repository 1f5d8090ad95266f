// Replay against the live run that it repeats: a real database, random logs, snapshots, wakes, changes of the rules. The same rules give
// the same effects byte for byte from any beginning; other rules give what a fresh live run with them gives.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Effects } from "../src/engine/effect.ts";
import { createEngine } from "../src/engine/engine.ts";
import type { Input } from "../src/engine/input.ts";
import type { RulePlan } from "../src/engine/rule.ts";
import { createLog } from "../src/log.ts";
import { createMetrics } from "../src/metrics.ts";
import { createPipeline } from "../src/pipeline.ts";
import { engineAt, findBase, findRange, plansInForce, replayJournal, type Substitute } from "../src/replay/journal-replay.ts";
import type { Database } from "../src/storage/database.ts";
import { historyInOrder, replayByEventTime } from "../src/storage/event-replay.ts";
import { encodeRow, readJournal } from "../src/storage/journal.ts";
import { differencesOf, liveOccurrences, Occurrences } from "../src/storage/occurrences.ts";
import { listSnapshots } from "../src/storage/snapshot.ts";
import { SECOND } from "./engine/harness.ts";
import { inputsOf, log, plans, runs } from "./engine/random-log.ts";
import { freshDatabase } from "./fresh-database.ts";

const DAY = 86_400_000;
/** What happened, as if it had begun so much later; `up` stays. */
const later = (inputs: readonly Input[], ms: number): Input[] =>
  inputs.map((input) => {
    const at = input.at + ms;
    return input.kind === "readings" ? { ...input, at, batch: { ...input.batch, ts: input.batch.ts.map((ts) => ts + ms) } } : { ...input, at };
  });

type Live = { readonly db: Database; readonly rows: { readonly at: number; readonly effects: Effects }[] };

/** Runs inputs live, cut into turns, woken in between, with a snapshot after each few readings. */
function runLive(inputs: readonly Input[], cuts: readonly number[], snapshotAfter: number): Live {
  const db = freshDatabase();
  const deps = { monotonic: () => performance.now(), sleep: () => undefined, holding: () => undefined, log: createLog({ level: "silent", name: "test" }) };
  const pipeline = createPipeline({ db, ...deps, metrics: createMetrics(), snapshotAfter });
  const rows: { at: number; effects: Effects }[] = [];
  const turn = (group: readonly Input[]): void => {
    const before = pipeline.seq();
    const { effects } = pipeline.turn({ inputs: group, finished: [] });
    if (effects !== undefined && pipeline.seq() > before) rows.push({ at: (group.at(-1) as Input).at, effects });
    pipeline.idle([]);
  };
  for (let from = 0, turns = 0; from < inputs.length; turns++) {
    const to = Math.min(inputs.length, from + 1 + (cuts[turns % cuts.length] as number));
    turn(inputs.slice(from, to));
    const [last, next] = [inputs[to - 1] as Input, inputs[to]];
    const wake = Math.min((next?.up ?? last.up) - last.up, (next?.at ?? last.at) - last.at, 90 * SECOND);
    if (wake > 0) turn([{ kind: "clock", at: last.at + wake, up: last.up + wake }]);
    from = to;
  }
  return { db, rows };
}

function replayed(db: Database, from: number, to: number, options: { substitute?: Substitute; fromBegin?: boolean } = {}) {
  const range = findRange(db, from, to);
  if (range === undefined) return { effects: [], isSame: [], base: undefined };
  const base = options.fromBegin === true ? { seq: 0, at: null } : findBase(db, range.firstSeq, from);
  if (base === undefined) throw new Error("the journal is whole");
  const effects: Effects[] = [];
  const isSame: boolean[] = [];
  const { substitute } = options;
  replayJournal(db, { engine: engineAt(db, base), base, range, ...(substitute === undefined ? {} : { substitute }) }, (row) => {
    isSame.push(row.isSame);
    if (row.seq >= range.firstSeq) effects.push(row.effects);
  });
  return { effects, isSame, base };
}

const toldBy = (effects: readonly Effects[]) => ({
  transitions: effects.flatMap(({ transitions }) => transitions),
  alerts: effects.flatMap(({ alerts }) => alerts),
  notifications: effects.flatMap(({ notifications }) => notifications),
});
const cuts = fc.array(fc.nat(4), { minLength: 1, maxLength: 10 });
const long = fc.array(log, { minLength: 3, maxLength: 8 }).map((parts) => parts.flat());
const anywhere = fc.nat(1000).map((part) => part / 1000);

describe("exact replay", () => {
  it("repeats any part of the live run, byte for byte, from whatever is kept", () => {
    let fromSnapshots = 0;
    fc.assert(
      fc.property(long, cuts, fc.integer({ min: 1, max: 8 }), anywhere, anywhere, (events, sizes, snapshotAfter, first, second) => {
        const { db, rows } = runLive(later(inputsOf(events), DAY - 2 * 3600 * SECOND), sizes, snapshotAfter);
        const [from, to] = [Math.min(first, second), Math.max(first, second)].map((part) => rows[Math.floor(part * (rows.length - 1))]?.at as number) as [
          number,
          number,
        ];
        const got = replayed(db, from, to + 1);
        expect(got.isSame).not.toContain(false);
        expect(toldBy(got.effects)).toEqual(toldBy(rows.filter(({ at }) => at >= from && at <= to).map(({ effects }) => effects)));
        if (got.base?.seq !== 0) fromSnapshots += 1;
      }),
      { numRuns: runs(40) },
    );
    expect(fromSnapshots).toBeGreaterThan(5);
  });

  it("says which row this release decides otherwise", () => {
    const { db } = runLive(inputsOf([1, 2, 3].map((value) => ({ kind: "readings", listen: 60, readings: [{ series: 0, lag: 0, value }] }))), [0], 1000);
    db.prepare("UPDATE journal SET effects = zeroblob(8) WHERE seq = 3").run();
    expect(replayed(db, 0, DAY).isSame).toEqual([true, true, false, true, true, true]);
  });

  it("begins at the first snapshot of a day, and not where the journal before it is gone", () => {
    const hours = Array.from({ length: 60 }, (_, value) => ({ kind: "readings" as const, listen: 3600, readings: [{ series: 0, lag: 0, value }] }));
    const { db, rows } = runLive(inputsOf(hours), [0], 1);
    const kept = listSnapshots(db).map(({ seq, at }) => [seq, Math.floor(at / DAY)]);
    expect(kept.map(([, day]) => day)).toEqual([0, 1, 2, 2]);
    const got = replayed(db, 30 * 3600 * SECOND, 31 * 3600 * SECOND);
    expect(got.base?.seq).toBe(kept[1]?.[0]);
    expect(got.isSame).not.toContain(false);
    db.exec(`DELETE FROM journal WHERE seq <= ${kept[1]?.[0]}`);
    const again = replayed(db, 30 * 3600 * SECOND, 31 * 3600 * SECOND);
    expect(toldBy(again.effects)).toEqual(toldBy(got.effects));
    expect(again.isSame).not.toContain(false);
    expect(rows.length).toBeGreaterThan(60);
    db.exec(`DELETE FROM journal WHERE seq <= ${(kept[1]?.[0] as number) + 1}`);
    expect(findBase(db, (kept[1]?.[0] as number) + 3, 0)).toBeUndefined();
  });
});

describe("replay with other rules", () => {
  it("gives what a fresh live run with them gives", () => {
    fc.assert(
      fc.property(log, cuts, fc.nat(2), (events, sizes, other) => {
        const plan = plans[other] as RulePlan;
        const inputs = inputsOf(events);
        const { db } = runLive(inputs, sizes, 1000);
        const fresh = runLive(
          inputs.map((input, index) => (input.kind !== "rules" ? input : index === 0 ? { ...input, plan } : { kind: "clock", at: input.at, up: input.up })),
          [0],
          1000,
        );
        const got = replayed(db, 0, Number.MAX_SAFE_INTEGER, { substitute: () => plan, fromBegin: true });
        // A wake after the last input is in the journal only where its own run had something to tell.
        const last = (inputs.at(-1) as Input).at;
        const until = ({ transitions, alerts, notifications }: ReturnType<typeof toldBy>) => {
          const isIn = transitions.map(({ ts }) => ts <= last);
          return { transitions: transitions.filter((_, index) => isIn[index]), alerts: alerts.filter((_, index) => isIn[index]), notifications };
        };
        expect(until(toldBy(got.effects))).toEqual(until(toldBy(fresh.rows.map(({ effects }) => effects))));
      }),
      { numRuns: runs(60) },
    );
  });

  it("from a snapshot, an alert that both rules see is the same one, and what differs is told", () => {
    const values = [15, 23, 30, 30, 30, 30, 30, 15, 15, 15, 23, 23, 23, 23, 15, 15];
    const minutes = values.map((value) => ({ kind: "readings" as const, listen: 60, readings: [{ series: 0, lag: 0, value }] }));
    const { db } = runLive(inputsOf(minutes), [0], 1);
    const told = new Occurrences();
    // hot above 20 for a minute instead of above 25: fires from 23 on, too.
    for (const { transitions, alerts } of replayed(db, 0, DAY, { substitute: () => plans[1] as RulePlan, fromBegin: true }).effects)
      transitions.forEach((transition, index) => told.add({ ...transition, peak: transition.figures.peak }, alerts[index] as (typeof alerts)[0]));
    const live = liveOccurrences(db, { from: 0, to: DAY, by: "at", except: [] }).list();
    const hot = differencesOf(live, told.list()).filter((each) => (each.kind === "only-replay" ? each.replay : each.live).rule === "hot");
    expect(hot.map(({ kind }) => kind)).toEqual(["changed", "only-replay"]);
    expect(differencesOf(live, live)).toEqual([]);
    expect(differencesOf(live, []).map(({ kind }) => kind)).toEqual(live.map(() => "only-live"));
  });

  it("knows the plans that were in force", () => {
    const events = [0, 1, 1, 2].map((plan) => ({ kind: "rules" as const, plan }));
    const { db } = runLive(inputsOf(events), [2], 1000);
    const base = { seq: 0, at: null };
    expect(plansInForce(db, engineAt(db, base), base, 100).map(({ hash }) => hash)).toEqual(plans.map(({ hash }) => hash));
  });
});

describe("replay by event time", () => {
  type Reading = { readonly series: number; readonly ts: number; readonly value: number };
  /** Accepted and late readings, in order, each instant once; as plainly as can be. */
  function stored(db: Database, from: number, to: number): Reading[] {
    const first = new Map<string, Reading>();
    for (const { series, ts, value, verdict } of readJournal(db, {}))
      series.forEach((id, index) => {
        const key = `${id} ${ts[index]}`;
        if ((verdict[index] as number) <= 1 && !first.has(key)) first.set(key, { series: id, ts: ts[index] as number, value: value[index] as number });
      });
    return [...first.values()].filter(({ ts }) => ts >= from && ts < to).sort((a, b) => a.ts - b.ts || a.series - b.series);
  }

  it("hears the stored readings in order, each at its own time", () => {
    fc.assert(
      fc.property(log, cuts, fc.nat(2), fc.integer({ min: -4000, max: 8000 }), (events, sizes, other, start) => {
        const plan = plans[other] as RulePlan;
        const { db } = runLive(inputsOf(events), sizes, 1000);
        const [from, to] = [start * SECOND, 12_000 * SECOND];
        const readings = stored(db, from, to);
        const ordered = [...historyInOrder(db, from, to)].flatMap(({ series, ts, value }) =>
          Array.from(series, (id, index) => ({ series: id, ts: ts[index] as number, value: value[index] as number })),
        );
        expect(ordered).toEqual(readings);
        const got: Effects[] = [];
        let count = 0;
        replayByEventTime(db, { plan, start: from, from: from + 1800 * SECOND, to }, (effects, step) => {
          got.push(effects);
          count += step;
        });
        expect(count).toBe(readings.length);
        expect(toldBy(got)).toEqual(toldBy(oneByOne(db, plan, readings, from, to)));
      }),
      { numRuns: runs(60) },
    );
  });

  it("orders what came at one instant by series, and takes the first of what is there twice", () => {
    const db = freshDatabase();
    /** A row as a gateway might have written it that did not find out that it knew a reading already. */
    const write = (seq: number, readings: readonly (readonly [series: number, ts: number, value: number, verdict: number])[]): void => {
      const [series, ts] = [Uint32Array.from(readings, ([id]) => id), Float64Array.from(readings, ([, at]) => at)];
      const [value, verdict] = [Float64Array.from(readings, ([, , one]) => one), Uint8Array.from(readings, ([, , , mark]) => mark)];
      const row = encodeRow([{ kind: "readings", at: 0, up: 0, batch: { series, ts, value, defined: [], rejected: {} } }], [verdict], [ts]);
      db.prepare("INSERT INTO journal VALUES (?, 0, 0, ?, ?, ?, ?, ?, x'')").run(seq, row.minTs, row.maxTs, row.count, row.series, row.body);
      db.prepare("INSERT INTO journal_span VALUES (?, ?, ?)").run(seq, Math.floor((row.minTs as number) / 1000), Math.floor((row.maxTs as number) / 1000));
    };
    const hour = 3600 * SECOND;
    write(1, [
      [2, 50 * hour, 1, 0],
      [1, 50 * hour, 2, 0],
      [1, -5, 3, 1],
      [0, 9, 4, 4],
    ]);
    write(2, [
      [0, 50 * hour, 5, 1],
      [1, 50 * hour, 6, 0],
      [2, -5, 7, 1],
      [0, 20 * hour + 1, 8, 0],
    ]);
    const read = (from: number, to: number) =>
      [...historyInOrder(db, from, to)].flatMap(({ series, ts, value }) => Array.from(ts, (at, index) => [at, series[index], value[index]]));
    const all = [
      [-5, 1, 3],
      [-5, 2, 7],
      [20 * hour + 1, 0, 8],
      [50 * hour, 0, 5],
      [50 * hour, 1, 2],
      [50 * hour, 2, 1],
    ];
    expect(read(-DAY, 3 * DAY)).toEqual(all);
    expect(read(-5, 50 * hour)).toEqual(all.slice(0, 3));
    expect(read(20 * hour + 2, 50 * hour + 1)).toEqual(all.slice(3));
  });

  function oneByOne(db: Database, plan: RulePlan, readings: readonly Reading[], from: number, to: number): Effects[] {
    const engine = createEngine();
    const series = db.prepare<[], { id: number; labels: string; source: string }>("SELECT * FROM series ORDER BY id").all();
    const defined = series.map(({ id, labels, source }) => ({ id, labels: JSON.parse(labels), source }));
    const effects = [engine.step([{ kind: "rules", at: from, up: 0, plan }], { now: from, up: 0 })];
    const batch = (of: readonly Reading[]) => ({
      series: Uint32Array.from(of, ({ series: id }) => id),
      ts: Float64Array.from(of, ({ ts }) => ts),
      value: Float64Array.from(of, ({ value }) => value),
      rejected: {},
    });
    effects.push(engine.step([{ kind: "readings", at: from, up: 0, batch: { ...batch([]), defined } }], { now: from, up: 0 }));
    for (const reading of readings) {
      const [at, up]: [number, number] = [reading.ts, reading.ts - from];
      effects.push(engine.step([{ kind: "readings", at, up, batch: { ...batch([reading]), defined: [] } }], { now: at, up }));
    }
    effects.push(engine.step([], { now: to - 1, up: to - 1 - from }));
    return effects;
  }
});
