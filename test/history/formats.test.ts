// What holds for every format of history files: one table of files that say the same, read whole, in pieces, compressed, and from each offset on.

import { appendFileSync } from "node:fs";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LABELS_CHARS_MAX } from "../../src/history/columns.ts";
import { formatOf, historyFormats } from "../../src/history/formats/index.ts";
import { type ReadOptions, readHistory } from "../../src/history/read.ts";
import { historyFile, type Record, readFile, readText, readWhole } from "./read-text.ts";

const t0 = Date.UTC(2026, 2, 1, 12);
const fridge = (metric: string, site = "Tromsø") => ({ device: "fz-7", metric, site });
const RECORDS: readonly Record[] = [
  { labels: fridge("temperature"), ts: t0, value: -18.5 },
  { labels: fridge("temperature"), ts: t0 + 10_500, value: 1 },
  { labels: fridge("door"), ts: t0 + 10_500, value: 0 },
  { labels: fridge("temperature", "a, b=c"), ts: t0, value: 1.7976931348623157e308 },
  { labels: fridge("temperature"), ts: -1, value: -0.001 },
];

type Example = { readonly lines: readonly string[]; readonly skipped: object; readonly bad: string; readonly options?: ReadOptions };
/** Each format says RECORDS in its own way, with something beside that is no reading. */
const EXAMPLES: { readonly [format: string]: Example } = {
  csv: {
    lines: [
      "timestamp,device,metric,site,value",
      "2026-03-01T12:00:00Z,fz-7,temperature,Tromsø,-18.5",
      "2026-03-01T13:00:10.500+01:00,fz-7,temperature,Tromsø,true",
      "",
      " 1772366410.5 , fz-7 , door , Tromsø , 0 ",
      '2026-03-01 12:00:00,fz-7,temperature,"a, b=c",1.7976931348623157e308',
      "2026-03-01 12:00:00,fz-7,temperature,Tromsø,unavailable",
      "1969-12-31T23:59:59.999Z,fz-7,temperature,Tromsø,-1e-3",
    ],
    skipped: { unavailable: 1 },
    bad: "yesterday,fz-7,temperature,Tromsø,1",
    options: { zone: { name: "UTC", from: [Number.MIN_SAFE_INTEGER], offsets: [0] } },
  },
  ndjson: {
    lines: [
      '{"ts": "2026-03-01T12:00:00Z", "device": "fz-7", "metric": "temperature", "labels": {"site": "Tromsø"}, "value": -18.5}',
      '{"time": 1772366410500, "device": "fz-7", "site": "Tromsø", "temperature": true, "door": false}',
      "",
      '{"timestamp": 1772366400, "device": "fz-7", "metric": "temperature", "site": "a, b=c", "value": 1.7976931348623157e308, "battery": 7}',
      '{"timestamp": 1772366400, "device": "fz-7", "metric": "temperature", "site": "a, b=c", "value": NaN}',
      '{"ts": "1969-12-31T23:59:59.999Z", "value": "-1e-3", "device": "fz-7", "metric": "temperature", "labels": {"site": "Tromsø"}}',
    ],
    skipped: { null: 1, other_member: 1 },
    bad: "{",
  },
  "line-protocol": {
    lines: [
      "# a comment",
      "temperature,host=fz-7,site=Tromsø value=-18.5 1772366400000000000",
      '  temperature,site=Tromsø,host=fz-7 value=t,note="a, \\" text" 1772366410500999999',
      "",
      "door,host=fz-7,site=Tromsø value=0u 1772366410500000000",
      "temperature,host=fz-7,site=a\\,\\ b\\=c value=1.7976931348623157e308 1772366400000000000",
      "temperature,host=fz-7,site=Tromsø value=-1e-3 -1",
    ],
    skipped: { text: 1 },
    bad: "temperature,host=fz-7 value=1",
  },
};

describe.each(historyFormats.map((format) => [format.name, format] as const))("%s", (name, format) => {
  const { lines, skipped, bad, options = {} } = EXAMPLES[name] as Example;
  const text = `${lines.join("\n")}\n`;
  const whole = { records: RECORDS, problems: [], skipped };

  it("is read to what it says", async () => {
    expect(await readText(name, text, options)).toMatchObject(whole);
  });

  it.each(format.endings)("is recognised by %s, compressed or not", async (ending) => {
    expect(await readFile(historyFile(`a.b${ending}`, text), options)).toMatchObject(whole);
    expect(await readFile(historyFile(`a.b${ending.toUpperCase()}.gz`, gzipSync(text)), options)).toMatchObject(whole);
    expect(await readFile(historyFile(`a.b${ending}.zst`, zstdCompressSync(text)), options)).toMatchObject(whole);
  });

  it.each([
    ["a byte order mark", `\ufeff${text}`],
    ["line breaks of Windows", text.replaceAll("\n", "\r\n")],
    ["both, and no last line break", `\ufeff${text.trimEnd().replaceAll("\n", "\r\n")}`],
    ["empty lines at its end", `${text}\n\r\n \n`],
  ])("may have %s", async (_, variant) => {
    expect(await readText(name, variant, options)).toMatchObject(whole);
    expect(await readText(name, variant, { ...options, blockBytes: 3 })).toMatchObject(whole);
  });

  it("comes by standard input too, in whatever pieces, but not from an offset", async () => {
    const bytes = Buffer.from(text);
    for (const size of [1, 7, 64]) {
      const input = Readable.from(Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)));
      expect(await readFile("-", { ...options, format: name, input })).toMatchObject(whole);
    }
    await expect(readHistory("-", { format: name, from: { offset: 1, lines: 1 } })).rejects.toMatchObject({ code: "not_resumable" });
  });

  it("goes on at the end of any batch as if it had not stopped", async () => {
    const faulty = `\ufeff${[...lines, bad, lines.at(-1)].join("\r\n")}`;
    for (const [file, blockBytes] of [
      [historyFile("history", faulty), 1],
      [historyFile("history", faulty), 50],
      [historyFile("history.gz", gzipSync(faulty)), 64],
    ] as const) {
      const { records, problems, ends } = await readFile(file, { ...options, format: name, blockBytes });
      expect(records).toHaveLength(RECORDS.length + 1);
      expect(problems).toEqual([expect.stringMatching(new RegExp(`^${lines.length + 1}:`))]);
      expect(ends.at(-1)?.end.offset).toBe(Buffer.byteLength(faulty));
      expect(new Set(ends.map(({ end }) => end.offset)).size).toBeGreaterThan(3);
      for (const { end, count } of ends) {
        const rest = await readFile(file, { ...options, format: name, from: end });
        expect(rest.records).toEqual(records.slice(count));
        expect(rest.problems).toEqual(end.lines > lines.length ? [] : problems);
      }
    }
  });

  it("leaves out a line that is too long, wherever blocks end", async () => {
    for (const length of [65_537, 300_000]) {
      const long = [...lines.slice(0, -1), "x".repeat(length), lines.at(-1), ""].join("\n");
      for (const blockBytes of [1_000, 70_000, 1_048_576]) {
        const read = await readText(name, long, { ...options, blockBytes });
        const problems = [`${lines.length}:1: a line longer than 65536 characters (each reading has a line of its own)`];
        expect(read).toMatchObject({ records: RECORDS, problems });
        for (const { end, count } of read.ends) {
          const rest = await readText(name, long, { ...options, from: end });
          expect(rest.records).toEqual(RECORDS.slice(count));
          expect(rest.problems).toEqual(end.lines < lines.length ? problems : []);
        }
      }
    }
  });

  it("tells the first twenty problems and counts the others by what they are about", async () => {
    const history = await readHistory(historyFile("history", `${lines.join("\n")}\n${`${bad}\n`.repeat(50)}`), { ...options, format: name });
    const { records } = await readWhole(history);
    expect(records).toEqual(RECORDS);
    expect(history.problems.told).toHaveLength(20);
    expect(history.problems.count).toBe(50);
    expect(Object.values(history.problems.untold).reduce((sum, count) => sum + count, 0)).toBe(30);
  });

  it("takes as many series as it may, and tells each reading of others", async () => {
    const { records, problems } = await readText(name, text, { ...options, seriesMax: 2 });
    expect(records).toEqual(RECORDS.filter(({ labels }) => labels["site"] === "Tromsø"));
    expect(problems).toEqual([expect.stringContaining("more than 2 series")]);
  });

  it("refuses what is not UTF-8, and labels that are not", async () => {
    const utf16 = Buffer.from(`\ufeff${text}`, "utf16le");
    await expect(readFile(historyFile("history", utf16), { ...options, format: name })).rejects.toThrow(/:1:1: the file is UTF-16/);
    await expect(readFile(historyFile("history", gzipSync(text)), { ...options, format: name })).rejects.toThrow(/:1:1: the file is compressed by gzip/);
    const latin = await readFile(historyFile("history", Buffer.from(text, "latin1")), { ...options, format: name });
    expect(latin.records).toEqual(RECORDS.filter(({ labels }) => labels["site"] !== "Tromsø"));
    const replaced = await readText(name, text.replaceAll("ø", "\ufffd"), options);
    expect(replaced.records.map(({ labels }) => labels["site"])).toEqual(RECORDS.map(({ labels }) => labels["site"]?.replace("ø", "\ufffd")));
    expect(latin.problems[0]).toMatch(/the label site is not UTF-8: "Troms�" \(save the file as UTF-8/);
  });

  it("says so when a compressed file is cut off, after what was whole", async () => {
    const many = `${lines.join("\n")}\n${`${lines.at(-1)}\n`.repeat(100_000)}`;
    const cut = gzipSync(many).subarray(0, -100);
    const history = await readHistory(historyFile("history.gz", cut), { ...options, format: name });
    let count = 0;
    const readAll = async () => {
      for await (const batch of history.batches) count += batch.ts.length;
    };
    await expect(readAll()).rejects.toMatchObject({ code: "unreadable_history" });
    expect(count).toBeGreaterThan(1000);
  });

  it("gives many readings at once, in their order", async () => {
    const { records } = await readText(name, `${text}${`${lines.at(-1)}\n`.repeat(5000)}`, options);
    expect(records).toEqual([...RECORDS, ...Array.from({ length: 5000 }, () => RECORDS.at(-1))]);
  });

  it("leaves out a last line that somebody is writing, and takes one that nobody writes", async () => {
    for (const blockBytes of [10, 1_000_000]) {
      const file = historyFile("history", text);
      const read = async () => readHistory(file, { ...options, format: name, blockBytes });
      const growing = await read();
      appendFileSync(file, (lines.at(-1) as string).slice(0, -1));
      const left = await readWhole(growing);
      expect(left).toMatchObject({
        records: RECORDS,
        problems: [
          `${lines.length + 1}:1: the last line is not complete yet: the file changed while it was read (import it again when nobody writes it any more)`,
        ],
      });
      expect([left.ends.at(-1)?.end, growing.isEndOpen()]).toEqual([{ offset: Buffer.byteLength(text), lines: lines.length }, false]);
      const still = await read();
      expect((await readWhole(still)).ends.at(-1)?.end.lines).toBe(lines.length + 1);
      expect(still.isEndOpen()).toBe(true);
      const ending = await read();
      appendFileSync(file, "\n");
      expect((await readWhole(ending)).ends.at(-1)?.end.lines).toBe(lines.length + 1);
      expect(ending.isEndOpen()).toBe(false);
    }
  });

  it("can be interrupted", async () => {
    const interruption = new AbortController();
    const history = await readHistory(historyFile("history", text), { ...options, format: name, blockBytes: 40, signal: interruption.signal });
    const readAll = async () => {
      for await (const _ of history.batches) interruption.abort();
    };
    await expect(readAll()).rejects.toMatchObject({ code: "interrupted" });
  });

  it("says how far it is", async () => {
    const history = await readHistory(historyFile("history", text), { ...options, format: name });
    const { records } = await readWhole(history);
    expect(records).toHaveLength(RECORDS.length);
    expect([history.size, history.progress()]).toEqual([Buffer.byteLength(text), Buffer.byteLength(text)]);
  });
});

it("has an example for each format", () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(historyFormats.map(({ name }) => name).sort());
});

describe("files that are none", () => {
  it("need a name that says their format, or --format", () => {
    expect(() => formatOf("a.xls")).toThrow("a.xls: its name does not say in which format it is");
    expect(() => formatOf("-")).toThrow("-: its name");
    expect(() => formatOf("a.csv", "xls")).toThrow('there is no format "xls"');
    expect(formatOf("a.csv", "ndjson").name).toBe("ndjson");
  });

  it("are said by name", async () => {
    const folder = historyFile("x", "").replace(/x$/, "");
    await expect(readHistory(`${folder}/none.csv`)).rejects.toThrow("none.csv:1:1: this file cannot be read: no such file");
    await expect(readHistory(folder, { format: "csv" })).rejects.toThrow(":1:1: this file cannot be read: it is a folder");
  });
});

it("labels of so many characters are no labels: readings of further series are told", async () => {
  const note = "n".repeat(4000);
  const many = Math.ceil(LABELS_CHARS_MAX / 4000) + 50;
  const text = `timestamp,device,metric,note,value\n${Array.from({ length: many }, (_, index) => `${t0 + index},a,m,${note}${index},1\n`).join("")}`;
  const history = await readHistory(historyFile("notes", text), { format: "csv" });
  const { records } = await readWhole(history);
  expect(records.length).toBeGreaterThan(many - 200);
  expect(records.length + history.problems.count).toBe(many);
  expect(history.problems.told[0]?.message).toContain("the labels of its series have more than 32000000 characters");
});
