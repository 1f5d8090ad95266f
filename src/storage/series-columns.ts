// Columns of one series in order of time, as bytes, exact bit for bit: what chunks and packed rollups are made of. Each column
// chooses for itself how it is written, and is compressed alone, so that one of noise does not spoil one of order.
// Times are the changes of their differences, decimals are whole numbers and their differences, other doubles are their bytes,
// each place of all values together, after what they share with the value before is taken out (Gorilla's XOR).

import { ByteReader, ByteWriter } from "./bytes.ts";
import { compressSmall, decompress } from "./compression.ts";

/** Below, a frame costs more than it saves. */
const COMPRESS_FROM_BYTES = 64;
const PLACES_MAX = 10;
const SCALED_MAX = 2 ** 51;
/** Of a column of decimals so many values in a thousand may be none. */
const EXCEPTIONS_PER_MILLE = 60;

const CONSTANT = 0;
const DECIMAL = 1;
const DOUBLES = 2;
const SINGLES = 3;

const scratch = new ByteWriter();

/** Writes a column by `write`, with its length in front so that it can be skipped, compressed where that makes it smaller. */
export function section(out: ByteWriter, write: (into: ByteWriter) => void): void {
  scratch.clear();
  write(scratch);
  const plain = scratch.view();
  const packed = plain.length < COMPRESS_FROM_BYTES ? plain : compressSmall(plain);
  const isSmaller = packed.length < plain.length;
  const bytes = isSmaller ? packed : plain;
  out.varint(bytes.length * 2 + (isSmaller ? 1 : 0));
  out.raw(bytes);
}

/** What `section` wrote. */
export function openSection(from: ByteReader): ByteReader {
  const head = from.varint();
  const bytes = from.raw(Math.floor(head / 2));
  return new ByteReader(head % 2 === 1 ? decompress(bytes) : bytes);
}

/** Passes over a column. */
export function skipColumn(from: ByteReader): void {
  from.raw(Math.floor(from.varint() / 2));
}

/** Whole numbers of which neither any nor any difference of two is beyond 2^52, best where they grow evenly. */
export function writeSteady(out: ByteWriter, wholes: Float64Array): void {
  section(out, (into) => {
    let [previous, difference] = [0, 0];
    for (let index = 0; index < wholes.length; index += 1) {
      const next = (wholes[index] as number) - previous;
      into.zigzag(next - difference);
      difference = index === 0 ? 0 : next;
      previous = wholes[index] as number;
    }
  });
}

export function readSteady(from: ByteReader, into: Float64Array): void {
  openSection(from).zigzags(into);
  let [previous, difference] = [0, 0];
  for (let index = 0; index < into.length; index += 1) {
    const next = (into[index] as number) + difference;
    difference = index === 0 ? 0 : next;
    previous += next;
    into[index] = previous;
  }
}

/** Whole numbers of which neither any nor any difference of two is beyond 2^52, in no order: above the least of them, or as differences. */
export function writeLoose(out: ByteWriter, wholes: Float64Array): void {
  section(out, (into) => {
    let [least, most, strides] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    for (let index = 0; index < wholes.length; index += 1) {
      const whole = wholes[index] as number;
      least = Math.min(least, whole);
      most = Math.max(most, whole);
      if (index > 0) strides += Math.abs(whole - (wholes[index - 1] as number));
    }
    const isClose = wholes.length < 2 || most - least <= strides / (wholes.length - 1) + 64;
    into.byte(isClose ? 0 : 1);
    if (wholes.length === 0) return;
    into.zigzag(isClose ? least : 0);
    let previous = isClose ? least : 0;
    for (let index = 0; index < wholes.length; index += 1) {
      into.zigzag((wholes[index] as number) - previous);
      if (!isClose) previous = wholes[index] as number;
    }
  });
}

export function readLoose(from: ByteReader, into: Float64Array): void {
  const reader = openSection(from);
  const isClose = reader.byte() === 0;
  if (into.length === 0) return;
  const least = reader.zigzag();
  reader.zigzags(into);
  let previous = least;
  for (let index = 0; index < into.length; index += 1) {
    const whole = (into[index] as number) + previous;
    into[index] = whole;
    if (!isClose) previous = whole;
  }
}

/** Any doubles; of NaN there is one. */
export function writeValues(out: ByteWriter, values: Float64Array): void {
  section(out, (into) => {
    const first = values[0] ?? 0;
    if (isEach(values, (value) => Object.is(value, first))) {
      into.byte(CONSTANT);
      return into.double(first);
    }
    const places = placesOf(values);
    if (places !== undefined) return writeDecimals(into, values, places);
    const isSingle = isEach(values, (value) => Object.is(Math.fround(value), value));
    into.byte(isSingle ? SINGLES : DOUBLES);
    writePlanes(into, bytesOf(isSingle ? Float32Array.from(values) : values.slice()), isSingle ? 4 : 8);
  });
}

export function readValues(from: ByteReader, into: Float64Array): void {
  const reader = openSection(from);
  const mode = reader.byte();
  switch (mode) {
    case CONSTANT:
      into.fill(reader.double());
      return;
    case DECIMAL:
      return readDecimals(reader, into);
    case DOUBLES:
      return readPlanes(reader, bytesOf(into), 8);
    case SINGLES: {
      const singles = new Float32Array(into.length);
      readPlanes(reader, bytesOf(singles), 4);
      return into.set(singles);
    }
    default:
      throw new Error(`a column of values is written in way ${mode}, which this release does not know`);
  }
}

function isEach(values: Float64Array, test: (value: number) => boolean): boolean {
  for (let index = 0; index < values.length; index += 1) if (!test(values[index] as number)) return false;
  return true;
}

const isExact = (value: number, whole: number, scale: number): boolean => Math.abs(whole) < SCALED_MAX && whole / scale === value && !Object.is(value, -0);

/** The fewest decimal places that hold the values, but for some exceptions; undefined when there are no such places. */
function placesOf(values: Float64Array): number | undefined {
  const exceptionsMax = Math.floor((values.length * EXCEPTIONS_PER_MILLE) / 1000);
  for (let places = 0; places <= PLACES_MAX; places += 1) {
    const scale = 10 ** places;
    let exceptions = 0;
    for (let index = 0; index < values.length && exceptions <= exceptionsMax; index += 1) {
      const value = values[index] as number;
      if (!isExact(value, Math.round(value * scale), scale)) exceptions += 1;
    }
    if (exceptions <= exceptionsMax) return places;
  }
  return undefined;
}

/** The fewest decimal places that hold every value of all columns; undefined when there are no such places. */
export function decimalPlacesOf(columns: readonly Float64Array[]): number | undefined {
  for (let places = 0; places <= PLACES_MAX; places += 1) {
    const scale = 10 ** places;
    if (columns.every((values) => isEach(values, (value) => isExact(value, Math.round(value * scale), scale)))) return places;
  }
  return undefined;
}

/** An exception repeats the value before, and is listed behind. */
function writeDecimals(out: ByteWriter, values: Float64Array, places: number): void {
  const scale = 10 ** places;
  const exceptions: number[] = [];
  out.byte(DECIMAL);
  out.byte(places);
  let previous = 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as number;
    const whole = Math.round(value * scale);
    const isListed = !isExact(value, whole, scale);
    if (isListed) exceptions.push(index);
    out.zigzag(isListed ? 0 : whole - previous);
    if (!isListed) previous = whole;
  }
  out.varint(exceptions.length);
  for (const index of exceptions) {
    out.varint(index);
    out.double(values[index] as number);
  }
}

function readDecimals(from: ByteReader, into: Float64Array): void {
  const scale = 10 ** from.byte();
  from.zigzags(into);
  let whole = 0;
  for (let index = 0; index < into.length; index += 1) {
    whole += into[index] as number;
    into[index] = whole / scale;
  }
  for (let left = from.varint(); left > 0; left -= 1) {
    const index = from.varint();
    into[index] = from.double();
  }
}

const bytesOf = (column: Float64Array | Float32Array): Uint8Array => new Uint8Array(column.buffer, column.byteOffset, column.byteLength);

/** @param bytes of values of `width` bytes each; they are changed */
function writePlanes(out: ByteWriter, bytes: Uint8Array, width: number): void {
  for (let index = bytes.length - 1; index >= width; index -= 1) bytes[index] = (bytes[index] as number) ^ (bytes[index - width] as number);
  const plane = new Uint8Array(bytes.length / width);
  for (let place = 0; place < width; place += 1) {
    for (let index = 0; index < plane.length; index += 1) plane[index] = bytes[index * width + place] as number;
    out.raw(plane);
  }
}

function readPlanes(from: ByteReader, into: Uint8Array, width: number): void {
  const count = into.length / width;
  for (let place = 0; place < width; place += 1) {
    const plane = from.raw(count);
    for (let index = 0; index < count; index += 1) into[index * width + place] = plane[index] as number;
  }
  for (let index = width; index < into.length; index += 1) into[index] = (into[index] as number) ^ (into[index - width] as number);
}

/** A mark per row, mostly none. */
export function writeMarks(out: ByteWriter, marks: Uint8Array): void {
  section(out, (into) => {
    const first = marks[0] ?? 0;
    const isConstant = marks.every((mark) => mark === first);
    into.byte(isConstant ? first : 0xff);
    if (!isConstant) into.raw(marks);
  });
}

/** @param into of the length of the column */
export function readMarks(from: ByteReader, into: Uint8Array): void {
  const reader = openSection(from);
  const first = reader.byte();
  if (first !== 0xff) into.fill(first);
  else into.set(reader.raw(into.length));
}
