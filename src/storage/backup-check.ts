// Whether a file is a whole backup: pages and indexes as SQLite checks them, a schema that this release knows, and all that recovery
// needs: the newest snapshot, and a journal without gaps that goes on from it. It opens the file to read only.
// The bytes within the blobs of older rows are not looked at: SQLite has no checksums for them.

import { statSync } from "node:fs";
import Sqlite from "better-sqlite3";
import type { EpochMs } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import { explained } from "./data-dir-error.ts";
import type { Database } from "./database.ts";
import { decodeRow } from "./journal.ts";
import { brokenJournal } from "./journal-ends.ts";
import { newestSchema } from "./migrations/index.ts";
import { unpackPart } from "./parts.ts";
import { readSnapshot } from "./snapshot.ts";

export type BackupFacts = {
  readonly schema: number;
  readonly pages: number;
  readonly bytes: number;
  /** Of the last journal row; 0 when there is none. */
  readonly seq: number;
  /** When the last journal row was committed; null when there is none. */
  readonly through: EpochMs | null;
  /** In the journal; what was compacted since is not among them. */
  readonly readings: number;
};

/** @throws GatewayError `backup_damaged`, `not_a_backup`, `database_newer`, and those of `explaining` */
export function checkBackup(file: string): BackupFacts {
  try {
    const db = new Sqlite(file, { readonly: true, fileMustExist: true });
    try {
      return factsOf(db, file);
    } finally {
      db.close();
    }
  } catch (error) {
    throw checkError(file, error);
  }
}

function factsOf(db: Database, file: string): BackupFacts {
  const schema = db.pragma("user_version", { simple: true }) as number;
  const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE name IN ('journal', 'snapshot', 'snapshot_part')").pluck().all();
  if (schema === 0 || tables.length < 3) throw new GatewayError("not_a_backup", `${file} is no database of highwater`, { hint: "name another file" });
  if (schema > newestSchema)
    throw new GatewayError("database_newer", `${file} has schema ${schema}; this release knows ${newestSchema}`, {
      hint: "use the release that wrote it, or a later one",
    });
  const problem = db.pragma("integrity_check(1)", { simple: true }) as string;
  if (problem !== "ok") throw damaged(file, problem.replaceAll("\n", " "));
  const pages = db.pragma("page_count", { simple: true }) as number;
  const bytes = pages * (db.pragma("page_size", { simple: true }) as number);
  // SQLite reads a last page that was cut as if it ended in zeros.
  if (statSync(file).size !== bytes) throw damaged(file, `it has ${statSync(file).size} of ${bytes} bytes`);
  return { schema, pages, bytes, ...checkJournal(db, file, schema === newestSchema) };
}

type Journal = { readonly rows: number; readonly first: number | null; readonly seq: number | null; readonly readings: number | null };

/** @param isReadable whether this release wrote the blobs: those of an older schema are only looked for */
function checkJournal(db: Database, file: string, isReadable: boolean): Pick<BackupFacts, "seq" | "through" | "readings"> {
  const snapshot = readSnapshot(db);
  for (const { body } of snapshot?.parts ?? []) if (isReadable) unpackPart(body);
  const { rows, first, seq, readings } = db
    .prepare<[], Journal>("SELECT count(*) AS rows, min(seq) AS first, max(seq) AS seq, sum(count) AS readings FROM journal")
    .get() as Journal;
  // What compaction has done an older schema does not say.
  const broken = first === null && !isReadable ? undefined : brokenJournal(db);
  if (first === null || seq === null) {
    if (broken !== undefined) throw damaged(file, broken);
    return { seq: 0, through: null, readings: 0 };
  }
  if (seq - first + 1 !== rows) throw damaged(file, `its journal has ${rows} rows from ${first} to ${seq}: some are missing`);
  if (broken !== undefined) throw damaged(file, broken);
  // What recovery will step.
  const bodies = db.prepare<[number], Uint8Array>("SELECT body FROM journal WHERE seq > ? ORDER BY seq").pluck();
  for (const body of bodies.iterate(snapshot?.seq ?? 0)) if (isReadable) decodeRow(body);
  const through = db.prepare<[number], number>("SELECT at FROM journal WHERE seq = ?").pluck().get(seq) as EpochMs;
  return { seq, through, readings: readings ?? 0 };
}

const damaged = (file: string, what: string, cause?: unknown): GatewayError =>
  new GatewayError("backup_damaged", `${file} is damaged: ${what}`, { hint: "take another backup", cause });

/** What cannot be read is damaged, whoever found it: SQLite, zstd or a reader of blobs. What the disk or its rights refuse is not. */
function checkError(file: string, error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message: string };
  if (code === "SQLITE_NOTADB") return new GatewayError("not_a_backup", `${file} is no database`, { hint: "name another file", cause: error });
  if (typeof code === "string" && code.startsWith("SQLITE_CORRUPT")) return damaged(file, message, error);
  const known = explained(file, error);
  return known instanceof GatewayError ? known : damaged(file, message, error);
}
