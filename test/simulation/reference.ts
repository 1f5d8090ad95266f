// The engine that never crashed: it steps every row of the journal, from the first, once. What the gateway stored must be what it
// gives: the hash of each row's effects, verdicts, transitions, alerts, pending conditions, notifications, dead letters.

import type { Engine } from "../../src/engine/contract.ts";
import type { NotificationRecord } from "../../src/engine/dispatch/record.ts";
import type { AlertRecord, PendingRecord, Transition } from "../../src/engine/effect.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { type AlertRow, type TransitionRow, toAlert, toTransition } from "../../src/storage/alert-rows.ts";
import { hashEffects } from "../../src/storage/commit.ts";
import type { Database } from "../../src/storage/database.ts";
import { decodeColumns, decodeRow } from "../../src/storage/journal.ts";
import { planReader, toInput } from "../../src/storage/recovery.ts";
import type { Ledger } from "./ledger.ts";

type Row = { seq: number; at: number; up: number; body: Uint8Array; effects: Uint8Array };
type NotificationRow = Omit<NotificationRecord, "disposition" | "members"> & {
  disposition: string;
  created_at: number;
  created_seq: number;
  attempts: number;
  ended_at: number | null;
};

/** @param ledger is told of every reading of the journal */
export function createReference(ledger: Ledger) {
  const engine: Engine = createEngine();
  const transitions = new Map<string, Transition & { at: number }>();
  const alerts = new Map<string, AlertRecord>();
  const pending = new Map<string, PendingRecord>();
  const notifications = new Map<string, Made>();
  const dead = new Map<string, number>();
  let [seq, at] = [0, 0];

  function step(row: Row, db: Database): string[] {
    const plans = planReader(db);
    const inputs = decodeRow(row.body).map((input) => toInput(input, plans));
    const effects = engine.step(inputs, { now: row.at, up: row.up });
    account(inputs, row, ledger);
    [seq, at] = [row.seq, row.at];
    for (const each of effects.transitions) transitions.set(`${each.alert} ${each.ordinal}`, { ...each, at: row.at });
    for (const each of effects.alerts) alerts.set(each.id, each);
    for (const each of effects.pending) {
      if (each.since === null) pending.delete(`${each.rule} ${each.series}`);
      else pending.set(`${each.rule} ${each.series}`, each);
    }
    for (const each of effects.notifications) {
      const { created_at = row.at, created_seq = row.seq } = notifications.get(each.id) ?? {};
      notifications.set(each.id, asMade({ ...each, created_at, created_seq }));
    }
    for (const each of effects.dead) if (!dead.has(each.notification)) dead.set(each.notification, row.at);
    return hashEffects(effects).equals(row.effects) ? [] : [`row ${row.seq}: an engine that never crashed decides otherwise`];
  }

  return {
    engine,
    at: () => at,
    alerts,
    dead,
    /** Steps what is new. @returns where the gateway decided otherwise */
    catchUp(db: Database): string[] {
      const found: string[] = [];
      const rows = db.prepare<[number], Row>("SELECT seq, at, up, body, effects FROM journal WHERE seq > ? ORDER BY seq").all(seq);
      for (const row of rows) {
        if (row.seq !== seq + 1) found.push(`row ${row.seq} follows row ${seq}`);
        found.push(...step(row, db));
      }
      return found;
    },
    /** @returns where the tables differ from what came of the journal */
    problems(db: Database): string[] {
      return [
        ...differences(
          "transition",
          transitions,
          db.prepare<[], TransitionRow>("SELECT * FROM transition").all().map(toTransition),
          (each) => `${each.alert} ${each.ordinal}`,
        ),
        ...differences("alert", alerts, db.prepare<[], AlertRow>("SELECT * FROM alert").all().map(toAlert), ({ id }) => id),
        ...differences("pending", pending, pendingRows(db), (each) => `${each.rule} ${each.series}`),
        ...differences("notification", notifications, notificationRows(db).map(asMade), ({ id }) => id),
        ...deadProblems(db, dead),
        ...standingProblems(engine, alerts, pending),
      ];
    },
  };
}

/** Every reading of a row goes into the ledger. */
function account(inputs: readonly Input[], row: Row, ledger: Ledger): void {
  const batches = inputs.flatMap((input) => (input.kind === "readings" ? [input.batch] : []));
  for (const { defined, rejected } of batches) {
    for (const { id, labels } of defined) ledger.define(id, labels);
    ledger.rejected(Object.values(rejected).reduce((sum, count) => sum + count, 0));
  }
  const sent = batches.filter(({ series }) => series.length > 0);
  decodeColumns(row.body).forEach((columns, group) => {
    for (let index = 0; index < columns.count; index++) {
      const isTimeless = Number.isNaN(sent[group]?.ts[index]);
      const mark = (columns.verdict[index] as number) | (isTimeless ? 0x80 : 0);
      ledger.stored(columns.series[index] as number, columns.ts[index] as number, columns.value[index] as number, mark);
    }
  });
}

const notificationRows = (db: Database): NotificationRow[] => db.prepare<[], NotificationRow>("SELECT * FROM notification").all();

type Made = Omit<NotificationRecord, "disposition" | "heldUntil" | "members"> & Pick<NotificationRow, "created_at" | "created_seq">;
const asMade = ({ id, alert, ordinal, receiver, channel, seq, state, kind, cause, line, created_at, created_seq }: Made): Made => {
  return { id, alert, ordinal, receiver, channel, seq, state, kind, cause, line, created_at, created_seq };
};

function differences<Item>(what: string, made: ReadonlyMap<string, Item>, stored: readonly Item[], keyOf: (item: Item) => string): string[] {
  const found: string[] = [];
  const missing = new Set(made.keys());
  for (const item of stored) {
    const key = keyOf(item);
    missing.delete(key);
    const expected = made.get(key);
    if (expected === undefined) found.push(`${what} ${key} is stored, but nothing made it`);
    else if (!isWithin(item, expected)) found.push(`${what} ${key} is ${canonical(item)}, not ${canonical(expected)}`);
  }
  for (const key of missing) found.push(`${what} ${key} is not stored`);
  return found;
}

/** Whether all that is stored is as it was made; what is not stored is no difference. */
const isWithin = (stored: unknown, made: unknown): boolean => {
  const known = Object.keys(stored as object).filter((name) => name in (made as object));
  return known.every((name) => canonical((stored as Record<string, unknown>)[name]) === canonical((made as Record<string, unknown>)[name]));
};

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );

const pendingRows = (db: Database): PendingRecord[] =>
  db
    .prepare<[], PendingRecord & { labels: string }>("SELECT * FROM pending")
    .all()
    .map((row) => ({ ...row, labels: JSON.parse(row.labels) }));

function deadProblems(db: Database, dead: ReadonlyMap<string, number>): string[] {
  const rows = notificationRows(db).filter(({ disposition }) => disposition === "dead");
  return rows.filter(({ id }) => !dead.has(id)).map(({ id }) => `notification ${id} is dead, but no input said so`);
}

/** The alerts that the engine holds are those that the tables hold. */
function standingProblems(engine: Engine, alerts: ReadonlyMap<string, AlertRecord>, pending: ReadonlyMap<string, PendingRecord>): string[] {
  const held: string[] = [];
  engine.series().forEach((_, series) => {
    for (const { rule, state } of engine.standing(series)) if (state !== "inactive") held.push(`${rule} ${series} ${state}`);
  });
  const stored = [...alerts.values()].flatMap(({ rule, series, state }) => (state === "resolved" || series < 0 ? [] : [`${rule} ${series} ${state}`]));
  stored.push(...[...pending.values()].flatMap(({ rule, series }) => (series < 0 ? [] : [`${rule} ${series} pending`])));
  const [left, right] = [held.sort().join("; "), stored.sort().join("; ")];
  return left === right ? [] : [`the engine holds ${left}; the tables ${right}`];
}
