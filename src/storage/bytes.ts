// A growing byte buffer and its reader: varints, zigzag, doubles, text. What the journal, rollups and snapshots are made of.
// Numbers up to 2^53 travel as varints without bit operators, which would cut them to 32 bits.

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  /** @param value a whole number from 0 to 2^53 */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.length++] = rest;
  }

  /** The sign is the lowest bit of the first byte. @param value a whole number from -2^53 to 2^53 */
  zigzag(value: number): void {
    // Doubling first would lose the sign of what lies beyond 2^52.
    const size = value < 0 ? -value - 1 : value;
    const first = (size % 0x40) * 2 + (value < 0 ? 1 : 0);
    if (size < 0x40) return this.byte(first);
    this.byte(first | 0x80);
    this.varint(Math.floor(size / 0x40));
  }

  double(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Text with its length in front. */
  text(value: string): void {
    const bytes = encoder.encode(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** The bytes written so far; a view that the next write may overwrite after `clear`. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count));
    grown.set(this.view());
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? this.#short();
  }

  varint(): number {
    let value = 0;
    let unit = 1;
    for (;;) {
      const byte = this.byte();
      if (byte < 0x80) return value + byte * unit;
      value += (byte - 0x80) * unit;
      unit *= 0x80;
    }
  }

  zigzag(): number {
    const first = this.byte();
    const low = (first & 0x7f) >> 1;
    const size = first < 0x80 ? low : low + this.varint() * 0x40;
    return first & 1 ? -size - 1 : size;
  }

  /** As many as `into` holds; the way that columns are read, where a call for each costs more than the reading. */
  zigzags(into: { [index: number]: number; readonly length: number }): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < into.length; index += 1) {
      const first = bytes[at++] as number;
      let size = (first & 0x7f) >> 1;
      if (first >= 0x80) {
        let unit = 0x40;
        let byte = bytes[at++] as number;
        for (; byte >= 0x80; byte = bytes[at++] as number) {
          size += (byte - 0x80) * unit;
          unit *= 0x80;
        }
        size += byte * unit;
      }
      into[index] = first & 1 ? -size - 1 : size;
    }
    if (at > bytes.length) this.#short();
    this.#at = at;
  }

  double(): number {
    this.#at += 8;
    if (this.#at > this.#bytes.length) this.#short();
    return this.#view.getFloat64(this.#at - 8, true);
  }

  raw(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) this.#short();
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  text(): string {
    return decoder.decode(this.raw(this.varint()));
  }

  #short(): never {
    throw new Error("stored bytes end too early");
  }
}
