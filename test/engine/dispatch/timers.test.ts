// Timers in order of (instant, name), against a list that is sorted; and the room they take.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Timers } from "../../../src/engine/dispatch/timers.ts";
import { runs } from "../random-log.ts";

describe("timers", () => {
  it("come by instant and name, each once, at what was said last", () => {
    const change = fc.record({ name: fc.constantFrom("a", "b", "c", "d", "e"), at: fc.oneof(fc.nat(20), fc.constant(undefined)) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const [timers, known] = [new Timers(), new Map<string, number>()];
        for (const { name, at } of changes) {
          if (at === undefined) timers.clear(name);
          else timers.set(name, at);
          if (at === undefined) known.delete(name);
          else known.set(name, at);
        }
        const taken: [number, string][] = [];
        for (let first = timers.first; first !== undefined; first = timers.first) taken.push([first, timers.take()]);
        expect(taken).toEqual(
          [...known]
            .map(([name, at]) => [at, name])
            .toSorted(([at, name], [other, than]) => Number(at) - Number(other) || (String(name) < String(than) ? -1 : 1)),
        );
      }),
      { numRuns: runs(500) },
    );
  });

  it("that are put off again and again take no more room for it", () => {
    const timers = new Timers();
    timers.set("far", 1);
    for (let at = 1_000; at < 101_000; at++) timers.set(`flap:${at % 10}`, at);
    expect(timers.room).toBeLessThan(2_000);
    expect([timers.first, timers.take(), timers.first]).toEqual([1, "far", 100_990]);
  });
});
