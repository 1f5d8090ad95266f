// The line for `sources:` that would take a topic nobody takes yet. A proposal from one topic and one payload: it always matches the
// topic, and always names a device and a metric; whether they are the right levels is for people to see. Only a topic whose first
// level begins with $ and holds a brace no template can take, and it says so.

import { parseLenient } from "../json-text.ts";

/** Levels that name a kind of message or a group, not a device or a metric. */
const constant = /^(?:state|status|events?|up|telemetry|messages?|data|sensors?|relay|value|rpc|update|values|[A-Z]{3,}[A-Z0-9_]*)$/;
/** Where devices write their time when it is not one of the codec's own keys. */
const timeKeys = ["ts", "time", "timestamp", "Time", "Timestamp", "last_seen", "received_at", "phenomenonTime", "datetime", "dateTime", "date"];
const ownTimeKeys = 3;
const loneKeys = ["value", "val", "v"];

/**
 * @param sample the payload as text; may be cut off
 * @param timezone named when the payload has a local time without offset
 * @returns one line of YAML, an item of the list `sources:`
 */
export function suggestSource(topic: string, sample: string, timezone: string): string {
  // A wildcard takes no level that begins with $ [MQTT-4.7.2-1], and braces cannot be written literally.
  if (/^\$[^/]*[{}]/.test(topic)) return "# no source can take a topic whose first level begins with $ and holds a brace; rename the topic";
  const document = firstDocument(sample);
  const loneKey = document === undefined ? undefined : loneKeys.find((key) => Object.hasOwn(document, key));
  const metricInTopic = document === undefined || loneKey !== undefined;
  const { template, labels } = templateFor(topic.split("/"), metricInTopic);
  const keys = [`topic: ${JSON.stringify(template)}`, `codec: ${isJson(sample) ? "json" : "plain"}`];
  if (document !== undefined) keys.push(...timeSettings(document, timezone));
  if (loneKey !== undefined) keys.push(`value: /${loneKey}`);
  if (labels.length > 0) keys.push(`labels: { ${labels.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")} }`);
  return `- { ${keys.join(", ")} }`;
}

function isJson(sample: string): boolean {
  return /^[\s\uFEFF]*[[{]/.test(sample);
}

/** The payload's object, or the first of a batch. */
function firstDocument(sample: string): Record<string, unknown> | undefined {
  const parsed = parseLenient(sample);
  const value: unknown = parsed.kind === "ok" && Array.isArray(parsed.value) ? parsed.value[0] : parsed.kind === "ok" ? parsed.value : undefined;
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

function timeSettings(document: Record<string, unknown>, timezone: string): string[] {
  const key = timeKeys.find((name) => Object.hasOwn(document, name) && isTime(document[name]));
  if (key === undefined) return [];
  const settings = timeKeys.indexOf(key) < ownTimeKeys ? [] : [`time: /${key}`];
  if (/^\d{4}-\d\d-\d\d[T ][\d:.]+$/.test(String(document[key]))) settings.push(`timezone: ${timezone}`);
  return settings;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" ? value > 1e9 : typeof value === "string" && /^\d{4}-\d\d-\d\d[T ]\d\d/.test(value);
}

/** The last level that is no constant is the metric (when the payload names none), the one before it the device. */
function templateFor(levels: readonly string[], metricInTopic: boolean): { template: string; labels: [string, string][] } {
  const parts = levels.map((level) => (/[{}]/.test(level) ? "+" : level));
  const open = levels.map((level, index) => ({ level, index })).filter(({ level }) => level !== "" && !level.startsWith("$") && !constant.test(level));
  const labels: [string, string][] = [];
  const metric = metricInTopic && open.length > 1 ? open.pop() : undefined;
  const device = open.pop();
  if (metric !== undefined) parts[metric.index] = "{metric}";
  else if (metricInTopic) labels.push(["metric", "value"]);
  if (device !== undefined) parts[device.index] = "{device}";
  else labels.push(["device", levels.join("/")]);
  // The usual tree, kind/site/device/metric.
  if (levels.length === 4 && levels[1] !== "" && device?.index === 2 && metric?.index === 3) parts[1] = "{site}";
  return { template: parts.join("/"), labels };
}
