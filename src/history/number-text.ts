// Values as history files write them. Up to 15 digits are read without making a substring: the digits as a whole number and a power of
// ten are both exact doubles, and one division rounds once, so it gives what Number gives. All else is Number's.

import { decimal, isBadWord, stateOf } from "../value-text.ts";
import { excerpt, type Flaw, type SkipReason } from "./format.ts";

export type ReadValue =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "skip"; readonly reason: SkipReason }
  | { readonly kind: "bad"; readonly flaw: Flaw };

const powers = Array.from({ length: 16 }, (_, digits) => 10 ** digits);

/** A plain decimal such as `-21.25`; NaN for all else, also for numbers of another form. */
export function readDecimal(text: string, start: number, end: number): number {
  const isNegative = text.charCodeAt(start) === 45;
  let at = isNegative ? start + 1 : start;
  if (end - at > 16 || at === end) return Number.NaN;
  let whole = 0;
  let digits = 0;
  let point = -1;
  for (; at < end; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      whole = whole * 10 + digit;
      digits += 1;
    } else if (digit === -2 && point < 0 && digits > 0) point = digits;
    else return Number.NaN;
  }
  if (digits === 0 || digits > 15) return Number.NaN;
  const size = point < 0 ? whole : whole / (powers[digits - point] as number);
  return isNegative ? -size : size;
}

/** Reads trimmed text. */
export function readValueText(text: string): ReadValue {
  if (text === "") return { kind: "skip", reason: "empty" };
  if (decimal.test(text)) return ofNumber(Number(text));
  if (isBadWord(text)) return { kind: "skip", reason: reasonOf(text) };
  const state = stateOf(text);
  if (state !== undefined) return { kind: "value", value: state };
  return { kind: "bad", flaw: flawOf(text) };
}

/** What JSON has no finite double for is bad quality. */
export function ofNumber(value: number): ReadValue {
  return Number.isFinite(value) ? { kind: "value", value } : { kind: "skip", reason: "not_finite" };
}

/** The shortest decimal that reads back as the same double; `-0` too. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function reasonOf(word: string): SkipReason {
  if (/^[+-]?(?:nan|inf)/i.test(word)) return "not_finite";
  return /^(?:null|none|nil|undefined)$/i.test(word) ? "null" : "unavailable";
}

function flawOf(text: string): Flaw {
  if (/^[+-]?\d+,\d+$/.test(text)) return { what: `${excerpt(text)} has a decimal comma`, hint: `write ${text.replace(",", ".")}` };
  return { what: `${excerpt(text)} is not a number`, hint: "write a decimal number such as 21.5, or nothing where there is no value" };
}
