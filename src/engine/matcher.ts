// Label matchers: a glob, a list of globs, or /regex/, each anchored to the whole label.

import { z } from "zod";
import type { Labels } from "./reading.ts";

/** Any one of the patterns must match the label; a label that a series lacks is the empty text. */
export type LabelMatcher = { readonly label: string; readonly patterns: readonly string[] };

const patternSchema = z
  .union([z.string(), z.number()])
  .transform(String)
  .superRefine((pattern, context) => {
    try {
      compilePattern(pattern);
    } catch (error) {
      context.addIssue({ code: "custom", message: `${pattern} is not a regular expression: ${(error as Error).message.split(": ").at(-1)}` });
    }
  });

export const matchSchema = z
  .record(z.string(), z.union([patternSchema, z.array(patternSchema).min(1)]))
  .meta({ description: "label: glob, list of globs, or /regex/ (anchored)" })
  .transform((match): LabelMatcher[] =>
    Object.keys(match)
      .sort()
      .map((label) => ({ label, patterns: [match[label] as string | string[]].flat() })),
  );

/** Compiles matchers once per plan; the result is asked once per series. */
export function compileMatchers(matchers: readonly LabelMatcher[]): (labels: Labels) => boolean {
  const compiled = matchers.map(({ label, patterns }) => ({ label, tests: patterns.map(testOf) }));
  return (labels) => compiled.every(({ label, tests }) => tests.some((test) => test(labels[label] ?? "")));
}

/** Globs without ? need no regular expression: ten thousand silences are asked of each alert, and labels may be long. */
function testOf(pattern: string): (text: string) => boolean {
  if (isRegExp(pattern) || pattern.includes("?")) {
    const compiled = compilePattern(pattern);
    return (text) => compiled.test(text);
  }
  const parts = pattern.split("*");
  const [head, last] = [parts[0] as string, parts.at(-1) as string];
  if (parts.length === 1) return (text) => text === pattern;
  return (text) => {
    if (text.length < head.length + last.length || !text.startsWith(head) || !text.endsWith(last)) return false;
    let from = head.length;
    for (const part of parts.slice(1, -1)) {
      const found = text.indexOf(part, from);
      if (found < 0) return false;
      from = found + part.length;
    }
    return from <= text.length - last.length;
  };
}

const isRegExp = (pattern: string): boolean => pattern.length > 2 && pattern.startsWith("/") && pattern.endsWith("/");

function compilePattern(pattern: string): RegExp {
  if (isRegExp(pattern)) return new RegExp(`^(?:${pattern.slice(1, -1)})$`, "u");
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "us");
}
