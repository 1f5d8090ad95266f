// What must hold at the end of a run, when everything was sent, all windows have closed in silence and the gateway has ended:
// rollups that count what history holds, and a state that is the same bit for bit, crashed or not.

import type { Engine } from "../../src/engine/contract.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import type { Saved } from "../../src/engine/state.ts";
import { floorMod } from "../../src/engine/units.ts";
import type { Database } from "../../src/storage/database.ts";
import { isHistory } from "../../src/storage/journal.ts";
import { recover } from "../../src/storage/recovery.ts";
import { decodeRollup } from "../../src/storage/rollups.ts";
import type { Ledger } from "./ledger.ts";

const tiers = [60_000, 3_600_000];

/** @returns where the rollups and history differ; every bucket must have closed */
export function rollupProblems(db: Database, ledger: Ledger): string[] {
  const expected = new Map<string, number[]>();
  const keys = ledger.keys();
  const journal = ledger.journal();
  keys.forEach((key, series) => {
    for (const [ts, stored] of journal.get(key) ?? []) {
      // A reading that was taken twice, because looking it up cost too much, counts twice here.
      const values = stored.filter(({ verdict }) => isHistory(verdict)).map(({ value }) => value);
      for (const tier of tiers) {
        const bucket = `${tier} ${series} ${ts - floorMod(ts, tier)}`;
        const known = expected.get(bucket);
        if (known === undefined) expected.set(bucket, [...values]);
        else known.push(...values);
      }
    }
  });
  const found: string[] = [];
  const rows = db.prepare<[], { tier: number; series: number; start: number; dirty: number; body: Uint8Array }>("SELECT * FROM rollup").all();
  for (const { tier, series, start, dirty, body } of rows) {
    const bucket = `${tier} ${series} ${start}`;
    const { count, min, max } = decodeRollup(body, start);
    const values = expected.get(bucket) ?? [];
    expected.delete(bucket);
    const [least, most] = [Math.min(...values), Math.max(...values)];
    if (count !== values.length || (count > 0 && (min !== least || max !== most)))
      found.push(`rollup ${bucket}${dirty === 1 ? " (dirty)" : ""} says ${count}, ${min} to ${max}; history ${values.length}, ${least} to ${most}`);
  }
  for (const [bucket, values] of expected) if (values.length > 0) found.push(`rollup ${bucket} is missing; history has ${values.length}`);
  return found;
}

/** @returns where an engine that was recovered differs from one that never crashed; both are of no use afterwards */
export function stateProblems(db: Database, plan: RulePlan, neverCrashed: Engine, at: number): string[] {
  const recovered = createEngine();
  const { differing } = recover(db, recovered);
  const found = differing.map((seq) => `row ${seq} was decided otherwise when it was recovered`);
  const up = Math.max(recovered.up(), neverCrashed.up());
  const [left, right] = [stateOf(recovered, plan, at, up), stateOf(neverCrashed, plan, at, up)];
  if (left.length !== right.length) found.push(`${left.length} parts recovered, ${right.length} without a crash`);
  left.forEach((part, index) => {
    const other = right[index];
    const difference = other && firstDifference(part, other);
    if (difference !== undefined) found.push(`part ${index} differs: ${difference}`);
  });
  return found;
}

/** The whole state: the rules once more touch every series, so that every part is saved. How many steps there were is no state. */
function stateOf(engine: Engine, plan: RulePlan, at: number, up: number): Saved[] {
  engine.step([{ kind: "rules", at, up, plan }], { now: at, up });
  engine.beginSnapshot();
  const parts: Saved[] = [];
  for (;;) {
    const { part, saved, isLast } = engine.nextSnapshotPart();
    if (saved === undefined) throw new Error(`part ${part} of the state is not whole`);
    parts.push(part === 0 ? { ...saved, numbers: saved.numbers.map((value, index) => (index === STEP ? 0 : value)) } : saved);
    if (isLast) return parts;
  }
}

/** Where part 0 counts the steps. */
const STEP = 3;

function firstDifference(left: Saved, right: Saved): string | undefined {
  const text = left.texts.findIndex((each, index) => each !== right.texts[index]);
  if (text >= 0 || left.texts.length !== right.texts.length) return `text ${text}: ${left.texts[text]} against ${right.texts[text]}`;
  const number = left.numbers.findIndex((each, index) => !Object.is(each, right.numbers[index]));
  if (number >= 0 || left.numbers.length !== right.numbers.length) return `number ${number}: ${left.numbers[number]} against ${right.numbers[number]}`;
  return undefined;
}
