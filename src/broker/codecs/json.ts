// Codec `json`: numbers by JSON pointers (`time`, `value` or `values`), or every number of the payload by its path.
// An array at the top is a batch of such payloads; its readings come out in order of their time.
// Numbers beyond a double, `null` and words such as "unavailable" are bad quality, never 0.

import { z } from "zod";
import type { ZoneTable } from "../../engine/calendar.ts";
import type { Reading } from "../../engine/reading.ts";
import type { EpochMs } from "../../engine/units.ts";
import { epochOf, readEventTime } from "../../event-time.ts";
import { parseLenient } from "../../json-text.ts";
import { isBadWord } from "../../value-text.ts";
import { pointerKeys, valueAt } from "../json-pointer.ts";
import { readValue, undecodable, type Value, type ValueMap } from "../value.ts";
import {
  type Codec,
  type CodecLimits,
  type Decode,
  type Decoded,
  defaultCodecLimits,
  excerpt,
  nothing,
  type Origin,
  type Rejection,
  refuse,
  textOf,
} from "./codec.ts";
import { mapSchema, pointerSchema } from "./settings.ts";

const schema = z
  .strictObject({
    time: pointerSchema.meta({ description: "JSON pointer to the event time; default: the first of /ts, /time, /timestamp that is there" }).exactOptional(),
    value: pointerSchema.meta({ description: "JSON pointer to the value; with neither value nor values each number is a metric" }).exactOptional(),
    values: z.record(z.string().min(1).max(200), pointerSchema).exactOptional().meta({ description: "Metrics and where their values stand", minProperties: 1 }),
    map: mapSchema.exactOptional(),
    timezone: z.string().min(1).exactOptional().meta({ description: "IANA zone of times without offset" }),
  })
  .superRefine((settings, context) => {
    if (settings.value !== undefined && settings.values !== undefined)
      context.addIssue({ code: "custom", path: ["values"], message: "give either `value` or `values`, not both" });
    if (settings.values !== undefined && Object.keys(settings.values).length === 0)
      context.addIssue({ code: "custom", path: ["values"], message: "`values` names no metric" });
  })
  .meta({ not: { required: ["value", "values"] } });
type Settings = z.output<typeof schema>;

const defaultTimes = ["ts", "time", "timestamp"] as const;
const longestName = 200;

type Keys = readonly string[];
type Place =
  | { readonly kind: "one"; readonly pointer: string; readonly keys: Keys }
  | { readonly kind: "named"; readonly fields: readonly { readonly metric: string; readonly keys: Keys }[] }
  | { readonly kind: "found" };
type Plan = {
  readonly time: Keys | undefined;
  readonly place: Place;
  readonly map: ValueMap;
  readonly zone: ZoneTable | undefined;
  readonly limits: CodecLimits;
};
/** What has been read so far; `failed` refuses the whole message. */
type Draft = { readings: Reading[]; rejected: Rejection[]; failed?: Rejection };
/** Event time of one document: shared by its values. */
type Stamp = { readonly ts?: EpochMs; readonly bad?: Rejection };

export const json: Codec<Settings> = {
  name: "json",
  schema,
  open(settings, zone, limits = defaultCodecLimits) {
    const plan: Plan = {
      time: settings.time === undefined ? undefined : pointerKeys(settings.time),
      place: placeOf(settings),
      map: new Map(Object.entries(settings.map ?? {})),
      zone,
      limits,
    };
    return decoder(plan);
  },
};

function placeOf(settings: Settings): Place {
  if (settings.value !== undefined) return { kind: "one", pointer: settings.value, keys: pointerKeys(settings.value) };
  if (settings.values === undefined) return { kind: "found" };
  return { kind: "named", fields: Object.entries(settings.values).map(([metric, pointer]) => ({ metric, keys: pointerKeys(pointer) })) };
}

function decoder(plan: Plan): Decode {
  const fast = fastPath(plan);
  return (payload, _topic, from) => {
    if (payload.length === 0) return nothing;
    const text = textOf(payload);
    const parsed = parseLenient(text);
    if (parsed.kind === "bad") return isBadWord(text.trim()) ? refuse("bad_quality", excerpt(text.trim())) : refuse("undecodable", parsed.detail);
    const quick = fast?.(parsed.value, from.metric);
    if (quick !== undefined) return quick;
    const draft: Draft = { readings: [], rejected: [] };
    if (Array.isArray(parsed.value)) readBatch(plan, parsed.value, from, draft);
    else readDocument(plan, parsed.value, from, draft);
    return draft.failed === undefined ? draft : { readings: [], rejected: [draft.failed] };
  };
}

/** The most common payload by far, `{"ts": 1763800000000, "value": 21.4}` with plain numbers, without the general way's steps. */
function fastPath(plan: Plan): ((document: unknown, metric: string | undefined) => Decoded | undefined) | undefined {
  const { place, time } = plan;
  if (place.kind === "named" || plan.map.size > 0 || (time !== undefined && time.length !== 1)) return undefined;
  if (place.kind === "one" && place.keys.length !== 1) return undefined;
  const only = place.kind === "one" ? place.keys[0] : undefined;
  const ts = time?.[0] ?? defaultTimes[0];
  if ((only ?? "") in Object.prototype || ts in Object.prototype) return undefined;
  return (document, metric) => {
    if (typeof document !== "object" || document === null) return undefined;
    const fields = document as Record<string, unknown>;
    const key = only ?? otherKey(fields, ts);
    const stamp = fields[ts];
    if (key === undefined || typeof stamp !== "number") return undefined;
    const value = fields[key];
    if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
    const at = epochOf(stamp);
    if (Number.isNaN(at)) return undefined;
    return { readings: [only === undefined && metric === undefined ? { metric: key, ts: at, value } : { ts: at, value }], rejected: [] };
  };
}

/** The one key beside `ts`; undefined when there are more or none. */
function otherKey(fields: Record<string, unknown>, ts: string): string | undefined {
  let other: string | undefined;
  for (const key in fields) {
    if (key === ts) continue;
    if (other !== undefined || key.length > longestName) return undefined;
    other = key;
  }
  return other;
}

function readBatch(plan: Plan, documents: readonly unknown[], from: Origin, draft: Draft): void {
  if (documents.length === 0) draft.rejected.push(undecodable("an empty array"));
  if (documents.length > plan.limits.values_per_message) draft.failed = tooMany(plan);
  for (const document of documents) {
    if (draft.failed !== undefined) return;
    if (Array.isArray(document)) draft.rejected.push(undecodable("an array in an array"));
    else readDocument(plan, document, from, draft);
  }
  // A batch is judged in the order of its times; where a time is missing, the order in which it was sent is all there is.
  if (draft.readings.every((reading) => reading.ts !== undefined)) draft.readings.sort((a, b) => (a.ts as number) - (b.ts as number));
}

function readDocument(plan: Plan, document: unknown, from: Origin, draft: Draft): void {
  if (typeof document !== "object" || document === null) return put(plan, draft, {}, undefined, readValue(document, plan.map));
  const time = timeKeys(plan, document);
  const stamp = stampOf(plan, time === undefined ? undefined : valueAt(document, time), from.at);
  switch (plan.place.kind) {
    case "one": {
      const value = valueAt(document, plan.place.keys);
      return put(plan, draft, stamp, undefined, value === undefined ? undecodable(`nothing at ${plan.place.pointer}`) : readValue(value, plan.map));
    }
    case "named":
      return readNamed(plan, plan.place.fields, document, stamp, draft);
    case "found":
      return readFound(plan, document, time, stamp, from, draft);
    default: {
      const never: never = plan.place;
      return never;
    }
  }
}

function timeKeys(plan: Plan, document: object): Keys | undefined {
  if (plan.time !== undefined) return plan.time;
  const found = defaultTimes.find((key) => Object.hasOwn(document, key));
  return found === undefined ? undefined : [found];
}

function stampOf(plan: Plan, value: unknown, at: EpochMs): Stamp {
  const time = readEventTime(value, plan.zone, at);
  switch (time.kind) {
    case "time":
      return { ts: time.ts };
    case "none":
      return {};
    case "bad":
      return { bad: { reason: "bad_time", detail: time.detail } };
    default: {
      const never: never = time;
      return never;
    }
  }
}

/** A message need not carry every metric (deltas are common), but one of them. */
function readNamed(plan: Plan, fields: readonly { metric: string; keys: Keys }[], document: object, stamp: Stamp, draft: Draft): void {
  let seen = false;
  for (const { metric, keys } of fields) {
    const value = valueAt(document, keys);
    if (value === undefined) continue;
    seen = true;
    put(plan, draft, stamp, metric, readValue(value, plan.map));
  }
  if (!seen) draft.rejected.push(undecodable("none of the values is there"));
}

function readFound(plan: Plan, document: object, time: Keys | undefined, stamp: Stamp, from: Origin, draft: Draft): void {
  const found: Found[] = [];
  const failed = find(plan, document, "", time, 0, found);
  if (failed !== undefined) {
    draft.failed = failed;
    return;
  }
  if (found.length === 0) draft.rejected.push(undecodable("no number in it"));
  for (const { path, value } of found) put(plan, draft, stamp, nameOf(path, found.length, from.metric), value);
}

/** A lone value is the topic's metric; several are prefixed by it. Without one in the topic the path is the name. */
function nameOf(path: string, count: number, metric: string | undefined): string | undefined {
  if (metric === undefined) return path;
  return count === 1 ? undefined : `${metric}.${path}`;
}

type Found = { readonly path: string; readonly value: Value };

/** Collects numbers, true and false at any depth, and what stands where a number should: null, "nan". `time` is left out. */
function find(plan: Plan, node: object, prefix: string, time: Keys | undefined, depth: number, found: Found[]): Rejection | undefined {
  if (depth >= plan.limits.depth) return undecodable(`nested deeper than ${plan.limits.depth}`);
  for (const key of Object.keys(node)) {
    const onTimePath = time !== undefined && time[depth] === key;
    if (onTimePath && time.length === depth + 1) continue;
    const child = (node as Record<string, unknown>)[key];
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (typeof child === "object" && child !== null) {
      const failed = find(plan, child, path, onTimePath ? time : undefined, depth + 1, found);
      if (failed !== undefined) return failed;
    } else if (isMeasured(child, plan.map)) {
      if (found.length >= plan.limits.values_per_message) return tooMany(plan);
      found.push({ path, value: path.length > longestName ? undecodable(`a path of ${path.length} characters`) : readValue(child, plan.map) });
    }
  }
  return undefined;
}

const measuredWord = /^(?:nan|[+-]?inf(?:inity)?|unavailable)$/i;

/** Other text (names, units, versions) is no value, unless the source maps it to one. */
function isMeasured(value: unknown, map: ValueMap): boolean {
  return typeof value !== "string" || map.has(value) || (value.length < 12 && measuredWord.test(value));
}

/** Each value ends here, as one reading or one rejection. */
function put(plan: Plan, draft: Draft, stamp: Stamp, metric: string | undefined, value: Value): void {
  if (draft.readings.length + draft.rejected.length >= plan.limits.values_per_message) draft.failed = tooMany(plan);
  else if (typeof value !== "number") draft.rejected.push(value);
  else if (stamp.bad !== undefined) draft.rejected.push(stamp.bad);
  else if (metric === undefined) draft.readings.push(stamp.ts === undefined ? { value } : { ts: stamp.ts, value });
  else draft.readings.push(stamp.ts === undefined ? { metric, value } : { metric, ts: stamp.ts, value });
}

function tooMany(plan: Plan): Rejection {
  return { reason: "too_many_values", detail: `more than ${plan.limits.values_per_message} values` };
}
