// How figures, spans and instants are written for people: a true minus, at most six significant digits, local time first.
// Machines get the exact numbers and RFC 3339 in UTC.

import type { DurationMs, EpochMs } from "../engine/units.ts";

/** `−12.4`, `0.3`, `1234567`: six significant digits, without exponent up to 10^15. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace("-", "−");
  const rounded = Math.abs(value) >= 1e6 ? Math.round(value) : Number(value.toPrecision(6));
  return String(Object.is(rounded, -0) ? 0 : rounded).replace("-", "−");
}

/** `−12.4 °C`, `55 %`, `7.1` when there is no unit. */
export function formatQuantity(value: number, unit: string | null): string {
  return unit === null || unit === "" ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** One line without control characters or marks that turn the direction of text; at most 300 characters. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const line = text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();
  return line.length <= 300 ? line : `${line.slice(0, 299)}…`;
}

/**
 * A figure at a glance: two decimals, or three digits below 1; more where fewer would make it look like the limit.
 * @param limit the number that it was compared with, if there is one
 */
export function formatFigure(value: number, unit: string | null, limit: number | null): string {
  for (let decimals = 2; decimals < 6; decimals++) {
    const rounded = Math.abs(value) < 1 ? Number(value.toPrecision(decimals + 1)) : Number(value.toFixed(decimals));
    if (rounded === value || rounded !== limit) return formatQuantity(rounded, unit);
  }
  return formatQuantity(value, unit);
}

/** Lines of at most `columns`, broken at spaces, and within words that are longer. @param indent spaces before each line but the first */
export function wrapText(text: string, columns: number, indent = 0): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(" ", columns);
    const end = space > indent ? space : columns;
    lines.push(rest.slice(0, end).trimEnd());
    rest = " ".repeat(indent) + rest.slice(end).trimStart();
  }
  return rest.trim() === "" ? lines : [...lines, rest];
}

const spanUnits = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** The two largest units that are not zero: `2 d 4 h`, `35 min`, `1 min 30 s`, `250 ms`. */
export function formatSpan(ms: DurationMs): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  let rest = Math.round(ms / 1_000) * 1_000;
  const parts: string[] = [];
  for (const [name, size] of spanUnits) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const formats = new Map<string, Intl.DateTimeFormat>();

/** An instant in a zone and in UTC: `Sun 22 Nov 2026 13:31:07 CET (12:31:07 UTC)`. */
export function formatInstant(ts: EpochMs, timezone: string): string {
  const local = partsOf(ts, timezone);
  const utc = partsOf(ts, "UTC");
  const text = `${local.day} ${local.time} ${local.zone}`;
  if (local.zone === "UTC") return text;
  return `${text} (${local.day === utc.day ? "" : `${utc.day} `}${utc.time} UTC)`;
}

/** The time of day alone, in the zone: `13:31:07`. */
export function formatTime(ts: EpochMs, timezone: string): string {
  return partsOf(ts, timezone).time;
}

/** Short, for lists: `13:31` of the day of `now`, `21 Nov 13:31` of any other day, with its year if that is another one. */
export function formatShort(ts: EpochMs, timezone: string, now: EpochMs): string {
  const [then, today] = [partsOf(ts, timezone), partsOf(now, timezone)];
  const time = then.time.slice(0, 5);
  if (then.day === today.day || time === "") return time === "" ? then.day : time;
  const [, day = "", month = "", year = ""] = then.day.split(" ");
  return `${day} ${month}${today.day.endsWith(year) ? "" : ` ${year}`} ${time}`;
}

/** RFC 3339 in UTC, for machines. Event times beyond the range of Date are told as the year 1. */
export function rfc3339(ts: EpochMs): string {
  return Math.abs(ts) <= 8.64e15 ? new Date(ts).toISOString() : "0001-01-01T00:00:00Z";
}

type Parts = { readonly day: string; readonly time: string; readonly zone: string };

/** By zone and second. A notification names its few instants again and again, and one of 500 alerts names those of a storm. */
const known = new Map<string, Parts>();
const KNOWN_MAX = 2_000;

function partsOf(ts: EpochMs, timezone: string): Parts {
  if (Math.abs(ts) > 8.64e15) return { day: "never", time: "", zone: "" };
  const key = `${Math.floor(ts / 1_000)} ${timezone}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const parts = partsOfZone(ts, timezone);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(key, parts);
  return parts;
}

function partsOfZone(ts: EpochMs, timezone: string): Parts {
  let format = formats.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: timezone,
      weekday: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    });
    formats.set(timezone, format);
  }
  const part = Object.fromEntries(format.formatToParts(ts).map(({ type, value }) => [type, value]));
  const day = `${part.weekday} ${Number(part.day)} ${months[Number(part.month) - 1]} ${part.year}`;
  return { day, time: `${part.hour}:${part.minute}:${part.second}`, zone: part.timeZoneName ?? "" };
}
