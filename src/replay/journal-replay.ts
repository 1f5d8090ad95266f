// Exact replay: the journal's rows through the engine, as they were stepped live, from a kept snapshot or the journal's begin.
// With `substitute` other plans stand in for those in force. Reads only, a page at a time, and holds no read transaction for long.

import type { Engine } from "../engine/contract.ts";
import type { Effects } from "../engine/effect.ts";
import { createEngine } from "../engine/engine.ts";
import type { Input } from "../engine/input.ts";
import type { RulePlan } from "../engine/rule.ts";
import type { DurationMs, EpochMs, UptimeMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { hashEffects } from "../storage/commit.ts";
import type { Database } from "../storage/database.ts";
import { decodeRow, readPlanHashes } from "../storage/journal.ts";
import { unpackPart } from "../storage/parts.ts";
import { planReader, toInput } from "../storage/recovery.ts";
import { listSnapshots, readSnapshotAt } from "../storage/snapshot.ts";

/** The rows that arrived within a time. */
export type JournalRange = {
  readonly from: EpochMs;
  readonly to: EpochMs;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Listening time of the row after the last: until then the gateway listened at most. */
  readonly nextUp: UptimeMs | undefined;
};
/** Where a replay starts: after the row `seq`, with its snapshot; 0: at the journal's begin. `at`: of that row; null at the begin. */
export type Base = { readonly seq: number; readonly at: EpochMs | null };

/** Other plans instead of those in force; gives the same plan for the same plan. */
export type Substitute = (inForce: RulePlan) => RulePlan;

export type ReplayedRow = { readonly seq: number; readonly at: EpochMs; readonly count: number; readonly effects: Effects; readonly isSame: boolean };

type Row = { seq: number; at: number; up: number; count: number; body: Uint8Array; effects: Uint8Array };
const PAGE = 64;

/** @returns undefined when nothing arrived between `from`, inclusive, and `to`, exclusive */
export function findRange(db: Database, from: EpochMs, to: EpochMs): JournalRange | undefined {
  const found = db
    .prepare<[number, number], { first: number | null; last: number | null }>(
      "SELECT min(seq) AS first, max(seq) AS last FROM journal WHERE at >= ? AND at < ?",
    )
    .get(from, to);
  if (found === undefined || found.first === null || found.last === null) return undefined;
  const nextUp = db.prepare<[number], number>("SELECT up FROM journal WHERE seq > ? ORDER BY seq LIMIT 1").pluck().get(found.last);
  return { from, to, firstSeq: found.first, lastSeq: found.last, nextUp };
}

/** How many readings lie in the rows after one, through another. */
export const countReadings = (db: Database, after: number, through: number): number =>
  db.prepare<[number, number], number>("SELECT coalesce(sum(count), 0) FROM journal WHERE seq > ? AND seq <= ?").pluck().get(after, through) ?? 0;

/**
 * The latest beginning before a row; with `lead` the latest that is so much earlier than `at`, or else the earliest.
 * @returns undefined when rows before are gone and no snapshot of then is kept
 */
export function findBase(db: Database, firstSeq: number, at: EpochMs, lead: DurationMs = 0): Base | undefined {
  const first = db.prepare<[], number | null>("SELECT min(seq) FROM journal").pluck().get() ?? 1;
  const begin: Base[] = first === 1 ? [{ seq: 0, at: null }] : [];
  const usable: Base[] = [...begin, ...listSnapshots(db).filter(({ seq }) => seq < firstSeq && seq >= first - 1)];
  const early = lead === 0 ? usable : usable.filter((base) => base.at === null || base.at <= at - lead);
  return early.at(-1) ?? usable[0];
}

/** The engine as it was then. @throws GatewayError `snapshot_unreadable` */
export function engineAt(db: Database, { seq }: Base): Engine {
  const engine = createEngine();
  if (seq === 0) return engine;
  try {
    // In one transaction: a gateway that runs may drop what is not the first of its day.
    const parts = db.transaction(() => [...readSnapshotAt(db, seq)])();
    const outcome = engine.restore(parts.map(({ part, body }) => ({ part, saved: unpackPart(body) })));
    if (outcome === "other_version") throw new Error("its state has another version");
  } catch (cause) {
    throw new GatewayError("snapshot_unreadable", `the snapshot of row ${seq} cannot be read: ${(cause as Error).message}`, {
      hint: "another release may have written it; try --by-event-time",
      cause,
    });
  }
  return engine;
}

/** The plans in force after a beginning, through a row; each once. */
export function plansInForce(db: Database, engine: Engine, base: Base, lastSeq: number): RulePlan[] {
  const hashes = new Set<string>();
  const start = engine.planHash();
  if (start !== undefined) hashes.add(start);
  for (const { body } of rowsOf(db, base.seq, lastSeq)) for (const hash of readPlanHashes(body)) hashes.add(hash);
  return [...hashes].map(planReader(db));
}

function* rowsOf(db: Database, after: number, through: number): Generator<Row> {
  const page = db.prepare<[number, number], Row>(`SELECT seq, at, up, count, body, effects FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ${PAGE}`);
  let last = after;
  for (let rows = page.all(last, through); rows.length > 0; rows = page.all(last, through)) {
    yield* rows;
    last = (rows.at(-1) as Row).seq;
  }
}

export type JournalReplay = { readonly engine: Engine; readonly base: Base; readonly range: JournalRange; readonly substitute?: Substitute };

/**
 * Steps the rows after the base through the end of the range; the first ones only warm up.
 * @param visit each row, in order. `isSame`: its effects are those of the live run, byte for byte; never with `substitute`
 */
export function replayJournal(db: Database, { engine, base, range, substitute }: JournalReplay, visit: (row: ReplayedRow) => void): void {
  const plans = planReader(db);
  const change = substitution(substitute);
  const inForce = engine.planHash();
  let [at, up] = [base.at ?? 0, engine.up()];
  if (substitute !== undefined && inForce !== undefined) {
    engine.step([change({ kind: "rules", at, up, plan: plans(inForce) })], { now: at, up });
  }
  for (const row of rowsOf(db, base.seq, range.lastSeq)) {
    [at, up] = [row.at, row.up];
    const inputs = decodeRow(row.body).map((input) => change(toInput(input, plans)));
    const effects = engine.step(inputs, { now: at, up });
    visit({ seq: row.seq, at, count: row.count, effects, isSame: substitute === undefined && hashEffects(effects).equals(row.effects) });
  }
  if (substitute === undefined || range.nextUp === undefined) return;
  // Live, what the other rules had woken the engine for would be a row of its own; here it shows when time goes on to the end.
  const last = range.to - 1;
  const effects = engine.step([], { now: last, up: Math.max(up, Math.min(up + (last - at), range.nextUp)) });
  visit({ seq: range.lastSeq, at: last, count: 0, effects, isSame: false });
}

/** Puts plans in place of plans; the same again is no change of the rules. */
function substitution(substitute: Substitute | undefined): (input: Input) => Input {
  if (substitute === undefined) return (input) => input;
  let inForce: string | undefined;
  return (input) => {
    if (input.kind !== "rules") return input;
    const plan = substitute(input.plan);
    const isAgain = plan.hash === inForce;
    inForce = plan.hash;
    return isAgain ? { kind: "clock", at: input.at, up: input.up } : { ...input, plan };
  };
}
