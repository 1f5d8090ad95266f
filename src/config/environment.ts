// `${NAME}` in any value is taken from the environment, and `KEY_file: path` beside a channel's own keys from a file.
// Replaced text is never read as YAML again, and never shown: messages say `${NAME}` where it would stand.

import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { reasonOf } from "../error.ts";
import type { ConfigDocument, Path } from "./document.ts";
import { type Problem, problem } from "./problem.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What one load of the config takes from outside, over all its files. */
export type Outside = {
  readonly env: Environment;
  /** What was put in, by what stands for it in messages. */
  readonly secrets: Map<string, string>;
  readonly problems: Problem[];
};

const SECRET_BYTES_MAX = 65_536;
/** Shorter text is no secret, and taking it out of messages would garble them. */
const SECRET_LENGTH_MIN = 4;

/**
 * Replaces each `${NAME}` in a value; `$${` gives `${`. What is not set is a problem.
 * @param unset gets the paths that could not be completed
 */
export function substitute(value: unknown, document: ConfigDocument, outside: Outside, unset: Path[], path: Path = []): unknown {
  if (typeof value === "string") return value.includes("${") ? substituteText(value, document, outside, unset, path) : value;
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, document, outside, unset, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, document, outside, unset, [...path, key])]));
}

function substituteText(text: string, document: ConfigDocument, { env, secrets, problems }: Outside, unset: Path[], path: Path): string {
  const fail = (message: string, hint: string): string => {
    unset.push(path);
    problems.push(problem(document.file, document.placeOf(path), message, hint));
    return "";
  };
  return text.replace(/\$(\$\{)|\$\{([^}]*)\}/g, (whole: string, escaped: string | undefined, name = "") => {
    if (escaped !== undefined) return escaped;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return fail(`${whole} is not the name of an environment variable`, "write $${ for a plain ${");
    const found = env[name];
    if (found === undefined)
      return fail(`the environment variable ${name} is not set`, `set ${name} before the start, or write $\${${name}} for the plain text`);
    if (found.length >= SECRET_LENGTH_MIN) secrets.set(found, whole);
    return found;
  });
}

/**
 * Replaces each `KEY_file` in the map at `path`, and in the maps below it, by KEY with the file's text, without its last line break.
 * @param isKey whether a name is a key of the map itself, so that a real key that ends in `_file` is left alone
 */
export function readSecretFiles(
  value: unknown,
  document: ConfigDocument,
  outside: Outside,
  unset: Path[],
  path: Path,
  isKey: (name: string) => boolean,
): unknown {
  if (Array.isArray(value)) return value.map((item, index) => readSecretFiles(item, document, outside, unset, [...path, index], isKey));
  if (typeof value !== "object" || value === null) return value;
  const map: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = key.slice(0, -"_file".length);
    if (!key.endsWith("_file") || isKey(key) || !isKey(name)) {
      map[key] = readSecretFiles(item, document, outside, unset, [...path, key], isKey);
      continue;
    }
    if (Object.hasOwn(value, name)) {
      outside.problems.push(problem(document.file, document.keyPlaceOf([...path, key]), `${name} and ${key} are both given`, "keep one of the two"));
      continue;
    }
    document.rename([...path, key], [...path, name]);
    const read = readSecret(key, item, dirname(document.file));
    if (read.kind === "failed") {
      unset.push([...path, name]);
      outside.problems.push(problem(document.file, document.placeOf([...path, key]), read.message, "relative paths start at the config's folder"));
    } else if (read.text.length >= SECRET_LENGTH_MIN) outside.secrets.set(read.text, `the content of ${String(item)}`);
    map[name] = read.kind === "ok" ? read.text : "";
  }
  return map;
}

function readSecret(key: string, path: unknown, folder: string): { kind: "ok"; text: string } | { kind: "failed"; message: string } {
  if (typeof path !== "string" || path === "") return { kind: "failed", message: `${key} must be the path of a file` };
  const file = resolve(folder, path);
  try {
    if (statSync(file).size > SECRET_BYTES_MAX) return { kind: "failed", message: `${path} is too large for a secret` };
    return { kind: "ok", text: readFileSync(file, "utf8").replace(/\r?\n$/, "") };
  } catch (error) {
    return { kind: "failed", message: `${path} cannot be read: ${reasonOf(error)}` };
  }
}

/** Takes replaced text out of what is shown. */
export function withoutSecrets(entry: Problem, secrets: ReadonlyMap<string, string>): Problem {
  const clean = (text: string): string => {
    let shown = text;
    for (const [secret, name] of secrets) shown = shown.replaceAll(secret, name).replaceAll(JSON.stringify(secret).slice(1, -1), name);
    return shown;
  };
  return { ...entry, message: clean(entry.message), ...(entry.hint === undefined ? {} : { hint: clean(entry.hint) }) };
}
