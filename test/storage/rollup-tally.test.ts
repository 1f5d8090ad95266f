// How many readings the rollups hold, asked the short way, against the rows themselves: packed ones, fresh ones, and such as lie over each other.

import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { runCompaction } from "../../src/batch/jobs/compaction.ts";
import { utc } from "../../src/engine/calendar.ts";
import { compactedThrough } from "../../src/storage/chunks.ts";
import { createRollupReader, HOUR_MS, MINUTE_MS, type Rollup } from "../../src/storage/rollups.ts";
import { plan } from "../engine/harness.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

const start = Date.UTC(2024, 2, 1, 9);
let open: Recorder | undefined;
afterEach(() => open?.close());

/** Minutes from the start, mostly on, sometimes far back, so that minutes are touched that are packed. */
const minutes = fc.array(fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 20 }) }, { weight: 1, arbitrary: fc.integer({ min: -400, max: -1 }) }), {
  minLength: 1,
  maxLength: 60,
});

it("is what the rows say", async () => {
  let [dirtySeen, packedSeen] = [0, 0];
  await fc.assert(
    fc.asyncProperty(minutes, minutes, fc.nat(400), fc.nat(1500), async (before, after, from, length) => {
      open?.close();
      const store = createRecorder(plan([], { maxFutureMs: 1e15 }));
      open = store;
      let ts = start;
      const receive = (hops: readonly number[]): void => {
        for (const hop of hops) store.receive([{ device: "a", ts: (ts += hop * MINUTE_MS + 1), value: hop }]);
      };
      receive(before);
      await runCompaction(store.db, { zone: utc, now: ts + 3 * HOUR_MS, packs: true }, store.finish);
      receive(after);
      const rollups = createRollupReader(store.db);
      const span = [start + from * MINUTE_MS - 6 * HOUR_MS, start + (from + length) * MINUTE_MS - 6 * HOUR_MS] as const;
      const rows = rollups.rows(MINUTE_MS, 0, ...span);
      packedSeen += rollups.rows(MINUTE_MS, 0, ...span).length - rollups.freshRows(MINUTE_MS, 0, ...span).length;
      dirtySeen += rows.filter(({ isDirty }) => isDirty).length;
      const changedAt = new Map(rollups.freshRows(MINUTE_MS, 0, ...span).map((row) => [row.start, row.seq]));
      for (const through of [store.seq(), compactedThrough(store.db)]) {
        const isLeft = ({ start: at, isDirty }: Rollup): boolean => isDirty || (changedAt.get(at) ?? 0) > through;
        const { count, left } = rollups.tally({ tier: MINUTE_MS, series: 0, from: span[0], to: span[1] }, through);
        expect(count).toBe(rows.filter((row) => !isLeft(row)).reduce((sum, { values }) => sum + values.count, 0));
        expect([...left].sort((a, b) => a - b)).toEqual(rows.filter(isLeft).map(({ start: at }) => at));
      }
    }),
    { numRuns: 60 },
  );
  expect(dirtySeen).toBeGreaterThan(10);
  expect(packedSeen).toBeGreaterThan(10);
});
