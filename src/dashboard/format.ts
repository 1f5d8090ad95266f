// How numbers, ages and times are written. English words, the reader's own time zone, figures of equal width.

const figures = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const large = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clockTime = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayOfYears = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

/** A measured value with at most two decimals; very large and very small ones in powers of ten. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  const text = size !== 0 && (size >= 1e9 || size < 0.005) ? value.toExponential(2) : figures.format(value);
  return text.replace("-", "−");
}

/** A value with its unit, `−11.4 °C`, `61 %`, `3.2 kW`; without a unit the value alone. */
export const withUnit = (value: number, unit: string | null): string => (unit === null ? formatValue(value) : `${formatValue(value)} ${unit}`);

export const formatCount = (count: number): string => (count >= 1_000_000_000 ? large.format(count) : figures.format(count));
export const formatExactCount = (count: number): string => figures.format(count);

const steps: readonly (readonly [limit: number, unit: number, name: string])[] = [
  [60_000, 1000, "s"],
  [3_600_000, 60_000, "min"],
  [172_800_000, 3_600_000, "h"],
  [63_072_000_000, 86_400_000, "d"],
  [Number.POSITIVE_INFINITY, 31_557_600_000, "y"],
];

/** A length of time in its one fitting unit: `12 s`, `4 min`, `3 h`, `9 d`. */
export function formatSpan(ms: number): string {
  const [, unit, name] = steps.find(([limit]) => ms < limit) ?? [0, 1000, "s"];
  return `${Math.floor(Math.max(0, ms) / unit)} ${name}`;
}

/** A length of time in two units where the second matters: `4 min 12 s`, `2 h 5 min`. */
export function formatSpanExactly(ms: number): string {
  const index = steps.findIndex(([limit]) => ms < limit);
  const [, unit = 1000, name = "s"] = steps[index] ?? [];
  const smaller = steps[index - 1];
  const whole = Math.floor(Math.max(0, ms) / unit);
  const rest = smaller === undefined ? 0 : Math.floor((ms - whole * unit) / smaller[1]);
  return smaller === undefined || rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${smaller[2]}`;
}

/** `12 s ago`; what is from a clock that runs ahead is `now`. */
export const formatAge = (ms: number): string => (ms < 1000 ? "now" : `${formatSpan(ms)} ago`);

/** The time of day; with its date when that is not today. */
export function formatTime(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  if (then.toDateString() === today.toDateString()) return clockTime.format(then);
  return (then.getFullYear() === today.getFullYear() ? dayAndTime : dayOfYears).format(then);
}

/** The engine's predicate as people write it: `above −15, clears below −17`, `no reading for 10 min`. */
export const formatPredicate = (predicate: string): string =>
  predicate.replace(/(\d+) ms\b/g, (_, ms: string) => formatSpanExactly(Number(ms))).replace(/-(?=\d)/g, "−");

/** Fills plain `{{name}}` places; a template that wants more than that is left to the notifications. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string | undefined {
  const filled = template.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (place, name: string) => values[name] ?? place);
  return /\{[{%]/.test(filled) ? undefined : filled;
}

/** What hid a notification or told in its place, without keys that only machines know. */
export function formatCause(cause: string): string {
  const colon = cause.indexOf(":");
  const [kind, id] = colon < 0 ? [cause, ""] : [cause.slice(0, colon), cause.slice(colon + 1)];
  switch (kind) {
    case "shelf":
      return "";
    case "out_of_service":
      return "out of service";
    case "notification":
      return "told with others";
    case "storm":
      return "told in a storm";
    case "flapping":
      return "it flaps";
    case "wait":
      return "over before its group was told";
    default:
      return id === "" ? kind : `${kind} ${id}`;
  }
}
