// Days of every length, dates that do not exist, times that come twice or never; and Intl as the judge at random instants.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Day,
  dayBounds,
  dayNumber,
  dayOf,
  dayText,
  epochOf,
  instantsOf,
  isDay,
  localMinutes,
  localTime,
  nextDay,
  offsetAt,
  previousDay,
  utc,
  type ZoneTable,
} from "../../src/engine/calendar.ts";
import { zoneTable } from "../../src/zone.ts";

const hour = 3_600_000;
const zone = (name: string): ZoneTable => zoneTable(name) as ZoneTable;
const hoursOf = (name: string, day: Day): number => {
  const { start, end } = dayBounds(zone(name), day);
  return (end - start) / hour;
};

describe("the length of a local day", () => {
  it.each([
    ["America/Los_Angeles", "2021-03-14", 23],
    ["America/Los_Angeles", "2021-11-07", 25],
    ["America/Los_Angeles", "2021-11-08", 24],
    ["Australia/Lord_Howe", "2024-04-07", 24.5],
    ["Australia/Lord_Howe", "2024-10-06", 23.5],
    ["Asia/Kathmandu", "2024-04-07", 24],
    ["Asia/Kathmandu", "1986-01-01", 23.75],
    ["Pacific/Apia", "2011-12-29", 24],
    ["Pacific/Apia", "2011-12-30", 0],
    ["Pacific/Apia", "2011-12-31", 24],
    ["UTC", "2024-02-29", 24],
  ])("in %s, %s has %d hours", (name, day, hours) => {
    expect(hoursOf(name, day)).toBe(hours);
  });

  it("begins at 01:00 where clocks go forward at midnight", () => {
    const { start } = dayBounds(zone("America/Sao_Paulo"), "2017-10-15");
    expect(localMinutes(zone("America/Sao_Paulo"), start)).toBe(60);
    expect(new Date(start).toISOString()).toBe("2017-10-15T03:00:00.000Z");
  });

  it("gives the repeated hour to the day that had begun, where clocks go back over midnight", () => {
    // St. John's, 2006-10-29 00:01 became 2006-10-28 23:01.
    const stJohns = zone("America/St_Johns");
    const { start } = dayBounds(stJohns, "2006-10-29");
    expect(new Date(start).toISOString()).toBe("2006-10-29T02:30:00.000Z");
    expect(localMinutes(stJohns, start + 60_000)).toBe(23 * 60 + 1);
    expect(dayOf(stJohns, start - 1)).toBe("2006-10-28");
    expect(dayOf(stJohns, start + 60_000)).toBe("2006-10-29");
    expect(hoursOf("America/St_Johns", "2006-10-29")).toBe(25);
  });
});

describe("local times without an offset", () => {
  const losAngeles = zone("America/Los_Angeles");
  it("reads a time in a gap by the offset before it", () => {
    const local = localTime("2021-03-14", 150);
    expect(instantsOf(losAngeles, local)).toEqual([]);
    expect(new Date(epochOf(losAngeles, local)).toISOString()).toBe("2021-03-14T10:30:00.000Z");
  });

  it("reads a time that comes twice as the earlier", () => {
    const local = localTime("2021-11-07", 90);
    expect(instantsOf(losAngeles, local).map((ts) => new Date(ts).toISOString())).toEqual(["2021-11-07T08:30:00.000Z", "2021-11-07T09:30:00.000Z"]);
    expect(new Date(epochOf(losAngeles, local)).toISOString()).toBe("2021-11-07T08:30:00.000Z");
  });

  it("reads a time of a date that was left out a day later", () => {
    const apia = zone("Pacific/Apia");
    expect(instantsOf(apia, localTime("2011-12-30", 720))).toEqual([]);
    expect(dayOf(apia, epochOf(apia, localTime("2011-12-30", 720)))).toBe("2011-12-31");
  });
});

describe("dates", () => {
  it("know what a date of the calendar is", () => {
    expect(["2024-02-29", "0000-03-01", "1969-12-31"].filter(isDay)).toHaveLength(3);
    expect(["2023-02-29", "2024-13-01", "2024-1-1", "2024-04-31", "", "today", "2024-00-10"].filter(isDay)).toEqual([]);
  });

  it("agree with Date about every day number", () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_000, max: 2_900_000 }), (number) => {
        const day = dayText(number);
        expect(day).toBe(new Date(number * 24 * hour).toISOString().slice(0, 10));
        expect(dayNumber(day)).toBe(number);
        expect(previousDay(nextDay(day))).toBe(day);
      }),
    );
  });
});

const names = [
  "America/Los_Angeles",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Pacific/Apia",
  "America/St_Johns",
  "Africa/Casablanca",
  "Europe/Oslo",
  "America/Sao_Paulo",
  "Asia/Gaza",
];
const instants = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });

describe("against Intl, at random instants", () => {
  const formats = new Map(
    names.map((name) => [
      name,
      new Intl.DateTimeFormat("sv-SE", {
        timeZone: name,
        year: "numeric",
        month: "2-digit",
        day: "2-digit",
        hour: "2-digit",
        minute: "2-digit",
        second: "2-digit",
      }),
    ]),
  );

  it("has the same wall clock", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), instants, (name, ts) => {
        const shown = (formats.get(name) as Intl.DateTimeFormat).format(ts);
        const local = new Date(ts + offsetAt(zone(name), ts)).toISOString().slice(0, 19).replace("T", " ");
        expect(local).toBe(shown);
        expect(localMinutes(zone(name), ts)).toBe(Number(shown.slice(11, 13)) * 60 + Number(shown.slice(14, 16)));
      }),
      { numRuns: 1000 },
    );
  });

  it("puts every instant into exactly the day whose bounds hold it, and the days next to each other", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), aroundTransitions, (name, pick) => {
        const table = zone(name);
        const ts = pick(table);
        const day = dayOf(table, ts);
        const { start, end } = dayBounds(table, day);
        expect(start <= ts && ts < end).toBe(true);
        expect(dayBounds(table, nextDay(day)).start).toBe(end);
        expect(dayBounds(table, previousDay(day)).end).toBe(start);
      }),
      { numRuns: 1000 },
    );
  });

  it("finds an instant again by what the wall clock shows at it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), aroundTransitions, (name, pick) => {
        const table = zone(name);
        const ts = pick(table);
        const found = instantsOf(table, ts + offsetAt(table, ts));
        expect(found).toContain(ts);
        expect(found[0]).toBe(epochOf(table, ts + offsetAt(table, ts)));
      }),
      { numRuns: 1000 },
    );
  });
});

/** Instants within three days of a transition, where zones are not boring. */
const aroundTransitions = fc.tuple(fc.nat(), fc.integer({ min: -72 * hour, max: 72 * hour })).map(([pick, distance]) => (table: ZoneTable) => {
  const transitions = table.from.slice(1);
  return (transitions[pick % transitions.length] ?? 0) + distance;
});

describe("UTC", () => {
  it("has days of 24 hours on the epoch, before 1970 too", () => {
    expect(dayBounds(utc, "1969-12-31")).toEqual({ start: -24 * hour, end: 0 });
    expect(dayOf(utc, -1)).toBe("1969-12-31");
  });
});
