// InfluxDB's line protocol: `measurement,tag=a field=1.5,other=2i 1465839830100400200`. A field is a reading: the metric is the measurement for
// the field `value`, else `measurement_field`; tags are labels, one of them the device. Text fields are no readings, and counted.

import type { Labels } from "../../engine/reading.ts";
import type { EpochMs } from "../../engine/units.ts";
import { placeIn } from "../csv-cells.ts";
import { excerpt, type Flaw, type HistoryFormat, type LineParser, ownText, type ParserOptions, type Place, type Precision, type Sink } from "../format.ts";
import { ofNumber, type ReadValue, readDecimal, readValueText } from "../number-text.ts";
import { createRecords } from "../records.ts";
import { isLikely, isUnlikely, timeText } from "../time-text.ts";

export const lineProtocol: HistoryFormat = { name: "line-protocol", endings: [".lp", ".line", ".influx"], parser: createLineProtocolParser };

const REMEMBERED_MAX = 200_000;
/** In this order, where no tag is given that is the device. */
const deviceTags = ["device", "host", "sensor"];
const shape = "a line is measurement,tag=a field=1.5 1465839830100400200";
/** The years of src/event-time.ts. */
const latestMs = 2 ** 52;

/** Where fields stand in a line; the arrays are used again for each. */
type Fields = { count: number; readonly keyStarts: number[]; readonly keyEnds: number[]; readonly ends: number[] /** Where the fields end. */; end: number };
type Failure = { readonly kind: "flaw"; readonly at: number; readonly flaw: Flaw } | { readonly kind: "open"; readonly at: number };

function createLineProtocolParser(options: ParserOptions, sink: Sink): LineParser {
  const start = { line: 1, column: 1 };
  if (options.metric !== undefined) sink.refuse(start, { what: "line protocol names each metric", hint: "leave out --metric" });
  const fields: Fields = { count: 0, keyStarts: [], keyEnds: [], ends: [], end: 0 };
  const heads = createHeads(options, sink);
  const records = createRecords((given, line, isWhole) => {
    const text = given.charCodeAt(given.length - 1) === 13 ? given.slice(0, -1) : given;
    const first = text.search(/\S/);
    if (first < 0 || text[first] === "#") return "taken";
    const headEnd = unescaped(text, " ", first);
    const failure = headEnd < 0 ? flawAt(first, `there are no fields: ${excerpt(text)}`) : findFields(text, headEnd, fields);
    if (failure?.kind === "open" && !isWhole) return "open";
    // Of several lines: what a stray quote opened, the next quote of the file closed.
    if (text.includes("\n") && (failure !== undefined || text.includes('"', fields.end))) return "torn";
    const place = (at: number): Place => placeIn(text, line, at);
    if (failure !== undefined) {
      sink.problem(
        "syntax",
        place(failure.at),
        failure.kind === "open" ? { what: "this quote is never closed", hint: 'a quote within a text is written \\"' } : failure.flaw,
      );
      return "taken";
    }
    const ts = timestamp(text.slice(fields.end).trim(), options.precision ?? "ns");
    if (typeof ts !== "number") sink.problem("time", place(Math.min(fields.end + 1, text.length)), ts);
    else takeFields(text, first, headEnd, ts, place);
    return "taken";
  });

  function takeFields(text: string, first: number, headEnd: number, ts: EpochMs, place: (at: number) => Place): void {
    const head = heads.of(text.slice(first, headEnd));
    if (head.flaw !== undefined) return sink.problem("series", place(first), head.flaw);
    for (let index = 0; index < fields.count; index += 1) {
      const keyStart = fields.keyStarts[index] as number;
      const keyEnd = fields.keyEnds[index] as number;
      const value = readField(text, keyEnd + 1, fields.ends[index] as number);
      if (typeof value === "object") {
        if (value.kind === "skip") sink.skip(value.reason);
        else if (value.kind === "bad") sink.problem("value", place(keyEnd + 1), value.flaw);
        continue;
      }
      const key = text.slice(keyStart, keyEnd);
      const series = head.fields.get(key) ?? heads.ask(head, key, place(keyStart));
      if (series >= 0) sink.reading(series, ts, value);
    }
  }

  return {
    isReady: true,
    line: records.line,
    forget: records.forget,
    end: records.end,
    get open() {
      return records.open;
    },
  };
}

/** What a line has before its fields, read once for all lines that begin in the same way. */
type Head = { readonly measurement: string; readonly labels: Labels; readonly fields: Map<string, number>; readonly flaw: Flaw | undefined };

function createHeads(options: ParserOptions, sink: Sink) {
  const known = new Map<string, Head>();
  return {
    of(text: string): Head {
      let head = known.get(text);
      if (head === undefined) {
        head = readHead(ownText(text), options);
        if (known.size >= REMEMBERED_MAX) known.clear();
        known.set(ownText(text), head);
      }
      return head;
    },
    /** Asks for the series of a field; one that is refused is told each time. */
    ask(head: Head, key: string, place: Place): number {
      const field = bare(key);
      const series = sink.series({ ...head.labels, metric: field === "value" ? head.measurement : `${head.measurement}_${field}` }, place);
      if (series >= 0) head.fields.set(ownText(key), series);
      return series;
    },
  };
}

function readHead(text: string, options: ParserOptions): Head {
  const [measurement = "", ...parts] = splitUnescaped(text, ",");
  const tags: [string, string][] = [];
  const bad = (flaw: Flaw): Head => ({ measurement, labels: {}, fields: new Map(), flaw });
  if (measurement === "") return bad({ what: "there is no measurement", hint: shape });
  for (const part of parts) {
    const at = unescaped(part, "=", 0);
    if (at <= 0 || at === part.length - 1) return bad({ what: `${excerpt(part)} is no tag`, hint: shape });
    tags.push([bare(part.slice(0, at)), bare(part.slice(at + 1))]);
  }
  const names = tags.map(([name]) => name);
  if (names.includes("metric")) return bad({ what: "a tag is called metric, which is the label that the measurement gives", hint: "rename the tag" });
  const tag = options.deviceTag ?? deviceTags.find((name) => names.includes(name) && (name === "device" || options.device === undefined));
  if (tag !== undefined && tag !== "device" && names.includes("device"))
    return bad({ what: `there is a tag device beside ${tag}, which is the device`, hint: "rename the tag, or leave out --device-tag" });
  const device = tags.find(([name]) => name === tag)?.[1] ?? options.device;
  if (device === undefined)
    return bad({ what: `no tag is called ${tag ?? "device, host or sensor"}`, hint: "say which is the device with --device-tag NAME, or give --device NAME" });
  const others = tags.filter(([name]) => name !== tag);
  return { measurement: bare(measurement), labels: { ...options.labels, ...Object.fromEntries(others), device }, fields: new Map(), flaw: undefined };
}

/** Finds `key=value,key=value` from `from` on. @returns what is wrong, or that a text is not closed yet */
function findFields(text: string, from: number, fields: Fields): Failure | undefined {
  fields.count = 0;
  let at = from;
  while (text[at] === " ") at += 1;
  for (;;) {
    const equals = endOfKey(text, at);
    if (equals <= at) return flawAt(at, `here a field is missing: ${excerpt(text.slice(at))}`);
    fields.keyStarts[fields.count] = at;
    fields.keyEnds[fields.count] = equals;
    at = equals + 1;
    if (text[at] === '"') {
      const close = closingQuote(text, at);
      if (close < 0) return { kind: "open", at };
      at = close + 1;
    } else while (at < text.length && text[at] !== "," && text[at] !== " ") at += 1;
    fields.ends[fields.count] = at;
    fields.count += 1;
    if (at < text.length && text[at] !== "," && text[at] !== " ") return flawAt(at, "text after a closing quote");
    if (text[at] !== ",") break;
    at += 1;
  }
  fields.end = at;
  return undefined;
}

const booleans = new Map([
  ...["t", "T", "true", "True", "TRUE"].map((word) => [word, 1] as const),
  ...["f", "F", "false", "False", "FALSE"].map((word) => [word, 0] as const),
]);

/** @returns the number, or why there is none */
function readField(text: string, start: number, end: number): number | Exclude<ReadValue, { kind: "value" }> {
  const quick = readDecimal(text, start, end);
  if (!Number.isNaN(quick)) return quick;
  if (text[start] === '"') return { kind: "skip", reason: "text" };
  const word = text.slice(start, end);
  const state = booleans.get(word);
  if (state !== undefined) return state;
  const read = /^-?\d+[iu]$/.test(word) ? readInteger(word.slice(0, -1)) : readValueText(word);
  return read.kind === "value" ? read.value : read;
}

/** An integer says that it is exact; one that a double would round is not taken as another. */
function readInteger(digits: string): ReadValue {
  const value = Number(digits);
  if (Number.isSafeInteger(value) || !Number.isFinite(value) || BigInt(value) === BigInt(digits)) return ofNumber(value);
  return { kind: "bad", flaw: { what: `${digits} has more digits than are kept exactly`, hint: `write ${BigInt(value)}, the nearest number that is` } };
}

const digitsBelowMs: Readonly<Record<Precision, number>> = { ns: 6, us: 3, ms: 0, s: 0 };

/** Nanoseconds have more digits than a double holds: those below the millisecond are cut from the text, downwards. */
function timestamp(text: string, precision: Precision): EpochMs | Flaw {
  if (text === "") return { what: "there is no timestamp", hint: "history has no arrival that could stand for it: write one after the fields" };
  if (!/^-?\d{1,20}$/.test(text)) return { what: `${excerpt(text)} is no timestamp`, hint: `write a whole number of ${precision}, or give --precision` };
  const cut = digitsBelowMs[precision];
  const isBelowZero = text.startsWith("-");
  const kept = cut === 0 ? text : text.length - Number(isBelowZero) > cut ? text.slice(0, -cut) : "0";
  const isCut = isBelowZero && cut > 0 && /[1-9]/.test(text.slice(-cut));
  const ts = (Number(kept) - (isCut ? 1 : 0)) * (precision === "s" ? 1000 : 1) + 0;
  if (Math.abs(ts) > latestMs) return { what: `${excerpt(text)} is no date`, hint: `it is read as ${precision}: give its unit with --precision` };
  return isUnlikely(ts) ? (unitFlaw(text, precision, ts) ?? ts) : ts;
}

/** What is said of milliseconds that are read as nanoseconds, and the like: they would lie in 1970, where nobody looks. */
function unitFlaw(text: string, precision: Precision, ts: EpochMs): Flaw | undefined {
  const value = Number(text);
  const meant = (
    [
      ["s", value * 1000],
      ["ms", value],
      ["us", value / 1000],
    ] as const
  ).find(([, at]) => isLikely(at));
  if (meant === undefined) return undefined;
  const [unit, at] = meant;
  return { what: `${excerpt(text)} read as ${precision} is ${timeText(ts)}`, hint: `as ${unit} it is ${timeText(Math.floor(at))}: give --precision ${unit}` };
}

function flawAt(at: number, what: string): Failure {
  return { kind: "flaw", at, flaw: { what, hint: shape } };
}

/** The equals sign after a key; -1 where a comma, a space or the end comes before it. */
function endOfKey(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\\") at += 1;
    else if (char === "=") return at;
    else if (char === "," || char === " ") return -1;
  }
  return -1;
}

/** The first `wanted` that no backslash stands before; -1 if there is none. */
function unescaped(text: string, wanted: string, from: number): number {
  let at = text.indexOf(wanted, from);
  while (at > 0 && text[at - 1] === "\\") at = text.indexOf(wanted, at + 1);
  return at;
}

function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let at = unescaped(text, separator, 0); at >= 0; at = unescaped(text, separator, from)) {
    parts.push(text.slice(from, at));
    from = at + 1;
  }
  return [...parts, text.slice(from)];
}

function closingQuote(text: string, opening: number): number {
  for (let at = opening + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}

/** Without the backslashes before commas, equals signs and spaces. */
function bare(text: string): string {
  return text.includes("\\") ? text.replace(/\\([,= ])/g, "$1") : text;
}
