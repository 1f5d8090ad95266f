// zstd: the journal and the snapshots use level 1, at once; columns that a job packs for years, a higher one.

import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** With a checksum, four bytes, so that damage is found when it is read; what is shorter than a frame is worth has none. */
const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
/**
 * Node gives each call buffers of this size for what comes out, of which the last lives until the next full garbage collection. With its
 * own 16 KiB a hundred commits a second leave 100 MB behind until then.
 */
const CHUNK_BYTES = 2048;

export const compress = (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes, { params, pledgedSrcSize: bytes.length, chunkSize: CHUNK_BYTES });

const smallParams = { [constants.ZSTD_c_compressionLevel]: 6, [constants.ZSTD_c_contentSizeFlag]: 0 };

/** For a few kilobytes that are kept long. */
export const compressSmall = (bytes: Uint8Array): Uint8Array => zstdCompressSync(bytes, { params: smallParams, chunkSize: CHUNK_BYTES });

export const decompress = (bytes: Uint8Array): Uint8Array => zstdDecompressSync(bytes, { chunkSize: CHUNK_BYTES });
