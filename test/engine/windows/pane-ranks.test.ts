// Percentiles of hopping windows where readings are many, then few, then many again, and where a backlog comes for windows in part told.

import { expect, it } from "vitest";
import { utc } from "../../../src/engine/calendar.ts";
import { StateReader, StateWriter } from "../../../src/engine/state.ts";
import type { WindowResult } from "../../../src/engine/window.ts";
import { createWindow, restoreWindow } from "../../../src/engine/windows/index.ts";
import type { PaneWindow } from "../../../src/engine/windows/pane-window.ts";

const hopping = (size: number, slide: number): PaneWindow<never> =>
  createWindow({ spec: { kind: "hopping", size, slide }, aggregate: "median", zone: utc }, 0) as PaneWindow<never>;

/** Closes what ends by `end`. @returns count and median of each result */
function closed(window: PaneWindow<never>, end: number): (number | undefined)[][] {
  const told: (number | undefined)[][] = [];
  while (window.nextEnd <= end) {
    window.close();
    const { aggregate } = window.result as WindowResult;
    told.push([window.result?.end, aggregate.count, aggregate.figure("median")]);
  }
  return told;
}

it("once a window has held few readings, the next of many is as exact as the first of many was, whatever was measured before", () => {
  const window = hopping(2000, 1000);
  // 3,000 readings over 600 powers of ten: more than there are bins of 1 %.
  for (let index = 0; index < 3000; index++) window.add(index, 10 ** (((index * 7) % 600) - 300 + (index % 11) / 11));
  closed(window, 3000);
  for (let ts = 3000; ts < 9000; ts += 500) {
    closed(window, ts);
    window.add(ts, 1);
  }
  for (let ts = 9000; ts < 12_000; ts++) {
    closed(window, ts);
    window.add(ts, 100 + ((ts * 7919) % 1009) / 10);
  }
  const [[, count, median = Number.NaN] = []] = closed(window, 12_000);
  expect(count).toBe(2000);
  const newest = Array.from({ length: 2000 }, (_, index) => 100 + (((index + 10_000) * 7919) % 1009) / 10).sort((a, b) => a - b);
  const exact = newest[999] as number;
  expect(Math.abs(median - exact)).toBeLessThanOrEqual(exact * 0.01);
});

it("goes on alike after a restart, though what made it coarser has left its windows", () => {
  const settings = { spec: { kind: "hopping", size: 4000, slide: 1000 }, aggregate: "median", zone: utc } as const;
  const window = hopping(4000, 1000);
  const told: unknown[] = [];
  const upTo = (from: number, to: number, windows: readonly PaneWindow<never>[]): void => {
    for (let ts = from; ts < to; ts++) {
      told.push(...windows.map((each) => closed(each, ts)).filter((results) => results.length > 0));
      const value = ts < 2000 ? 10 ** (((ts * 7) % 600) - 300 + (ts % 11) / 11) : 100 + ((ts * 7919) % 1009) / 10;
      for (const each of windows) each.add(ts, value);
    }
  };
  upTo(0, 9000, [window]);
  const writer = new StateWriter();
  window.save(writer);
  const restored = restoreWindow(settings, new StateReader(writer.saved())) as PaneWindow<never>;
  told.length = 0;
  upTo(9000, 12_000, [window, restored]);
  expect(told).toHaveLength(6);
  for (const index of [0, 2, 4]) expect(told[index + 1]).toEqual(told[index]);
});

it.each([300, 1500])("a backlog for windows that were told in part counts once, though it waited: with %d readings heard before", (before) => {
  const [window, plain] = [hopping(4000, 1000), hopping(4000, 1000)];
  for (const each of [window, plain]) {
    for (let index = 0; index < before; index++) each.add(index, index);
    each.add(1500, 7);
    // Silence closes those that end at 1,000 and 2,000.
    expect(closed(each, 2000)).toHaveLength(2);
  }
  const valueAt = (ts: number): number => (ts % 3 === 0 ? 9000 : -9000);
  for (let ts = 1501; ts < 1900; ts += 3) {
    const waiting: number[] = [];
    for (const at of [ts, ts + 1, ts + 2]) waiting.push(at, valueAt(at));
    window.addToBegun(waiting, waiting.length);
    for (const at of [ts, ts + 1, ts + 2]) plain.add(at, valueAt(at));
  }
  const told = closed(window, 6000);
  expect(told).toEqual(closed(plain, 6000));
  expect(told[0]?.slice(0, 2)).toEqual([3000, before + 400]);
});
