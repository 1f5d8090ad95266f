// NDJSON: the shapes of an object, and each way in which a line is wrong, with place, words and mend.

import { describe, expect, it } from "vitest";
import type { ReadOptions } from "../../../src/history/read.ts";
import { readText } from "../read-text.ts";

const T = 1772366400000;
const read = (lines: readonly string[], options: ReadOptions = {}) => readText("ndjson", lines.join("\n"), options);

describe("shapes", () => {
  it.each<[string, ReadOptions, object[]]>([
    ['"device":"a","metric":"t","value":1', {}, [{ labels: { device: "a", metric: "t" }, value: 1 }]],
    ['"device":"a","metric":"t","value":"1.5"', {}, [{ labels: { device: "a", metric: "t" }, value: 1.5 }]],
    ['"value":-0', { device: "a", metric: "t", labels: { site: "o" } }, [{ labels: { device: "a", metric: "t", site: "o" }, value: -0 }]],
    ['"device":"","site":"x","value":1', { device: "a", metric: "t", labels: { site: "o" } }, [{ labels: { device: "a", metric: "t", site: "x" }, value: 1 }]],
    [
      '"device":"a","t":1,"u":false',
      {},
      [
        { labels: { device: "a", metric: "t" }, value: 1 },
        { labels: { device: "a", metric: "u" }, value: 0 },
      ],
    ],
    ['"device":"a","metric":"env","t":1', {}, [{ labels: { device: "a", metric: "env.t" }, value: 1 }]],
  ])("%s", async (members, options, expected) => {
    const { records, problems } = await read([`{"ts":${T},${members}}`], options);
    expect(problems).toEqual([]);
    expect(records).toEqual(expected.map((record) => ({ ...record, ts: T })));
  });
});

it("tells series apart that differ in one label", async () => {
  const pairs = ["at", "bt", "au", "bu", "at"];
  const { records } = await read(pairs.map(([device, metric]) => JSON.stringify({ ts: T, device, metric, value: 1 })));
  expect(records.map(({ labels }) => `${labels["device"]}${labels["metric"]}`)).toEqual(pairs);
});

describe("bad lines", () => {
  const named = '"device":"a","metric":"t"';
  it.each<[string, string]>([
    ["[1]", '1:1: this is no object: "[1]" (a line is an object'],
    ["null", '1:1: this is no object: "null" (a line is an object'],
    [`{"ts":${T},}`, "1:21: this is no JSON: "],
    [`{${named},"value":1}`, "1:1: there is no ts, time or timestamp (a line is an object"],
    [`{${named},"ts":null,"value":1}`, "1:28: there is no time (write RFC 3339"],
    [`{${named},"ts":true,"value":1}`, "1:28: there is no time (write RFC 3339"],
    [`{"ts":46082.5,${named},"value":1}`, "1:2: 46082.5 looks like a spreadsheet's date serial, of 2026-03-01 (have the spreadsheet"],
    [`{"ts":"46082",${named},"value":1}`, "1:2: 46082 looks like a spreadsheet's date serial, of 2026-03-01 (have the spreadsheet"],
    [`{"ts":1e300,${named},"value":1}`, "1:2: "],
    [`{"ts":"2026-03-01T12:00:00",${named},"value":1}`, '1:2: "2026-03-01T12:00:00" is a local time without offset (say which with --timezone'],
    [`{"ts":${T},${named}}`, "1:1: there is no value (a line is an object"],
    [`{"ts":${T},${named},"value":[1]}`, "1:47: the value is an array (give each value a line of its own)"],
    [`{"ts":${T},"device":"a","t":{"x":1}}`, "1:34: the value is an object (give each value a line of its own)"],
    [`{"ts":${T},${named},"value":"warm"}`, '1:47: "warm" is not a number (write'],
    [`{"ts":${T},"device":7,"metric":"t","value":1}`, '1:21: device is no text (write "device": "name")'],
    [`{"ts":${T},${named},"labels":{"a":1},"value":1}`, '1:47: labels is no object of texts (write "labels"'],
    [`{"ts":${T},${named},"labels":[],"value":1}`, '1:47: labels is no object of texts (write "labels"'],
    [`{"ts":${T},"metric":"t","value":1}`, "1:34: no device is named (give one with --device NAME)"],
    [`{"ts":${T},${named},"__proto__":"x","value":1}`, '1:63: "__proto__" cannot be the name of a label'],
  ])("%s", async (line, expected) => {
    const { records, problems } = await read([line, `{"ts":${T},"device":"b","metric":"t","value":2}`]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.slice(0, expected.length)).toBe(expected);
    expect(records).toEqual([{ labels: { device: "b", metric: "t" }, ts: T, value: 2 }]);
  });
});
