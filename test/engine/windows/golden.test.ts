// What DESIGN says of windows, case by case, on the window alone.

import { describe, expect, it } from "vitest";
import type { AggregateName } from "../../../src/engine/aggregate.ts";
import { utc, type ZoneTable } from "../../../src/engine/calendar.ts";
import type { WindowSpec } from "../../../src/engine/window.ts";
import { createWindow, sharingOf } from "../../../src/engine/windows/index.ts";
import { zoneTable } from "../../../src/zone.ts";
import { drive, type Event, type Told } from "./naive.ts";

const read = (ts: number, value = 1): Event => ({ kind: "read", ts, value });
const late = (ts: number, value = 1): Event => ({ kind: "late", ts, value });
const silence = (ts: number): Event => ({ kind: "silence", ts });
const back = (ts: number): Event => ({ kind: "back", ts });

function told(spec: WindowSpec, events: readonly Event[], aggregate: AggregateName = "count", zone: ZoneTable = utc): (number | undefined)[][] {
  const window = createWindow({ spec, aggregate, zone }, 0);
  return drive(window, events, [aggregate]).map(({ start, end, figures }: Told) => [start, end, figures[aggregate]]);
}

describe("session", () => {
  const session = { kind: "session", gap: 10 } as const;

  it("ends its gap after the last reading", () => {
    expect(told(session, [read(0), read(5), silence(14)])).toEqual([]);
    expect(told(session, [read(0), read(5), silence(15)])).toEqual([[0, 15, 2]]);
  });

  it("a reading exactly at its end still belongs to it", () => {
    expect(told(session, [read(0), read(10), read(20), silence(30)])).toEqual([[0, 30, 3]]);
    expect(told(session, [read(0), read(11), silence(30)])).toEqual([
      [0, 10, 1],
      [11, 21, 1],
    ]);
  });

  it("closes after the readings at its end, by the clock and not a millisecond before", () => {
    const window = createWindow({ spec: session, aggregate: "count", zone: utc }, 0);
    expect([window.lag, window.nextEnd]).toEqual([1, Number.POSITIVE_INFINITY]);
    window.add(0, 1);
    expect(window.nextEnd).toBe(10);
    window.add(10, 1);
    expect(window.nextEnd).toBe(20);
  });

  it("late readings prolong it at either end, fill it, and bridge two", () => {
    const open = [read(100), back(60)];
    expect(told(session, [...open, late(95), silence(110)])).toEqual([[95, 110, 2]]);
    expect(told(session, [...open, late(80), late(95), late(88), silence(110)], "sum")).toEqual([[80, 110, 4]]);
    expect(told(session, [...open, late(80), late(90), silence(110)])).toEqual([[80, 110, 3]]);
    expect(told(session, [read(0), read(5), late(-10), late(3), silence(20)])).toEqual([[-10, 15, 4]]);
  });

  it("a late reading that bridges two leaves the one after them alone", () => {
    expect(told(session, [read(100), back(30), late(40), late(58), late(80), late(49), late(45), silence(120)])).toEqual([
      [40, 68, 4],
      [80, 90, 1],
      [100, 110, 1],
    ]);
  });

  it("one that is closed stays closed: what comes for its time begins anew", () => {
    expect(told(session, [read(0, 1), silence(10), read(4, 2), silence(40)], "sum")).toEqual([
      [0, 10, 1],
      [4, 14, 2],
    ]);
  });

  it("late readings whose own session the clock has passed count nowhere", () => {
    expect(told(session, [read(0), silence(50), read(60), late(49), silence(80)])).toEqual([
      [0, 10, 1],
      [60, 70, 1],
    ]);
    // At 50 its session would end at 60, and the clock is at 59.
    expect(told(session, [read(0), silence(50), read(60), late(50), silence(80)])).toEqual([
      [0, 10, 1],
      [50, 70, 2],
    ]);
  });

  it("an old session that late readings filled says nothing when a newer one was told", () => {
    expect(told(session, [read(0), silence(10), back(-30), late(-20), silence(40)])).toEqual([[0, 10, 1]]);
  });

  it("a reading at the very time of the newest one told, as a group may have, is none newer", () => {
    expect(told(session, [read(0), silence(10), read(0), silence(40)])).toEqual([[0, 10, 1]]);
  });

  it("has a limit of sessions open at once", () => {
    const events = [read(1_000_000), back(0), ...Array.from({ length: 1500 }, (_, index) => late(100 + index * 20)), silence(2_000_000)];
    expect(told(session, events)).toHaveLength(1000);
  });

  it("keeps order-dependent figures right when sessions are joined", () => {
    const events = [read(100, 5), back(60), late(80, 1), late(92, 3), late(85, 2), silence(200)];
    expect(told(session, events, "first")).toEqual([[80, 110, 1]]);
    expect(told(session, events, "twa")).toEqual([[80, 110, (5 * 1 + 7 * 2 + 8 * 3) / 20]]);
    expect(told(session, events, "rate")).toEqual([[80, 110, 4 / 0.02]]);
  });
});

describe("hopping", () => {
  const hopping = { kind: "hopping", size: 40, slide: 10 } as const;

  it("lies on the epoch, before 1970 too, and is half open", () => {
    const tumbling = { kind: "hopping", size: 10, slide: 10 } as const;
    expect(told(tumbling, [read(-11), read(-10), read(-1), read(0), read(20)])).toEqual([
      [-20, -10, 1],
      [-10, 0, 2],
      [0, 10, 1],
    ]);
    expect(told(hopping, [read(-1), silence(100)])).toEqual([[-40, 0, 1]]);
  });

  it("closes when the clock is at its end less 1 ms", () => {
    const tumbling = { kind: "hopping", size: 10, slide: 10 } as const;
    expect(told(tumbling, [read(5), silence(8)])).toEqual([]);
    expect(told(tumbling, [read(5), silence(9)])).toEqual([[0, 10, 1]]);
    expect(createWindow({ spec: tumbling, aggregate: "avg", zone: utc }, 0).lag).toBe(0);
  });

  it("a late reading counts in each window that is still open, and in no other", () => {
    expect(told(hopping, [read(35), read(45), late(15), silence(200)])).toEqual([
      [0, 40, 1],
      [10, 50, 3],
    ]);
  });

  it("windows that the clock passed while they were empty stay open for a backlog, but not for late readings", () => {
    const tumbling = { kind: "hopping", size: 10, slide: 10 } as const;
    expect(told(tumbling, [read(0), silence(55), read(25), silence(100)])).toEqual([
      [0, 10, 1],
      [20, 30, 1],
    ]);
    expect(told(tumbling, [read(0), silence(55), late(25), silence(100)])).toEqual([[0, 10, 1]]);
    // Of the windows over 25 the clock has passed that which ends at 30: the backlog's 26 counts in it, the late 25 does not.
    expect(told(hopping, [read(-100), silence(38), late(25), read(26), read(41), silence(300)])).toEqual([
      [-130, -90, 1],
      [-10, 30, 1],
      [10, 50, 3],
    ]);
  });

  it("a window that only the backlog is in closes in its time, though a late reading before it is left out of it", () => {
    expect(told(hopping, [read(-100), silence(48), late(25), read(33), silence(300)])).toEqual([
      [-130, -90, 1],
      [0, 40, 1],
    ]);
  });

  it("a window that does not hold the newest late reading is no newer by it", () => {
    expect(told(hopping, [read(-100), silence(38), late(29), read(22), silence(300)])).toEqual([
      [-130, -90, 1],
      [-10, 30, 1],
      [0, 40, 2],
    ]);
  });

  it("no result for an empty window, none without a reading newer than the one before", () => {
    expect(told(hopping, [read(5), silence(1000)])).toEqual([[-30, 10, 1]]);
    expect(told(hopping, [read(5), read(505), silence(2000)])).toEqual([
      [-30, 10, 1],
      [470, 510, 1],
    ]);
  });
});

describe("count", () => {
  const values = Array.from({ length: 12 }, (_, index) => read(index * 7, index));

  it("ends at its last reading, after every slide of them once there are so many", () => {
    expect(told({ kind: "count", count: 5, slide: 2 }, values, "sum")).toEqual([
      [0, 28, 10],
      [14, 42, 20],
      [28, 56, 30],
      [42, 70, 40],
    ]);
    expect(told({ kind: "count", count: 5, slide: 5 }, values, "avg")).toEqual([
      [0, 28, 2],
      [35, 63, 7],
    ]);
  });

  it("takes no late readings, and waits for no clock", () => {
    const window = createWindow({ spec: { kind: "count", count: 3, slide: 3 }, aggregate: "sum", zone: utc }, 0);
    expect(window.nextEnd).toBe(Number.POSITIVE_INFINITY);
    expect(told({ kind: "count", count: 3, slide: 1 }, [read(0), read(10), late(5, 100), silence(1e6), read(2e6)], "sum")).toEqual([[0, 2e6, 3]]);
  });
});

describe("day", () => {
  const day = { kind: "day" } as const;
  const hour = 3_600_000;
  const lengthOf = (name: string, noon: number): number => {
    const [result] = told(day, [read(noon), silence(noon + 48 * hour)], "count", zoneTable(name) as ZoneTable);
    return ((result?.[1] as number) - (result?.[0] as number)) / hour;
  };

  it.each([
    ["Europe/Oslo", Date.UTC(2026, 2, 29, 12), 23],
    ["Europe/Oslo", Date.UTC(2026, 9, 25, 12), 25],
    ["Europe/Oslo", Date.UTC(2026, 10, 22, 12), 24],
    ["Australia/Lord_Howe", Date.UTC(2026, 9, 4, 2), 23.5],
    ["Australia/Lord_Howe", Date.UTC(2026, 3, 5, 2), 24.5],
  ])("%s around %d has %d hours", (name, noon, hours) => expect(lengthOf(name, noon)).toBe(hours));

  it("begins and ends at local midnight, and is closed for good", () => {
    const zone = zoneTable("Europe/Oslo") as ZoneTable;
    const midnight = Date.UTC(2026, 10, 22, 23);
    const events = [read(midnight - 1, 1), read(midnight, 2), late(midnight - 2, 4), read(midnight + 25 * hour, 8), silence(midnight + 72 * hour)];
    expect(told(day, events, "sum", zone)).toEqual([
      [midnight - 24 * hour, midnight, 1],
      [midnight, midnight + 24 * hour, 2],
      [midnight + 24 * hour, midnight + 48 * hour, 8],
    ]);
  });

  it("late readings count while the day is open", () => {
    const midnight = Date.UTC(2026, 10, 22);
    expect(told(day, [read(midnight + 5), late(midnight + 1), late(midnight - 1), silence(midnight + 24 * hour)])).toEqual([
      [midnight, midnight + 24 * hour, 2],
    ]);
  });

  it("a late reading for a day that the clock has passed to its last millisecond counts nowhere", () => {
    const midnight = Date.UTC(2026, 10, 22);
    const [first, end] = [midnight - 50 * hour, midnight + 24 * hour];
    expect(told(day, [read(first), silence(midnight - 1), late(midnight - 2), silence(end)])).toHaveLength(1);
    expect(told(day, [read(first), silence(midnight - 2), late(midnight - 2), silence(end)])).toHaveLength(2);
  });

  it("a day that the clock set back is still open takes late readings, each its own", () => {
    const midnight = Date.UTC(2026, 10, 22);
    const events = [read(midnight + 50 * hour), back(midnight + hour), late(midnight + 3 * hour), late(midnight + 30 * hour), silence(midnight + 100 * hour)];
    expect(told(day, events).map(([, , count]) => count)).toEqual([1, 1, 1]);
  });
});

describe("sharing", () => {
  it("goes by the spec and by what must be kept", () => {
    const spec = { kind: "hopping", size: 10, slide: 10 } as const;
    const of = (aggregate: AggregateName, zone = utc, other: WindowSpec = spec): string => sharingOf({ spec: other, aggregate, zone });
    expect(of("avg")).toBe(of("range"));
    expect(of("avg")).toBe(of("max", utc, { ...spec }));
    expect(of("p95")).toBe(of("median"));
    expect(new Set([of("avg"), of("stddev"), of("first"), of("twa"), of("slope"), of("p95"), of("avg", utc, { ...spec, slide: 5 })]).size).toBe(7);
    expect(of("avg", { ...utc, name: "Europe/Oslo" })).toBe(of("avg"));
    expect(of("avg", { ...utc, name: "Europe/Oslo" }, { kind: "day" })).not.toBe(of("avg", utc, { kind: "day" }));
    expect(createWindow({ spec, aggregate: "avg", zone: utc }, 4)).toMatchObject({ sharing: of("sum"), born: 4 });
  });
});
