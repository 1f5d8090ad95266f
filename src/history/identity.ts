// Which import a file is: its path, its length, when it was written, how it begins and ends, and what it is read with. The same again goes on
// where it was. A file that was written since is another one, even if no byte of it differs: it is read from its beginning, and what it has in
// common with the one before is found to be there already.

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { ParserOptions } from "./format.ts";
import { versionOf } from "./source.ts";

/** Of its beginning and of its end: a time of modification can be set back, and a copy may keep it. */
const EDGE_BYTES = 65_536;

/** What decides how the lines are read. */
export type ImportSettings = ParserOptions & { readonly format?: string | undefined };

/**
 * @param file an absolute path
 * @returns a key; undefined for what can be read only once, such as a pipe, and for what cannot be opened
 */
export async function identityOf(file: string, settings: ImportSettings): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const found = await handle.stat({ bigint: true });
    if (!found.isFile()) return undefined;
    const head = await edgeOf(handle, 0);
    const tail = await edgeOf(handle, Math.max(0, Number(found.size) - EDGE_BYTES));
    const { zone, labels = {}, ...plain } = settings;
    const read = { ...plain, zone: zone?.name, labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)) };
    const text = JSON.stringify([file, versionOf(found), Object.entries(read).sort(([a], [b]) => (a < b ? -1 : 1))]);
    return createHash("sha256").update(text).update(head).update(tail).digest("hex").slice(0, 32);
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

async function edgeOf(handle: FileHandle, from: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(EDGE_BYTES), 0, EDGE_BYTES, from);
  return buffer.subarray(0, bytesRead);
}
