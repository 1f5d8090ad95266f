// A part of an engine snapshot as bytes: its texts, then its numbers bit for bit, compressed.

import type { Saved } from "../engine/state.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { compress, decompress } from "./compression.ts";

const VERSION = 1;
const out = new ByteWriter();

export function packPart({ numbers, texts }: Saved): Uint8Array {
  out.clear();
  out.byte(VERSION);
  out.varint(texts.length);
  for (const text of texts) out.text(text);
  out.varint(numbers.length);
  out.raw(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  return compress(out.view());
}

export function unpackPart(body: Uint8Array): Saved {
  const reader = new ByteReader(decompress(body));
  const version = reader.byte();
  if (version !== VERSION) throw new Error(`snapshot part of version ${version}; this release reads ${VERSION}`);
  const texts = Array.from({ length: reader.varint() }, () => reader.text());
  const count = reader.varint();
  // A copy of its own: what zstd gives is a Buffer, whose slices share memory and may lie askew.
  return { numbers: new Float64Array(Uint8Array.from(reader.raw(count * 8)).buffer), texts };
}
