// Brings an engine to where the last run ended: the newest snapshot, then the journal rows after it, stepped as they were then.
// Their effects are thrown away; where their hash differs from the stored one, this release decides otherwise, which is said.

import type { Engine } from "../engine/contract.ts";
import type { Input } from "../engine/input.ts";
import type { RulePlan } from "../engine/rule.ts";
import type { EpochMs, UptimeMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { hashEffects } from "./commit.ts";
import type { Database } from "./database.ts";
import { decodeRow, type StoredInput } from "./journal.ts";
import { beginsBy } from "./journal-ends.ts";
import { unpackPart } from "./parts.ts";
import { readSnapshot } from "./snapshot.ts";

export type Recovered = {
  /** Of the last journal row; 0 when there is none. */
  readonly seq: number;
  readonly at: EpochMs;
  readonly up: UptimeMs;
  /** Stepped again since the snapshot. */
  readonly rows: number;
  readonly readings: number;
  /** Rows about which this release decides otherwise. */
  readonly differing: readonly number[];
};

type Row = { seq: number; at: number; up: number; count: number; body: Uint8Array; effects: Uint8Array };

const PAGE = 256;

export function recover(db: Database, engine: Engine): Recovered {
  const snapshot = readSnapshot(db);
  const parts = snapshot === undefined ? [] : [...snapshot.parts].map(({ part, body }) => ({ part, saved: unpackPart(body) }));
  // A snapshot that another release wrote is worth nothing here; the journal is.
  const isRestored = engine.restore(parts) === "restored";
  const page = db.prepare<[number], Row>(`SELECT seq, at, up, count, body, effects FROM journal WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`);
  const plans = planReader(db);
  const differing: number[] = [];
  let [rows, readings, seq] = [0, 0, isRestored ? (snapshot?.seq ?? 0) : 0];
  assertUnbroken(db, seq);
  for (let batch = page.all(seq); batch.length > 0; batch = page.all(seq)) {
    for (const row of batch) {
      const effects = engine.step(
        decodeRow(row.body).map((input) => toInput(input, plans)),
        { now: row.at, up: row.up },
      );
      if (!hashEffects(effects).equals(row.effects)) differing.push(row.seq);
      rows += 1;
      readings += row.count;
      seq = row.seq;
    }
  }
  const last = db.prepare<[], { at: number; up: number }>("SELECT at, up FROM journal ORDER BY seq DESC LIMIT 1").get();
  return { seq, at: last?.at ?? 0, up: engine.up(), rows, readings, differing };
}

/**
 * Retention takes rows away that are before the newest snapshot. Without that snapshot nothing knows what they said: an engine that began
 * anew would give the numbers of series, and of rows, a second time.
 * @throws GatewayError `state_unreadable`
 */
function assertUnbroken(db: Database, seq: number): void {
  if (beginsBy(db, seq)) return;
  throw new GatewayError("state_unreadable", "the engine's state was written by another release, and the journal it could be made of anew is no longer kept", {
    hint: "start the release that wrote this data directory; or restore the backup that was made before the upgrade, and use that release",
  });
}

/** @returns a function that gives the plan of a hash */
export function planReader(db: Database): (hash: string) => RulePlan {
  const read = db.prepare<[string], string>("SELECT plan FROM rule_version WHERE hash = ?").pluck();
  return (hash) => {
    const plan = read.get(hash);
    if (plan === undefined) throw new Error(`the journal names rules ${hash}, which are not stored`);
    return JSON.parse(plan) as RulePlan;
  };
}

export const toInput = (input: StoredInput, plans: (hash: string) => RulePlan): Input =>
  input.kind === "rules" ? { kind: "rules", at: input.at, up: input.up, plan: plans(input.hash) } : input;
