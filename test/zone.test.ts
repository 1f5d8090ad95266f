// Zones from Intl: names, exact transitions, and that none is stepped over.

import { describe, expect, it } from "vitest";
import { offsetAt, type ZoneTable } from "../src/engine/calendar.ts";
import { zoneTable } from "../src/zone.ts";

const iso = (ts: number): string => new Date(ts).toISOString();
const transitionsIn = (table: ZoneTable, year: number): string[] => table.from.filter((ts) => ts > Date.UTC(year, 0) && ts < Date.UTC(year + 1, 0)).map(iso);

describe("zoneTable", () => {
  it("knows the names of the IANA data base, in any case, aliases too", () => {
    expect(zoneTable("Europe/Oslo")?.name).toBe("Europe/Oslo");
    expect(zoneTable("europe/oslo")?.name.toLowerCase()).toBe("europe/oslo");
    expect(zoneTable("Asia/Kathmandu")?.offsets.at(-1)).toBe(20_700_000);
    expect(zoneTable("UTC")?.offsets).toEqual([0]);
    expect(zoneTable("Etc/GMT+5")?.offsets).toEqual([-18_000_000]);
  });

  it.each(["", "Mars/Olympus", "+01:00", "-05:00", "Europe/", "CET+1", "local", "Europe/Oslo "])("knows no zone %j", (name) => {
    expect(zoneTable(name)).toBeUndefined();
  });

  it("finds transitions to the second", () => {
    expect(transitionsIn(zoneTable("America/Los_Angeles") as ZoneTable, 2021)).toEqual(["2021-03-14T10:00:00.000Z", "2021-11-07T09:00:00.000Z"]);
    expect(transitionsIn(zoneTable("Australia/Lord_Howe") as ZoneTable, 2024)).toEqual(["2024-04-06T15:00:00.000Z", "2024-10-05T15:30:00.000Z"]);
    expect(transitionsIn(zoneTable("Pacific/Apia") as ZoneTable, 2011)).toEqual([
      "2011-04-02T14:00:00.000Z",
      "2011-09-24T14:00:00.000Z",
      "2011-12-30T10:00:00.000Z",
    ]);
    expect(transitionsIn(zoneTable("America/Boa_Vista") as ZoneTable, 2000)).toEqual([
      "2000-02-27T03:00:00.000Z",
      "2000-10-08T04:00:00.000Z",
      "2000-10-15T03:00:00.000Z",
    ]);
  });

  it("keeps offsets with seconds", () => {
    const monrovia = zoneTable("Africa/Monrovia") as ZoneTable;
    expect(offsetAt(monrovia, 0)).toBe(-2_670_000);
    expect(offsetAt(monrovia, Date.UTC(1973, 0))).toBe(0);
  });

  it("is the same object when asked again", () => {
    expect(zoneTable("Europe/Oslo")).toBe(zoneTable("Europe/Oslo"));
  });

  it("misses no transition that a walk by the hour finds", () => {
    for (const [name, year] of [
      ["America/Noronha", 2000],
      ["Asia/Gaza", 2048],
      ["Africa/Cairo", 2010],
      ["Africa/Casablanca", 2024],
    ] as const) {
      const table = zoneTable(name) as ZoneTable;
      const format = new Intl.DateTimeFormat("en-US", { timeZone: name, hourCycle: "h23", hour: "2-digit", minute: "2-digit" });
      for (let ts = Date.UTC(year, 0); ts < Date.UTC(year + 1, 0); ts += 3_600_000) {
        const shown = new Date(ts + offsetAt(table, ts)).toISOString().slice(11, 16);
        if (format.format(ts) !== shown) expect.fail(`${name} at ${iso(ts)}: ${shown}, Intl has ${format.format(ts)}`);
      }
    }
  });
});
