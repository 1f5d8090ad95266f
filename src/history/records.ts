// Joins lines to records: a quoted text may hold line breaks. A stray quote must not swallow good lines, whether nothing closes it or the next
// quote of the file does: so a record has an end, and must fit when it is closed. Else its first line alone is at fault, and those after it
// are read anew.

import { LINE_MAX, type LineParser } from "./format.ts";

const LINES_MAX = 64;

/** `open`: it goes on in the next line. `torn`: of several lines, and they are no record together. Nothing is done of either. */
export type Taken = "taken" | "open" | "torn";

/**
 * Takes one record.
 * @param isWhole nothing more comes: what is not complete is a problem
 */
export type TakeRecord = (text: string, line: number, isWhole: boolean) => Taken;

export function createRecords(take: TakeRecord): Omit<LineParser, "isReady"> {
  let held: string[] = [];
  let first = 0;

  function line(text: string, number: number): void {
    if (held.length === 0) {
      if (take(text, number, false) === "taken") return;
      held.push(text);
      first = number;
      return;
    }
    held.push(text);
    const record = held.join("\n");
    const taken = record.length <= LINE_MAX ? take(record, first, false) : "torn";
    if (taken === "taken") held = [];
    else if (taken === "torn" || held.length >= LINES_MAX) giveUp();
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
