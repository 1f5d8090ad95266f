// However a file is cut into blocks, and from whichever block's end it is read on, the same comes of it: also of files that are wrong
// throughout, with quotes that never close, lines that end within a character, and text that is no text.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createColumns } from "../../src/history/columns.ts";
import type { HistoryFormat } from "../../src/history/format.ts";
import { historyFormats } from "../../src/history/formats/index.ts";
import { createLineFeed, type Position } from "../../src/history/lines.ts";
import { createProblemList } from "../../src/history/problem-list.ts";

const begin: Position = { offset: 0, lines: 0 };
const header = "timestamp,device,metric,value";
const pieces: { readonly [format: string]: readonly string[] } = {
  csv: ["1772366400,a,t,1", '1772366400,"a",t,', ",", '"', '""', "\n", "\r\n", "é", "x", " ", "2", "\ufeff", "€"],
  ndjson: [
    '{"ts":1772366400,"device":"a","metric":"t","value":1}',
    '{"ts":1772366400,',
    '"device":"é"',
    ',"t":2}',
    "{",
    "}",
    '"',
    "\n",
    "\r\n",
    "NaN",
    "\ufeff",
  ],
  "line-protocol": ["m,host=a v=1 1772366400000000000", 'm,host=é v="', '"', "\\", ",", "=", " ", "\n", "\r\n", "1", "i", "#", "t", "\ufeff"],
};

type Outcome = { readings: string[]; problems: string[]; skips: string; end: Position };
type Stop = { readonly position: Position; readonly readings: number; readonly problems: number };

/** Reads from a position to the end in blocks of `size`. @returns also how far it was after each block */
function read(format: HistoryFormat, bytes: Buffer, size: number, from = begin): Outcome & { stops: Stop[] } {
  const problems = createProblemList("f");
  const columns = createColumns("f", problems, { seriesMax: 1000, tsMax: Number.POSITIVE_INFINITY });
  const parser = format.parser({}, columns.sink);
  if (from.offset > 0 && !parser.isReady) parser.line(header, 1);
  const feed = createLineFeed(parser, columns, from);
  const readings: string[] = [];
  const stops: Stop[] = [];
  const take = (): void => {
    const { series, ts, value } = columns.take();
    for (const [row, number] of series.entries()) readings.push(JSON.stringify([columns.labels[number], ts[row], value[row]]));
    stops.push({ position: feed.position, readings: readings.length, problems: problems.count });
  };
  for (let at = from.offset; at < bytes.length; at += size) {
    feed.feed(bytes.subarray(at, at + size));
    take();
  }
  feed.end();
  take();
  const told = problems.told.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  return { readings, problems: told, skips: JSON.stringify(columns.skipped), end: feed.position, stops };
}

describe.each(historyFormats.map((format) => [format.name, format] as const))("%s", (name, format) => {
  const content = fc
    .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...(pieces[name] as string[])) }, fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 16 })
    .map((parts) => Buffer.from(`${name === "csv" ? `${header}\n` : ""}${parts.join("")}`));
  const any = fc.oneof(
    content,
    fc.tuple(content, fc.uint8Array({ maxLength: 6 })).map(([text, noise]) => Buffer.concat([text, noise])),
  );

  it("is the same in any pieces, and from any of their ends", () => {
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 40 }), (bytes, size) => {
        const { stops: _, ...whole } = read(format, bytes, bytes.length + 1);
        const { stops, ...cut } = read(format, bytes, size);
        expect(cut).toEqual(whole);
        expect(whole.end.offset).toBe(bytes.length);
        for (const { position, readings, problems } of stops) {
          const rest = read(format, bytes, bytes.length + 1, position);
          if (position.offset === 0) continue;
          expect(rest.readings).toEqual(whole.readings.slice(readings));
          expect(rest.problems).toEqual(whole.problems.slice(problems));
          expect(rest.end).toEqual(whole.end);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
