// `${NAME}` in any value is taken from the environment, and `KEY_file: path` beside a channel's own keys from a file.
// Replaced text is never read as YAML again, and never shown: messages say `${NAME}` where it would stand.

import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ConfigDocument, Path } from "./document.ts";
import { type Problem, problem } from "./problem.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was put in, by what stands for it in messages. */
export type Secrets = Map<string, string>;

const SECRET_BYTES_MAX = 65_536;

/** Returns the value with each `${NAME}` replaced; `$${` gives `${`. What is not set is a problem. */
export function substitute(value: unknown, document: ConfigDocument, env: Environment, secrets: Secrets, problems: Problem[], path: Path = []): unknown {
  if (typeof value === "string") return value.includes("${") ? substituteText(value, document, env, secrets, problems, path) : value;
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, document, env, secrets, problems, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, document, env, secrets, problems, [...path, key])]));
}

function substituteText(text: string, document: ConfigDocument, env: Environment, secrets: Secrets, problems: Problem[], path: Path): string {
  return text.replace(/\$(\$\{)|\$\{([^}]*)\}/g, (whole: string, escaped: string | undefined, name: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const complain = (message: string, hint: string) => problems.push(problem(document.file, document.placeOf(path), message, hint));
    if (name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      complain(`${whole} is not the name of an environment variable`, "write $${ for a plain ${");
      return whole;
    }
    const found = env[name];
    if (found === undefined) {
      complain(`the environment variable ${name} is not set`, `set ${name} before the start, or write $\${${name}} for the plain text`);
      return whole;
    }
    if (found.length >= 4) secrets.set(found, whole);
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
  secrets: Secrets,
  problems: Problem[],
  path: Path,
  isKey: (name: string) => boolean,
): unknown {
  if (Array.isArray(value)) return value.map((item, index) => readSecretFiles(item, document, secrets, problems, [...path, index], isKey));
  if (typeof value !== "object" || value === null) return value;
  const map: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const name = key.slice(0, -"_file".length);
    if (!key.endsWith("_file") || isKey(key) || !isKey(name)) {
      map[key] = readSecretFiles(item, document, secrets, problems, [...path, key], isKey);
      continue;
    }
    document.rename([...path, key], [...path, name]);
    if (Object.hasOwn(value, name)) {
      problems.push(problem(document.file, document.keyPlaceOf([...path, key]), `${name} and ${key} are both given`, "keep one of the two"));
      continue;
    }
    map[name] = readSecret(key, item, document, secrets, problems, [...path, key]);
  }
  return map;
}

function readSecret(key: string, item: unknown, document: ConfigDocument, secrets: Secrets, problems: Problem[], path: Path): unknown {
  const fail = (message: string, hint: string) => {
    problems.push(problem(document.file, document.placeOf(path), message, hint));
    return undefined;
  };
  if (typeof item !== "string" || item === "") return fail(`${key} must be the path of a file`, "relative paths start at the config's folder");
  const file = resolve(dirname(document.file), item);
  try {
    if (statSync(file).size > SECRET_BYTES_MAX) return fail(`${item} is too large for a secret`, "the whole file is the secret");
    const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
    if (text.length >= 4) secrets.set(text, `the content of ${item}`);
    return text;
  } catch (error) {
    return fail(`${item} cannot be read: ${reasonOf(error)}`, "relative paths start at the config's folder");
  }
}

/** Says why a file could not be read, without its path. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  const words: Record<string, string> = {
    ENOENT: "no such file",
    EACCES: "no permission",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of its path is no folder",
  };
  return words[code ?? ""] ?? code ?? (error as Error).message;
}

/** Takes replaced text out of what is shown. */
export function withoutSecrets(entry: Problem, secrets: Secrets): Problem {
  const clean = (text: string): string => {
    let shown = text;
    for (const [secret, name] of secrets) shown = shown.replaceAll(secret, name).replaceAll(JSON.stringify(secret).slice(1, -1), name);
    return shown;
  };
  return { ...entry, message: clean(entry.message), ...(entry.hint === undefined ? {} : { hint: clean(entry.hint) }) };
}
