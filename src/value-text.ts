// The words in which devices and files write values: decimals, on and off, and what says "I do not know".
// What is not known is bad quality and never 0.

const badWords = new Set([
  "nan",
  "-nan",
  "+nan",
  "null",
  "none",
  "nil",
  "undefined",
  "unavailable",
  "unknown",
  "n/a",
  "na",
  "inf",
  "+inf",
  "-inf",
  "infinity",
  "+infinity",
  "-infinity",
]);
const states = new Map([
  ["true", 1],
  ["false", 0],
  ["on", 1],
  ["off", 0],
]);

/** A decimal number, with or without exponent; `0x1F`, units and commas are none. */
export const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Whether a text is one of the words by which devices say that they have no value. */
export function isBadWord(text: string): boolean {
  return text.length <= 16 && badWords.has(text.toLowerCase());
}

/** 1 for `true` and `on`, 0 for `false` and `off`, in any case; else undefined. */
export function stateOf(text: string): number | undefined {
  return text.length <= 5 ? states.get(text.toLowerCase()) : undefined;
}
