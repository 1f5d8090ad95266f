// What the design names and this version does not do yet. Said plainly, instead of "unknown key", so that nobody looks for a slip.
// Whatever is built leaves this list with one line less.

import type { ConfigDocument, Path } from "./document.ts";
import { type Problem, problem } from "./problem.ts";

type Missing = {
  /** `*` takes any key or index. */
  readonly path: readonly string[];
  readonly is?: (value: unknown) => boolean;
  readonly message: string;
  readonly hint: string;
};

const list: readonly Missing[] = [];

/**
 * @param told paths that have been complained of already
 * @returns the problems, and a test for paths of which no more need be said
 */
export function findNotYet(value: unknown, document: ConfigDocument, told: readonly Path[]): { problems: Problem[]; isCovered: (path: Path) => boolean } {
  const covered: Path[] = [...told];
  const problems = list.flatMap((missing) =>
    pathsOf(value, missing.path).flatMap(({ path, found }) => {
      if (missing.is !== undefined && !missing.is(found)) return [];
      covered.push(path);
      const place = missing.is === undefined ? document.keyPlaceOf(path) : document.placeOf(path);
      return [problem(document.file, place, missing.message, missing.hint)];
    }),
  );
  return { problems, isCovered: (path) => covered.some((prefix) => prefix.every((key, index) => String(path[index]) === String(key))) };
}

function pathsOf(value: unknown, pattern: readonly string[], path: Path = []): { path: Path; found: unknown }[] {
  const [step, ...rest] = pattern;
  if (step === undefined) return [{ path, found: value }];
  if (typeof value !== "object" || value === null) return [];
  const keys = step === "*" ? (Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value)) : Object.hasOwn(value, step) ? [step] : [];
  return keys.flatMap((key) => pathsOf((value as Record<PropertyKey, unknown>)[key], rest, [...path, key]));
}

const idleKeys: readonly { readonly path: readonly string[]; readonly hint: string }[] = [{ path: ["storage", "retention", "*"], hint: "all history is kept" }];

/** Keys that are read and checked, and change nothing so far. An empty list asks for nothing and is not mentioned. */
export function findIdleKeys(value: unknown, document: ConfigDocument): Problem[] {
  return idleKeys.flatMap(({ path: pattern, hint }) =>
    pathsOf(value, pattern)
      .filter(({ found }) => !(Array.isArray(found) && found.length === 0))
      .map(({ path }) => problem(document.file, document.keyPlaceOf(path), `${path.join(".")} does nothing yet`, hint)),
  );
}
