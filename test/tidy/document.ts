// Paths in prose rot: every path that the README, the CHANGELOG or a page of docs/ names must lead to something.
// Known as paths: words that begin with a folder of the repository, names that end in .ts or .tsx, and the targets of relative links.
// `a/{b,c}.ts` is two paths, `*` matches, and what stands after `<` is the reader's to fill in.

import { posix } from "node:path";
import type { Rule, Tree } from "./tree.ts";

const FOLDER_PATH = /(?<![\w./@:$~-])(?:\.\/)?((?:src|test|simulators|scripts|config|docs|bin|\.ci)\/[\w./{},*<>-]*)/g;
const SOURCE_NAME = /(?<![\w./*<>{},@:$~-])([\w-]+(?:\/[\w.-]+)*\.tsx?)\b/g;
const LINK = /\]\(([^)\s#]+)(?:#[^)]*)?\)/g;

/** Every path named in README.md, CHANGELOG.md and docs/ exists. */
export const documents: Rule = (tree) =>
  [...tree.files]
    .filter(([path]) => /^(README|CHANGELOG)\.md$|^docs\/.*\.md$/.test(path))
    .flatMap(([path, text]) =>
      text
        .split("\n")
        .flatMap((line, index) =>
          [...new Set([...pathsIn(line), ...linksIn(line, path)])]
            .filter((named) => !exists(tree, named))
            .map((named) => `${path}:${index + 1}: names ${named}, which is not there`),
        ),
    );

function pathsIn(line: string): string[] {
  const folders = [...line.matchAll(FOLDER_PATH)].map((match) => match[1] ?? "").flatMap(expand);
  const names = [...line.matchAll(SOURCE_NAME)].map((match) => match[1] ?? "");
  return [...folders, ...names].map((path) => path.replace(/[.,]+$/, ""));
}

function linksIn(line: string, from: string): string[] {
  return [...line.matchAll(LINK)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => posix.normalize(posix.join(posix.dirname(from), target)));
}

/** `a/{b,c}` → `a/b`, `a/c`. */
function expand(path: string): string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/.exec(path);
  if (match === null) return [path.replace(/[{}].*$/, "")];
  return (match[2] ?? "").split(",").flatMap((part) => expand(`${match[1] ?? ""}${part}${match[3] ?? ""}`));
}

function exists(tree: Tree, named: string): boolean {
  const path = named.replace(/<.*$/, "").replace(/\/$/, "");
  if (path === "" || tree.files.has(path)) return true;
  const pattern = new RegExp(`^(.*/)?${path.replace(/[.+?^$()|[\]\\{}]/g, "\\$&").replace(/\*+/g, "[^/]*")}`);
  // A folder, a pattern, or the beginning of a name before a placeholder; a bare file name may lie anywhere.
  const whole = named.includes("<") ? pattern : new RegExp(`${pattern.source}(/|$)`);
  const fromRoot = new RegExp(whole.source.replace("^(.*/)?", "^"));
  return [...tree.files.keys()].some((file) => (/^(src|test|simulators|scripts|config|docs|bin|\.ci)(\/|$)/.test(path) ? fromRoot : whole).test(file));
}
