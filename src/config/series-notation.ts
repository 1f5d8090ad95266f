// The notation of promtool for input series of rule tests: `temperature{device="fz-7"}` and `20 21x5 _ 90+1x3 stale`.
// A name in front of the braces is the label `metric`. Sums are those of the decimals as they are written: `0+0.1x3` ends at 0.3.

import type { Labels } from "../engine/reading.ts";

/** Samples that the values of one series may stand for. */
export const SAMPLES_MAX = 1_000_000;

/** `offset`: characters from the beginning of the text to what is wrong. */
export type Notated<Value> =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string; readonly offset: number };

const failed = (offset: number, message: string, hint: string): { kind: "failed"; message: string; hint: string; offset: number } => ({
  kind: "failed",
  message,
  hint,
  offset,
});

/** Reads `metric{label="value", …}`; device and metric must be among the labels. */
export function parseSeries(text: string): Notated<Labels> {
  const [head = "", name = ""] = /^\s*([^{}\s"'`]*)\s*/.exec(text) ?? [];
  const labels = new Map<string, string>();
  if (name !== "") labels.set("metric", name);
  let at = head.length;
  if (at < text.length) {
    if (text[at] !== "{") return failed(at, `${JSON.stringify(text[at])} cannot stand here`, 'write metric{label="value"}');
    at += 1;
    for (;;) {
      at += blanks(text, at);
      if (text[at] === "}") break;
      const label = readLabel(text, at);
      if (label.kind === "failed") return label;
      const { name: key, value, end } = label.value;
      if (labels.has(key))
        return failed(at, `the label ${key} is given twice`, key === "metric" ? "the name in front of the braces is the label metric" : "keep one");
      labels.set(key, value);
      at = end + blanks(text, end);
      if (text[at] === ",") at += 1;
      else if (text[at] !== "}") return failed(at, "the labels are not closed", "end them with }, and put a comma between them");
    }
    const rest = at + 1 + blanks(text, at + 1);
    if (rest < text.length) return failed(rest, `nothing may stand behind the labels, such as ${JSON.stringify(text.slice(rest, rest + 10))}`, "take it out");
  }
  const missing = ["device", "metric"].find((key) => (labels.get(key) ?? "") === "");
  if (missing !== undefined) return failed(0, `a series needs the label ${missing}`, 'write temperature{device="freezer-7"}');
  return { kind: "ok", value: Object.fromEntries([...labels].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

const blanks = (text: string, from: number): number => /^\s*/.exec(text.slice(from))?.[0].length ?? 0;

/** `name="value"`, or a metric's name in quotes. */
function readLabel(text: string, at: number): Notated<{ name: string; value: string; end: number }> {
  const rest = text.slice(at);
  const quoted = readQuoted(rest);
  if (quoted !== undefined && !/^\s*[=!]/.test(rest.slice(quoted.length))) {
    return { kind: "ok", value: { name: "metric", value: quoted.value, end: at + quoted.length } };
  }
  const [whole = "", name = "", operator = ""] = /^([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!=|!~|=)?\s*/.exec(rest) ?? [];
  if (name === "") return failed(at, "a label's name must stand here", "a name has letters, digits and _, and begins with no digit");
  if (operator !== "=") return failed(at + name.length, `${name} needs = and a value in quotes`, `write ${name}="value"`);
  const value = readQuoted(rest.slice(whole.length));
  if (value === undefined) return failed(at + whole.length, `the value of ${name} must stand in quotes that are closed`, `write ${name}="value"`);
  return { kind: "ok", value: { name, value: value.value, end: at + whole.length + value.length } };
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** A text in "…" or '…' with escapes, or in `…` without. */
function readQuoted(text: string): { value: string; length: number } | undefined {
  const [whole, double, single, raw] = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|`([^`]*)`)/s.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const escaped = double ?? single;
  return { value: escaped === undefined ? (raw ?? "") : escaped.replace(/\\(.)/gs, (_, letter: string) => escapes[letter] ?? letter), length: whole.length };
}

const number = "[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?";
const item = new RegExp(`^(?:(?<gap>_)|(?<word>stale|[+-]?(?:NaN|Inf))|(?<first>${number})(?:(?<sign>[+-])(?<by>${number}))?)(?:x(?<times>\\d+))?$`, "i");

/**
 * Reads values, one per interval: `a`, `axn` (n + 1 times a), `a+bxn` and `a-bxn` (a, then n more), `_`, `_xn` (n missing), `stale`.
 * @returns NaN where there is no reading: missing, stale, and what is no finite number, which a gateway rejects
 */
export function parseValues(text: string): Notated<Float64Array> {
  const values: number[] = [];
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    const { gap, word: named, first, sign, by, times } = item.exec(word)?.groups ?? {};
    const count = times === undefined ? 0 : Number(times);
    if (values.length + count >= SAMPLES_MAX) return failed(index, `more than ${SAMPLES_MAX} values`, "choose a longer interval");
    if (gap !== undefined) for (let left = times === undefined ? 1 : count; left > 0; left--) values.push(Number.NaN);
    else if (named !== undefined && times === undefined) values.push(Number.NaN);
    else if (first !== undefined && (sign === undefined || times !== undefined)) {
      const step = sign === undefined ? "0" : `${sign === "-" ? "-" : ""}${by ?? "0"}`.replace("--", "").replace("-+", "-");
      for (let index_ = 0; index_ <= count; index_++) values.push(sum(first, step, index_));
    } else return failed(index, `${JSON.stringify(word)} is no value`, hintFor(word));
  }
  return { kind: "ok", value: Float64Array.from(values) };
}

const hintFor = (word: string): string => (word.startsWith("{{") ? "histograms are not known here" : "write 20, 20x5, 20+1x5, 20-0.5x5, _, _x3 or stale");

/** `first + times × step`, exact in the decimal places that were written. */
function sum(first: string, step: string, times: number): number {
  const value = Number(first) + Number(step) * times;
  const places = Math.max(...[first, step].map((text) => (/e/i.test(text) ? 21 : (text.split(".")[1]?.length ?? 0))));
  return places <= 20 && Math.abs(value) < 1e15 ? Number(value.toFixed(places)) : value;
}
