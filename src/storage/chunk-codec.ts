// The body of a chunk: the history of one series in one local day, or of a part of it, as columns; its last four bytes are their
// CRC-32. The readings come out as they went in, bit for bit, each instant once, in order of time.

import { crc32 } from "node:zlib";
import { GatewayError } from "../error.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { readLoose, readMarks, readSteady, readValues, skipColumn, writeLoose, writeMarks, writeSteady, writeValues } from "./series-columns.ts";

const VERSION = 1;
const CHECKSUM_BYTES = 4;

/** Columns of equal length: `ts` ascending without repetition; `late` is 1 where the reading came late; `at` is its arrival. */
export type ChunkColumns = { readonly ts: Float64Array; readonly value: Float64Array; readonly late: Uint8Array; readonly at: Float64Array };

const out = new ByteWriter();

export function encodeChunk({ ts, value, late, at }: ChunkColumns): Uint8Array {
  out.clear();
  out.byte(VERSION);
  out.varint(ts.length);
  writeSteady(out, ts);
  writeValues(out, value);
  writeMarks(out, late);
  writeLoose(
    out,
    at.map((arrival, index) => arrival - (ts[index] as number)),
  );
  return sealed(out.view());
}

/** A copy with its checksum behind. */
export function sealed(bytes: Uint8Array): Uint8Array {
  const body = new Uint8Array(bytes.length + CHECKSUM_BYTES);
  body.set(bytes);
  new DataView(body.buffer).setUint32(bytes.length, crc32(bytes), true);
  return body;
}

/** What reading gives, or undefined where what is stored is damaged: whoever works through all series goes on with the others. */
export function undamaged<Read>(read: () => Read): Read | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as GatewayError).code === "chunk_damaged") return undefined;
    throw error;
  }
}

/** Checks and takes off the checksum. @throws GatewayError `chunk_damaged` */
export function unsealed(body: Uint8Array): Uint8Array {
  const bytes = body.subarray(0, Math.max(0, body.length - CHECKSUM_BYTES));
  const stored = body.length < CHECKSUM_BYTES ? undefined : new DataView(body.buffer, body.byteOffset + bytes.length).getUint32(0, true);
  if (stored !== crc32(bytes))
    throw new GatewayError("chunk_damaged", "stored readings are damaged: a checksum does not fit", {
      hint: "`highwater verify` says which; an older backup may have them whole",
    });
  return bytes;
}

/**
 * @param wanted arrivals are dear and seldom asked for: without them `at` is empty
 * @throws GatewayError `chunk_damaged`
 */
export function decodeChunk(body: Uint8Array, wanted: { readonly at: boolean } = { at: true }): ChunkColumns {
  const reader = new ByteReader(unsealed(body));
  const version = reader.byte();
  if (version !== VERSION) throw new Error(`chunk of version ${version}; this release reads ${VERSION}`);
  const count = reader.varint();
  const [ts, value, late] = [new Float64Array(count), new Float64Array(count), new Uint8Array(count)];
  readSteady(reader, ts);
  readValues(reader, value);
  readMarks(reader, late);
  if (!wanted.at) {
    skipColumn(reader);
    return { ts, value, late, at: new Float64Array(0) };
  }
  const at = new Float64Array(count);
  readLoose(reader, at);
  for (let index = 0; index < count; index += 1) at[index] = (at[index] as number) + (ts[index] as number);
  return { ts, value, late, at };
}
