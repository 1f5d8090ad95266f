// All windows and all aggregates against a naive recomputation, with lateness, silence and clocks that are set back; and a window
// that is saved and restored at any point goes on as if nothing had been, bit for bit.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aggregateNames } from "../../../src/engine/aggregate.ts";
import type { ZoneTable } from "../../../src/engine/calendar.ts";
import { StateReader, StateWriter } from "../../../src/engine/state.ts";
import type { Window, WindowSpec } from "../../../src/engine/window.ts";
import { createWindow, restoreWindow, type WindowSettings } from "../../../src/engine/windows/index.ts";
import { zoneTable } from "../../../src/zone.ts";
import { runs } from "../random-log.ts";
import { drive, type Event, expected, logOf, naiveFigure, type Told } from "./naive.ts";

const origin = Date.UTC(2026, 2, 28, 12);
const zone = zoneTable("Europe/Oslo") as ZoneTable;

const specs: readonly { readonly spec: WindowSpec; readonly stride: number }[] = [
  { spec: { kind: "hopping", size: 1000, slide: 1000 }, stride: 700 },
  { spec: { kind: "hopping", size: 1000, slide: 250 }, stride: 400 },
  { spec: { kind: "hopping", size: 1000, slide: 600 }, stride: 400 },
  { spec: { kind: "hopping", size: 6400, slide: 100 }, stride: 250 },
  { spec: { kind: "hopping", size: 2100, slide: 70 }, stride: 150 },
  { spec: { kind: "session", gap: 500 }, stride: 700 },
  { spec: { kind: "session", gap: 2000 }, stride: 2500 },
  { spec: { kind: "count", count: 1, slide: 1 }, stride: 700 },
  { spec: { kind: "count", count: 7, slide: 7 }, stride: 700 },
  { spec: { kind: "count", count: 40, slide: 3 }, stride: 700 },
  { spec: { kind: "day" }, stride: 20_000_000 },
];

function logs(stride: number): fc.Arbitrary<Event[]> {
  const step = fc.record({
    kind: fc.oneof(
      { weight: 8, arbitrary: fc.constant("read" as const) },
      { weight: 4, arbitrary: fc.constant("late" as const) },
      { weight: 1, arbitrary: fc.constant("silence" as const) },
      { weight: 1, arbitrary: fc.constant("back" as const) },
    ),
    by: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: stride }) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: stride * 8 }) }),
    value: fc.integer({ min: -2000, max: 2000 }).map((tenths) => tenths / 10),
  });
  return fc.array(step, { maxLength: 80, size: "max" }).map((steps) => unique(logOf(steps, origin)));
}

/** Of one series no two readings have the same time. */
function unique(events: Event[]): Event[] {
  const seen = new Set<number>();
  return events.filter(({ kind, ts }) => {
    if (kind === "silence" || kind === "back") return true;
    const isNew = !seen.has(ts);
    seen.add(ts);
    return isNew;
  });
}

function close(actual: readonly Told[], wanted: readonly Told[]): void {
  expect(actual.map(({ start, end }) => [start, end])).toEqual(wanted.map(({ start, end }) => [start, end]));
  actual.forEach(({ figures }, index) => {
    for (const [name, figure] of Object.entries((wanted[index] as Told).figures)) {
      const found = figures[name] as number;
      const isClose = Object.is(found, figure) || Math.abs(found - figure) <= 1e-9 * Math.max(1, Math.abs(figure), Math.abs(figures["max"] ?? 0));
      expect(isClose, `${name} of the result ${index}: ${found}, not ${figure}`).toBe(true);
    }
  });
}

function savedAndRestored(window: Window, settings: WindowSettings): Window {
  const writer = new StateWriter();
  window.save(writer);
  const restored = restoreWindow(settings, new StateReader(writer.saved()));
  const again = new StateWriter();
  restored.save(again);
  expect(again.saved()).toEqual(writer.saved());
  expect([restored.nextEnd, restored.born, restored.sharing, restored.lag]).toEqual([window.nextEnd, window.born, window.sharing, window.lag]);
  return restored;
}

describe.each(specs.map(({ spec, stride }) => [JSON.stringify(spec), spec, stride] as const))("%s", (_, spec, stride) => {
  it("knows at which change of the rules it began, restored too", () => {
    const settings = { spec, aggregate: "avg", zone } as const;
    expect(createWindow(settings, 3).born).toBe(3);
    expect(savedAndRestored(createWindow(settings, 3), settings).born).toBe(3);
  });

  it.each(aggregateNames)("%s is what a naive recomputation says", (aggregate) => {
    fc.assert(
      fc.property(logs(stride), (events) => {
        const window = createWindow({ spec, aggregate, zone }, 0);
        close(drive(window, events, [aggregate]), expected(spec, zone, events, naiveFigure, [aggregate]));
      }),
      { numRuns: Math.max(3, runs(25)) },
    );
  });

  it.each(["avg", "stddev", "first", "twa", "slope", "p95"] as const)("%s goes on from a restored state, bit for bit", (aggregate) => {
    const settings = { spec, aggregate, zone };
    fc.assert(
      fc.property(logs(stride), fc.integer({ min: 1, max: 9 }), (events, every) => {
        let count = 0;
        const restoring = drive(createWindow(settings, 3), events, [aggregate], (window) =>
          count++ % every === 0 ? savedAndRestored(window, settings) : window,
        );
        expect(restoring).toEqual(drive(createWindow(settings, 3), events, [aggregate]));
      }),
      { numRuns: Math.max(3, runs(25)) },
    );
  });
});
