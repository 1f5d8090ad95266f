// NDJSON: an object per line, `{"ts": …, "device": …, "metric": …, "labels": {…}, "value": …}`, or flat, other texts being labels. Without `value`
// each other number is a metric of its own, as in payloads. What is neither a label nor a value is counted, never dropped in silence.

import { epochOf } from "../../event-time.ts";
import { parseLenient } from "../../json-text.ts";
import { excerpt, type Flaw, type HistoryFormat, type HistoryWriter, type LineParser, type ParserOptions, type Place, type Sink } from "../format.ts";
import { numberText, ofNumber, type ReadValue, readValueText } from "../number-text.ts";
import { createTimeReader, isDaySerial, timeText } from "../time-text.ts";

export const ndjson: HistoryFormat = { name: "ndjson", endings: [".ndjson", ".jsonl"], parser: createNdjsonParser, writer: createNdjsonWriter };

const timeNames = ["ts", "time", "timestamp"] as const;
const REMEMBERED_MAX = 200_000;
const shape = 'a line is an object: {"ts": "2026-03-01T12:00:00Z", "device": "fz-7", "metric": "temperature", "value": -18.5}';

type Members = Readonly<Record<string, unknown>>;

function createNdjsonParser(options: ParserOptions, sink: Sink): LineParser {
  const rows = createObjects(options, sink);
  return {
    isReady: true,
    open: 0,
    forget() {},
    end() {},
    line(text, number) {
      const parsed = parseLenient(text);
      if (parsed.kind === "bad") {
        if (text.trim() !== "")
          sink.problem("syntax", { line: number, column: columnOfError(parsed.detail) }, { what: `this is no JSON: ${excerpt(text)}`, hint: shape });
        return;
      }
      const object = parsed.value;
      if (typeof object !== "object" || object === null || Array.isArray(object))
        sink.problem("syntax", { line: number, column: 1 }, { what: `this is no object: ${excerpt(text)}`, hint: shape });
      else rows.take(object as Members, text, number);
    },
  };
}

function createObjects(options: ParserOptions, sink: Sink) {
  const time = createTimeReader(options.zone);
  const known = new Map<string, number>();
  const fixed = {
    ...options.labels,
    ...(options.device === undefined ? {} : { device: options.device }),
    ...(options.metric === undefined ? {} : { metric: options.metric }),
  };

  function take(members: Members, text: string, line: number): void {
    const place = (name: string): Place => ({ line, column: Math.max(0, text.indexOf(JSON.stringify(name))) + 1 });
    const timeName = timeNames.find((name) => Object.hasOwn(members, name));
    if (timeName === undefined) return sink.problem("time", { line, column: 1 }, { what: "there is no ts, time or timestamp", hint: shape });
    const ts = timeOf(members[timeName]);
    if (Number.isNaN(ts)) return sink.problem("time", place(timeName), flawOf(members[timeName]));
    const labels = labelsOf(members, timeName, place);
    if (labels === undefined) return;
    if (Object.hasOwn(members, "value")) {
      put(labels, undefined, ts, members["value"], () => place("value"));
      for (const name in members)
        if (name !== timeName && name !== "labels" && name !== "value" && typeof members[name] !== "string") sink.skip("other_member");
      return;
    }
    let found = 0;
    for (const name in members) {
      if (name === timeName || name === "labels" || name === "device" || name === "metric" || typeof members[name] === "string") continue;
      found += 1;
      put(labels, name, ts, members[name], () => place(name));
    }
    if (found === 0) sink.problem("value", { line, column: 1 }, { what: "there is no value", hint: shape });
  }

  function timeOf(value: unknown): number {
    if (typeof value === "number") return isDaySerial(value) ? Number.NaN : epochOf(value);
    return typeof value === "string" ? time.read(value, 0, value.length) : Number.NaN;
  }

  function flawOf(value: unknown): Flaw {
    return time.flaw(typeof value === "string" || typeof value === "number" ? String(value) : "");
  }

  /** @returns undefined when something stands where a text must: then the problem is told */
  function labelsOf(members: Members, timeName: string, place: (name: string) => Place): [string, string][] | undefined {
    const labels: [string, string][] = [];
    for (const name in members) {
      const text = members[name];
      if (name === timeName || name === "value") continue;
      if (name === "labels") {
        if (!nested(text, labels)) {
          sink.problem("series", place(name), { what: "labels is no object of texts", hint: 'write "labels": {"site": "oslo"}' });
          return undefined;
        }
      } else if (typeof text === "string") labels.push([name, text]);
      else if (name === "device" || name === "metric") {
        sink.problem("series", place(name), { what: `${name} is no text`, hint: `write "${name}": "name"` });
        return undefined;
      }
    }
    return labels;
  }

  function put(labels: readonly [string, string][], metric: string | undefined, ts: number, given: unknown, place: () => Place): void {
    const value = valueOf(given);
    if (value.kind === "skip") return sink.skip(value.reason);
    if (value.kind === "bad") return sink.problem("value", place(), value.flaw);
    const series = seriesOf(labels, metric, place);
    if (series >= 0) sink.reading(series, ts, value.value);
  }

  function seriesOf(labels: readonly [string, string][], metric: string | undefined, place: () => Place): number {
    let key = metric ?? "";
    for (const [name, text] of labels) key += `\0${name}\0${text}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const whole = { ...fixed, ...Object.fromEntries(labels.filter(([, text]) => text !== "")) };
    const series = sink.series(metric === undefined ? whole : { ...whole, metric: nameOf(whole["metric"], metric) }, place());
    if (known.size >= REMEMBERED_MAX) known.clear();
    // The key is spread over pieces of the line, so it is no slice of it.
    if (series >= 0) known.set(key, series);
    return series;
  }

  return { take };
}

/** A metric that is named beside several values prefixes them, as the topic's does. */
function nameOf(prefix: string | undefined, name: string): string {
  return prefix === undefined ? name : `${prefix}.${name}`;
}

function nested(value: unknown, labels: [string, string][]): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") return false;
    labels.push([name, text]);
  }
  return true;
}

function valueOf(value: unknown): ReadValue {
  switch (typeof value) {
    case "number":
      return ofNumber(value);
    case "boolean":
      return { kind: "value", value: value ? 1 : 0 };
    case "string":
      return readValueText(value.trim());
    default:
      if (value === null) return { kind: "skip", reason: "null" };
      return { kind: "bad", flaw: { what: `the value is ${Array.isArray(value) ? "an array" : "an object"}`, hint: "give each value a line of its own" } };
  }
}

function columnOfError(detail: string): number {
  const at = /at position (\d+)/.exec(detail)?.[1];
  return at === undefined ? 1 : Number(at) + 1;
}

function createNdjsonWriter(): HistoryWriter {
  return {
    head: "",
    series(labels) {
      const { device, metric, ...others } = labels;
      const further = Object.keys(others).length === 0 ? "" : `,"labels":${JSON.stringify(others)}`;
      const middle = `"device":${JSON.stringify(device)},"metric":${JSON.stringify(metric)}${further}`;
      return (ts, value) => `{"ts":"${timeText(ts)}",${middle},"value":${numberText(value)}}\n`;
    },
  };
}
