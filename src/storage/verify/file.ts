// What SQLite says of its file: its pages, and that what each index holds is what the tables hold.

import type { Database } from "../database.ts";
import { type Found, reasonIn, restore } from "./problem.ts";

const MESSAGES_MAX = 100;

/** @param isQuick leaves out the comparison of indexes with tables */
export function checkFile(db: Database, isQuick: boolean, found: Found): void {
  const say = (what: string): void => found({ kind: "file", place: {}, what, mend: restore });
  try {
    const messages = db.pragma(`${isQuick ? "quick_check" : "integrity_check"}(${MESSAGES_MAX})`) as Record<string, string>[];
    for (const message of messages.flatMap((row) => Object.values(row))) if (message !== "ok") say(message.replaceAll("\n", " "));
  } catch (error) {
    say(reasonIn(error));
  }
}
