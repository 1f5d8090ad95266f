// Whatever is put in, the queue gives out by instant, then by event time, then by the order of the actors.

import fc from "fast-check";
import { expect, it } from "vitest";
import type { Actor } from "../../src/engine/agenda.ts";
import { DueQueue } from "../../src/engine/due-queue.ts";

type Entry = readonly [up: number, event: number, order: number];

const actor = (order: number): Actor => ({
  order,
  key: String(order),
  queuedUp: 0,
  touchedAt: 0,
  nextDue: () => ({ up: 0, event: 0 }),
  elapse: () => undefined,
  save: () => undefined,
});
const compare = (a: Entry, b: Entry): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];

it("gives out what is due first, though entries come and go in any order", () => {
  const small = fc.integer({ min: 0, max: 20 });
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: fc.tuple(small, small, small) }, { weight: 2, arbitrary: fc.constant(undefined) }), {
    size: "max",
    maxLength: 200,
  });
  fc.assert(
    fc.property(steps, (list) => {
      const queue = new DueQueue();
      let left: Entry[] = [];
      const take = (): void => {
        expect([queue.up, queue.event, queue.actor.order]).toEqual(left[0]);
        queue.pop();
        left = left.slice(1);
      };
      for (const entry of list) {
        if (entry !== undefined) {
          queue.push(entry[0], entry[1], actor(entry[2]));
          left = [...left, entry].sort(compare);
        } else if (left.length > 0) take();
      }
      while (left.length > 0) take();
      expect(queue.up).toBeUndefined();
    }),
  );
});
