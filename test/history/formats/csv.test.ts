// CSV: shapes that headers say, and each way in which a line or a header is wrong, with place, words and mend.

import { describe, expect, it } from "vitest";
import { utc } from "../../../src/engine/calendar.ts";
import type { ReadOptions } from "../../../src/history/read.ts";
import { zoneTable } from "../../../src/zone.ts";
import { readText } from "../read-text.ts";

const t0 = Date.UTC(2026, 2, 1, 12);
const T = "2026-03-01T12:00:00Z";
const read = (lines: readonly string[], options: ReadOptions = {}) => readText("csv", lines.join("\n"), options);
const flat = async (lines: readonly string[], options: ReadOptions = {}) => {
  const { records, problems } = await read(lines, options);
  expect(problems).toEqual([]);
  return records.map(({ labels, ts, value }) => `${labels["device"]} ${labels["metric"]} ${labels["site"] ?? ""} ${ts - t0} ${value}`);
};

describe("shapes", () => {
  it.each<[string, string[], ReadOptions, string[]]>([
    ["long", ["timestamp,device,metric,value", `${T},a,t,1`], {}, ["a t  0 1"]],
    ["long, in another order and case", ["Value,Metric,site,Device,Time", `1,t,oslo,a,${T}`], {}, ["a t oslo 0 1"]],
    ["long, by constants", ["ts,value", `${T},1`], { device: "a", metric: "t", labels: { site: "oslo" } }, ["a t oslo 0 1"]],
    [
      "a cell wins over a constant, but not an empty one",
      ["ts,device,site,value", `${T},b,,1`, `${T},,x,2`],
      { device: "a", metric: "t", labels: { site: "o" } },
      ["b t o 0 1", "a t x 0 2"],
    ],
    ["semicolons", ["timestamp;device;metric;value", `${T};a, b;t;1`], {}, ["a, b t  0 1"]],
    ["a line that names the separator", ["sep=;\r", "timestamp;device;metric;value", `${T};a,b,c,d;t;1`], {}, ["a,b,c,d t  0 1"]],
    ["the same against a header that has more of another", ["sep=,", "timestamp,device,a;b;c;d", `${T},a,1`], {}, ["a a;b;c;d  0 1"]],
    ["tabs", ["timestamp\tdevice\tmetric\tvalue", `${T}\ta b\tt\t1`], {}, ["a b t  0 1"]],
    ["wide, by a constant device", ["timestamp,t,h", `${T},1,2`, `${T},,3`, `${T},4,`], { device: "a" }, ["a t  0 1", "a h  0 2", "a h  0 3", "a t  0 4"]],
    ["wide, by a column", ["timestamp,device,t,h", `${T},a,1,2`, `${T},b,3,4`], {}, ["a t  0 1", "a h  0 2", "b t  0 3", "b h  0 4"]],
    ["quoted names and cells", ['"timestamp","device","metric","value"', `"${T}","a ""1""","t,\nu","1"`], {}, ['a "1" t,\nu  0 1']],
    ["a separator at each line's end", ["timestamp,device,metric,value", `${T},a,t,1,`, `${T},"a",t,1, ,`], {}, ["a t  0 1", "a t  0 1"]],
    ["a quote in the middle", ["timestamp,device,metric,value", `${T},5" pipe,t,1`], {}, ['5" pipe t  0 1']],
    ["the first of timestamp, time, ts; others are labels", ["time,timestamp,device,metric,value", `x,${T},a,t,1`], {}, ["a t  0 1"]],
  ])("%s", async (_, lines, options, expected) => {
    expect(await flat(lines, options)).toEqual(expected);
  });

  it("tells series apart whose labels stand apart", async () => {
    const rows = ["a,1,t", "b,2,t", "a,3,u", "b,4,u", "a,5,t"].map((row) => `${T},${row}`);
    expect(await flat(["timestamp,device,value,metric", ...rows])).toEqual(["a t  0 1", "b t  0 2", "a u  0 3", "b u  0 4", "a t  0 5"]);
  });

  it("keeps one series for labels that were quoted or not", async () => {
    const { records } = await read(["timestamp,device,metric,value", `${T},a,t,1`, `${T},"a",t,1`, `${T}, a ,t,1`]);
    expect(new Set(records.map(({ labels }) => labels)).size).toBe(1);
  });

  it("counts what is no value, by reason", async () => {
    const words = ["", "NaN", "-inf", "1e999", "null", "None", "unavailable", "n/a", "2", "on", "OFF", "-0", "+1.5", ".5", "7."];
    const { records, skipped, problems } = await read(["ts,device,metric,value", ...words.map((word) => `${T},a,t,${word}`)]);
    expect(problems).toEqual([]);
    expect(records.map(({ value }) => value)).toEqual([2, 1, 0, -0, 1.5, 0.5, 7]);
    expect(skipped).toEqual({ empty: 1, not_finite: 3, null: 2, unavailable: 2 });
  });
});

describe("local times", () => {
  const lines = (...times: string[]) => ["timestamp,value", ...times.map((time) => `${time},1`)];
  const named = { device: "a", metric: "t" };
  it("need a zone", async () => {
    const { problems } = await read(lines("2013-07-04 00:00:00"), named);
    expect(problems).toEqual(['2:1: "2013-07-04 00:00:00" is a local time without offset (say which with --timezone, such as --timezone UTC)']);
  });

  it.each<[string, string, number]>([
    ["UTC", "2013-07-04 00:00:00", Date.UTC(2013, 6, 4)],
    ["Europe/Oslo", "2013-07-04 00:00:00", Date.UTC(2013, 6, 3, 22)],
    ["Europe/Oslo", "2013-07-04 00:00:00Z", Date.UTC(2013, 6, 4)],
    // The hour that Oslo has twice: the first.
    ["Europe/Oslo", "2024-10-27 02:30:00", Date.UTC(2024, 9, 27, 0, 30)],
  ])("in %s: %s", async (zone, text, expected) => {
    const { records } = await read(lines(text), { ...named, zone: zone === "UTC" ? utc : zoneTable(zone) });
    expect(records.map(({ ts }) => ts)).toEqual([expected]);
  });
});

it.each<[string, string, string]>([
  ["Europe/Oslo", "2026-03-29 02:30:00", "such as Etc/GMT-1;"],
  ["Europe/London", "2026-03-29T01:30:00", "such as UTC;"],
  ["America/New_York", "2026-03-08 02:00:00.5", "such as Etc/GMT+5;"],
  ["Australia/Lord_Howe", "2025-10-05 02:15:00", "--timezone; else write offsets"],
  ["Pacific/Apia", "2011-12-30 12:00:00", "such as Etc/GMT+10;"],
])("in %s there is no %s", async (name, text, steady) => {
  const { records, problems } = await read(["ts,device,metric,value", `${text},a,t,1`, `${text}Z,a,t,2`], { zone: zoneTable(name) });
  expect(problems).toEqual([expect.stringContaining(`2:1: "${text}" does not exist in ${name}: clocks skip this time on that day (if its clock`)]);
  expect(problems[0]).toContain(steady);
  expect(records.map(({ value }) => value)).toEqual([2]);
});

it("of the day on which clocks are put forward all other times are taken", async () => {
  const times = ["01:59:59", "03:00:00", "03:30:00", "23:59:59"].map((time) => `2026-03-29 ${time}`);
  const { records, problems } = await read(["ts,device,metric,value", ...times.map((time) => `${time},a,t,1`)], { zone: zoneTable("Europe/Oslo") });
  expect(problems).toEqual([]);
  expect(records.map(({ ts }) => new Date(ts).toISOString().slice(11, 19))).toEqual(["00:59:59", "01:00:00", "01:30:00", "21:59:59"]);
});

it("old times are taken, as texts and as numbers", async () => {
  const times = ["1970-01-01T12:46:40Z", "1969-12-31T23:59:59Z", "86400", "32873", "73051", "100000000000", "-46000"];
  const { records, problems } = await read(["ts,device,metric,value", ...times.map((time) => `${time},a,t,1`)]);
  expect(problems).toEqual([]);
  expect(records.map(({ ts }) => ts)).toEqual([46_000_000, -1000, 86_400_000, 32_873_000, 73_051_000, 1e11, -46_000_000]);
});

describe("bad lines", () => {
  const header = "timestamp,device,metric,value";
  it.each<[string, string]>([
    [`${T},a,t`, "2:1: 3 cells where the first line names 4 columns (give each column a cell, and quote cells that hold the separator; decimals have a point)"],
    [`${T},a,t,21,5`, "2:1: 5 cells where the first line names 4 columns (give each column a cell"],
    [`${T},a,"t",21,5`, "2:1: 5 cells where the first line names 4 columns (give each column a cell"],
    [`,a,t,1`, "2:1: there is no time (write RFC 3339"],
    [` 2026-02-30T12:00:00Z,a,t,1`, '2:2: "2026-02-30T12:00:00Z" is no date (write RFC 3339'],
    [`2026-03-01T25:00:00Z,a,t,1`, '2:1: "2026-03-01T25:00:00Z" is no date (write RFC 3339'],
    ["4503599627370497,a,t,1", "2:1: 4503599627370497 is no date (write RFC 3339"],
    ["46000.5,a,t,1", "2:1: 46000.5 looks like a spreadsheet's date serial, of 2025-12-09 (have the spreadsheet write its times as text"],
    ['"46082.520833333336",a,t,1', "2:1: 46082.520833333336 looks like a spreadsheet's date serial, of 2026-03-01 (have"],
    [`yesterday,a,"t",1`, '2:1: "yesterday" is not a time (write RFC 3339'],
    [`${T},a,t,warm`, '2:26: "warm" is not a number (write a decimal number such as 21.5, or nothing where there is no value)'],
    [`${T},a,t,0x1F`, '2:26: "0x1F" is not a number'],
    [`${T},a,t,"21,5"`, '2:26: "21,5" has a decimal comma (write 21.5)'],
    [`${T},,t,1`, "2:25: no device is named (give one with --device NAME)"],
    [`${T},a,,1`, "2:25: no metric is named (give one with --metric NAME)"],
    [`${T},"a"b,t,1`, "2:25: text after a closing quote (a cell is quoted whole"],
    [`${T},"a,t,1`, "2:22: this quote is never closed (a cell is quoted whole"],
    [`${T},"a\n\nb",t,warm`, '4:6: "warm" is not a number'],
    [`${T},${"a".repeat(5000)},t,1`, "2:5025: the label device is 5000 characters long (at most 4096 are taken)"],
  ])("%j", async (line, expected) => {
    const { records, problems } = await read([header, line, `${T},b,t,2`]);
    expect(problems.map((text) => text.slice(0, expected.length))).toEqual([expected]);
    expect(records).toEqual([{ labels: { device: "b", metric: "t" }, ts: t0, value: 2 }]);
  });

  it("a quote that is never closed takes only its line, wherever blocks end", async () => {
    const rest = Array.from({ length: 200 }, (_, index) => `${T},b,t,${index}`);
    for (const blockBytes of [1, 100, 1_000_000]) {
      const { records, problems } = await read([header, `${T},"a,t,1`, ...rest.slice(0, 30), "warm", ...rest.slice(30)], { blockBytes });
      expect(problems).toEqual([expect.stringMatching(/^2:22: this quote is never closed/), expect.stringMatching(/^33:1: 1 cell where/)]);
      expect(records.map(({ value }) => value)).toEqual(rest.map((_, index) => index));
    }
  });

  it.each([`${T},-18,5,`, `${T},"-18",5,`, `${T}, -18 , 5 ,,`])("a decimal comma in a wide line is none: %s", async (line) => {
    const { records, problems } = await read(["timestamp,t,h", line, `${T},-18.5,5,`, `${T},-18,5`, `${T},-18,,`], { device: "a" });
    expect(problems).toEqual([expect.stringMatching(/^2:1: [45] cells where the first line names 3 columns .*decimals have a point/)]);
    expect(records.map(({ value }) => value)).toEqual([-18.5, 5, -18, 5, -18]);
  });

  it("a stray quote that a later quote closes takes only its line, wherever blocks end", async () => {
    const rest = Array.from({ length: 40 }, (_, index) => `${T},b,t,${index}`);
    const closing = [`${T},"b",t,40`, `${T},b,t,"41"`, `${T},"b\nc",t,42`];
    for (const last of closing) {
      for (const blockBytes of [1, 100, 1_000_000]) {
        const { records, problems } = await read([header, `${T},"a,t,1`, ...rest, last], { blockBytes });
        expect(problems).toEqual([expect.stringMatching(/^2:22: this quote is never closed/)]);
        expect(records.map(({ value }) => value)).toEqual([...rest.keys(), 40 + closing.indexOf(last)]);
      }
    }
  });

  it("stray quotes one after the other take their lines", async () => {
    const { records, problems } = await read([header, `${T},"a,t,1`, `${T},b,t,2`, `${T},"c",t,3`, `${T},a,t,"4`, `${T},b,"t",5`, `${T},b,t,6`]);
    expect(problems.map((text) => text.slice(0, 4))).toEqual(["2:22", "5:26"]);
    expect(records.map(({ value }) => value)).toEqual([2, 3, 5, 6]);
  });

  it("a line that is too long ends a record that was open before it, wherever blocks end", async () => {
    for (const length of [70_000, 300_000]) {
      for (const blockBytes of [100, 1_000_000]) {
        const { records, problems } = await read([header, `${T},"a,t,1`, "x".repeat(length), `${T},b,t,2`], { blockBytes });
        expect(problems).toEqual([expect.stringMatching(/^2:22: this quote is never closed/), expect.stringMatching(/^3:1: a line longer/)]);
        expect(records.map(({ value }) => value)).toEqual([2]);
      }
    }
  });

  it("a byte order mark within the file is no mark, wherever blocks end", async () => {
    for (const blockBytes of [1, 1_000_000]) {
      const { problems } = await read([header, `\ufeff${T},a,t,1`], { blockBytes });
      expect(problems).toEqual([expect.stringMatching(/^2:1: ".2026-03-01T12:00:00Z" is not a time/)]);
    }
  });

  it("a bad cell of a wide line leaves the others", async () => {
    const { records, problems } = await read(["timestamp,t,h", `${T},warm,2`], { device: "a" });
    expect(problems).toEqual([expect.stringMatching(/^2:22: "warm" is not a number/)]);
    expect(records.map(({ labels }) => labels["metric"])).toEqual(["h"]);
  });
});

describe("bad headers", () => {
  it.each<[string[], ReadOptions, string]>([
    [[], {}, ":1:1: the file is empty"],
    [["", " "], {}, ":1:1: the file is empty"],
    [[`${T},a,t,1`], {}, `:1:1: no column is called timestamp, time or ts: "${T},a,t,1"`],
    [["timestamp,value"], { metric: "t" }, ":1:1: no column is called device"],
    [["", "timestamp,value"], { device: "a" }, ":2:1: no column is called metric"],
    [["timestamp,t"], {}, ":1:1: no column is called value, and no device is named"],
    [["timestamp,t"], { device: "a", metric: "t" }, ":1:1: no column is called value, so that each column is a metric of its own"],
    [["timestamp,device,metric"], {}, ":1:1: there is a column metric, but none called value"],
    [["timestamp,device"], {}, ":1:1: there is no column of values"],
    [["timestamp,a,a"], { device: "a" }, ':1:13: there are two columns "a"'],
    [["timestamp,,a"], { device: "a" }, ":1:11: column 2 has no name"],
    [['timestamp,"a'], { device: "a" }, ":1:11: the quotes of this column's name do not fit"],
  ])("%j", async (lines, options, expected) => {
    const reading = read(lines, options);
    await expect(reading).rejects.toThrow(expected);
    await expect(reading).rejects.toMatchObject({ code: "not_a_history", hint: expect.stringMatching(/\w/) });
  });

  it("the name of a label is one", async () => {
    const { problems } = await read(["timestamp,device,metric,host.name,value", `${T},a,t,x,1`]);
    expect(problems).toEqual(['2:28: "host.name" cannot be the name of a label (letters, digits and _, not beginning with a digit or __)']);
  });

  it("a series has at most 64 labels", async () => {
    const names = Array.from({ length: 63 }, (_, index) => `l${index}`);
    const { problems } = await read([`timestamp,device,metric,${names.join(",")},value`, `${T},a,t,${names.join(",")},1`]);
    expect(problems).toEqual([expect.stringContaining("65 labels (a series has at most 64)")]);
  });
});
