// Writes a rule into the text of a YAML file in place of the one that stands there: all the rest of the file stays as it is, byte for
// byte. Comments within the rule go with it. What it makes is still to be checked, as anchors of the rule may have been used elsewhere.

import { isAlias, isCollection, isMap, isPair, type Node, parseDocument, stringify } from "yaml";
import type { WrittenRule } from "../engine/rule-settings.ts";
import type { Path } from "./document.ts";

/** Lists and short maps on one line, as people write them; `${` as it must be written so that it stays. */
export function ruleAsYaml(rule: WrittenRule): string {
  const lines = Object.entries(rule).map(([key, value]) => {
    const isInline = key === "match" || key === "labels" || Array.isArray(value) || (key === "condition" && isShort(value));
    return isInline ? `${key}: ${onOneLine(escaped(value))}\n` : stringify({ [key]: escaped(value) }, { lineWidth: 0 });
  });
  return lines.join("");
}

/** What stands for itself without quotes: names, globs, durations. */
const PLAIN = /^(?:[A-Za-z_][\w.*/-]*|(?:\d+(?:ms|[smhdw]))+)$/;
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** In YAML's flow style, whose quoted texts are JSON's. */
function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${onOneLine(key)}: ${onOneLine(item)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" && PLAIN.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value);
}

const LINE_LENGTH = 100;
const isShort = (value: unknown): boolean => typeof value === "object" && JSON.stringify(value).length <= LINE_LENGTH && !("conditions" in (value as object));

/** `${NAME}` would be taken from the environment. */
function escaped(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("${", () => "$${");
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)]));
}

/**
 * @param text of a YAML file
 * @param path where the rule stands in it, such as `["rules", 3]`
 * @returns the text with the rule in place of what stands there; undefined when nothing does
 */
export function withRule(text: string, path: Path, rule: WrittenRule): string | undefined {
  const mark = text.startsWith("\uFEFF") ? 1 : 0;
  const document = parseDocument(text.slice(mark), { uniqueKeys: false });
  const node = document.getIn(path, true) as Node | undefined;
  if (node?.range === undefined || node.range === null || (!isMap(node) && !isAlias(node))) return undefined;
  const isInline = isAlias(node) || (isMap(node) && node.flow === true);
  const start = node.range[0] + mark;
  const end = endOf(node, text.slice(mark)) + mark;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const lineBreak = text.includes("\r\n") ? "\r\n" : "\n";
  if (isInline) {
    const indent = /^ */.exec(text.slice(lineStart))?.[0] ?? "";
    return text.slice(0, start) + inlineAs(text.slice(start, end), rule).replaceAll("\n", lineBreak + indent) + text.slice(end);
  }
  const column = start - lineStart;
  const lines = ruleAsYaml(rule).trimEnd().split("\n");
  const indented = lines.map((line, index) => (index === 0 || line === "" ? line : " ".repeat(column) + line));
  return text.slice(0, start) + indented.join(lineBreak) + text.slice(end);
}

/** JSON stays JSON, on one line or on several, so that others can go on reading it. */
function inlineAs(written: string, rule: WrittenRule): string {
  if (!isJson(written)) return onOneLine(escaped(rule));
  return JSON.stringify(escaped(rule), undefined, written.includes("\n") ? 2 : undefined);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Where what is written of a node ends; a comment on the same line belongs to it, what follows on other lines does not. */
function endOf(node: Node, text: string): number {
  let end = lastOf(node);
  // Of a text block the last line break belongs to it.
  while (end > 0 && /\s/.test(text.charAt(end - 1))) end -= 1;
  if (isCollection(node) && node.flow !== true) end += /^[ \t]+#[^\r\n]*/.exec(text.slice(end))?.[0].length ?? 0;
  return end;
}

function lastOf(node: Node): number {
  const own = node.range?.[1] ?? 0;
  if (!isCollection(node) || node.flow === true) return own;
  const last: unknown = node.items.at(-1);
  if (isPair(last)) {
    const [key, value] = [last.key as Node, last.value as Node | null];
    return value?.range === undefined || value.range === null ? (key.range?.[1] ?? own) : Math.max(lastOf(value), key.range?.[1] ?? 0);
  }
  return last === undefined ? own : lastOf(last as Node);
}
