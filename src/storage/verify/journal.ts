// Checks of what recovery and replay read: rows of the journal decode, hold what their columns say, and follow each other without a hole;
// the plans that they name are kept; the snapshots that stand have all their parts, and the journal goes on from
// the newest.

import type { EpochMs } from "../../engine/units.ts";
import type { Database } from "../database.ts";
import { decodeColumns, decodeRow, isHistory, type ReadingColumns, seriesIn, spanSecond } from "../journal.ts";
import { brokenJournal } from "../journal-ends.ts";
import { unpackPart } from "../parts.ts";
import { type Checked, type Found, reasonIn, restore, rowsByKey } from "./problem.ts";

type Row = {
  readonly key: number;
  readonly at: EpochMs;
  readonly minTs: EpochMs | null;
  readonly maxTs: EpochMs | null;
  readonly count: number;
  readonly series: Uint8Array;
  readonly body: Uint8Array;
  readonly minS: number | null;
  readonly maxS: number | null;
};

export function checkJournal(db: Database, found: Found, checked: Checked): void {
  const [oldest, total] = [
    db.prepare<[], number | null>("SELECT min(seq) FROM journal").pluck(),
    db.prepare<[], number>("SELECT count(*) FROM journal").pluck(),
  ];
  const hasPlan = createPlanCheck(db);
  const of = total.get() ?? 0;
  let [done, last] = [0, undefined as number | undefined];
  const rows = rowsByKey<Row>(
    db,
    `SELECT journal.seq AS key, at, min_ts AS minTs, max_ts AS maxTs, count, series, body, min_s AS minS, max_s AS maxS
     FROM journal LEFT JOIN journal_span ON journal_span.seq = journal.seq WHERE journal.seq > ? ORDER BY journal.seq LIMIT ?`,
  );
  for (const some of rows) {
    for (const row of some) {
      // What retention took meanwhile is no hole.
      if (last !== undefined && row.key !== last + 1 && (oldest.get() ?? row.key) <= last)
        found({ kind: "journal", place: { seq: row.key }, what: `rows ${last + 1} to ${row.key - 1} are missing`, mend: restore });
      last = row.key;
      for (const what of wrongIn(row, hasPlan)) found({ ...what, place: { seq: row.key }, mend: restore });
    }
    done += some.length;
    checked(done, of);
  }
}

type Wrong = { readonly kind: "journal" | "plan"; readonly what: string };

function wrongIn(row: Row, hasPlan: (hash: string) => boolean): Wrong[] {
  try {
    const inputs = decodeRow(row.body);
    const plans = inputs.flatMap((input) => (input.kind === "rules" && !hasPlan(input.hash) ? [input.hash] : []));
    const what = inputs.at(-1)?.at === row.at ? wrongColumns(row, decodeColumns(row.body)) : "is of another time than its row says";
    const missing = plans.map((hash): Wrong => ({ kind: "plan", what: `the rules ${hash.slice(0, 12)}, which it put in force, are not kept` }));
    return what === undefined ? missing : [{ kind: "journal", what }, ...missing];
  } catch (error) {
    return [{ kind: "journal", what: `cannot be read: ${reasonIn(error)}` }];
  }
}

function wrongColumns({ minTs, maxTs, count, series, minS, maxS }: Row, columns: readonly Omit<ReadingColumns, "seq">[]): string | undefined {
  let [min, max, readings] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  const ids = new Set<number>();
  for (const each of columns) {
    readings += each.count;
    for (let index = 0; index < each.count; index += 1) {
      if (!isHistory(each.verdict[index] as number)) continue;
      ids.add(each.series[index] as number);
      min = Math.min(min, each.ts[index] as number);
      max = Math.max(max, each.ts[index] as number);
    }
  }
  if (readings !== count) return `holds ${readings} readings, its row says ${count}`;
  const listed = seriesIn(series);
  if (listed.length !== ids.size || !listed.every((id) => ids.has(id))) return "holds other series than its row says";
  if (ids.size === 0) return undefined;
  if (min !== minTs || max !== maxTs) return "begins or ends elsewhere than its row says";
  return minS === spanSecond(min) && maxS === spanSecond(max) ? undefined : "is not found by its time: its span is missing or wrong";
}

function createPlanCheck(db: Database): (hash: string) => boolean {
  const has = db.prepare<[string], number>("SELECT json_valid(plan) FROM rule_version WHERE hash = ?").pluck();
  const known = new Map<string, boolean>();
  return (hash) => {
    const is = known.get(hash) ?? has.get(hash) === 1;
    known.set(hash, is);
    return is;
  };
}

/** Each in one read transaction. */
export function checkSnapshots(db: Database, found: Found): void {
  const seqs = db.prepare<[], number>("SELECT seq FROM snapshot ORDER BY seq").pluck();
  const parts = db.prepare<[number], string>("SELECT parts FROM snapshot WHERE seq = ?").pluck();
  const body = db.prepare<[number, number], Uint8Array>("SELECT body FROM snapshot_part WHERE part = ? AND seq = ?").pluck();
  /** Parts that did not change are shared. */
  const sound = new Set<string>();
  const check = db.transaction((seq: number) => {
    const named = parts.get(seq);
    if (named === undefined) return;
    for (const [part, of] of JSON.parse(named) as [number, number][]) {
      const key = `${part} ${of}`;
      const what = sound.has(key) ? undefined : wrongInPart(body.get(part, of));
      sound.add(key);
      if (what !== undefined) found({ kind: "snapshot", place: { seq }, what: `part ${part} of the snapshot ${what}`, mend: restore });
    }
  });
  for (const seq of seqs.all()) check(seq);
  const broken = db.transaction(() => brokenJournal(db))();
  if (broken !== undefined) found({ kind: "snapshot", place: {}, what: broken, mend: restore });
}

function wrongInPart(body: Uint8Array | undefined): string | undefined {
  if (body === undefined) return "is missing";
  try {
    unpackPart(body);
    return undefined;
  } catch (error) {
    return `cannot be read: ${reasonIn(error)}`;
  }
}
