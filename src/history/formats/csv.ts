// CSV with a header line. Lines without quotes, nearly all there are, are read in place: of them only the text of their labels is cut out,
// and looked up as it stands. A line has as many cells as the header, or is a problem; a cell without a value is none.

import type { Labels } from "../../engine/reading.ts";
import { GatewayError } from "../../error.ts";
import { cellText, isBlank, placeIn, splitCells } from "../csv-cells.ts";
import { type CsvLayout, readHeader, separatorSaid } from "../csv-header.ts";
import {
  excerpt,
  type HistoryFormat,
  type HistoryWriter,
  type LineParser,
  ownText,
  type ParserOptions,
  type Place,
  type Sink,
  type WriterOptions,
} from "../format.ts";
import { numberText, readDecimal, readValueText } from "../number-text.ts";
import { createRecords, type Taken } from "../records.ts";
import { createTimeReader, timeText } from "../time-text.ts";

export const csv: HistoryFormat = { name: "csv", endings: [".csv", ".tsv"], parser: createCsvParser, writer: createCsvWriter };

/** Texts of labels that are remembered with their series; then they are looked up anew. */
const REMEMBERED_MAX = 200_000;
/** Of a value column whose series is not asked for yet. */
const UNKNOWN = -2;
const QUOTE = 34;
const RETURN = 13;

function createCsvParser(options: ParserOptions, sink: Sink): LineParser {
  let rows: ReturnType<typeof createRows> | undefined;
  let separator: string | undefined;
  const records = createRecords((text, line, isWhole) => {
    const end = text.charCodeAt(text.length - 1) === RETURN ? text.length - 1 : text.length;
    if (rows !== undefined) return rows.take(text, end, line, isWhole);
    if (text.trim() === "") return "taken";
    if (separator === undefined) {
      separator = separatorSaid(text.slice(0, end));
      if (separator !== undefined) return "taken";
    }
    const layout = readHeader(text.slice(0, end), { line, options, sink, isWhole, separator });
    if (layout !== undefined) rows = createRows(layout, options, sink);
    return layout === undefined ? "open" : "taken";
  });
  return {
    line: records.line,
    forget: records.forget,
    get open() {
      return records.open;
    },
    get isReady() {
      return rows !== undefined;
    },
    end() {
      records.end();
      if (rows === undefined)
        sink.refuse({ line: 1, column: 1 }, { what: "the file is empty", hint: "its first line names the columns: timestamp,device,metric,value" });
    },
  };
}

function createRows(layout: CsvLayout, options: ParserOptions, sink: Sink) {
  const separator = layout.separator.charCodeAt(0);
  const time = createTimeReader(options.zone);
  const starts = new Int32Array(layout.width);
  const ends = new Int32Array(layout.width);
  const groups = createGroups(layout, options, sink);

  /** Finds the cells of a line without quotes. @returns their number, or -1 where there are quotes */
  function mark(text: string, end: number): number {
    let cell = 0;
    let start = 0;
    for (let at = 0; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) return -1;
      if (code !== separator) continue;
      if (cell < layout.width) {
        starts[cell] = start;
        ends[cell] = at;
      }
      cell += 1;
      start = at + 1;
    }
    if (cell < layout.width) {
      starts[cell] = start;
      ends[cell] = end;
    }
    return cell + 1;
  }

  /** Cells that spaces surround. */
  function trim(text: string): void {
    for (let cell = 0; cell < layout.width; cell += 1) {
      let start = starts[cell] as number;
      let end = ends[cell] as number;
      while (start < end && isBlank(text, start)) start += 1;
      while (end > start && isBlank(text, end - 1)) end -= 1;
      starts[cell] = start;
      ends[cell] = end;
    }
  }

  function plain(text: string, end: number, line: number): boolean {
    const count = mark(text, end);
    if (count < 0) return false;
    if (count === layout.width || (count > layout.width && isBlankAfter(text, end) && !hasDecimalComma((cell) => text.slice(starts[cell], ends[cell]))))
      plainRow(text, line);
    else if (text.trim() !== "") wrongCount(count, line);
    return true;
  }

  /** Cells beyond the last column that hold nothing are no cells. */
  function isBlankAfter(text: string, end: number): boolean {
    return (
      text
        .slice(ends[layout.width - 1], end)
        .replaceAll(layout.separator, "")
        .trim() === ""
    );
  }

  /** A line that has cells too many, if only empty ones: whether `18,5` in it may be a number with a decimal comma and an empty cell after it. */
  function hasDecimalComma(textOf: (cell: number) => string): boolean {
    if (layout.separator !== ",") return false;
    return layout.values.some(({ at }) => at + 1 < layout.width && /^[+-]?\d+$/.test(textOf(at).trim()) && /^\d+$/.test(textOf(at + 1).trim()));
  }

  function plainRow(text: string, line: number): void {
    trim(text);
    const at = layout.time;
    const ts = time.read(text, starts[at] as number, ends[at] as number);
    const place = (cell: number): Place => ({ line, column: (starts[cell] as number) + 1 });
    if (Number.isNaN(ts)) {
      sink.problem("time", place(at), time.flaw(text.slice(starts[at], ends[at])));
      return;
    }
    const group = groups.find(text, starts, ends);
    for (let index = 0; index < layout.values.length; index += 1) {
      const cell = (layout.values[index] as { at: number }).at;
      const value = readDecimal(text, starts[cell] as number, ends[cell] as number);
      if (Number.isNaN(value)) put(group, index, ts, text.slice(starts[cell], ends[cell]), place(cell));
      else give(group, index, ts, value, () => place(cell));
    }
  }

  function quoted(text: string, line: number, isWhole: boolean): Taken {
    const cells = splitCells(text, layout.separator);
    if (cells.kind === "open" && !isWhole) return "open";
    const isFit = cells.kind === "cells" && fits(cells.texts);
    if (!isFit && text.includes("\n")) return "torn";
    const placeAt = (at: number): Place => placeIn(text, line, at);
    if (cells.kind !== "cells") {
      const what = cells.kind === "open" ? "this quote is never closed" : "text after a closing quote";
      sink.problem("syntax", placeAt(cells.at), { what, hint: 'a cell is quoted whole, and a quote within is doubled: "5"" pipe"' });
      return "taken";
    }
    const { texts } = cells;
    if (!isFit) {
      wrongCount(texts.length, line);
      return "taken";
    }
    const place = (cell: number): Place => placeAt(cells.starts[cell] as number);
    const stamp = texts[layout.time] as string;
    const ts = time.read(stamp, 0, stamp.length);
    if (Number.isNaN(ts)) sink.problem("time", place(layout.time), time.flaw(stamp));
    else for (const [index, { at }] of layout.values.entries()) put(groups.of(texts), index, ts, (texts[at] as string).trim(), place(at));
    return "taken";
  }

  function fits(texts: readonly string[]): boolean {
    if (texts.length <= layout.width) return texts.length === layout.width;
    return texts.slice(layout.width).every((cell) => cell === "") && !hasDecimalComma((cell) => texts[cell] as string);
  }

  function put(group: Group, index: number, ts: number, text: string, place: Place): void {
    const value = readValueText(text);
    if (value.kind === "value") give(group, index, ts, value.value, () => place);
    else if (value.kind === "skip") sink.skip(value.reason);
    else sink.problem("value", place, value.flaw);
  }

  function give(group: Group, index: number, ts: number, value: number, place: () => Place): void {
    const known = group.series[index] as number;
    const series = known >= 0 ? known : groups.ask(group, index, place());
    if (series >= 0) sink.reading(series, ts, value);
  }

  function wrongCount(count: number, line: number): void {
    const what = `${count} ${count === 1 ? "cell" : "cells"} where the first line names ${layout.width} columns`;
    sink.problem("syntax", { line, column: 1 }, { what, hint: "give each column a cell, and quote cells that hold the separator; decimals have a point" });
  }

  return {
    take: (text: string, end: number, line: number, isWhole: boolean): Taken =>
      plain(text, end, line) ? "taken" : quoted(end === text.length ? text : text.slice(0, end), line, isWhole),
  };
}

/** Lines with the same labels; a series for each value column. */
type Group = { readonly labels: Labels; readonly series: Int32Array };

function createGroups(layout: CsvLayout, options: ParserOptions, sink: Sink) {
  const columns = layout.labels;
  const first = columns[0]?.at ?? 0;
  const last = columns.at(-1)?.at ?? 0;
  /** Whether the labels stand side by side, so that one piece of the line is all of them. */
  const isOnePiece = last - first + 1 === columns.length;
  const fixed = {
    ...options.labels,
    ...(options.device === undefined ? {} : { device: options.device }),
    ...(options.metric === undefined ? {} : { metric: options.metric }),
  };
  const known = new Map<string, Group>();
  const constant = columns.length === 0 ? groupOf([]) : undefined;
  let latestKey = "";
  let latest: Group | undefined;

  function groupOf(texts: readonly string[]): Group {
    const own = columns.flatMap(({ at, name }) => (texts[at] ? [[name, ownText(texts[at])] as const] : []));
    return { labels: { ...fixed, ...Object.fromEntries(own) }, series: new Int32Array(layout.values.length).fill(UNKNOWN) };
  }

  function remember(key: string, make: () => readonly string[]): Group {
    let group = known.get(key);
    if (group === undefined) {
      group = groupOf(make());
      if (known.size >= REMEMBERED_MAX) known.clear();
      known.set(ownText(key), group);
    }
    return group;
  }

  return {
    /** By the text of a line without quotes. */
    find(text: string, starts: Int32Array, ends: Int32Array): Group {
      if (constant !== undefined) return constant;
      let key = "";
      if (isOnePiece) key = text.slice(starts[first], ends[last]);
      else for (const { at } of columns) key += `${text.slice(starts[at], ends[at])}\n`;
      if (latest !== undefined && key === latestKey) return latest;
      latest = remember(key, () => Array.from({ length: layout.width }, (_, cell) => text.slice(starts[cell], ends[cell])));
      latestKey = key;
      return latest;
    },
    /** By cells that were quoted; no unquoted text is like these keys, for it holds no quotes. */
    of: (texts: readonly string[]): Group => constant ?? remember(JSON.stringify(columns.map(({ at }) => texts[at])), () => texts),
    /** Asks for a series that is not known yet, or was refused: then it is told again. */
    ask(group: Group, index: number, place: Place): number {
      const metric = layout.values[index]?.metric;
      const series = sink.series(metric === undefined ? group.labels : { ...group.labels, metric }, place);
      group.series[index] = series;
      return series;
    },
  };
}

/** @throws GatewayError `not_a_label_column` for a label that would be taken for another column */
function createCsvWriter({ labels }: WriterOptions): HistoryWriter {
  const columns = labels.filter((name) => name !== "device" && name !== "metric");
  const taken = columns.find((name) => name === "timestamp" || name === "value");
  if (taken !== undefined)
    throw new GatewayError("not_a_label_column", `the label ${excerpt(taken)} cannot be a column of CSV, which has one of this name`, { hint: "write NDJSON" });
  return {
    head: `timestamp,${["device", "metric", ...columns].map(cellText).join(",")},value\n`,
    series(given) {
      const cells = ["device", "metric", ...columns].map((name) => (given[name] ? cellText(given[name]) : "")).join(",");
      return (ts, value) => `${timeText(ts)},${cells},${numberText(value)}\n`;
    },
  };
}
