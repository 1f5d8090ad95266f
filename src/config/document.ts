// A YAML file as a plain value, where each key and value still knows its line and column, aliases and merges of files included.
// Refuses what JSON could not hold (maps as keys, cycles, unknown tags) and what would grow without bound (alias bombs).
// Knows nothing of Highwater's keys.

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type Document as YamlDocument,
} from "yaml";
import { type Problem, problem } from "./problem.ts";

export type Path = readonly PropertyKey[];
export type Place = { line: number; column: number };

export type ConfigDocument = {
  readonly file: string;
  /** undefined when the file is empty or not YAML. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The file could not be read as YAML: what is in `value` is not to be judged. */
  readonly broken: boolean;
  /** Where the value at `path` stands; of what is not there, where its nearest parent's key stands. */
  placeOf(path: Path): Place;
  /** Where the key of `path` stands, or the list item. */
  keyPlaceOf(path: Path): Place;
  /** 1 when the text at `path` is written in quotes, else 0: where its first character stands. */
  quoteWidth(path: Path): number;
  /** Renames a key in the positions: what was written as `from` is now asked for as `to`. */
  rename(from: Path, to: Path): void;
};

/** Values in one file, aliases counted as often as they are used. */
const VALUES_MAX = 200_000;
const DEPTH_MAX = 100;

type Offsets = { readonly key: number; readonly value: number };

const pathKey = (path: Path): string => JSON.stringify(path.map(String));

/** Reads YAML text; never throws. */
export function readDocument(file: string, text: string): ConfigDocument {
  const lines = lineCounterOf(text);
  const offsets = new Map<string, Offsets>();
  const problems: Problem[] = [];
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report = (offset: number, message: string, hint?: string) => problems.push(problem(file, placeAt(offset), message, hint));
  const nearest = (path: Path): Offsets => {
    for (let length = path.length; length >= 0; length--) {
      const found = offsets.get(pathKey(path.slice(0, length)));
      if (found === undefined) continue;
      return length === path.length ? found : { key: found.key, value: found.key };
    }
    return { key: 0, value: 0 };
  };
  let broken = false;
  let value: unknown;
  try {
    const control = text.search(controlCharacter);
    if (control >= 0) report(control, `the character U+${text.charCodeAt(control).toString(16).padStart(4, "0")} cannot stand in YAML`, "is this a text file?");
    const document = parseDocument(control >= 0 ? "" : text, { prettyErrors: false, uniqueKeys: true });
    broken = reportSyntax(document, text, report) || control >= 0;
    if (!broken) value = toValue(document, offsets, report);
  } catch (error) {
    broken = true;
    report(0, `this is not YAML that can be read: ${(error as Error).message}`);
  }
  return {
    file,
    value,
    problems,
    broken: broken || problems.some(({ message }) => message === tooLarge),
    placeOf: (path) => placeAt(nearest(path).value),
    keyPlaceOf: (path) => placeAt(nearest(path).key),
    quoteWidth: (path) => (/["']/.test(text.charAt(nearest(path).value)) ? 1 : 0),
    rename(from, to) {
      const found = offsets.get(pathKey(from));
      if (found !== undefined) offsets.set(pathKey(to), found);
    },
  };
}

/** Forbidden by YAML 1.2 (5.1), and tolerated by the parser with lines that are miscounted. */
const controlCharacter = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** Filled from the text: the parser's own count loses lines where it gives up early. */
function lineCounterOf(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  return lines;
}

type Report = (offset: number, message: string, hint?: string) => void;

const syntaxHints: Record<string, string> = {
  TAB_AS_INDENT: "indent with spaces",
  BAD_INDENT: "what stands between brackets is indented more than its key",
  MISSING_CHAR: "close the quote, bracket or brace",
  BAD_SCALAR_START: "put the text in quotes",
  BLOCK_IN_FLOW: 'put text that holds ": " in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'put text that holds ": " in quotes, or begin a new line',
  MULTILINE_IMPLICIT_KEY: "a key stands on one line; check the quotes above",
  BAD_DQ_ESCAPE: "write \\\\ for a backslash, or use single quotes",
  MULTIPLE_DOCS: "keep one document; take out the line ---",
  UNEXPECTED_TOKEN: "check the indentation, brackets and quotes around it",
};

/** @returns whether the text is not YAML; a key that is there twice is a problem, but the rest can still be judged */
function reportSyntax(document: YamlDocument.Parsed, text: string, report: Report): boolean {
  let broken = false;
  for (const { code, message, pos } of document.errors) {
    if (code === "DUPLICATE_KEY") {
      report(pos[0], `the key ${/^["']?[^\s:"',}]*["']?/.exec(text.slice(pos[0]))?.[0] ?? ""} is given twice here`, "keep one of the two");
      continue;
    }
    broken = true;
    const closing = /end with a ([\]}])/.exec(message)?.[1];
    const plain = closing === undefined ? message.replace(/; please use .*/, "") : `a ${closing === "]" ? "[" : "{"} above is not closed with ${closing}`;
    report(pos[0], plain.charAt(0).toLowerCase() + plain.slice(1), syntaxHints[code]);
  }
  for (const { message, pos } of document.warnings) report(pos[0], message.charAt(0).toLowerCase() + message.slice(1), "only plain YAML is read here");
  return broken;
}

const tooLarge = "the file is too large or too deep";

function toValue(document: YamlDocument.Parsed, offsets: Map<string, Offsets>, report: Report): unknown {
  let left = VALUES_MAX;
  let overflown = false;
  const anchors = new Map<string, Node>();
  const convert = (node: Node | null | undefined, path: Path, keyOffset: number): unknown => {
    const start = node?.range?.[0] ?? keyOffset;
    if (!offsets.has(pathKey(path))) offsets.set(pathKey(path), { key: keyOffset, value: start });
    left -= 1;
    if (left < 0 || path.length > DEPTH_MAX) {
      if (!overflown) report(start, tooLarge, `at most ${VALUES_MAX} values, ${DEPTH_MAX} deep; an alias may not hold itself`);
      overflown = true;
      return undefined;
    }
    if (isAlias(node)) {
      const target = anchors.get(node.source);
      if (target === undefined) report(start, `*${node.source} names no anchor`, `an anchor is written &${node.source}, before its use`);
      // What an alias repeats stands where the alias stands: there it can be mended for this use.
      return target === undefined ? undefined : convert(target, path, keyOffset);
    }
    if (node !== null && node !== undefined && "anchor" in node && typeof node.anchor === "string") anchors.set(node.anchor, node);
    if (isScalar(node)) return scalarValue(node, start, report);
    if (isSeq(node)) return node.items.map((item, index) => convert(item as Node, [...path, index], (item as Node | null)?.range?.[0] ?? start));
    if (isMap(node)) return mapValue(node, path, convert, report);
    return null;
  };
  const contents = document.contents;
  return contents === null ? undefined : convert(contents, [], 0);
}

function scalarValue(node: Scalar, start: number, report: Report): unknown {
  const value = node.value;
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value;
  report(start, "this kind of value cannot be used here", "write text, a number, true or false");
  return undefined;
}

function mapValue(node: YAMLMap, path: Path, convert: (node: Node | null | undefined, path: Path, keyOffset: number) => unknown, report: Report): unknown {
  const map: Record<string, unknown> = {};
  for (const { key, value } of node.items as Pair<Node | null, Node | null>[]) {
    const offset = key?.range?.[0] ?? node.range?.[0] ?? 0;
    if (!isScalar(key)) {
      report(offset, "a key must be plain text", "put the key in quotes");
      continue;
    }
    const name = typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
    if (name === "__proto__") {
      report(offset, "__proto__ cannot be a key");
      continue;
    }
    map[name] = convert(value, [...path, name], offset);
  }
  return map;
}
