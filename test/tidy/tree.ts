// What the tidy rules look at: the repository's files as text, and its TypeScript as a syntax tree.
// A tree can be made from memory too, so that each rule is shown to catch a sample that breaks it.
// TypeScript 7 has no parser to call; the one inside of Vite (oxc) reads the same language.

import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { parseSync } from "vite";

/** Each rule takes the tree and returns its complaints, one sentence each, `path:line: what`. */
export type Rule = (tree: Tree) => string[];

export type Tree = {
  /** Every file, by its path from the root, with `/`; what git ignores is not in it. */
  readonly files: ReadonlyMap<string, string>;
  readonly sources: readonly Source[];
};

export type Source = {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Names that are used or bound, not the keys of objects; with `of` for `of.name`, where `of` is a plain name. */
  readonly uses: readonly Use[];
  /** Names that the file binds somewhere: variables, parameters, imports, functions and classes. */
  readonly bound: ReadonlySet<string>;
  /** async functions, `await` and `for await`. */
  readonly asyncLines: readonly number[];
  readonly strings: readonly string[];
  readonly comments: readonly { firstLine: number; lastLine: number; text: string }[];
  readonly program: SyntaxNode;
  lineAt(offset: number): number;
};

export type Import = { specifier: string; line: number; typeOnly: boolean; dynamic: boolean };
export type Use = { name: string; of?: string; line: number; called: boolean; argumentCount: number };
export type SyntaxNode = { type: string; start: number; end: number; [key: string]: unknown };

const IGNORED = new Set(["node_modules", ".git", "dist", "coverage", "image", "data"]);
const TEXT = /(\.(ts|tsx|js|json|md|ya?ml|html|css|sh|sql)|\/run|Dockerfile|LICENSE|ignore|config)$/;

/** Reads the repository; files that are not text are listed with an empty text. */
export function readTree(root: string): Tree {
  const files = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (IGNORED.has(entry.name)) continue;
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else files.set(path, TEXT.test(path) ? readFileSync(join(root, path), "utf8") : "");
    }
  };
  walk("");
  return treeOf(files);
}

/** @throws Error when a source does not parse */
export function treeOf(files: ReadonlyMap<string, string> | Record<string, string>): Tree {
  const map = files instanceof Map ? (files as ReadonlyMap<string, string>) : new Map(Object.entries(files));
  const sources = [...map].filter(([path]) => /\.tsx?$/.test(path)).map(([path, text]) => parse(path, text));
  return { files: map, sources };
}

/** The file that a relative specifier (or a string like `./threads/x.ts`) means, or undefined. Tries the endings that a bundler would. */
export function resolve(tree: Tree, from: string, specifier: string): string | undefined {
  const path = posix.normalize(posix.join(posix.dirname(from), specifier));
  const asSource = path.replace(/\.js$/, ".ts");
  return [path, asSource, `${path}.ts`, `${path}.tsx`].find((candidate) => tree.files.has(candidate));
}

function parse(path: string, text: string): Source {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message ?? "does not parse"}`);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const lineAt = (offset: number): number => {
    let low = 0;
    let high = lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
  const program = parsed.program as unknown as SyntaxNode;
  const found = { imports: [] as Import[], uses: [] as Use[], asyncLines: [] as number[], strings: [] as string[], bound: new Set<string>() };
  visit(program, (node, parent, key) => {
    collectImport(node, lineAt, found.imports);
    collectUse(node, parent, key, lineAt, found.uses);
    for (const name of boundBy(node)) found.bound.add(name);
    if (node.async === true || node.await === true || node.type === "AwaitExpression") found.asyncLines.push(lineAt(node.start));
    if (node.type === "Literal" && typeof node.value === "string") found.strings.push(node.value);
    if (node.type === "TemplateElement") found.strings.push((node.value as { cooked?: string }).cooked ?? "");
  });
  const comments = parsed.comments.map((comment) => ({ firstLine: lineAt(comment.start), lastLine: lineAt(comment.end - 1), text: comment.value }));
  return { path, text, ...found, comments, program, lineAt };
}

/** Every node of the tree, parents first; `key` is the parent's property that holds it. */
export function visit(node: SyntaxNode, see: (node: SyntaxNode, parent: SyntaxNode | undefined, key: string) => void): void {
  const walk = (value: unknown, parent: SyntaxNode | undefined, key: string): void => {
    if (Array.isArray(value)) for (const item of value) walk(item, parent, key);
    else if (isNode(value)) {
      see(value, parent, key);
      for (const [name, child] of Object.entries(value)) if (typeof child === "object" && child !== null) walk(child, value, name);
    }
  };
  walk(node, undefined, "");
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** The name of an identifier node, else undefined. */
export function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === "Identifier" ? (node.name as string) : undefined;
}

function collectImport(node: SyntaxNode, lineAt: (offset: number) => number, into: Import[]): void {
  const source = isNode(node.source) && typeof node.source.value === "string" ? node.source.value : undefined;
  if (source === undefined) return;
  const line = lineAt(node.start);
  if (node.type === "ImportExpression") into.push({ specifier: source, line, typeOnly: false, dynamic: true });
  else if (node.type === "TSImportType") into.push({ specifier: source, line, typeOnly: true, dynamic: false });
  else if (/^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration)$/.test(node.type)) {
    into.push({ specifier: source, line, typeOnly: node.importKind === "type" || node.exportKind === "type", dynamic: false });
  }
}

const KEYED = new Set(["Property", "MethodDefinition", "PropertyDefinition", "TSPropertySignature", "TSMethodSignature", "AccessorProperty"]);

function collectUse(node: SyntaxNode, parent: SyntaxNode | undefined, key: string, lineAt: (offset: number) => number, into: Use[]): void {
  const called = key === "callee";
  const argumentCount = called && Array.isArray(parent?.arguments) ? parent.arguments.length : 0;
  const line = lineAt(node.start);
  if (node.type === "MemberExpression") {
    const property = node.property as SyntaxNode;
    const name = node.computed === true ? property.value : property.name;
    const of = nameOf(node.object);
    if (typeof name === "string") into.push({ name, ...(of === undefined ? { of: "" } : { of }), line, called, argumentCount });
  } else if (node.type === "Identifier") {
    const isKey = key === "key" && parent !== undefined && KEYED.has(parent.type) && parent.computed !== true;
    const isMember = key === "property" && parent?.type === "MemberExpression" && parent.computed !== true;
    const isOtherName = key === "imported" || key === "exported" || key === "label" || (key === "right" && parent?.type === "TSQualifiedName");
    const isObject = key === "object" && parent?.type === "MemberExpression" && node.name === "Math";
    if (!isKey && !isMember && !isOtherName && !isObject) into.push({ name: node.name as string, line, called, argumentCount });
  }
}

/** The names that a declaration, a function's parameters or an import bind. */
function boundBy(node: SyntaxNode): string[] {
  if (node.type === "VariableDeclarator") return namesIn(node.id);
  if (node.type === "CatchClause") return namesIn(node.param);
  if (/^Import.*Specifier$/.test(node.type)) return namesIn(node.local);
  if (/^(Function|ArrowFunction|Class)/.test(node.type)) return [...namesIn(node.id), ...(Array.isArray(node.params) ? node.params.flatMap(namesIn) : [])];
  return [];
}

function namesIn(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  const parts = [pattern.properties, pattern.elements].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  const inner = pattern.type === "Property" ? [pattern.value] : [pattern.left, pattern.argument];
  return [...(nameOf(pattern) === undefined ? [] : [nameOf(pattern) as string]), ...[...parts, ...inner].flatMap(namesIn)];
}
