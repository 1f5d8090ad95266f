// The one transaction: inputs with verdicts, series, rollups, transitions, alerts, notifications, finished rows and snapshot
// parts, together or not at all. It retries nothing itself: the pipeline calls again with the same seq, and a seq that is
// there already is success.

import { hash } from "node:crypto";
import type { Effects, RollupBucket } from "../engine/effect.ts";
import type { Input } from "../engine/input.ts";
import type { EpochMs } from "../engine/units.ts";
import { createAlertWriter } from "./alerts.ts";
import type { Database } from "./database.ts";
import { createFinishedWriter, type FinishedRow } from "./finished.ts";
import { encodeRow, spanSecond } from "./journal.ts";
import { createRollupWriter } from "./rollups.ts";
import { createSnapshotStore, type SnapshotPart } from "./snapshot.ts";

export type Commit = {
  /** The journal row; undefined when there are only finished rows or snapshot parts to write. */
  readonly step: { readonly seq: number; readonly inputs: readonly Input[]; readonly effects: Effects; readonly now: EpochMs } | undefined;
  readonly finished: readonly FinishedRow[];
  /** Rows of a job, of which a commit takes as many as fit; at least one. */
  readonly work?: { readonly rows: readonly FinishedRow[]; readonly mayGoOn: () => boolean } | undefined;
  readonly snapshot: { readonly seq: number; readonly parts: readonly SnapshotPart[]; readonly isLast: boolean } | undefined;
};

/** @returns a function that commits, and says how many rows of the job it took; it throws SQLite's error when nothing was written */
export function createCommitter(db: Database): (commit: Commit) => number {
  const has = db.prepare<[number], number>("SELECT 1 FROM journal WHERE seq = ?").pluck();
  const writeStep = createStepWriter(db);
  const writeRow = createFinishedWriter(db);
  const snapshots = createSnapshotStore(db);
  const writeWork = ({ rows, mayGoOn }: NonNullable<Commit["work"]>): number => {
    let taken = 0;
    do writeRow(rows[taken++] as FinishedRow);
    while (taken < rows.length && mayGoOn());
    return taken;
  };
  return db.transaction(({ step, finished, snapshot, work }: Commit) => {
    if (step !== undefined && has.get(step.seq) === 1) return 0;
    if (step !== undefined) writeStep(step);
    for (const row of finished) writeRow(row);
    for (const part of snapshot?.parts ?? []) snapshots.writePart((snapshot as NonNullable<typeof snapshot>).seq, part);
    if (snapshot?.isLast) snapshots.complete(snapshot.seq);
    return work === undefined || work.rows.length === 0 ? 0 : writeWork(work);
  }).immediate;
}

function createStepWriter(db: Database): (step: NonNullable<Commit["step"]>) => void {
  const insertRow = db.prepare("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const insertSpan = db.prepare("INSERT INTO journal_span VALUES (?, ?, ?)");
  const insertSeries = db.prepare("INSERT INTO series VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET source = excluded.source");
  const writePlan = createPlanWriter(db);
  const writeRollups = createRollupWriter(db);
  const writeAlerts = createAlertWriter(db);
  return ({ seq, inputs, effects, now }) => {
    for (const input of inputs) {
      if (input.kind === "rules") writePlan(input);
      if (input.kind !== "readings") continue;
      for (const { id, labels, source } of input.batch.defined) insertSeries.run(id, JSON.stringify(labels), source);
    }
    const last = inputs.at(-1) as Input;
    const row = encodeRow(inputs, effects.verdicts, effects.ts);
    insertRow.run(seq, last.at, last.up, row.minTs, row.maxTs, row.count, row.series, row.body, hashEffects(effects));
    if (row.minTs !== null && row.maxTs !== null) insertSpan.run(seq, spanSecond(row.minTs), spanSecond(row.maxTs));
    writeRollups(effects.rollups, effects.dirty, seq);
    writeAlerts(effects, { seq, now });
  };
}

/** A plan is kept once; each time that it comes into force is noted. */
function createPlanWriter(db: Database): (input: Extract<Input, { kind: "rules" }>) => void {
  const keep = db.prepare("INSERT OR IGNORE INTO rule_version VALUES (?, ?, ?)");
  const note = db.prepare(
    "INSERT INTO rules_in_force (at, plan) SELECT @at, @hash WHERE @hash IS NOT (SELECT plan FROM rules_in_force ORDER BY number DESC LIMIT 1)",
  );
  return ({ at, plan }) => {
    keep.run(plan.hash, at, JSON.stringify(plan));
    note.run({ at, hash: plan.hash });
  };
}

/** Eight bytes over everything that a step gives back; recovery compares them to find a release that decides otherwise. */
export function hashEffects(effects: Effects): Buffer {
  const { verdicts, ts, rollups, ...rest } = effects;
  const columns = [...verdicts, ...ts, figuresOf(rollups)].map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength));
  const isQuiet = Object.values(rest).every((list) => list.length === 0);
  const bytes = isQuiet ? columns : [...columns, Buffer.from(JSON.stringify(rest))];
  return hash("sha1", Buffer.concat(bytes), "buffer").subarray(0, 8);
}

const ROLLUP_FIGURES = 14;

/** Of the many buckets that close together all numbers; as JSON they would cost more than the rest of a step. */
function figuresOf(rollups: readonly RollupBucket[]): Float64Array {
  const column = new Float64Array(rollups.length * ROLLUP_FIGURES);
  let at = 0;
  for (const { tier, series, start, values } of rollups) {
    const { count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area } = values;
    // Not every NaN has the same bits.
    for (const figure of [tier, series, start, count, sum, min, max, first, firstTs, last, lastTs, mean, m2, area]) column[at++] = figure || 0;
  }
  return column;
}
