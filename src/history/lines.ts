// Cuts bytes into lines for a parser, and knows after each block where the first byte is that is not taken: there an import goes on.
// A block may end within a line or a record: what is not complete is kept, and given again with what follows.

import { isUtf8 } from "node:buffer";
import type { Columns } from "./columns.ts";
import { LINE_MAX, type LineParser } from "./format.ts";

/** How far a file is taken; both count from its beginning. */
export type Position = { /** In decompressed bytes. */ readonly offset: number; readonly lines: number };

export type LineFeed = {
  /** Gives the parser what is complete. */
  feed(chunk: Buffer): void;
  /**
   * The file is over: a last line needs no line feed.
   * @param isChanging somebody writes the file: what has no line feed yet may be half a number, and is left out and told
   */
  end(isChanging?: boolean): void;
  /** Whether a last line without line feed was taken. */
  readonly isEndOpen: boolean;
  /** After the last line that was taken. */
  readonly position: Position;
};

const LINE_FEED = 10;
/** More bytes than a line within the limit can have. */
const longBytes = LINE_MAX * 3;

export function createLineFeed(parser: LineParser, columns: Columns, from: Position): LineFeed {
  let { offset, lines } = from;
  let kept: Buffer = Buffer.alloc(0);
  /** Within a line that is too long: how many of its bytes are dropped. */
  let dropped = 0;
  let isEndOpen = false;

  function feed(chunk: Buffer): void {
    let bytes = chunk;
    if (dropped > 0) {
      const end = chunk.indexOf(LINE_FEED);
      dropped += end < 0 ? chunk.length : end + 1;
      if (end < 0) return;
      endLong();
      bytes = chunk.subarray(end + 1);
    }
    if (kept.length > 0) bytes = Buffer.concat([kept, bytes]);
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    take(bytes.subarray(0, end));
    const taken = giveBack(bytes, end);
    offset += taken;
    kept = Buffer.from(bytes.subarray(taken));
    if (bytes.length - end > longBytes) dropLong(bytes, end);
  }

  /** Lines of a record that goes on are given again with what follows. @returns how many bytes are taken for good */
  function giveBack(bytes: Buffer, end: number): number {
    let start = end;
    for (let open = parser.open; open > 0; open -= 1) {
      start = start < 2 ? 0 : bytes.lastIndexOf(LINE_FEED, start - 2) + 1;
      lines -= 1;
    }
    parser.forget();
    return start;
  }

  /** A line that is too long is not kept; a record that was open before it cannot hold it. */
  function dropLong(bytes: Buffer, end: number): void {
    const start = bytes.length - kept.length;
    take(bytes.subarray(start, end));
    parser.end();
    offset += end - start;
    dropped = bytes.length - end;
    kept = Buffer.alloc(0);
  }

  function endLong(): void {
    lines += 1;
    tooLong(lines);
    offset += dropped;
    dropped = 0;
  }

  function tooLong(line: number): void {
    columns.sink.problem("line", { line, column: 1 }, { what: `a line longer than ${LINE_MAX} characters`, hint: "each reading has a line of its own" });
  }

  function end(isChanging = false): void {
    if (dropped > 0) endLong();
    const whole = kept.lastIndexOf(LINE_FEED) + 1;
    const hasOpenEnd = kept.toString("utf8", whole).trim() !== "";
    const taken = hasOpenEnd && isChanging ? kept.subarray(0, whole) : kept;
    take(taken);
    parser.end();
    offset += taken.length;
    kept = Buffer.alloc(0);
    isEndOpen = hasOpenEnd && !isChanging;
    if (hasOpenEnd && isChanging)
      columns.sink.problem(
        "line",
        { line: lines + 1, column: 1 },
        { what: "the last line is not complete yet: the file changed while it was read", hint: "import it again when nobody writes it any more" },
      );
  }

  function take(bytes: Buffer): void {
    columns.isUtf8 = isUtf8(bytes);
    const text = bytes.toString("utf8");
    let start = lines === 0 && offset === 0 && text.charCodeAt(0) === 0xfeff ? 1 : 0;
    while (start < text.length) {
      const found = text.indexOf("\n", start);
      const end = found < 0 ? text.length : found;
      lines += 1;
      columns.line = lines;
      if (end - start <= LINE_MAX) parser.line(text.slice(start, end), lines);
      else {
        parser.end();
        tooLong(lines);
      }
      start = end + 1;
    }
  }

  return {
    feed,
    end,
    get isEndOpen() {
      return isEndOpen;
    },
    get position() {
      return { offset, lines };
    },
  };
}
