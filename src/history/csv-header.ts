// The first line of a CSV file names its columns, and by it the file is long (a reading per line: time, device, metric, further labels, value)
// or wide (a column per metric). What is not plain from it is refused with a sentence: nothing is guessed.

import { placeIn, splitCells } from "./csv-cells.ts";
import { excerpt, type Flaw, ownText, type ParserOptions, type Sink } from "./format.ts";

export type CsvLayout = {
  readonly separator: string;
  /** How many columns there are. */
  readonly width: number;
  readonly time: number;
  /** Columns that hold labels, `device` and `metric` among them, ascending. */
  readonly labels: readonly { readonly at: number; readonly name: string }[];
  /** Columns that hold values; in the wide shape each has its metric. */
  readonly values: readonly { readonly at: number; readonly metric: string | undefined }[];
};

const timeNames = ["timestamp", "time", "ts"];
const separators = [",", ";", "\t"];
const naming = "the first line names the columns: timestamp,device,metric,value, or timestamp and a column per metric";

/** What stands in a line before the header by which spreadsheets are told the separator: `sep=;`. */
export function separatorSaid(text: string): string | undefined {
  return /^"?sep=([,;\t])"?[,; ]*$/i.exec(text)?.[1];
}

type Given = {
  readonly line: number;
  readonly options: ParserOptions;
  readonly sink: Sink;
  readonly isWhole: boolean;
  /** That the file names; else the header says it. */
  readonly separator: string | undefined;
};

/** @returns undefined when a quoted name goes on in the next line. @throws GatewayError `not_a_history` */
export function readHeader(text: string, { line, options, sink, isWhole, separator = separatorOf(text) }: Given): CsvLayout | undefined {
  const cells = splitCells(text, separator);
  if (cells.kind === "open" && !isWhole) return undefined;
  const refuse = (at: number, flaw: Flaw): never => sink.refuse(placeIn(text, line, at), flaw);
  if (cells.kind !== "cells") return refuse(cells.at, { what: "the quotes of this column's name do not fit", hint: 'write "name"; a quote within is doubled' });
  const names = cells.texts.map(ownText);
  const start = (at: number): number => cells.starts[at] ?? 0;
  for (const [at, name] of names.entries()) {
    if (name === "") return refuse(start(at), { what: `column ${at + 1} has no name`, hint: "name it, or take it out" });
    if (names.indexOf(name) < at) return refuse(start(at), { what: `there are two columns ${excerpt(name)}`, hint: "rename one of them" });
  }
  const time = timeNames.map((name) => columnOf(names, name)).find((at) => at >= 0) ?? -1;
  if (time < 0) return refuse(0, { what: `no column is called timestamp, time or ts: ${excerpt(text)}`, hint: naming });
  const columns = { names, time, device: columnOf(names, "device"), metric: columnOf(names, "metric"), value: columnOf(names, "value") };
  const flaw = columns.value < 0 ? wideFlaw(columns, options) : longFlaw(columns, options);
  if (flaw !== undefined) return refuse(0, flaw);
  return { separator, width: names.length, time, ...(columns.value < 0 ? wide(columns) : long(columns)) };
}

type Columns = { readonly names: readonly string[]; readonly time: number; readonly device: number; readonly metric: number; readonly value: number };

function longFlaw({ device, metric }: Columns, options: ParserOptions): Flaw | undefined {
  if (device < 0 && !options.device) return { what: "no column is called device", hint: "give the device of all readings with --device NAME" };
  if (metric < 0 && !options.metric) return { what: "no column is called metric", hint: "give the metric of all readings with --metric NAME" };
  return undefined;
}

function wideFlaw({ names, metric, device }: Columns, options: ParserOptions): Flaw | undefined {
  if (metric >= 0) return { what: "there is a column metric, but none called value", hint: naming };
  if (options.metric !== undefined)
    return { what: "no column is called value, so that each column is a metric of its own", hint: "leave out --metric, or call the column value" };
  if (device < 0 && !options.device)
    return { what: "no column is called value, and no device is named", hint: "give the device with --device NAME: then each other column is a metric" };
  return names.length > (device < 0 ? 1 : 2) ? undefined : { what: "there is no column of values", hint: naming };
}

function long({ names, time, device, metric, value }: Columns): Pick<CsvLayout, "labels" | "values"> {
  const labels = names.flatMap((name, at) => {
    if (at === time || at === value) return [];
    return [{ at, name: at === device ? "device" : at === metric ? "metric" : name }];
  });
  return { labels, values: [{ at: value, metric: undefined }] };
}

function wide({ names, time, device }: Columns): Pick<CsvLayout, "labels" | "values"> {
  const values = names.flatMap((metric, at) => (at === time || at === device ? [] : [{ at, metric }]));
  return { labels: device < 0 ? [] : [{ at: device, name: "device" }], values };
}

/** The column of this name; else of this name in other case. */
function columnOf(names: readonly string[], wanted: string): number {
  const exact = names.indexOf(wanted);
  return exact >= 0 ? exact : names.findIndex((name) => name.toLowerCase() === wanted);
}

/** The one that parts the line into most cells. */
function separatorOf(text: string): string {
  const bare = text.replace(/"[^"]*"/g, "");
  const counts = separators.map((separator) => bare.split(separator).length);
  return separators[counts.indexOf(Math.max(...counts))] as string;
}
