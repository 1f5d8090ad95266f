// What a check of the store finds: what is wrong, where, and what mends it. Checks only read; each is told whom to call.

import type { Day } from "../../engine/calendar.ts";
import type { SeriesId } from "../../engine/units.ts";
import type { Database } from "../database.ts";

/** Which check found it. */
export type ProblemKind = "file" | "chunk" | "raw-day" | "rollup" | "packed-rollup" | "journal" | "snapshot" | "plan" | "summary" | "series" | "alert";

/** The rows that a person would look for: as much of it as is known. */
export type Place = { readonly series?: SeriesId; readonly day?: Day; readonly seq?: number; readonly at?: string };

export type Mend =
  /** UTC days. */
  | { readonly kind: "rebuild"; readonly from: Day; readonly to: Day }
  /** A local day. */
  | { readonly kind: "summarize"; readonly day: Day }
  | { readonly kind: "restore" };

export type Problem = { readonly kind: ProblemKind; readonly place: Place; readonly what: string; readonly mend: Mend };
export type Found = (problem: Problem) => void;
/** How far a check has come. */
export type Checked = (done: number, of: number) => void;

export const restore: Mend = { kind: "restore" };

/** What an error says, in one line. */
export const reasonIn = (error: unknown): string => (error as Error).message.split("\n")[0] as string;

/** Rows that are looked at in one read transaction. */
const ROWS_PER_READ = 200;

/**
 * Walks a table by a whole number that grows, some rows at a time, so that nothing that a gateway writes meanwhile waits for it.
 * @param sql selects `key` and more, with two parameters: after which key, and how many rows
 */
export function* rowsByKey<Row extends { readonly key: number }>(db: Database, sql: string): Generator<Row[]> {
  const read = db.prepare<[number, number], Row>(sql);
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = read.all(after, ROWS_PER_READ);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.key;
  }
}
