// The form of files: their length, their names, their first words, and tests that are switched off.

import { isNode, nameOf, type Rule, type Source, type SyntaxNode, visit } from "./tree.ts";

const LINES_MAX = 400;
const FUNCTION_LINES_MAX = 70;
/** Folders and files that would collect what nobody found a name for. */
const DRAWERS = /(^|\/)(utils?|helpers?|common|shared|misc|lib|types|services|managers?)(\/|\.tsx?$)/;
const NAMES = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.tsx?$/;

/** No source is longer than 400 lines. */
export const length: Rule = (tree) =>
  tree.sources.flatMap((source) => {
    const lines = source.text.replace(/\n$/, "").split("\n").length;
    return lines > LINES_MAX ? [`${source.path}:${LINES_MAX + 1}: ${lines} lines, at most ${LINES_MAX}`] : [];
  });

/**
 * No function of the product is longer than 70 lines, without the functions inside of it: `createX` is the frame of its functions, and each of them is
 * counted by itself.
 */
export const functionLength: Rule = (tree) =>
  tree.sources
    .filter((source) => /^(src|simulators|scripts)\//.test(source.path))
    .flatMap((source) => {
      const functions = functionsOf(source);
      return functions.flatMap((node) => {
        const inner = functions.filter((other) => other !== node && other.start >= node.start && other.end <= node.end);
        const taken = new Set(inner.flatMap((other) => linesOf(source, other).slice(1)));
        const own = linesOf(source, node).filter((line) => !taken.has(line)).length;
        return own > FUNCTION_LINES_MAX ? [`${source.path}:${source.lineAt(node.start)}: a function of ${own} lines, at most ${FUNCTION_LINES_MAX}`] : [];
      });
    });

function functionsOf(source: Source): SyntaxNode[] {
  const functions: SyntaxNode[] = [];
  visit(source.program, (node) => {
    if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) functions.push(node);
  });
  return functions;
}

function linesOf(source: Source, node: SyntaxNode): number[] {
  const first = source.lineAt(node.start);
  return Array.from({ length: source.lineAt(node.end - 1) - first + 1 }, (_, index) => first + index);
}

/** No drawers, and kebab-case names. */
export const names: Rule = (tree) =>
  tree.sources.flatMap((source) => {
    const base = source.path.split("/").at(-1) ?? "";
    return [
      ...(DRAWERS.test(source.path) ? [`${source.path}:1: a drawer; name it after what is in it`] : []),
      ...(NAMES.test(base) ? [] : [`${source.path}:1: file names are kebab-case`]),
    ];
  });

/** A source opens with a comment that says what it is. */
export const opening: Rule = (tree) =>
  tree.sources
    .filter((source) => !/^(\s*#![^\n]*\n)?\s*(\/\/|\/\*)/.test(source.text))
    .map((source) => `${source.path}:1: opens without a comment that says what it is`);

const TEST_FUNCTIONS = new Set(["it", "test", "describe", "suite", "bench"]);
const SWITCHES = new Set(["skip", "skipIf", "runIf", "todo", "fails"]);

/** No `.only`; and a test that is skipped says why in a sentence: a comment beside or above it, or the note of `context.skip("…")`. */
export const switchedOff: Rule = (tree) =>
  tree.sources
    .filter((source) => source.path.startsWith("test/"))
    .flatMap((source) => {
      const complaints: string[] = [];
      visit(source.program, (node, parent, key) => {
        const line = source.lineAt(node.start);
        const what = switchOf(node, parent, key);
        if (what === "only") complaints.push(`${source.path}:${line}: .only would leave out every other test`);
        else if (what !== undefined && !says(source, node, parent, line)) complaints.push(`${source.path}:${line}: .${what} without a sentence that says why`);
      });
      return complaints;
    });

function switchOf(node: SyntaxNode, parent: SyntaxNode | undefined, key: string): string | undefined {
  if (node.type === "MemberExpression") {
    const name = nameOf(node.property);
    if (name === undefined) return undefined;
    const root = rootOf(node);
    if (TEST_FUNCTIONS.has(root) && (name === "only" || SWITCHES.has(name))) return name;
    return name === "skip" && /^(context|ctx|t|test|task)$/.test(root) ? name : undefined;
  }
  if (node.type === "CallExpression" && nameOf(node.callee) === "skip") return "skip";
  // it("…", { skip: true }, …)
  if (node.type === "Property" && parent?.type === "ObjectExpression" && key === "properties") {
    const name = nameOf(node.key);
    return isNode(node.value) && node.value.value === true && (name === "only" || name === "skip" || name === "todo") ? name : undefined;
  }
  return undefined;
}

function rootOf(member: SyntaxNode): string {
  let object: unknown = member.object;
  while (isNode(object) && (object.type === "MemberExpression" || object.type === "CallExpression")) object = object.object ?? object.callee;
  return nameOf(object) ?? "";
}

/**
 * A sentence of four words or more: a comment that ends on the line before or stands on the same line, what is printed just above about being skipped,
 * or the note of `context.skip`. The title of a test is no reason.
 */
function says(source: Source, node: SyntaxNode, parent: SyntaxNode | undefined, line: number): boolean {
  const isSentence = (text: string): boolean => text.trim().split(/\s+/).length >= 4;
  if (source.comments.some((comment) => (comment.lastLine === line - 1 || comment.firstLine === line) && isSentence(comment.text))) return true;
  const above = source.text
    .split("\n")
    .slice(Math.max(0, line - 4), line - 1)
    .join("\n");
  if (isSentence(/["'`][^"'`]*\bskip[^"`]*["`]/.exec(above)?.[0] ?? "")) return true;
  const call = node.type === "CallExpression" ? node : parent;
  const ofTest = node.type === "MemberExpression" && TEST_FUNCTIONS.has(rootOf(node));
  const notes = !ofTest && Array.isArray(call?.arguments) ? (call.arguments as SyntaxNode[]) : [];
  return notes.some((note) => isSentence(source.text.slice(note.start, note.end)) && /^["'`]/.test(source.text.slice(note.start)));
}
