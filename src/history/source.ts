// The bytes of a history file, from an offset on: plain, decompressed by its ending (.gz, .zst), or what stands on standard input (`-`).
// Offsets count decompressed bytes. A compressed file is read from its beginning, and what is before the offset is dropped.

import { type BigIntStats, createReadStream, type ReadStream, statSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { GatewayError, reasonOf } from "../error.ts";

export type HistorySource = {
  /** Length of the file as it lies on the disk; undefined of standard input. */
  readonly size: number | undefined;
  /** How many bytes of `size` have been read. */
  readonly progress: () => number;
  /** Whether somebody wrote the file since it was opened; never of what is no file, such as a pipe. */
  readonly isChanged: () => boolean;
  /** @param offset in decompressed bytes @throws GatewayError `unreadable_history` */
  bytes(offset: number): AsyncGenerator<Buffer>;
};

/**
 * Opens a file, or `input` for `-`.
 * @throws GatewayError `not_a_history` when it cannot be read
 */
export async function openSource(file: string, input: Readable, blockBytes: number): Promise<HistorySource> {
  if (file === "-") return standardInput(input);
  const { size, version } = await stateOf(file);
  let read = 0;
  let stream: ReadStream | undefined;
  const start = (from: number): ReadStream => {
    // A pipe has no positions, not even the first.
    stream = createReadStream(file, { ...(from > 0 ? { start: from } : {}), highWaterMark: blockBytes });
    read = from;
    return stream;
  };
  return {
    size,
    progress: () => Math.min(size, read + (stream?.bytesRead ?? 0)),
    isChanged: () => version !== undefined && version !== versionOf(statSync(file, { bigint: true, throwIfNoEntry: false })),
    bytes: (offset) => guarded(file, /\.(?:gz|zst)$/i.test(file) ? dropping(decompressed(file, start(0), blockBytes), offset) : start(offset)),
  };
}

function standardInput(input: Readable): HistorySource {
  let read = 0;
  return {
    size: undefined,
    progress: () => read,
    isChanged: () => false,
    async *bytes() {
      for await (const chunk of guarded("-", input)) {
        read += chunk.length;
        yield chunk;
      }
    },
  };
}

async function stateOf(file: string): Promise<{ readonly size: number; readonly version: string | undefined }> {
  const hint = "give a file of readings, or - for standard input";
  try {
    const handle = await open(file);
    await handle.close();
    const found = statSync(file, { bigint: true });
    if (!found.isDirectory()) return { size: Number(found.size), version: found.isFile() ? versionOf(found) : undefined };
  } catch (error) {
    throw new GatewayError("not_a_history", `${file}:1:1: this file cannot be read: ${reasonOf(error)}`, { hint, cause: error });
  }
  throw new GatewayError("not_a_history", `${file}:1:1: this file cannot be read: it is a folder`, { hint });
}

/** Differs when a file was written; also when it is gone. */
export function versionOf(found: BigIntStats | undefined): string {
  return found === undefined ? "gone" : `${found.size} ${found.mtimeNs}`;
}

function decompressed(file: string, stream: Readable, blockBytes: number): Readable {
  const decompress = file.toLowerCase().endsWith(".gz") ? createGunzip({ chunkSize: blockBytes }) : createZstdDecompress({ chunkSize: blockBytes });
  // An error of either ends both, and whoever reads gets it.
  return pipeline(stream, decompress, () => {});
}

async function* dropping(bytes: AsyncIterable<Buffer>, count: number): AsyncGenerator<Buffer> {
  let left = count;
  for await (const chunk of bytes) {
    if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

async function* guarded(file: string, bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    throw new GatewayError("unreadable_history", `${file}: reading failed: ${reasonOf(error)}`, {
      hint: "what was read before is whole; a compressed file may be cut off: compare it with its original",
      cause: error,
    });
  }
}
