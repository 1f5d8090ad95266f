// Looking up old timestamps: the first of equal ones is found, and one step pays no more than its budget, whatever it asks.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { createCommitter } from "../../src/storage/commit.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { createLookup, lookupBudget } from "../../src/storage/lookup.ts";

const opened: { db: Database; dir: string }[] = [];
afterEach(() => {
  for (const { db, dir } of opened.splice(0)) {
    db.close();
    rmSync(dir, { recursive: true });
  }
});

/** A database with `rows` journal rows of one series, a reading a second, beginning at 0; the value is the row. */
function stored(rows: number): Database {
  const dir = mkdtempSync(join(tmpdir(), "highwater-lookup-"));
  const db = openDatabase(dir, { readonly: false });
  opened.push({ db, dir });
  const [engine, commit] = [createEngine(), createCommitter(db)];
  for (let row = 0; row < rows; row++) {
    const at = row * 1000;
    const defined = row === 0 ? [{ id: 0, labels: { device: "a", metric: "b" }, source: "s" }] : [];
    const batch = { series: Uint32Array.of(0), ts: Float64Array.of(at), value: Float64Array.of(row), defined, rejected: {} };
    const inputs: Input[] = [{ kind: "readings", at, up: at, batch }];
    commit({ step: { seq: row + 1, inputs, effects: engine.step(inputs, { now: at, up: at }), now: at }, finished: [], snapshot: undefined });
  }
  return db;
}

it("finds what is stored at exactly that time", () => {
  const lookUp = createLookup(stored(20));
  const lookups = [3000, 3001, 19_000, 20_000].map((ts) => ({ series: 0, ts }));
  expect(lookUp(lookups, lookupBudget())).toEqual({
    known: [
      { series: 0, ts: 3000, value: 3 },
      { series: 0, ts: 19_000, value: 19 },
    ],
    unanswered: 0,
  });
});

it("shares one budget among the inputs of a step", () => {
  const lookUp = createLookup(stored(20));
  const budget = { ...lookupBudget(), rows: 3 };
  expect(lookUp([{ series: 0, ts: 1000 }], budget)).toEqual({ known: [{ series: 0, ts: 1000, value: 1 }], unanswered: 0 });
  const second = lookUp(
    [5000, 6000, 7000].map((ts) => ({ series: 0, ts })),
    budget,
  );
  expect(second.known.map(({ ts }) => ts)).toEqual([5000, 6000]);
  expect(second.unanswered).toBe(1);
});

it("leaves unanswered what it would cost too much to compare", () => {
  const lookUp = createLookup(stored(3));
  const budget = { ...lookupBudget(), compared: 1 };
  const { known, unanswered } = lookUp(
    [0, 1000].map((ts) => ({ series: 0, ts })),
    budget,
  );
  expect([known.length, unanswered]).toEqual([1, 1]);
});

it("leaves unanswered what it would have to look at too many rows for", () => {
  const lookUp = createLookup(stored(20));
  const { known, unanswered } = lookUp(
    [3000, 5000].map((ts) => ({ series: 0, ts })),
    { ...lookupBudget(), spans: 1 },
  );
  expect([known, unanswered]).toEqual([[{ series: 0, ts: 3000, value: 3 }], 1]);
});

it("decodes no further row when those of the step held so many readings", () => {
  const lookUp = createLookup(stored(20));
  const lookups = [3000, 5000].map((ts) => ({ series: 0, ts }));
  expect(lookUp(lookups, { ...lookupBudget(), decoded: 1 })).toEqual({ known: [{ series: 0, ts: 3000, value: 3 }], unanswered: 1 });
  // What is decoded already costs nothing.
  expect(lookUp(lookups.slice(0, 1), { ...lookupBudget(), decoded: 0 }).known.length).toBe(1);
});
