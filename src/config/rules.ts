// Rules from the config itself and from its rules files. Each rule is judged for itself, so that one mistake does not hide another,
// and each remembers its file and place for the checks that span rules.

import { globSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { z } from "zod";
import { unliftedPath } from "../engine/limits.ts";
import { type RuleSettings, ruleSchema } from "../engine/rule.ts";
import { reasonOf } from "../error.ts";
import { type ConfigDocument, type Path, readDocument } from "./document.ts";
import { type Outside, substitute } from "./environment.ts";
import { explain, type Subject, shown, within } from "./explain.ts";
import type { JsonSchema } from "./json-schema.ts";
import { type Problem, problem } from "./problem.ts";
import { nearest } from "./suggest.ts";

/** A rule and where it stands. */
export type LocatedRule = {
  readonly settings: RuleSettings;
  readonly document: ConfigDocument;
  readonly path: Path;
  /** As it was written, to find the places of values in it. */
  readonly raw: unknown;
};

/** Longer files are no config. */
const FILE_BYTES_MAX = 4_194_304;

/** @returns the text, or why it cannot be read */
export function readText(file: string): { kind: "ok"; text: string } | { kind: "failed"; reason: string } {
  try {
    const { size } = statSync(file);
    if (size > FILE_BYTES_MAX) return { kind: "failed", reason: `it is longer than ${FILE_BYTES_MAX} bytes` };
    return { kind: "ok", text: readFileSync(file, "utf8").replace(/^\uFEFF/, "") };
  } catch (error) {
    return { kind: "failed", reason: reasonOf(error) };
  }
}

/** Reads the `rules` of a file whose other blocks are judged elsewhere. */
export function readRules(subject: Subject, problems: Problem[]): LocatedRule[] {
  const rules = (subject.value as { rules?: unknown }).rules ?? [];
  const { document } = subject;
  if (!Array.isArray(rules)) {
    problems.push(problem(document.file, document.placeOf(["rules"]), `rules must be a list, not ${shown(rules)}`, "begin each rule with - name: …"));
    return [];
  }
  return rules.flatMap((raw: unknown, index) => {
    const path = ["rules", index];
    const result = ruleSchema.safeParse(raw);
    if (result.success) return [{ settings: result.data, document, path, raw }];
    const issues = (result.error.issues as z.core.$ZodIssue[]).map((issue) => ({ ...issue, path: unliftedPath(issue.path, raw) }));
    problems.push(...explain(issues, path, subject));
    return [];
  });
}

/** Reads one file that holds nothing but `rules`. */
export function readRulesFile(file: string, outside: Outside, root: JsonSchema): LocatedRule[] {
  const { problems } = outside;
  const read = readText(file);
  if (read.kind === "failed") {
    problems.push(problem(file, { line: 1, column: 1 }, `this file cannot be read: ${read.reason}`));
    return [];
  }
  const document = readDocument(file, read.text);
  problems.push(...document.problems);
  if (document.broken || document.value === undefined || document.value === null) return [];
  const unset: Path[] = [];
  const value = substitute(document.value, document, outside, unset);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(
      problem(file, document.placeOf([]), `a rules file must be a map with the key rules, not ${shown(value)}`, "write rules: and below it - name: …"),
    );
    return [];
  }
  for (const key of Object.keys(value).filter((name) => name !== "rules")) {
    const near = nearest(key, ["rules"]);
    problems.push(
      problem(file, document.keyPlaceOf([key]), `unknown key ${key}`, near === undefined ? "a rules file holds only rules" : `did you mean ${near}?`),
    );
  }
  return readRules({ document, value, root, isCovered: within(unset) }, problems);
}

/** Rule tests may stand beside their rules: no pattern takes them for rules. */
const TESTS = /\.test\.ya?ml$/;

/** The files that `rules_files` names, each once, in order of their names within a pattern. */
export function findRulesFiles(
  patterns: readonly string[],
  document: ConfigDocument,
  problems: Problem[],
  notes: Problem[],
  key: "rules_files" | "rule_files" = "rules_files",
): string[] {
  const folder = dirname(document.file);
  const files = patterns.flatMap((pattern, index) => {
    const place = document.placeOf([key, index]);
    if (!/[*?[\]{}]/.test(pattern)) {
      const file = join(pattern.startsWith("/") ? "" : folder, pattern);
      const read = readText(file);
      if (read.kind === "ok") return [file];
      problems.push(problem(document.file, place, `${pattern} cannot be read: ${read.reason}`, "relative paths start at the config's folder"));
      return [];
    }
    const found = globSync(pattern, { cwd: folder })
      .filter((name) => !TESTS.test(name))
      .sort();
    if (found.length === 0) notes.push(problem(document.file, place, `${pattern} matches no file`, "relative paths start at the config's folder"));
    return found.map((name) => join(name.startsWith("/") ? "" : folder, name));
  });
  return [...new Set(files)];
}
