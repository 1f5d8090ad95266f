// Which import a file is: its path, its length, how it begins, and what it is read with. The same again goes on where it was; a file that
// grew since is another one, and what it has in common with the one before is found to be there already.

import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { ParserOptions } from "./format.ts";

const HEAD_BYTES = 65_536;

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
    const found = await handle.stat();
    if (!found.isFile()) return undefined;
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const { zone, labels = {}, ...plain } = settings;
    const read = { ...plain, zone: zone?.name, labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)) };
    const text = JSON.stringify([file, found.size, Object.entries(read).sort(([a], [b]) => (a < b ? -1 : 1))]);
    return createHash("sha256").update(text).update(buffer.subarray(0, bytesRead)).digest("hex").slice(0, 32);
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}
