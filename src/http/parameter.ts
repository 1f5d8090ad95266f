// Query parameters of the API as zod schemas: from the text of a URL to the engine's units. Reserved words are listed
// by each route; every other name is a label filter: exact values, several by commas, all labels must match.

import { z } from "zod";
import { type DurationMs, type EpochMs, parseDuration } from "../engine/units.ts";

/** Rows that one answer may hold, and what it holds without `limit`. */
export const LIMIT_MAX = 10_000;
export const LIMIT_DEFAULT = 1000;
/** Label filters in one request, and values of one filter. */
export const LABELS_MAX = 20;
export const VALUES_MAX = 200;

/** Which series: for each label one of the exact values. */
export type LabelFilter = Readonly<Record<string, readonly string[]>>;

const rfc3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;
/** The instants that a JavaScript date can name. */
const INSTANT_MAX = 8_640_000_000_000_000;

/** `2026-01-31T04:15:00Z`, with any offset, or milliseconds since the epoch; gives EpochMs. */
export const instantSchema = z
  .string()
  .transform((text, context): EpochMs => {
    // In a URL "+" means a blank, so that an offset written without care arrives with one.
    const repaired = text.replace(/ (\d{2}:\d{2})$/, "+$1");
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : rfc3339.test(repaired) ? Date.parse(repaired) : Number.NaN;
    if (Math.abs(value) <= INSTANT_MAX) return value;
    context.addIssue({
      code: "custom",
      message: "must be an instant",
      params: { hint: "write RFC 3339 with an offset, 2026-01-31T04:15:00Z, or milliseconds since 1970" },
    });
    return z.NEVER;
  })
  .meta({ description: "RFC 3339 with an offset, or milliseconds since 1970-01-01T00:00:00Z", examples: ["2026-01-31T04:15:00Z", "1769832900000"] });

/** `1m`, `6h`, `day` or `raw`; a duration gives milliseconds. Which of them fit is for the store to say. */
export const stepSchema = z
  .string()
  .transform((text, context): DurationMs | "day" | "raw" => {
    if (text === "day" || text === "raw") return text;
    const step = parseDuration(text);
    if (step !== undefined && step > 0) return step;
    context.addIssue({
      code: "custom",
      message: "must be a duration, day or raw",
      params: { hint: "write 1m, 15m, 1h, 6h; day for local days; raw for each reading" },
    });
    return z.NEVER;
  })
  .meta({
    description: "Width of a bucket: a duration such as 1m or 1h, `day` for local days, `raw` for each reading. Where readings are many, whole minutes",
    examples: ["1m", "1h", "day"],
  });

export const limitSchema = z
  .string()
  .default(String(LIMIT_DEFAULT))
  .transform((text, context): number => {
    const limit = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (limit >= 1 && limit <= LIMIT_MAX) return limit;
    context.addIssue({
      code: "custom",
      message: `must be a whole number from 1 to ${LIMIT_MAX}`,
      params: { hint: "ask for fewer rows, and for the rest with the answer's `cursor`" },
    });
    return z.NEVER;
  })
  .meta({ description: `Rows at most, 1 to ${LIMIT_MAX}; default ${LIMIT_DEFAULT}` });

export const cursorSchema = z.string().min(1).max(500).meta({ description: "`cursor` of the page before" });

/** `firing,pending`: some of a closed list of words. */
export const wordsSchema = <Word extends string>(words: readonly Word[], description: string) =>
  z
    .string()
    .transform((text, context): Word[] => {
      const given = split(text);
      const unknown = given.find((word) => !words.includes(word as Word));
      if (unknown === undefined && given.length > 0) return given as Word[];
      context.addIssue({
        code: "custom",
        message: unknown === undefined ? "is empty" : `knows no ${JSON.stringify(unknown)}`,
        params: { hint: `use ${words.join(", ")}; several by commas` },
      });
      return z.NEVER;
    })
    .meta({ description: `${description}: ${words.join(", ")}; several by commas` });

/** Texts separated by commas, for names that are not a closed list. */
export const namesSchema = (description: string) =>
  z
    .string()
    .transform((text) => split(text))
    .refine((names) => names.length >= 1 && names.length <= VALUES_MAX, `takes 1 to ${VALUES_MAX} names`)
    .meta({ description: `${description}; several by commas` });

/** Ids of series, as `/api/v1/series` gives them. */
export const seriesIdsSchema = z
  .string()
  .transform((text, context): number[] => {
    const ids = split(text).map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : Number.NaN));
    if (ids.length >= 1 && ids.length <= VALUES_MAX && !ids.some(Number.isNaN)) return ids;
    context.addIssue({
      code: "custom",
      message: `must be 1 to ${VALUES_MAX} ids of series`,
      params: { hint: "write the ids that /api/v1/series gives, separated by commas" },
    });
    return z.NEVER;
  })
  .meta({ description: "Ids of series, as /api/v1/series gives them; several by commas" });

export const daySchema = z
  .string()
  .refine((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)), {
    error: "must be a day",
    params: { hint: "write YYYY-MM-DD" },
  })
  .meta({ description: "A local day, YYYY-MM-DD", examples: ["2026-01-31"] });

/** `30m`, `2h`, `1d12h`: longer than nothing; gives milliseconds. */
export const durationSchema = z
  .string()
  .transform((text, context): DurationMs => {
    const duration = parseDuration(text);
    if (duration !== undefined && duration > 0 && duration <= INSTANT_MAX) return duration;
    context.addIssue({ code: "custom", message: "must be a duration", params: { hint: "write 30m, 2h or 1d12h" } });
    return z.NEVER;
  })
  .meta({ description: "A duration", examples: ["30m", "2h"] });

/** Of a body: why something is done. */
export const whySchema = z.string().max(500).meta({ description: "Why; kept in the audit log" });

/** What was wrong with a parameter, for the answer 400. */
export type ParameterProblem = { readonly message: string; readonly hint: string };

type Parsed<Query> = { kind: "ok"; query: Query; labels: LabelFilter } | { kind: "invalid"; problem: ParameterProblem };

/**
 * Reads the parameters of a request.
 * @param takesLabels whether names that `schema` does not have are label filters; else they are refused
 */
export function parseParameters<Query>(schema: z.ZodObject, given: Readonly<Record<string, unknown>>, takesLabels: boolean): Parsed<Query> {
  const invalid = (message: string, hint: string): Parsed<Query> => ({ kind: "invalid", problem: { message, hint } });
  const reserved: Record<string, unknown> = {};
  const labels: Record<string, string[]> = Object.create(null);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== "string") return invalid(`${name}: is given more than once`, "separate several values by commas");
    if (Object.hasOwn(schema.shape, name)) reserved[name] = value;
    else if (!takesLabels) return invalid(`${name}: is not a parameter of this path`, parametersHint(schema));
    else if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return invalid(`${name}: cannot be a label`, "a label's name has letters, digits and _");
    else labels[name] = split(value, true);
  }
  if (Object.keys(labels).length > LABELS_MAX) return invalid("too many label filters", `use at most ${LABELS_MAX}`);
  const crowded = Object.keys(labels).find((name) => (labels[name]?.length ?? 0) > VALUES_MAX);
  if (crowded !== undefined) return invalid(`${crowded}: has too many values`, `use at most ${VALUES_MAX}`);
  const parsed = schema.safeParse(reserved);
  if (parsed.success) return { kind: "ok", query: parsed.data as Query, labels };
  const [issue] = parsed.error.issues;
  const hint = issue !== undefined && "params" in issue ? (issue.params as { hint?: string } | undefined)?.hint : undefined;
  return invalid(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`, hint ?? parametersHint(schema));
}

/** Reads what was sent; nothing at all is undefined to the schema. */
export function parseBody(schema: z.ZodType, given: unknown): { kind: "ok"; body: unknown } | { kind: "invalid"; problem: ParameterProblem } {
  const parsed = schema.safeParse(given ?? undefined);
  if (parsed.success) return { kind: "ok", body: parsed.data };
  const [issue] = parsed.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? "the body" : issue.path.join(".");
  return { kind: "invalid", problem: { message: `${path}: ${issue?.message ?? "is not valid"}`, hint: "what is sent is described at /openapi.json" } };
}

const parametersHint = (schema: z.ZodObject): string => {
  const names = Object.keys(schema.shape);
  return names.length === 0 ? "this path takes no parameters" : `this path knows ${names.join(", ")}`;
};

const split = (text: string, keepEmpty = false): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => keepEmpty || part !== "");
