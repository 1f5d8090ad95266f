// Reads a file of readings as batches of columns, in bounded memory whatever its length, each with the position at which an import that was
// cut short goes on: what follows is then the same. What is wrong is told as problems, and reading goes on with the next line.

import type { Readable } from "node:stream";
import type { Problem } from "../config/problem.ts";
import type { Labels } from "../engine/reading.ts";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { type Columns, createColumns, refuse } from "./columns.ts";
import { type HistoryFormat, type LineParser, type ParserOptions, type ProblemKind, type SkipReason } from "./format.ts";
import { formatOf } from "./formats/index.ts";
import { createLineFeed, type LineFeed, type Position } from "./lines.ts";
import { createProblemList } from "./problem-list.ts";
import { type HistorySource, openSource } from "./source.ts";

export type ReadOptions = ParserOptions & {
  /** Name of the format; default: by the file's ending. */
  readonly format?: string | undefined;
  /** Where to go on: the `end` of the last batch that was kept. Not for standard input. */
  readonly from?: Position | undefined;
  /** What is read at once, and becomes a batch; default 1 MiB. */
  readonly blockBytes?: number | undefined;
  /** How many series the file may bring; default a million. */
  readonly seriesMax?: number | undefined;
  /** Readings of later instants are problems; default: none are. */
  readonly tsMax?: EpochMs | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What `-` reads. */
  readonly input?: Readable | undefined;
};

/** Readings in the file's order, as columns of equal length; may be empty. */
export type HistoryBatch = {
  /** Indexes of `labels`. */
  readonly series: Uint32Array;
  readonly ts: Float64Array;
  readonly value: Float64Array;
  /** The labels of all series so far; the same array for all batches, growing. */
  readonly labels: readonly Labels[];
  /** After the last line of the batch. */
  readonly end: Position;
};

export type History = {
  readonly format: string;
  /** Length of the file on the disk, and how much of it is read: for a progress bar. */
  readonly size: number | undefined;
  readonly progress: () => number;
  readonly batches: AsyncGenerator<HistoryBatch>;
  /** What was wrong since `from`; grows as batches are read. */
  readonly problems: {
    readonly told: readonly Problem[];
    readonly untold: Readonly<Record<ProblemKind, number>>;
    readonly byKind: Readonly<Record<ProblemKind, number>>;
    readonly count: number;
  };
  /** How many values were none, by reason. */
  readonly skipped: Readonly<Record<SkipReason, number>>;
  /** Whether a last line without line feed was taken: nobody can tell a number that was cut off from a whole one. */
  readonly isEndOpen: () => boolean;
};

const defaultBlockBytes = 1_048_576;
const defaultSeriesMax = 1_000_000;

/**
 * Opens a file of readings, `-` for `options.input`; names that end in .gz or .zst are decompressed.
 * @throws GatewayError `unknown_format`, `not_a_history`, `not_resumable`; the batches too: `not_a_history`, `unreadable_history`, `interrupted`
 */
export async function readHistory(file: string, options: ReadOptions = {}): Promise<History> {
  const format = formatOf(file, options.format);
  const from = options.from ?? { offset: 0, lines: 0 };
  const isInput = file === "-";
  if (isInput && from.offset > 0) throw new GatewayError("not_resumable", "standard input cannot be read from an offset", { hint: "import from a file" });
  const source = await openSource(file, options.input ?? process.stdin, options.blockBytes ?? defaultBlockBytes);
  const problems = createProblemList(file);
  const columns = createColumns(file, problems, { seriesMax: options.seriesMax ?? defaultSeriesMax, tsMax: options.tsMax ?? Number.POSITIVE_INFINITY });
  const parser = format.parser(options, columns.sink);
  const lines = createLineFeed(parser, columns, from);
  return {
    format: format.name,
    size: source.size,
    progress: source.progress,
    problems,
    skipped: columns.skipped,
    batches: readBatches({ file, format, source, parser, columns, lines, options }, from),
    isEndOpen: () => lines.isEndOpen,
  };
}

type Reading = {
  readonly file: string;
  readonly format: HistoryFormat;
  readonly source: HistorySource;
  readonly parser: LineParser;
  readonly columns: Columns;
  readonly lines: LineFeed;
  readonly options: ReadOptions;
};

async function* readBatches({ file, format, source, parser, columns, lines, options }: Reading, from: Position): AsyncGenerator<HistoryBatch> {
  if (from.offset > 0 && !parser.isReady) await readHead(parser, source);
  const batch = (): HistoryBatch => ({ ...columns.take(), labels: columns.labels, end: lines.position });
  let isFirst = from.offset === 0;
  for await (const chunk of source.bytes(from.offset)) {
    if (options.signal?.aborted) throw new GatewayError("interrupted", `${file}: reading was interrupted`, { hint: "it can go on where it was" });
    if (isFirst) refuseForeign(file, format, chunk);
    isFirst = false;
    lines.feed(chunk);
    yield batch();
  }
  lines.end(source.isChanged());
  yield batch();
}

/** Gives the parser the first lines of the file, by which those from an offset on are read. */
async function readHead(parser: LineParser, source: HistorySource): Promise<void> {
  let bytes: Buffer = Buffer.alloc(0);
  let line = 0;
  for await (const chunk of source.bytes(0)) {
    bytes = Buffer.concat([bytes, chunk]);
    for (let end = bytes.indexOf("\n"); end >= 0; end = bytes.indexOf("\n")) {
      line += 1;
      parser.line(bytes.toString("utf8", line === 1 && hasMark(bytes) ? 3 : 0, end), line);
      if (parser.isReady) return;
      bytes = bytes.subarray(end + 1);
    }
  }
  parser.end();
}

const hasMark = (bytes: Buffer): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;

/** Files that are no text in UTF-8, by their first bytes. */
const foreign: readonly { readonly magic: readonly number[]; readonly what: string; readonly hint: string }[] = [
  { magic: [0xff, 0xfe], what: "the file is UTF-16", hint: "save it as UTF-8, such as with iconv -f utf-16 -t utf-8" },
  { magic: [0xfe, 0xff], what: "the file is UTF-16", hint: "save it as UTF-8, such as with iconv -f utf-16 -t utf-8" },
  { magic: [0x1f, 0x8b], what: "the file is compressed by gzip", hint: "give its name the ending .gz" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], what: "the file is compressed by zstd", hint: "give its name the ending .zst" },
];

function refuseForeign(file: string, format: HistoryFormat, chunk: Buffer): void {
  const found = foreign.find(({ magic }) => magic.every((byte, index) => chunk[index] === byte));
  if (found !== undefined) refuse(file, { line: 1, column: 1 }, { what: `${found.what}, not ${format.name}`, hint: found.hint });
}
