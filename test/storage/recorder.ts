// A data directory that fills the way the gateway fills it: engine and committer are the real ones, only the broker is left
// out. It keeps what became history in memory too, so that tests can reckon everything again by brute force.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command, CommandAnswer } from "../../src/engine/dispatch/command.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { Input } from "../../src/engine/input.ts";
import { type Labels, VERDICT_MASK } from "../../src/engine/reading.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import { createCommitter } from "../../src/storage/commit.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { type FinishedRow, writeFinished } from "../../src/storage/finished.ts";
import { packPart } from "../../src/storage/parts.ts";
import { SOURCE, snapshotOf } from "../engine/harness.ts";

/** Without a metric: temperature. */
export type Sent = { readonly device: string; readonly metric?: string; readonly ts: number; readonly value: number };
/** By which the recorder knows a series. */
export const keyOf = ({ device, metric = "temperature" }: Pick<Sent, "device" | "metric">): string =>
  metric === "temperature" ? device : `${device}\n${metric}`;
export type Kept = { readonly ts: number; readonly value: number; readonly late: boolean };

export type Recorder = ReturnType<typeof createRecorder>;

/** @param options.answersLookups false: the engine is never told of readings older than its memory, so that repeated ones get in as late */
export function createRecorder(plan: RulePlan, options: { answersLookups?: boolean } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "highwater-store-"));
  const db: Database = openDatabase(dir, { readonly: false });
  db.pragma("synchronous = OFF"); // the machine does not lose power in a test
  const engine = createEngine();
  const commit = createCommitter(db);
  const ids = new Map<string, number>();
  const history = new Map<number, Kept[]>();
  const first = new Map<string, number>();
  let [seq, at, up] = [0, 0, 0];

  const write = (inputs: Input[]) => {
    const effects = engine.step(inputs, { now: at, up });
    seq += 1;
    commit({ step: { seq, inputs, effects, now: at }, finished: [], snapshot: undefined });
    return effects;
  };
  const labelsOf = ({ device, metric = "temperature" }: Pick<Sent, "device" | "metric">): Labels => ({ device, metric });
  write([{ kind: "rules", at, up, plan }]);

  return {
    dir,
    db,
    /** Open a second, read-only connection with this. */
    reader: (): Database => openDatabase(dir, { readonly: true }),
    /** By `keyOf`; of temperature by the device alone. */
    idOf: (key: string): number => ids.get(key) ?? -1,
    seq: (): number => seq,
    /** History in event-time order, each instant once, the first to arrive. */
    kept: (key: string): Kept[] => [...(history.get(ids.get(key) ?? -1) ?? [])].sort((a, b) => a.ts - b.ts),
    /** One commit with these readings, `afterMs` after the one before. */
    receive(sent: readonly Sent[], afterMs = 1000): void {
      at = Math.max(at + afterMs, ...sent.map(({ ts }) => ts));
      up += afterMs;
      const defined = [...new Map(sent.map((each) => [keyOf(each), each]))]
        .filter(([key]) => !ids.has(key))
        .map(([key, each]) => {
          ids.set(key, ids.size);
          return { id: ids.get(key) as number, labels: labelsOf(each), source: SOURCE };
        });
      const series = Uint32Array.from(sent, (each) => ids.get(keyOf(each)) as number);
      const columns = { series, ts: Float64Array.from(sent, ({ ts }) => ts), value: Float64Array.from(sent, ({ value }) => value) };
      const batch = { ...columns, defined, rejected: {} };
      const known =
        (options.answersLookups ?? true)
          ? engine.unknown(batch).flatMap((lookup) => {
              const value = first.get(`${lookup.series} ${lookup.ts}`);
              return value === undefined ? [] : [{ ...lookup, value }];
            })
          : [];
      const effects = write([{ kind: "readings", at, up, batch: { ...batch, known } }]);
      sent.forEach(({ ts, value }, index) => {
        const id = series[index] as number;
        const verdict = (effects.verdicts[0]?.[index] ?? 0) & VERDICT_MASK;
        if (verdict > 1 || first.has(`${id} ${ts}`)) return;
        first.set(`${id} ${ts}`, value);
        const list = history.get(id) ?? [];
        list.push({ ts, value, late: verdict === 1 });
        history.set(id, list);
      });
    },
    /** Nothing arrives for so long; what falls due in silence is committed. */
    silence(ms: number): void {
      at += ms;
      up += ms;
      write([{ kind: "clock", at, up }]);
    },
    /** What somebody asks, `afterMs` after what was before. */
    command(by: string, command: Command, afterMs = 1000): CommandAnswer {
      at += afterMs;
      up += afterMs;
      return write([{ kind: "command", at, up, by, command }]).answers[0] as CommandAnswer;
    },
    now: (): number => at,
    /** A whole snapshot of the engine as it stands, in one commit. */
    snapshot(): void {
      const parts = [...snapshotOf(engine, new Map())].map(([part, saved]) => ({ part, body: packPart(saved) }));
      commit({ step: undefined, finished: [], snapshot: { seq, parts, isLast: true } });
    },
    /** Other rules from now on. */
    use(next: RulePlan): void {
      write([{ kind: "rules", at, up, plan: next }]);
    },
    finish: (rows: readonly FinishedRow[]): void => writeFinished(db, rows),
    close(): void {
      db.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
