// What a series remembers of its readings: each found again with its value as long as it is not forgotten, and only what may be forgotten is.

import fc from "fast-check";
import { expect, it } from "vitest";
import { Memory, REMEMBERED_BELOW } from "../../src/engine/memory.ts";
import { StateReader, StateWriter } from "../../src/engine/state.ts";

function restored(memory: Memory): Memory {
  const writer = new StateWriter();
  memory.save(writer);
  return Memory.restore(new StateReader(writer.saved()));
}

it("finds what it has not forgotten, whatever came late in between; forgets none of the 128 below the watermark", () => {
  const step = fc.record({
    kind: fc.oneof(
      { weight: 12, arbitrary: fc.constant("new" as const) },
      { weight: 3, arbitrary: fc.constantFrom("late" as const, "trim" as const, "restart" as const) },
    ),
    by: fc.integer({ min: 1, max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(step, { size: "max", minLength: 300, maxLength: 500 }), (steps) => {
      let memory = new Memory();
      const all = new Map<number, number>();
      let [newest, watermark] = [0, Number.NEGATIVE_INFINITY];
      steps.forEach(({ kind, by }, value) => {
        if (kind === "restart") memory = restored(memory);
        else if (kind === "trim") {
          watermark = Math.max(watermark, newest - by);
          memory.trim(watermark);
          const below = [...all.keys()].filter((ts) => ts <= watermark).sort((a, b) => b - a);
          expect(memory.forgotten).toBeLessThan(below[REMEMBERED_BELOW - 1] ?? Number.POSITIVE_INFINITY);
        } else {
          const ts = kind === "new" ? newest + by : newest - by;
          newest = Math.max(newest, ts);
          if (all.has(ts) || ts <= memory.forgotten) return;
          expect(memory.find(ts)).toBeUndefined();
          memory.add(ts, value);
          all.set(ts, value);
        }
      });
      const known = [...all].filter(([ts]) => ts > memory.forgotten);
      expect(memory.count).toBe(known.length);
      for (const [ts, value] of known) expect(memory.find(ts)).toBe(value);
      expect([newest + 1, memory.forgotten].map((ts) => memory.find(ts))).toEqual([undefined, undefined]);
    }),
    { numRuns: 40 },
  );
});

it("forgets once it is worth it, what lies more than 128 below the watermark", () => {
  const memory = new Memory();
  for (let ts = 1; ts <= 1000; ts++) {
    memory.add(ts, -ts);
    memory.trim(ts - 10);
  }
  expect(memory.count).toBeLessThan(REMEMBERED_BELOW + 10 + 16);
  expect([memory.find(memory.forgotten), memory.find(memory.forgotten + 1), memory.find(1000)]).toEqual([undefined, -memory.forgotten - 1, -1000]);
});
