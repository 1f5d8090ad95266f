// Dead files: what no entry reaches, by an import or by a path in a string (a worker's or a child process's file).
// What is in src must be reached by the product itself: a file that only its test uses is dead.

import { posix } from "node:path";
import { type Rule, resolve, type Tree } from "./tree.ts";

const { dirname, join, parse } = posix;

const PRODUCT_ENTRIES = [/^src\/main\.ts$/, /^src\/dashboard\/vite\.config\.ts$/];
const OTHER_ENTRIES = [/\.test\.ts$/, /^vitest\.config\.ts$/];
/** Whoever runs a file by its path names it in one of these. */
const NAMERS = /^(package\.json|README\.md|Dockerfile|\.ci\/run|scripts\/.*\.sh|docs\/.*\.md)$/;

/** Every source is reached from an entry. */
export const dead: Rule = (tree) => {
  const product = reached(tree, [...entries(tree, PRODUCT_ENTRIES), ...pageScripts(tree)]);
  const all = reached(tree, [...product, ...entries(tree, OTHER_ENTRIES), ...named(tree)]);
  return tree.sources
    .map((source) => source.path)
    .filter((path) => !(path.startsWith("src/") ? product : all).has(path))
    .map((path) => `${path}:1: dead: ${path.startsWith("src/") ? "the product does not reach it" : "nothing that runs reaches it"}`);
};

function entries(tree: Tree, patterns: readonly RegExp[]): string[] {
  return tree.sources.map((source) => source.path).filter((path) => patterns.some((pattern) => pattern.test(path)));
}

/** The scripts of the dashboard's pages. */
function pageScripts(tree: Tree): string[] {
  return [...tree.files]
    .filter(([path]) => path.startsWith("src/dashboard/") && path.endsWith(".html"))
    .flatMap(([path, text]) => [...text.matchAll(/<script[^>]*\ssrc="([^"]+)"/g)].map((match) => ({ path, script: match[1] ?? "" })))
    .flatMap(({ path, script }) => resolve(tree, path, script.startsWith("/") ? `.${script}` : script) ?? []);
}

/** Simulators, scripts and benches that a document, an npm script or the CI runs. */
function named(tree: Tree): string[] {
  const texts = [...tree.files].filter(([path]) => NAMERS.test(path)).map(([, text]) => text);
  return tree.sources.map((source) => source.path).filter((path) => !path.startsWith("src/") && texts.some((text) => text.includes(path)));
}

function reached(tree: Tree, from: readonly string[]): Set<string> {
  const byPath = new Map(tree.sources.map((source) => [source.path, source]));
  const seen = new Set<string>();
  // Of `./threads/${name}.ts`: the folder, and the words that a name may be.
  const folders = new Set<string>();
  const words = new Set<string>();
  const waiting = [...from];
  const named = (): string[] => [...byPath.keys()].filter((path) => !seen.has(path) && folders.has(dirname(path)) && words.has(parse(path).name));
  for (;;) {
    const path = waiting.pop() ?? named()[0];
    if (path === undefined) return seen;
    const source = byPath.get(path);
    if (source === undefined || seen.has(path)) continue;
    seen.add(path);
    for (const text of [...source.imports.map((it) => it.specifier), ...source.strings.filter((it) => /^[\w./-]+$/.test(it))]) {
      words.add(text);
      if (/^\.{1,2}\/.*\/$/.test(text)) folders.add(join(dirname(path), text).replace(/\/$/, ""));
      // A string is a path from its own file, or, in tests and scripts, from the root.
      const target = (text.startsWith(".") ? resolve(tree, path, text) : undefined) ?? (byPath.has(text) ? text : undefined);
      if (target !== undefined) waiting.push(target);
    }
  }
}
