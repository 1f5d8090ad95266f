// A value as devices write it in text: `21.5`, `21,5`, `21.5 °C`, `ON`. What says "I do not know" (`nan`, `None`, `unavailable`)
// is bad quality and never 0; what is no number at all is undecodable.

import { decimal, isBadWord, stateOf } from "../value-text.ts";
import type { Rejection } from "./codecs/codec.ts";
import { excerpt } from "./codecs/codec.ts";

/** A finite number, or why there is none. */
export type Value = number | Rejection;

/** Words that a source maps to numbers. */
export type ValueMap = ReadonlyMap<string, number>;

// A comma for the decimal point and a unit, glued on or after a space. Digits in a unit only after a space: `3 m3/h`, not `0x1F`.
const measured =
  /^([+-]?)(\d{1,30}(?:[.,]\d{1,30})?|[.,]\d{1,30})((?:[eE][+-]?\d{1,3})?)(?:\s{0,3}[\p{L}°%‰Ωµ][\p{L}°%‰²³·/*^-]{0,15}|\s{1,3}[\p{L}°%‰Ωµ][\p{L}\d°%‰²³·/*^-]{0,15})?$/u;
/** Longer text is no measured value. */
const longest = 100;

export function badQuality(detail: string): Rejection {
  return { reason: "bad_quality", detail };
}

export function undecodable(detail: string): Rejection {
  return { reason: "undecodable", detail };
}

/** Reads a JSON value: a number, true and false, or text. */
export function readValue(value: unknown, map: ValueMap): Value {
  switch (typeof value) {
    case "number":
      if (map.size > 0) return map.get(String(value)) ?? finite(value);
      return finite(value);
    case "boolean":
      return map.get(String(value)) ?? (value ? 1 : 0);
    case "string":
      return readText(value.trim(), map);
    default:
      if (value === null) return map.get("null") ?? badQuality("null");
      return undecodable(Array.isArray(value) ? "the value is an array" : "the value is an object");
  }
}

/** Reads trimmed text; the map first, as it is written. */
export function readText(text: string, map: ValueMap): Value {
  const mapped = map.get(text);
  if (mapped !== undefined) return mapped;
  if (text.length > longest) return undecodable(`${excerpt(text)} is no value`);
  if (decimal.test(text)) return finite(Number(text));
  if (isBadWord(text)) return badQuality(excerpt(text));
  const state = stateOf(text);
  if (state !== undefined) return state;
  const [, sign, digits, exponent] = measured.exec(text) ?? [];
  if (digits === undefined) return undecodable(text === "" ? "only spaces" : `${excerpt(text)} is no value`);
  return finite(Number(`${sign}${digits.replace(",", ".")}${exponent}`));
}

function finite(value: number): Value {
  return Number.isFinite(value) ? value : badQuality(`${value}: beyond a double`);
}
