// What a writer writes is read back as it was: every label, every instant, every finite double, bit for bit. And the fast ways of reading
// times and decimals agree with the slow ones on every text.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utc } from "../../src/engine/calendar.ts";
import { readEventTime } from "../../src/event-time.ts";
import { createColumns } from "../../src/history/columns.ts";
import { historyFormats } from "../../src/history/formats/index.ts";
import { createLineFeed } from "../../src/history/lines.ts";
import { numberText, readDecimal } from "../../src/history/number-text.ts";
import { createProblemList } from "../../src/history/problem-list.ts";
import { createTimeReader, isDaySerial, timeText } from "../../src/history/time-text.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', ",", ";", "\t", "\n", "\r", " ", "a", "é", "\\", "=", "\0", "\ufeff", "\u00a0", "\u2028"),
    minLength: 1,
    maxLength: 8,
  }),
);
const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,5}$/).filter((it) => it !== "value" && it !== "timestamp");
const labels = fc
  .record({ device: text, metric: text, others: fc.dictionary(name, text, { maxKeys: 4 }) })
  .map(({ device, metric, others }) => ({ ...others, device, metric }));
const instant = fc.oneof(
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
  fc.integer({ min: -63_000_000_000_000, max: 260_000_000_000_000 }),
  fc.constantFrom(0, -1, 1e11, -1e11),
);
const double = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 5e-324, Number.MAX_VALUE, 2 ** 53 + 2, 0.1 + 0.2, 1e21, 1e-7),
);
const readings = fc.array(fc.record({ labels, ts: instant, value: double }), { minLength: 1, maxLength: 20 });

/** Reads a text in pieces of `size` bytes, without a file. */
function readBack(format: (typeof historyFormats)[number], content: string, size: number) {
  const problems = createProblemList("f");
  const columns = createColumns("f", problems, { seriesMax: 1000, tsMax: Number.POSITIVE_INFINITY });
  const feed = createLineFeed(format.parser({}, columns.sink), columns, { offset: 0, lines: 0 });
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += size) feed.feed(bytes.subarray(at, at + size));
  feed.end();
  expect(problems.told).toEqual([]);
  expect(columns.skipped).toEqual({ empty: 0, null: 0, not_finite: 0, unavailable: 0, text: 0, other_member: 0 });
  expect(feed.position.offset).toBe(bytes.length);
  const { series, ts, value } = columns.take();
  return [...series].map((number, row) => ({ labels: columns.labels[number], ts: ts[row], value: value[row] }));
}

describe.each(historyFormats.filter(({ writer }) => writer !== undefined).map((format) => [format.name, format] as const))("%s", (_, format) => {
  it("comes back as it was written", () => {
    fc.assert(
      fc.property(readings, fc.constantFrom(1, 17, 1_000_000), (given, size) => {
        const names = [...new Set(given.flatMap((reading) => Object.keys(reading.labels)))];
        const writer = format.writer?.({ labels: names });
        if (writer === undefined) throw new Error("it has a writer");
        const content = writer.head + given.map((reading) => writer.series(reading.labels)(reading.ts, reading.value)).join("");
        expect(readBack(format, content, size)).toEqual(given.map((reading) => ({ ...reading, labels: { ...reading.labels } })));
      }),
      { numRuns: 300 },
    );
  });
});

it("CSV has no column for a label that is called as one of its own", () => {
  const csv = historyFormats.find((format) => format.name === "csv");
  expect(() => csv?.writer?.({ labels: ["value"] })).toThrow('the label "value" cannot be a column of CSV');
  expect(csv?.writer?.({ labels: ["site", "device", "metric"] }).head).toBe("timestamp,device,metric,site,value\n");
});

describe("texts", () => {
  it("times are read as src/event-time.ts reads them, but for dates as spreadsheets count them", () => {
    const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`));
    const plausible = fc
      .tuple(
        fc.oneof(fc.constantFrom("2024", "1969", "0099"), digits(4)),
        fc.constantFrom("02", "12", "13", "00"),
        fc.constantFrom("29", "30", "31", "01", "3x"),
        fc.constantFrom("T", " ", "_"),
        fc.constantFrom("00", "23", "24"),
        fc.constantFrom("59", "60", "5:"),
        fc.constantFrom("59", "60", "61"),
        fc.constantFrom("", ".1", ".1234", ".", ".12x", ",5"),
        fc.constantFrom("", "Z", "z", "+01:00", " Z"),
      )
      .map(
        ([year, month, day, between, hour, minute, second, fraction, offset]) =>
          `${year}-${month}-${day}${between}${hour}:${minute}:${second}${fraction}${offset}`,
      );
    const number = fc.oneof(fc.integer().map(String), fc.stringMatching(/^-?[0-9]{1,17}(\.[0-9]{1,4})?$/));
    fc.assert(
      fc.property(fc.oneof(plausible, number, fc.string()), fc.constantFrom(utc, undefined), (given, zone) => {
        const slow = readEventTime(given, zone, Number.NEGATIVE_INFINITY);
        const isSerial = /^\d{5}(\.\d+)?$/.test(given) && isDaySerial(Number(given));
        expect(createTimeReader(zone).read(`x${given}y`, 1, 1 + given.length)).toBe(slow.kind === "time" && !isSerial ? slow.ts : Number.NaN);
      }),
      { numRuns: 5000 },
    );
  });

  it("times are written as RFC 3339 where it has the year", () => {
    expect(timeText(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(timeText(Date.UTC(9999, 11, 31))).toBe("9999-12-31T00:00:00.000Z");
    expect(timeText(Date.UTC(10_000, 0, 1))).toBe("253402300800000");
    expect(timeText(Date.UTC(-1, 0, 1))).toBe("-62198755200000");
  });

  it("decimals are read as Number reads them", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double().map(String), fc.stringMatching(/^-?[0-9]{0,16}\.?[0-9]{0,16}$/), fc.stringMatching(/^[-+.0-9eEx ]{0,6}$/)), (given) => {
        const quick = readDecimal(`7${given}7`, 1, 1 + given.length);
        if (!Number.isNaN(quick)) expect(quick).toBe(Number(given));
        if (/^-?\d{1,9}(\.\d{1,5})?$/.test(given)) expect(quick).toBe(Number(given));
      }),
      { numRuns: 5000 },
    );
    expect([-0, 1e21, 0.1].map(numberText)).toEqual(["-0", "1e+21", "0.1"]);
  });
});
