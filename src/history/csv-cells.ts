// Cells of CSV lines by RFC 4180: quoted cells hold separators, quotes (doubled) and line breaks. Beyond it: spaces around cells are taken off
// unless quoted, and a quote within an unquoted cell is a quote.

import type { Place } from "./format.ts";

export type Cells =
  | { readonly kind: "cells"; readonly texts: readonly string[] /** Where each begins in the text, from 0. */; readonly starts: readonly number[] }
  /** A quoted cell is not closed, or text stands after its end; `at` counts from 0. */
  | { readonly kind: "open" | "torn"; readonly at: number };

/** @param text without the line break at its end */
export function splitCells(text: string, separator: string): Cells {
  const texts: string[] = [];
  const starts: number[] = [];
  for (let at = 0; ; ) {
    const start = skipBlanks(text, at, separator);
    starts.push(start < text.length && text[start] !== separator ? start : at);
    if (text[start] !== '"') {
      const end = endOf(text, start, separator);
      texts.push(trimmed(text, start, end));
      at = end;
    } else {
      const close = closingQuote(text, start);
      if (close < 0) return { kind: "open", at: start };
      texts.push(text.slice(start + 1, close).replaceAll('""', '"'));
      at = skipBlanks(text, close + 1, separator);
      if (at < text.length && text[at] !== separator) return { kind: "torn", at };
    }
    if (at >= text.length) return { kind: "cells", texts, starts };
    at += 1;
  }
}

/** A cell as it is written: quoted where it must be. */
export function cellText(text: string): string {
  return /[",;\t\r\n]|^[\0- ]|[\0- ]$|^$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Where a character of a record stands that may hold line breaks. @param line of the record's beginning @param at from 0 */
export function placeIn(text: string, line: number, at: number): Place {
  const before = text.slice(0, at);
  const lastBreak = before.lastIndexOf("\n");
  return { line: lastBreak < 0 ? line : line + before.split("\n").length - 1, column: at - lastBreak };
}

function skipBlanks(text: string, from: number, separator: string): number {
  let at = from;
  while (at < text.length && isBlank(text, at) && text[at] !== separator) at += 1;
  return at;
}

/** Spaces and control characters; not those spaces that only some editors know. */
export function isBlank(text: string, at: number): boolean {
  return text.charCodeAt(at) <= 32;
}

function trimmed(text: string, start: number, end: number): string {
  let last = end;
  while (last > start && isBlank(text, last - 1)) last -= 1;
  return text.slice(start, last);
}

function endOf(text: string, from: number, separator: string): number {
  const end = text.indexOf(separator, from);
  return end < 0 ? text.length : end;
}

function closingQuote(text: string, opening: number): number {
  for (let at = text.indexOf('"', opening + 1); at >= 0; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at;
  return -1;
}
