// What a format of history files is: how its files are called, and a parser that takes their lines and hands what they hold to a sink.
// A parser is synchronous and keeps nothing of a line. What it cannot take is a problem with its place, what says "no value" is counted:
// each line, cell and field ends as a reading, a skip or a problem.

import type { ZoneTable } from "../engine/calendar.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";

/** Bad quality and what is no value at all; the label of a count, so the list is closed. */
export const skipReasons = ["empty", "null", "not_finite", "unavailable", "text", "other_member"] as const;
export type SkipReason = (typeof skipReasons)[number];

/** What a problem is about; problems that are not told one by one are counted by it. */
export const problemKinds = ["line", "syntax", "time", "value", "series", "future"] as const;
export type ProblemKind = (typeof problemKinds)[number];

/** Counted from 1; columns in UTF-16 units, as editors count them. */
export type Place = { readonly line: number; readonly column: number };

/** What is wrong, and what mends it. */
export type Flaw = { readonly what: string; readonly hint: string };

/** Where a parser puts what it reads. */
export type Sink = {
  /** The number of a series, the same for the same labels. @returns -1 where the labels are refused: the problem is told then */
  series(labels: Labels, place: Place): number;
  reading(series: number, ts: EpochMs, value: number): void;
  skip(reason: SkipReason): void;
  problem(kind: ProblemKind, place: Place, flaw: Flaw): void;
  /** The file cannot be read in this way at all. @throws GatewayError `not_a_history` */
  refuse(place: Place, flaw: Flaw): never;
};

export type LineParser = {
  /** Takes the next line, without its line feed; a carriage return before it is the parser's to take off. */
  line(text: string, number: number): void;
  /** How many of the last lines belong to a record that is not complete: a quoted text may hold line breaks. */
  readonly open: number;
  /** As if the open lines had not been given: they will be given again. */
  forget(): void;
  /** No line comes that belongs to what is open. */
  end(): void;
  /** Whether the first lines that say what the others mean (CSV's header) are read. */
  readonly isReady: boolean;
};

export const precisions = ["ns", "us", "ms", "s"] as const;
export type Precision = (typeof precisions)[number];

export type ParserOptions = {
  /** Device of readings that name none. */
  readonly device?: string | undefined;
  /** Metric of readings that name none. */
  readonly metric?: string | undefined;
  /** Further labels of readings that do not have them. */
  readonly labels?: Labels | undefined;
  /** For local times without offset; without it they are problems. */
  readonly zone?: ZoneTable | undefined;
  /** Line protocol: unit of its timestamps; default: ns. */
  readonly precision?: Precision | undefined;
  /** Line protocol: the tag that is the device; default: `device`, else `host`, else `sensor`. */
  readonly deviceTag?: string | undefined;
};

export type HistoryWriter = {
  /** What the file begins with. */
  readonly head: string;
  /** A function that makes the lines of one series, each with its line feed. */
  series(labels: Labels): (ts: EpochMs, value: number) => string;
};

export type WriterOptions = {
  /** Names of all labels that occur beside device and metric. */
  readonly labels: readonly string[];
};

export type HistoryFormat = {
  readonly name: string;
  /** Endings of file names, with the dot. */
  readonly endings: readonly string[];
  parser(options: ParserOptions, sink: Sink): LineParser;
  /** Absent where nothing is written in this format. */
  readonly writer?: (options: WriterOptions) => HistoryWriter;
};

/** Longest line, in UTF-16 units, and longest record that holds line breaks. */
export const LINE_MAX = 65_536;

/** A piece of a file for a problem's text. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** A copy that does not keep the whole block alive of which `text` is a slice. */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
