// The table: read back by a parser of RFC 4180 it is what went in, no text of it is a formula to a spreadsheet, and the same figures are the same bytes.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { reportCsv } from "../../src/reports/report-csv.ts";
import { checksumOf, reportFileName, reportText } from "../../src/reports/report-text.ts";
import { EVIL, report } from "./report-fixture.ts";

/** As RFC 4180 says: quotes around what needs them, doubled inside; CRLF after each record. */
function parse(csv: string): Record<string, string>[] {
  expect(csv.startsWith("\ufeff")).toBe(true);
  const records: string[][] = [[]];
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy;
  field.lastIndex = 1;
  for (let found = field.exec(csv); found !== null; found = field.exec(csv)) {
    const text = found[1] as string;
    records.at(-1)?.push(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
    if (found[2] === "\r\n") records.push([]);
    if (field.lastIndex === csv.length) break;
  }
  expect(records.pop()).toEqual([]);
  const [head = [], ...rows] = records;
  expect(rows.filter((row) => row.length !== head.length)).toEqual([]);
  return rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index] ?? ""])));
}

describe("reportCsv", () => {
  const rows = parse(reportCsv(report));
  const of = (kind: string) => rows.filter((row) => row["kind"] === kind);

  it("has a row for each thing, and says which it is", () => {
    expect([...new Set(rows.map(({ kind }) => kind))]).toEqual(["report", "limit", "summary", "day", "excursion", "act", "gap"]);
    expect([of("summary").length, of("day").length, of("excursion").length, of("act").length]).toEqual([2, 10, 3, 2]);
    expect(of("report")[0]).toMatchObject({ start: "2026-10-23 00:00:00", end: "2026-10-28 00:00:00", text: "zone Europe/Oslo; gateway cold <chain>" });
    expect(of("limit")[0]).toMatchObject({ state: "high", limit: "-15" });
    expect(
      of("day")
        .slice(0, 5)
        .map(({ day, state, readings }) => [day, state, readings]),
    ).toEqual([
      ["2026-10-23", "exact", "20"],
      ["2026-10-24", "approximate", "20"],
      ["2026-10-25", "open", "20"],
      ["2026-10-26", "silent", "0"],
      ["2026-10-27", "waiting", ""],
    ]);
    expect(of("excursion")[2]).toMatchObject({ state: "firing", end: "", end_utc: "", duration_s: "", peak: "-9.5", alert: "a-2" });
    expect(of("excursion")[0]).toMatchObject({ metric: "temperature", duration_s: "10800", start_utc: "2026-10-22T21:00:00.000Z" });
  });

  it("gives times on the wall and in UTC, so that the hour that comes twice is told apart", () => {
    const [, , change] = of("day");
    expect(change).toMatchObject({
      start: "2026-10-25 00:00:00",
      start_utc: "2026-10-24T22:00:00.000Z",
      end_utc: "2026-10-25T23:00:00.000Z",
      duration_s: "90000",
    });
  });

  it("lets no text be a formula, and leaves numbers alone", () => {
    expect(of("act")[1]).toMatchObject({ text: "'-1+2\nsecond line", by: "bo" });
    expect(of("summary")[0]).toMatchObject({ minimum: "-20.5", metric: "temperature" });
    const first = fc.constantFrom("=", "+", "-", "@", " =", "\t@", "\r=", "\n+", "＝", "\ufeff=", "a", '"', ",");
    fc.assert(
      fc.property(first, fc.string({ unit: "binary" }), (head, rest) => {
        const [row] = parse(reportCsv({ ...report, device: head + rest, series: [], excursions: [] }));
        expect(row?.["device"]).not.toMatch(/^[\s\ufeff]*[=+\-@＝＋－＠]/);
      }),
    );
  });

  it("keeps every text that is none", () => {
    const text = fc.string({ unit: "grapheme" }).filter((each) => !/^[\s\ufeff]*[=+\-@＝＋－＠]/.test(each));
    fc.assert(
      fc.property(text, (device) => {
        expect(parse(reportCsv({ ...report, device, series: [], excursions: [] }))[0]?.["device"]).toBe(device);
      }),
    );
    expect(of("act")[0]?.["text"]).toBe(EVIL);
  });

  it("does not depend on when it was made, nor by which version", () => {
    const later = { ...report, madeAt: report.madeAt + 1, version: "9", knownUntil: report.knownUntil + 1 };
    expect(reportCsv(later)).toBe(reportCsv(report));
    const other = { ...report, excursions: report.excursions.slice(1) };
    expect(checksumOf(reportCsv(other))).not.toBe(checksumOf(reportCsv(report)));
  });
});

describe("the checksum", () => {
  it("is that of the whole file, in the page and in the JSON", () => {
    const view = () => ({ device: 1 });
    const checksum = checksumOf(reportText(report, "csv", view));
    expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(reportText(report, "html", view)).toContain(checksum);
    expect(JSON.parse(reportText(report, "json", view))).toEqual({ device: 1, csv_sha256: checksum });
  });
});

describe("the name of a file", () => {
  it("holds nothing that a path or a header would read otherwise", () => {
    expect(reportFileName('../a/"b"\r\nx: Ω', "2026-10", "csv")).toBe("report-..-a-b-x--2026-10.csv");
    expect(reportFileName("fz-7", "", "csv")).toBe("report-fz-7.csv");
    expect(reportFileName("x".repeat(500), "", "html").length).toBeLessThan(120);
  });
});
