// Joins lines to records: a quoted text may hold line breaks. A quote that is never closed must not swallow the file, so a record has an end:
// then its first line alone is at fault, and those after it are read anew.

import { LINE_MAX, type LineParser } from "./format.ts";

const LINES_MAX = 64;

/**
 * Takes one record.
 * @param isWhole nothing more comes: what is not complete is a problem
 * @returns false, having done nothing, when the record goes on in the next line
 */
export type TakeRecord = (text: string, line: number, isWhole: boolean) => boolean;

export function createRecords(take: TakeRecord): Omit<LineParser, "isReady"> {
  let held: string[] = [];
  let first = 0;

  function line(text: string, number: number): void {
    if (held.length === 0) {
      if (take(text, number, false)) return;
      held.push(text);
      first = number;
      return;
    }
    held.push(text);
    const record = held.join("\n");
    if (record.length <= LINE_MAX && take(record, first, false)) held = [];
    else if (record.length > LINE_MAX || held.length >= LINES_MAX) giveUp();
  }

  function giveUp(): void {
    const [opening = "", ...rest] = held;
    const number = first;
    held = [];
    take(opening, number, true);
    for (const [index, text] of rest.entries()) line(text, number + 1 + index);
  }

  return {
    line,
    get open() {
      return held.length;
    },
    forget() {
      held = [];
    },
    end() {
      while (held.length > 0) giveUp();
    },
  };
}
