// Line protocol: names, escapes, kinds of fields, precisions, the device among the tags, and each way in which a line is wrong.

import { describe, expect, it } from "vitest";
import type { ReadOptions } from "../../../src/history/read.ts";
import { readText } from "../read-text.ts";

const T = 1772366400000;
const NS = `${T}000000`;
const read = (lines: readonly string[], options: ReadOptions = {}) => readText("line-protocol", lines.join("\n"), options);
const flat = async (lines: readonly string[], options: ReadOptions = {}) => {
  const { records, problems } = await read(lines, options);
  expect(problems).toEqual([]);
  return records.map(({ labels, value }) => `${Object.entries(labels).sort().flat().join(" ")} ${value}`);
};

describe("what is read", () => {
  it.each<[string, ReadOptions, string[]]>([
    ["cpu,host=a usage_idle=1.5,usage_user=2i", {}, ["device a metric cpu_usage_idle 1.5", "device a metric cpu_usage_user 2"]],
    ["cpu,device=a,host=b value=1", {}, ["device a host b metric cpu 1"]],
    ["cpu,host=b,sensor=c value=1", {}, ["device b metric cpu sensor c 1"]],
    ["cpu,host=b,sensor=c value=1", { deviceTag: "sensor" }, ["device c host b metric cpu 1"]],
    ["cpu,host=b value=1", { device: "a" }, ["device a host b metric cpu 1"]],
    ["cpu,device=b value=1", { device: "a" }, ["device b metric cpu 1"]],
    ["cpu value=1", { device: "a", labels: { site: "o" } }, ["device a metric cpu site o 1"]],
    ["my\\ cpu\\,x,host=a\\ b\\,c\\=d f\\ \\=1=1", {}, ["device a b,c=d metric my cpu,x_f =1 1"]],
    ["m,host=a a=t,b=T,c=true,d=True,e=TRUE", {}, ["a", "b", "c", "d", "e"].map((field) => `device a metric m_${field} 1`)],
    ["m,host=a a=f,b=F,c=false,d=False,e=FALSE", {}, ["a", "b", "c", "d", "e"].map((field) => `device a metric m_${field} 0`)],
    ["m,host=a a=-3i,b=4u,c=-1.5e-3,d=1e3", {}, ["device a metric m_a -3", "device a metric m_b 4", "device a metric m_c -0.0015", "device a metric m_d 1000"]],
    ['m,host=a s="x, y=1 \\" \\\\",value=1', {}, ["device a metric m 1"]],
    ["m,host=a a=-9007199254740992i,b=9007199254740994i", {}, ["device a metric m_a -9007199254740992", "device a metric m_b 9007199254740994"]],
    ['m,host=a s="two\nlines",value=1', {}, ["device a metric m 1"]],
  ])("%s", async (line, options, expected) => {
    expect(await flat([`${line} ${NS}`], options)).toEqual(expected);
  });

  it("takes old times that are none in another unit", async () => {
    const old = ["1", "86400000000000", "631151999000000000", "-631152000000000000"];
    const { records, problems } = await read(old.map((text, index) => `m,host=a value=${index} ${text}`));
    expect([problems, records.map(({ ts }) => ts)]).toEqual([[], [0, 86_400_000, 631_151_999_000, -631_152_000_000]]);
    const milliseconds = await read([`m,host=a value=1 ${T / 1000}`], { precision: "ms" });
    expect(milliseconds.problems).toEqual([expect.stringContaining("give --precision s)")]);
  });

  it.each<[string, ReadOptions["precision"], number]>([
    ["1772366400123999999", undefined, T + 123],
    ["1772366400123999999", "ns", T + 123],
    ["1772366400123999", "us", T + 123],
    ["1772366400123", "ms", T + 123],
    ["1772366400", "s", T],
    ["-1", "ns", -1],
    ["-1000000", "ns", -1],
    ["-1000001", "ns", -2],
    ["-1500", "us", -2],
    ["0", "ns", 0],
    ["999999", "ns", 0],
  ])("%s in %s", async (text, precision, expected) => {
    const { records, problems } = await read([`m,host=a value=1 ${text}`], { precision });
    expect([problems, records.map(({ ts }) => ts)]).toEqual([[], [expected]]);
  });

  it("counts text fields, and words for no number", async () => {
    const { records, skipped } = await read([`m,host=a s="on",n=NaN,value=1 ${NS}`, `m,host=a s="off" ${NS}`]);
    expect([records.length, skipped]).toEqual([1, { text: 2, not_finite: 1 }]);
  });
});

describe("bad lines", () => {
  it.each<[string, string, ReadOptions?]>([
    ["m,host=a value=1", "1:17: there is no timestamp (history has no arrival"],
    ["m,host=a value=1 12x", '1:18: "12x" is no timestamp (write a whole number of ns'],
    ["m,host=a value=1 1772366400000000000", '1:18: "1772366400000000000" is no date (it is read as s', { precision: "s" }],
    [`m,host=a value=1,w=2 ${T}`, `1:22: "${T}" read as ns is 1970-01-01T00:29:32.366Z (as ms it is 2026-03-01T12:00:00.000Z: give --precision ms)`],
    [`m,host=a value=1 ${T / 1000}`, `1:18: "1772366400" read as ns is 1970-01-01T00:00:01.772Z (as s it is 2026-03-01T12:00:00.000Z: give --precision s)`],
    [`m,host=a value=1 ${T}000`, `1:18: "${T}000" read as ns is 1970-01-21T12:19:26.400Z (as us it is 2026-03-01T12:00:00.000Z: give --precision us)`],
    ["m,host=a", '1:1: there are no fields: "m,host=a" (a line is measurement'],
    [`m,host=a ${NS}`, `1:10: here a field is missing: "${NS}" (a line is measurement`],
    [`m,host=a =1 ${NS}`, "1:10: here a field is missing"],
    [`m,host=a x y=1 ${NS}`, "1:10: here a field is missing"],
    [`m,host=a x=1,,y=1 ${NS}`, "1:14: here a field is missing"],
    [`m,host=a x= ${NS}`, "", {}],
    [`m,host=a x=9007199254740993i ${NS}`, "1:12: 9007199254740993 has more digits than are kept exactly (write 9007199254740992, the nearest number that is)"],
    [`m,host=a x=18446744073709551615u ${NS}`, "1:12: 18446744073709551615 has more digits than are kept exactly (write 18446744073709551616"],
    [`m,host=a x=warm ${NS}`, '1:12: "warm" is not a number'],
    [`m,host=a x="open ${NS}`, '1:12: this quote is never closed (a quote within a text is written \\")'],
    [`m,host=a x="a"b ${NS}`, "1:15: text after a closing quote"],
    [`,host=a x=1 ${NS}`, "1:1: there is no measurement"],
    [`m,host x=1 ${NS}`, '1:1: "host" is no tag'],
    [`m,host= x=1 ${NS}`, '1:1: "host=" is no tag'],
    [`m,site=a x=1 ${NS}`, "1:1: no tag is called device, host or sensor (say which is the device with --device-tag NAME, or give --device NAME)"],
    [`m,host=a x=1 ${NS}`, "1:1: no tag is called dev (say which", { deviceTag: "dev" }],
    [`m,host=a,metric=b x=1 ${NS}`, "1:1: a tag is called metric"],
    [`m,host=a,device=b x=1 ${NS}`, "1:1: there is a tag device beside host", { deviceTag: "host" }],
    [`m,host=a,a.b=c x=1 ${NS}`, '1:16: "a.b" cannot be the name of a label'],
  ])("%s", async (line, expected, options = {}) => {
    const { records, problems, skipped } = await read([line, `b,host=b,dev=b y=2 ${options.precision === "s" ? T / 1000 : NS}`], options);
    if (expected === "") expect(skipped).toEqual({ empty: 1 });
    else expect(problems.map((text) => text.slice(0, expected.length))).toEqual([expected]);
    expect(records.map(({ ts, value }) => [ts, value])).toEqual([[T, 2]]);
  });

  it("a stray quote that a later quote closes takes only its line", async () => {
    const rest = Array.from({ length: 40 }, (_, index) => `m,host=a value=${index} ${NS}`);
    for (const last of [`m,host=a s="x",value=40 ${NS}`, `m,host=a s=" x",value=40 ${NS}`, `m,host=a s="x\ny",value=40 ${NS}`]) {
      const { records, problems } = await read([`m,host=a s="open,value=0 ${NS}`, ...rest, last]);
      expect(problems).toEqual([expect.stringMatching(/^1:12: this quote is never closed/)]);
      expect(records.map(({ value }) => value)).toEqual([...rest.keys(), 40]);
    }
  });

  it("--metric is refused: each line names it", async () => {
    await expect(read([], { metric: "t" })).rejects.toThrow(":1:1: line protocol names each metric");
  });
});
