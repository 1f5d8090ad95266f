// What the file system and SQLite say when a data directory cannot be used, in the words of whoever runs the gateway: which file,
// what is wrong with it, what mends it. What is none of these stays as it is: a programmer's error.

import { GatewayError } from "../error.ts";

type Words = { readonly code: string; readonly what: string; readonly hint: string; readonly retryable?: boolean };

const noFolder: Words = {
  code: "bad_data_dir",
  what: "cannot be made a folder: it, or what it should lie in, is a file",
  hint: "set another gateway.data_dir",
};
const refused: Words = {
  code: "data_dir_refused",
  what: "cannot be opened for writing",
  hint: "let this user write there, see that the disk is not mounted read-only, or set another gateway.data_dir",
};
const damaged: Words = {
  code: "database_damaged",
  what: "is damaged, or no database of highwater",
  hint: "move it away and put a copy in its place, or set another gateway.data_dir",
};
const busy: Words = { code: "database_busy", what: "is held by another program", hint: "end what has it open", retryable: true };
const full: Words = {
  code: "disk_refuses",
  what: "cannot be written: the disk is full or fails",
  hint: "make room on the disk, or set another gateway.data_dir",
};

/** By the beginning of the error's code: SQLite's extended codes add to it. */
const byCode: readonly (readonly [prefix: string, words: Words])[] = [
  ["EEXIST", noFolder],
  ["ENOTDIR", noFolder],
  ["EACCES", refused],
  ["EPERM", refused],
  ["EROFS", refused],
  // Made below what is no real directory, such as /proc.
  ["ENOENT", refused],
  ["SQLITE_CANTOPEN", refused],
  ["SQLITE_READONLY", refused],
  ["SQLITE_PERM", refused],
  ["SQLITE_NOTADB", damaged],
  ["SQLITE_CORRUPT", damaged],
  ["SQLITE_BUSY", busy],
  ["SQLITE_FULL", full],
  ["SQLITE_IOERR", full],
  ["ENOSPC", full],
];

/**
 * Does something with a file of a data directory.
 * @throws GatewayError `bad_data_dir`, `data_dir_refused`, `database_damaged`, `database_busy`, `disk_refuses`
 */
export function explaining<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw explained(file, error);
  }
}

/** The same of a database that could be opened: what is damaged is a part of it, and a check says which. */
export function explainedWhileOpen(file: string, error: unknown): unknown {
  const isDamaged = String((error as { code?: unknown }).code).startsWith("SQLITE_CORRUPT");
  return explained(file, error, isDamaged ? "`highwater verify` says more; `highwater restore` puts a backup in its place" : undefined);
}

/** @param hint what mends it, where that is not said of a data directory. @returns a GatewayError, or the error as it is */
export function explained(file: string, error: unknown, hint?: string): unknown {
  const code = (error as { code?: unknown }).code;
  const words = error instanceof GatewayError || typeof code !== "string" ? undefined : byCode.find(([prefix]) => code.startsWith(prefix))?.[1];
  if (words === undefined) return error;
  return new GatewayError(words.code, `${file} ${words.what}`, { hint: hint ?? words.hint, retryable: words.retryable ?? false, cause: error });
}
