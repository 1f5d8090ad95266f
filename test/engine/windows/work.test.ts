// What windows cost, counted and not timed: merges per reading do not grow with the length of the window, memory is bounded, and
// long windows with late readings still say what a recomputation says.

import { describe, expect, it } from "vitest";
import { type AggregateName, Tally } from "../../../src/engine/aggregate.ts";
import { keepingOf } from "../../../src/engine/aggregates/index.ts";
import { Ranks } from "../../../src/engine/aggregates/ranks.ts";
import { utc } from "../../../src/engine/calendar.ts";
import { StateReader, StateWriter } from "../../../src/engine/state.ts";
import type { Window, WindowSpec } from "../../../src/engine/window.ts";
import { createWindow, restoreWindow } from "../../../src/engine/windows/index.ts";
import { PaneMerge } from "../../../src/engine/windows/pane-merge.ts";
import { PaneRanks } from "../../../src/engine/windows/pane-ranks.ts";
import { PaneWindow } from "../../../src/engine/windows/pane-window.ts";
import { drive, type Event, expected, naiveFigure } from "./naive.ts";

let merges = 0;
class CountedTally extends Tally {
  override append(other: Tally): void {
    merges += 1;
    super.append(other);
  }
}
/** Counts what enters and leaves sketches, and what is copied to be chosen from. */
class CountedRanks extends Ranks {
  override enter(...given: Parameters<Ranks["enter"]>): void {
    merges += 1;
    super.enter(...given);
  }
  override leave(...given: Parameters<Ranks["leave"]>): void {
    merges += 1;
    super.leave(...given);
  }
  override copyTo(...given: Parameters<Ranks["copyTo"]>): number {
    merges += 1;
    return super.copyTo(...given);
  }
}

function run(window: Window, from: number, count: number, step: number, valueOf = (index: number) => index % 100): void {
  for (let index = from; index < from + count; index++) {
    while (window.nextEnd <= index * step) {
      window.close();
      window.result?.aggregate.figure("p95");
    }
    window.add(index * step, valueOf(index));
  }
}

/** Merges per reading once the window is full, with a close at each. */
function mergesPerReading(panes: number, perPane: number, isRanks: boolean): number {
  const spec = { kind: "hopping", size: panes * 1000, slide: 1000 } as const;
  const window = isRanks
    ? new PaneWindow({ spec, sharing: "", empty: () => new CountedRanks(), combiner: () => new PaneRanks() })
    : new PaneWindow({
        spec,
        sharing: "",
        empty: () => new CountedTally(),
        combiner: (size, paneSize) => new PaneMerge(size, paneSize, () => new CountedTally()),
      });
  const count = panes * perPane;
  run(window, 0, 2 * count, 1000 / perPane);
  merges = 0;
  run(window, 2 * count, count, 1000 / perPane);
  return merges / count;
}

describe("work per reading", () => {
  it("of a hopping window grows with the logarithm of its panes at most", () => {
    const [few, some, most] = [mergesPerReading(12, 1, false), mergesPerReading(60, 1, false), mergesPerReading(1440, 1, false)] as const;
    expect(few).toBeLessThanOrEqual(13);
    expect(some).toBeLessThanOrEqual(2 * 7 + 2 * Math.log2(60) + 2);
    expect(most).toBeLessThanOrEqual(2 * 7 + 2 * Math.log2(1440) + 2);
    // Pane by pane it would be 1,440.
    expect(most / some).toBeLessThan(1.5);
  });

  it("of percentiles is one sketch in and one out for each pane, however many there are", () => {
    const [some, most] = [mergesPerReading(200, 10, true), mergesPerReading(1440, 10, true)] as const;
    expect([some, most]).toEqual([0.2, 0.2]);
  });

  it("does not grow by late readings, wherever they fall", () => {
    const late = (panes: number): number => {
      const spec = { kind: "hopping", size: panes * 1000, slide: 1000 } as const;
      const empty = (): Tally => new CountedTally();
      const window = new PaneWindow({ spec, sharing: "", empty, combiner: (size, paneSize) => new PaneMerge(size, paneSize, empty) });
      run(window, 0, 2 * panes, 1000);
      merges = 0;
      for (let index = 2 * panes; index < 3 * panes; index++) {
        run(window, index, 1, 1000);
        window.addLate((index - 1 - ((index * 7) % (panes - 2))) * 1000 + 1, 5, index * 1000 - 1);
      }
      return merges / panes;
    };
    expect(late(1440) / late(60)).toBeLessThan(2);
  });

  it("of few readings in a long window is bounded by how many are kept one by one", () => {
    expect(mergesPerReading(900, 1, true)).toBeLessThanOrEqual(1000);
  });
});

describe("memory", () => {
  const numbersOf = (window: Window): number => {
    const writer = new StateWriter();
    window.save(writer);
    return writer.saved().numbers.length;
  };
  const wave = (index: number): number => 20 + Math.sin(index / 50);
  const after = (spec: WindowSpec, aggregate: AggregateName, count: number, step: number, valueOf = wave): number => {
    const window = createWindow({ spec, aggregate, zone: utc }, 0);
    run(window, 0, count, step, valueOf);
    return numbersOf(window);
  };

  it("of percentiles of an hour is each value that was sent, once, with how often", () => {
    const hour = { kind: "hopping", size: 3_600_000, slide: 3_600_000 } as const;
    expect(after(hour, "p95", 359, 10_000)).toBeLessThan(2 * 359 + 20);
    const ofOneDecimal = (index: number): number => Math.round(wave(index) * 10) / 10;
    expect(after(hour, "p95", 359, 10_000, ofOneDecimal)).toBeLessThan(2 * 21 + 20);
  });

  it.each(["p95", "twa"] as const)("of %s does not grow with the number of readings", (aggregate) => {
    const tumbling = { kind: "hopping", size: 1e9, slide: 1e9 } as const;
    expect(after(tumbling, aggregate, 50_000, 10)).toBeLessThan(2 * 1024 + 50);
    const hopping = { kind: "hopping", size: 100_000, slide: 1000 } as const;
    const [sparse, dense] = [after(hopping, aggregate, 3000, 200), after(hopping, aggregate, 90_000, 5)];
    expect(dense).toBeLessThan(sparse + 8000);
    const session = { kind: "session", gap: 1000 } as const;
    expect(after(session, aggregate, 50_000, 10)).toBeLessThan(2 * 1024 + 50);
  });
});

describe("long windows", () => {
  const specs: readonly WindowSpec[] = [
    { kind: "hopping", size: 100_000, slide: 1000 },
    { kind: "count", count: 1500, slide: 7 },
    { kind: "count", count: 700, slide: 7 },
  ];
  const names: readonly AggregateName[] = ["avg", "stddev", "first", "twa", "rate", "slope", "median", "p99"];

  it.each(specs.flatMap((spec) => names.map((name) => [JSON.stringify(spec), name, spec] as const)))("%s %s", (_, name, spec) => {
    const settings = { spec, aggregate: name, zone: utc };
    let window = createWindow(settings, 0);
    let restored = createWindow(settings, 0);
    let readings: { ts: number; value: number }[] = [];
    let count = 0;
    const check = (): void => {
      expect(restored.result?.aggregate.figure(name)).toBe(window.result?.aggregate.figure(name));
      const { result } = window;
      if (result === undefined || count++ % 40 !== 0) return;
      readings = readings.filter(({ ts }) => ts >= result.start);
      const inWindow = readings.filter(({ ts }) => (spec.kind === "count" ? ts <= result.end : ts < result.end)).sort((a, b) => a.ts - b.ts);
      expect(result.aggregate.count).toBe(inWindow.length);
      const wanted = naiveFigure(name, inWindow);
      const error = inWindow.length > 1000 && (name === "median" || name === "p99") ? 0.01 : 1e-9;
      expect(Math.abs(result.aggregate.figure(name) - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * error + 1e-9);
    };
    for (let index = 0; index < 6000; index++) {
      // From sparse to dense and back, so that windows hold fewer and more than 1,000 readings.
      const ts = index < 1500 ? index * 150 : index < 4500 ? 225_000 + (index - 1500) * 40 : 345_000 + (index - 4500) * 150;
      const value = 100 + ((index * 7919) % 1009) / 10;
      while (window.nextEnd <= ts) {
        window.result = restored.result = undefined;
        window.close();
        restored.close();
        check();
      }
      window.result = restored.result = undefined;
      window.add(ts, value);
      restored.add(ts, value);
      readings.push({ ts, value });
      check();
      if (index % 97 === 0 && spec.kind === "hopping") {
        const late = { ts: ts - 5001 - (index % 30) * 1000, value: 250 };
        for (const each of [window, restored]) each.addLate(late.ts, late.value, ts - 1);
        readings.push(late);
      }
      if (index % 1301 === 0) {
        const writer = new StateWriter();
        window.save(writer);
        restored = restoreWindow(settings, new StateReader(writer.saved()));
      }
      if (index % 4999 === 0) [window, restored] = [restored, window];
    }
  });

  it.each(["avg", "median", "p95", "twa", "rate"] as const)("with late readings that only some windows hold: %s", (name) => {
    const spec = { kind: "hopping", size: 100_000, slide: 10_000 } as const;
    const events: Event[] = Array.from({ length: 1500 }, (_, index) => ({ kind: "read", ts: index * 20, value: 50 + (index % 37) }));
    // Silence passes empty windows; late readings come for the others, then a backlog for all.
    for (const [from, to] of [
      [180_000, 230_000],
      [400_000, 470_000],
    ] as const) {
      events.push({ kind: "silence", ts: to });
      for (let index = 0; index < 40; index++) events.push({ kind: "late", ts: to - 41_003 + index * 1000, value: 300 + index });
      const step = from === 180_000 ? 20 : 400;
      for (let ts = from; ts < to; ts += step) events.push({ kind: "read", ts, value: 20 + (ts % 3000) / 100 });
    }
    events.push({ kind: "silence", ts: 900_000 });
    const settings = { spec, aggregate: name, zone: utc };
    const found = drive(createWindow(settings, 0), events, [name]);
    const wanted = expected(spec, utc, events, naiveFigure, [name]);
    expect(found.map(({ end, figures: { n } }) => [end, n])).toEqual(wanted.map(({ end, figures: { n } }) => [end, n]));
    expect(found.some(({ figures: { n = 0 } }) => n > 2000)).toBe(true);
    found.forEach(({ figures: { n = 0, [name]: figure = Number.NaN } }, index) => {
      const right = wanted[index]?.figures[name] as number;
      const error = n > 1000 && (name === "median" || name === "p95") ? 0.01 : 1e-9;
      expect(Math.abs(figure - right)).toBeLessThanOrEqual(Math.abs(right) * error);
    });
  });

  it("values of many orders of magnitude make the sketch coarser, before and after a restart alike", () => {
    const settings = { spec: { kind: "hopping", size: 20_000, slide: 1000 }, aggregate: "p95", zone: utc } as const;
    let window = createWindow(settings, 0);
    const other = createWindow(settings, 0);
    let compared = 0;
    for (let index = 0; index < 20_000; index++) {
      const ts = index * 10;
      const value = index > 5000 && index < 6000 ? 10 ** ((index % 500) - 250 + (index % 7) / 7) : index % 1000;
      for (const each of [window, other]) {
        each.result = undefined;
        while (each.nextEnd <= ts) each.close();
        each.add(ts, value);
      }
      expect(window.result?.aggregate.figure("p95")).toBe(other.result?.aggregate.figure("p95"));
      if (window.result !== undefined) compared += 1;
      if (index % 700 !== 0) continue;
      const writer = new StateWriter();
      window.save(writer);
      window = restoreWindow(settings, new StateReader(writer.saved()));
    }
    expect(compared).toBeGreaterThan(150);
  });

  it("a window of several panes that nothing combines is a programmer's error", () => {
    const window = new PaneWindow({ spec: { kind: "hopping", size: 20, slide: 10 }, sharing: "", empty: keepingOf("avg").empty });
    window.add(0, 1);
    window.add(10, 1);
    window.close();
    expect(() => window.close()).toThrow("how to combine");
  });

  it("a reading that waited for a window that is closed is one too", () => {
    const window = new PaneWindow({ spec: { kind: "hopping", size: 10, slide: 10 }, sharing: "", empty: keepingOf("avg").empty });
    window.closeThrough(20);
    expect(() => window.addToBegun([5, 1], 2)).toThrow("waited for a window that is closed");
  });
});
