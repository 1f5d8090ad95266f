// Columns of numbers as bytes, exact bit for bit. Values that are decimals of few places travel as whole numbers;
// what is not, as it is. The scale is chosen per column, exceptions are listed.

import type { ByteReader, ByteWriter } from "./bytes.ts";

const PLACES_MAX = 4;
const SCALED_MAX = 2 ** 51;

/** Whole numbers from -2^52 to 2^52, as differences from one to the next. */
export function writeWholes(out: ByteWriter, values: ArrayLike<number>): void {
  let previous = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    out.zigzag(value - previous);
    previous = value;
  }
}

export function readWholes(from: ByteReader, into: { [index: number]: number; readonly length: number }): void {
  let previous = 0;
  for (let index = 0; index < into.length; index++) {
    previous += from.zigzag();
    into[index] = previous;
  }
}

/** Any doubles, -0 and every NaN as NaN. */
export function writeDoubles(out: ByteWriter, values: ArrayLike<number>): void {
  const scale = 10 ** placesOf(values);
  const exceptions: number[] = [];
  out.varint(scale);
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    const whole = Math.round(value * scale);
    if (isExact(value, whole, scale)) out.zigzag(whole);
    else {
      out.byte(0);
      exceptions.push(index);
    }
  }
  out.varint(exceptions.length);
  for (const index of exceptions) {
    out.varint(index);
    out.double(values[index] as number);
  }
}

export function readDoubles(from: ByteReader, into: Float64Array): void {
  const scale = from.varint();
  for (let index = 0; index < into.length; index++) into[index] = from.zigzag() / scale;
  for (let left = from.varint(); left > 0; left--) {
    const index = from.varint();
    into[index] = from.double();
  }
}

const isExact = (value: number, whole: number, scale: number): boolean => Math.abs(whole) < SCALED_MAX && whole / scale === value && !Object.is(value, -0);

/** The fewest decimal places that hold a sample of the column; at most PLACES_MAX, else 0. */
function placesOf(values: ArrayLike<number>): number {
  let places = 0;
  const stride = Math.max(1, Math.floor(values.length / 32));
  for (let index = 0; index < values.length; index += stride) {
    const value = values[index] as number;
    let needed = 0;
    while (needed <= PLACES_MAX && !isExact(value, Math.round(value * 10 ** needed), 10 ** needed)) needed++;
    if (needed <= PLACES_MAX && needed > places) places = needed;
  }
  return places;
}
