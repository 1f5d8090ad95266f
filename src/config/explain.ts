// Turns what zod found into sentences with a place and a hint. Wrong values are shown, unless they came from outside (environment.ts).
// An alternative that nobody meant is not mentioned: of a union only the branch nearest to what was written speaks.

import type { z } from "zod";
import type { ConfigDocument, Path, Place } from "./document.ts";
import { type JsonSchema, keysAt, schemasAt } from "./json-schema.ts";
import { type Problem, problem } from "./problem.ts";
import { nearest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** The file that issues are about. */
export type Subject = {
  readonly document: ConfigDocument;
  /** What was given to zod, the whole file. */
  readonly value: unknown;
  /** Schema of the whole file, for hints. */
  readonly root: JsonSchema;
  /** True of what has been complained of already. */
  readonly isCovered: (path: Path) => boolean;
};

/** @returns whether a path lies within one of these */
export const within =
  (told: readonly Path[]) =>
  (path: Path): boolean =>
    told.some((prefix) => prefix.every((key, index) => String(path[index]) === String(key)));

/** @param base where in the file the value stands that zod judged */
export function explain(issues: readonly Issue[], base: Path, { document, value, root, isCovered }: Subject): Problem[] {
  return issues
    .map((issue) => ({ ...issue, path: [...base, ...issue.path] }) as Issue)
    .filter(({ path }) => !isCovered(path))
    .flatMap((issue) => alternatives(issue))
    .flatMap((issue) => {
      if (issue.code !== "unrecognized_keys") return [explainOne(issue, value, document, root)];
      const keys = issue.keys.filter((key) => !isCovered([...issue.path, key]));
      return keys.map((key) => unknownKey(key, issue.path, value, document, root));
    });
}

/** Opens a union into the issues of its nearest branch. */
function alternatives(issue: Issue): Issue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const branches = issue.errors.map((errors) => errors.flatMap((inner) => alternatives({ ...inner, path: [...issue.path, ...inner.path] } as Issue)));
  const deep = branches.filter((branch) => branch.every(({ path, code }) => path.length > issue.path.length || code === "unrecognized_keys"));
  if (deep.length === 0) {
    // Right in its type and wrong in its form speaks before wrong in its type, but only with words of its own.
    const own = branches.find((branch) => branch.every((inner) => isCustom(inner)));
    return own !== undefined && !isCustom(issue) ? own : [issue];
  }
  const unknown = (branch: Issue[]) => branch.reduce((sum, inner) => sum + (inner.code === "unrecognized_keys" ? inner.keys.length : 0), 0);
  const [best] = deep.sort((a, b) => unknown(a) - unknown(b) || a.length - b.length) as [Issue[]];
  return unknown(best) > 0 ? best.filter(({ code }) => code === "unrecognized_keys") : best;
}

/** zod's own messages begin so; all others were written by hand. */
const isCustom = (issue: Issue): boolean => issue.code === "custom" || !/^(Invalid|Too (small|big)|Unrecognized|Expected)/.test(issue.message);

function unknownKey(key: string, path: Path, value: unknown, document: ConfigDocument, root: JsonSchema): Problem {
  const known = keysAt(root, path, value);
  const near = nearest(key, known);
  const hint = near === undefined ? (known.length === 0 ? undefined : `known here: ${listed(known)}`) : `did you mean ${near}?`;
  return problem(document.file, document.keyPlaceOf([...path, key]), `unknown key ${key}`, hint);
}

function explainOne(issue: Issue, value: unknown, document: ConfigDocument, root: JsonSchema): Problem {
  const found = valueAt(value, issue.path);
  const name = subject(issue.path);
  const hint = schemasAt(root, issue.path, value).find(({ description }) => description !== undefined)?.description;
  if (found === undefined && issue.code !== "custom") return problem(document.file, document.keyPlaceOf(issue.path), `${name} is missing`, hint);
  if (issue.code === "invalid_key") {
    const [inner] = issue.issues as Issue[];
    const reason = inner !== undefined && isCustom(inner) ? inner.message : "it is empty or too long";
    return problem(document.file, document.keyPlaceOf(issue.path), `${name} cannot be a name here`, reason);
  }
  const params = issue.code === "custom" ? (issue.params as { hint?: string; offset?: number } | undefined) : undefined;
  if (found === null && issue.code === "invalid_type")
    return problem(document.file, document.placeOf(issue.path), `${name} has no value`, "give it one, or take the key out");
  const place = shifted(document.placeOf(issue.path), params?.offset, document, issue.path);
  if (isCustom(issue)) {
    const said = custom(issue, name, shownAt(issue.path, found), params?.hint);
    return problem(document.file, place, said.message, said.hint);
  }
  const known = wordsOf(issue, schemasAt(root, issue.path, value));
  if (known.length === 0) return problem(document.file, place, plain(issue, name, shownAt(issue.path, found)), hint);
  const near = typeof found === "string" ? nearest(found, known) : undefined;
  return problem(
    document.file,
    place,
    `${name} cannot be ${shownAt(issue.path, found)}`,
    near === undefined ? `known: ${listed(known)}` : `did you mean ${near}?`,
  );
}

/** Messages written by hand: what is wrong, and after a semicolon what to do. Those that only say what to write are hints. */
function custom({ code, message }: Issue, name: string, value: string, hint: string | undefined): { message: string; hint?: string } {
  if (code !== "custom" || message.startsWith("write ")) return { message: `${name} cannot be ${value}`, hint: message };
  const [what = "", ...advice] = message.split("; ");
  const mends = hint ?? (advice.length > 0 ? advice.join("; ") : undefined);
  const isSentence = what.startsWith(name) || what.startsWith("`") || what.includes(value.replaceAll('"', ""));
  const quotes = value.startsWith('"') && !isSentence;
  return { message: isSentence ? what : `${name}${quotes ? ` ${value}` : ""}: ${what}`, ...(mends === undefined ? {} : { hint: mends }) };
}

function plain(issue: Issue, name: string, value: string): string {
  switch (issue.code) {
    case "invalid_type":
      return `${name} must be ${kindOf(issue.expected)}, not ${value}`;
    case "too_small":
    case "too_big": {
      const limit = String(issue.code === "too_small" ? issue.minimum : issue.maximum);
      const bound = issue.code === "too_small" ? "at least" : "at most";
      if (issue.origin === "string") return limit === "1" ? `${name} may not be empty` : `${name} must have ${bound} ${limit} characters`;
      if (issue.origin === "array") return `${name} needs ${bound} ${limit} ${limit === "1" ? "entry" : "entries"}`;
      return `${name} must be ${bound} ${limit}, not ${value}`;
    }
    case "invalid_format":
    case "invalid_union":
    case "invalid_value":
      return `${name} cannot be ${value}`;
    default:
      return `${name}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`;
  }
}

const kinds: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "a map of keys",
  record: "a map of keys",
};
const kindOf = (expected: string): string => kinds[expected] ?? expected;

/** The words of which one was expected, if it was words. */
function wordsOf(issue: Issue, schemas: readonly JsonSchema[]): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code !== "invalid_union") return [];
  if ("options" in issue && Array.isArray(issue.options)) return issue.options.map(String);
  const words = schemas.flatMap((schema) => (schema.const === undefined ? (schema.enum ?? []) : [schema.const]));
  return schemas.every((schema) => schema.const !== undefined || schema.enum !== undefined) ? words.map(String) : [];
}

/** A value as it may be shown: passwords are not, even where they stand in the file itself. */
function shownAt(path: Path, value: unknown): string {
  if (typeof value !== "string") return shown(value);
  if (path.some((key) => /secret|pass|token|authorization/i.test(String(key)))) return "what it is";
  return shown(value.replace(/\/\/[^/@\s]+@/, "//…@"));
}

/** A value as people would quote it; secrets are taken out afterwards. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

function listed(words: readonly string[]): string {
  return words.length <= 12 ? words.join(", ") : `${words.slice(0, 12).join(", ")} and ${words.length - 12} more`;
}

/** `port`, `outside[0]`, or `this file`. */
function subject(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return "this file";
  return typeof last === "number" ? `${path.length > 1 ? subject(path.slice(0, -1)) : ""}[${last}]` : String(last);
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((here, key) => (typeof here === "object" && here !== null ? (here as Record<PropertyKey, unknown>)[key] : undefined), value);
}

/** Points into a text that is written on one line as it is. */
function shifted(place: Place, offset: number | undefined, document: ConfigDocument, path: Path): Place {
  return offset === undefined ? place : { line: place.line, column: place.column + offset + document.quoteWidth(path) };
}
