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
  const compiled = matchers.map(({ label, patterns }) => ({ label, patterns: patterns.map(compilePattern) }));
  return (labels) => compiled.every(({ label, patterns }) => patterns.some((pattern) => pattern.test(labels[label] ?? "")));
}

function compilePattern(pattern: string): RegExp {
  if (pattern.length > 2 && pattern.startsWith("/") && pattern.endsWith("/")) return new RegExp(`^(?:${pattern.slice(1, -1)})$`, "u");
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "us");
}
