// The audit log: who did what, from where, when and why, and what came of it. Any thread may add rows (as finished rows); none
// changes them. Strangers can add rows by being refused, so repeated refusals are counted in one row and old rows fall off.

import type { EpochMs } from "../engine/units.ts";
import type { Database } from "./database.ts";
import { LIMIT_DEFAULT } from "./query.ts";

/** Rows that are kept, the newest. */
export const AUDIT_ROWS_MAX = 100_000;
/** Rows of them that strangers may make over MQTT: they push out each other, and nothing else. */
const MQTT_ROWS_MAX = 20_000;
/** The same refusal from the same origin within this time is one row. */
const REPEATED_MS = 60_000;
/** Characters of each text that are kept. */
const TEXT_MAX = 500;

export type AuditRow = {
  readonly kind: "audit";
  readonly at: EpochMs;
  /** Name of an account, `token:NAME`, `local` for whoever is on this machine, `""` when it is not known. */
  readonly who: string;
  /** Address, or `cli`. */
  readonly origin: string;
  /** A verb such as `login`, `user add`, `reload`. */
  readonly action: string;
  /** On what; `""` where the action says it all. */
  readonly target: string;
  readonly why: string;
  /** `ok`, or in one word why not: `failed`, `throttled`, `refused`. */
  readonly outcome: string;
};

export type AuditView = Omit<AuditRow, "kind"> & {
  readonly id: number /** Of the last time that it was repeated. */;
  readonly lastAt: EpochMs;
  readonly count: number;
};

/** @returns a function that writes rows; call it within a transaction */
export function createAuditWriter(db: Database): (row: AuditRow) => void {
  const insert = db.prepare(
    `INSERT INTO audit (at, last_at, count, who, origin, action, target, why, outcome)
     VALUES (@at, @at, 1, @who, @origin, @action, @target, @why, @outcome)`,
  );
  const trim = db.prepare(`DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ${AUDIT_ROWS_MAX}`);
  const repeat = db.prepare(
    `UPDATE audit SET count = count + 1, last_at = @at WHERE id = (
       SELECT id FROM audit WHERE outcome <> 'ok' AND origin = @origin AND action = @action AND at BETWEEN @at - ${REPEATED_MS} AND @at
         AND who = @who AND target = @target AND outcome = @outcome AND why = @why ORDER BY at DESC LIMIT 1)`,
  );
  const oldestMqtt = db.prepare(
    "DELETE FROM audit WHERE id = (SELECT min(id) FROM audit WHERE action LIKE 'mqtt %') AND (SELECT count(*) FROM audit WHERE action LIKE 'mqtt %') > @most",
  );
  const cut = (text: string): string => text.slice(0, TEXT_MAX);
  return ({ at, who, origin, action, target, why, outcome }) => {
    const row = { at, who: cut(who), origin: cut(origin), action: cut(action), target: cut(target), why: cut(why), outcome: cut(outcome) };
    if (row.outcome !== "ok" && repeat.run(row).changes > 0) return;
    insert.run(row);
    if (row.action.startsWith("mqtt ")) oldestMqtt.run({ most: MQTT_ROWS_MAX });
    trim.run();
  };
}

type AuditRequest = { readonly limit?: number; readonly cursor?: string; readonly who?: string; readonly action?: string };

/** Newest first; the cursor is the id of the last row of a page. */
export function answerAudit(db: Database, { limit = LIMIT_DEFAULT, cursor, who, action }: AuditRequest): { audit: AuditView[]; cursor: string | null } {
  const filters = ["id < @before", ...(who === undefined ? [] : ["who = @who"]), ...(action === undefined ? [] : ["action = @action"])];
  const rows = db
    .prepare<unknown[], AuditView>(
      `SELECT id, at, last_at AS lastAt, count, who, origin, action, target, why, outcome FROM audit
       WHERE ${filters.join(" AND ")} ORDER BY id DESC LIMIT @limit`,
    )
    .all({
      before: cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor),
      limit: limit + 1,
      ...(who !== undefined && { who }),
      ...(action !== undefined && { action }),
    });
  const audit = rows.slice(0, limit);
  return { audit, cursor: rows.length > limit ? String(audit.at(-1)?.id) : null };
}
