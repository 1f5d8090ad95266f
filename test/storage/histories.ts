// Random lives of a store, for properties: readings in any order, pauses, runs of compaction and packing of which some are killed.

import fc from "fast-check";
import { expect } from "vitest";
import { type CompactionReport, runCompaction } from "../../src/batch/jobs/compaction.ts";
import type { Emit } from "../../src/batch/jobs/emitter.ts";
import { utc } from "../../src/engine/calendar.ts";
import { HOUR_MS } from "../../src/storage/rollups.ts";
import type { Recorder, Sent } from "./recorder.ts";

const DAY_MS = 24 * HOUR_MS;
export const start = Date.UTC(2024, 2, 29, 20);
export const devices = ["a", "b"] as const;

/** @param after how long after the newest reading it is done: what is old enough is packed */
export const pack = (store: Recorder, after = 0, emit: Emit = store.finish): Promise<CompactionReport> =>
  runCompaction(store.db, { zone: utc, now: store.now() + after, heldMax: 30, packs: true }, emit);

/** Takes so many rows and no more, as a process that is killed. */
export function killedAfter(store: Recorder, rows: number): Emit {
  let left = rows;
  return (emitted) => {
    store.finish(emitted.slice(0, left));
    left -= emitted.length;
    if (left < 0) throw new Error("killed");
  };
}

const reading = fc.record({
  device: fc.constantFrom(...devices),
  hop: fc.oneof(
    fc.integer({ min: 0, max: 30_000 }),
    fc.integer({ min: -90_000, max: 120_000 }),
    fc.integer({ min: -3 * HOUR_MS, max: 3 * HOUR_MS }),
    fc.constant(0),
  ),
  value: fc.oneof(
    fc.integer({ min: -300, max: 300 }).map((tenths) => tenths / 10),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  ),
});
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("readings" as const), list: fc.array(reading, { minLength: 1, maxLength: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pause" as const), ms: fc.integer({ min: 1000, max: 2 * HOUR_MS }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("pack" as const), after: fc.constantFrom(0, HOUR_MS, 2 * DAY_MS), killAfter: fc.option(fc.nat(30)) }),
  },
);
export const histories = fc.array(step, { minLength: 1, maxLength: 40 });
export type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

export async function live(store: Recorder, steps: readonly Step[]): Promise<void> {
  let ts = start;
  for (const each of steps) {
    if (each.kind === "pause") store.silence(each.ms);
    else if (each.kind === "readings") {
      store.receive(
        each.list.map(({ device, hop, value }): Sent => {
          ts += hop;
          return { device, ts, value };
        }),
      );
    } else {
      const emit = each.killAfter === null ? store.finish : killedAfter(store, each.killAfter);
      await pack(store, each.after, emit).catch((error: Error) => expect(error.message).toBe("killed"));
    }
  }
}
