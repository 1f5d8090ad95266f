// What a long window of many panes keeps of its readings, and where.

import { expect, it } from "vitest";
import { BUFFERED_MAX } from "../../../src/engine/aggregates/pane-aggregate.ts";
import { utc } from "../../../src/engine/calendar.ts";
import { StateWriter } from "../../../src/engine/state.ts";
import { createWindow } from "../../../src/engine/windows/index.ts";
import { drive, type Event, expected, naiveFigure } from "./naive.ts";

it("keeps one by one the readings of the newest panes only: a window of three times as many is hardly larger", () => {
  const numbers = (readings: number): number => {
    const window = createWindow({ spec: { kind: "hopping", size: 20 * readings, slide: readings }, aggregate: "twa", zone: utc }, 0);
    for (let index = 0; index < readings; index++) window.add(index * 20, index);
    const writer = new StateWriter();
    window.save(writer);
    return writer.saved().numbers.length;
  };
  expect(numbers(9 * BUFFERED_MAX)).toBeLessThan(1.5 * numbers(3 * BUFFERED_MAX));
});

it("keeps late readings that only some windows hold in their places among the others, however many newer ones come", () => {
  const spec = { kind: "hopping", size: 40_000, slide: 10_000 } as const;
  const events: Event[] = [
    { kind: "read", ts: -100_000, value: 0 },
    // Passes the window that ends at 30,000 while it is empty: it is closed for late readings, but not for the backlog after them.
    { kind: "silence", ts: 38_000 },
    ...Array.from({ length: 50 }, (_, index): Event => ({ kind: "late", ts: 22_000 + index * 70, value: 50 + index })),
    ...Array.from({ length: 50 }, (_, index): Event => ({ kind: "read", ts: 22_035 + index * 70, value: index })),
    ...Array.from({ length: 5 * BUFFERED_MAX }, (_, index): Event => ({ kind: "read", ts: 30_000 + index * 4, value: index % 9 })),
    { kind: "silence", ts: 200_000 },
  ];
  for (const name of ["twa", "rate"] as const) {
    const found = drive(createWindow({ spec, aggregate: name, zone: utc }, 0), events, [name]);
    const wanted = expected(spec, utc, events, naiveFigure, [name]);
    expect(found.map(({ end, figures }) => [end, figures["n"]])).toEqual(wanted.map(({ end, figures }) => [end, figures["n"]]));
    expect(found).toHaveLength(4);
    // The first is of a single reading.
    for (const [index, { figures }] of found.slice(1).entries()) expect(figures[name]).toBeCloseTo(wanted[index + 1]?.figures[name] as number, 9);
  }
});
