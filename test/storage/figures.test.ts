// What the engine gives is what the store takes: no figure that it decides about is NaN, which SQLite would refuse as NULL.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { createCommitter } from "../../src/storage/commit.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { MINUTE, plan, rule, SECOND, SOURCE } from "../engine/harness.ts";

const opened: { db: Database; dir: string }[] = [];
afterEach(() => {
  for (const { db, dir } of opened.splice(0)) {
    db.close();
    rmSync(dir, { recursive: true });
  }
});

/** Steps and commits. @returns state and value of each transition as they are stored */
function committed(rulePlan: ReturnType<typeof plan>, readings: readonly (readonly [ts: number, value: number])[], silence: number): unknown[] {
  const dir = mkdtempSync(join(tmpdir(), "highwater-figures-"));
  const db = openDatabase(dir, { readonly: false });
  opened.push({ db, dir });
  const inputs: Input[] = [{ kind: "rules", at: 0, up: 0, plan: rulePlan }];
  readings.forEach(([ts, value], index) => {
    const defined = index === 0 ? [{ id: 0, labels: { device: "a", metric: "b" }, source: SOURCE }] : [];
    const batch = { series: Uint32Array.of(0), ts: Float64Array.of(ts), value: Float64Array.of(value), defined, rejected: {} };
    inputs.push({ kind: "readings", at: ts, up: ts, batch });
  });
  const last = (readings.at(-1)?.[0] ?? 0) + silence;
  inputs.push({ kind: "clock", at: last, up: last });
  const effects = createEngine().step(inputs, { now: last, up: last });
  createCommitter(db)({ step: { seq: 1, inputs, effects, now: last }, finished: [], snapshot: undefined });
  return db.prepare<[], { to: string; value: number }>(`SELECT "to", value FROM transition ORDER BY at, ordinal`).all();
}

it("an absence before anything was evaluated has the value that was heard last", () => {
  const rules = [rule({ condition: { type: "absence", after: "60s" } })];
  const stored = committed(
    plan(rules, { outOfOrdernessMs: 10 * MINUTE }),
    [
      [0, 7],
      [SECOND, 8],
    ],
    2 * MINUTE,
  );
  expect(stored).toEqual([{ to: "firing", value: 8 }]);
});

it("a sum beyond the largest number is infinite; its average is not", () => {
  const huge = Number.MAX_VALUE;
  for (const [aggregate, value] of [
    ["sum", Number.POSITIVE_INFINITY],
    ["avg", huge],
  ] as const) {
    const rules = [rule({ condition: { type: "window", window: { tumbling: "10s" }, aggregate, above: 10 } })];
    const readings = [
      [0, huge],
      [SECOND, huge],
      [11 * SECOND, 1],
      [21 * SECOND, 1],
    ] as const;
    expect(committed(plan(rules), readings, MINUTE)).toEqual([
      { to: "firing", value },
      { to: "resolved", value: 1 },
    ]);
  }
});

it("a sum that is no number judges nothing", () => {
  const huge = Number.MAX_VALUE;
  const rules = [rule({ condition: { type: "window", window: { hopping: "20s", slide: "10s" }, aggregate: "sum", above: 10 } })];
  const readings = [
    [0, 20],
    [10 * SECOND, -huge],
    [11 * SECOND, -huge],
    [20 * SECOND, huge],
    [21 * SECOND, huge],
    [30 * SECOND, 1],
  ] as const;
  expect(committed(plan(rules), readings, MINUTE).every((row) => (row as { value: unknown }).value !== null)).toBe(true);
});
