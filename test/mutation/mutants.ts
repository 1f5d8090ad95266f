// The mutants of a source: small mistakes, each made in one place of its syntax tree. A comparison that is turned or moved by one, a
// condition that always or never holds, a sum for a difference, a number off by one, a statement that is missing. Types, messages of
// errors and imports are left alone.

import { parseSync } from "vite";
import { nameOf, type SyntaxNode } from "../tidy/tree.ts";

/** One mistake: `path` with the text from `start` to `end` replaced by `becomes`. */
export type Mutant = {
  readonly path: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly was: string;
  readonly becomes: string;
};

const OTHERS: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "**": ["*"],
  "&&": ["||"],
  "||": ["&&"],
  "+=": ["-="],
  "-=": ["+="],
  "*=": ["/="],
  "/=": ["*="],
  "&&=": ["="],
  "||=": ["="],
  "++": ["--"],
  "--": ["++"],
};
const SWAPPED: ReadonlyMap<string, string> = new Map(Object.entries({ min: "max", max: "min", floor: "ceil", ceil: "floor", some: "every", every: "some" }));
/** Where nothing is changed: what is no behaviour, or only words. */
const LEFT_ALONE = /^(TS(?!As|NonNull|Satisfies)|Import|ThrowStatement|ExportAll)/;

/** @throws Error when the source does not parse */
export function mutantsOf(path: string, text: string): Mutant[] {
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message ?? "does not parse"}`);
  const mutants: Mutant[] = [];
  const add = (node: { start: number; end: number }, becomes: string): void => {
    const line = text.slice(0, node.start).split("\n").length;
    mutants.push({ path, line, start: node.start, end: node.end, was: text.slice(node.start, node.end), becomes });
  };
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) walk(item);
    if (!isSyntax(value) || LEFT_ALONE.test(value.type)) return;
    change(value, text, add);
    for (const [name, child] of Object.entries(value)) if (name !== "typeAnnotation" && typeof child === "object") walk(child);
  };
  walk(parsed.program);
  return mutants;
}

export const mutated = (text: string, { start, end, becomes }: Mutant): string => text.slice(0, start) + becomes + text.slice(end);

const isSyntax = (value: unknown): value is SyntaxNode => typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

type Add = (node: { start: number; end: number }, becomes: string) => void;

function change(node: SyntaxNode, text: string, add: Add): void {
  const of = (child: unknown): string => text.slice((child as SyntaxNode).start, (child as SyntaxNode).end);
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression":
      return changeOperator(node, text, add);
    case "UpdateExpression":
      return add(node, of(node).replace(node.operator as string, OTHERS[node.operator as string]?.[0] ?? ""));
    case "UnaryExpression":
      if (node.operator === "!" || (node.operator === "-" && (node.argument as SyntaxNode).type !== "Literal")) add(node, of(node.argument));
      return;
    case "ConditionalExpression":
      for (const way of ["true", "false"]) add(node.test as SyntaxNode, way);
      return;
    case "IfStatement":
      for (const way of ["true", "false"]) add(node.test as SyntaxNode, way);
      return;
    case "Literal":
      if (typeof node.value === "boolean") add(node, String(!node.value));
      if (typeof node.value === "number") for (const by of [1, -1]) add(node, `(${node.value + by})`);
      return;
    case "CallExpression": {
      const { property } = node.callee as { property?: SyntaxNode };
      const other = SWAPPED.get(nameOf(property) ?? "");
      if (property !== undefined && other !== undefined) add(property, other);
      return;
    }
    case "ExpressionStatement":
      if (nameOf(((node.expression as SyntaxNode).callee as SyntaxNode | undefined)?.object) !== "context") add(node, ";");
      return;
  }
}

/** An operator between two sides; of `??` what is beside it is taken away, and text is not subtracted. */
function changeOperator(node: SyntaxNode, text: string, add: Add): void {
  const { left, right, operator } = node as unknown as { left: SyntaxNode; right: SyntaxNode; operator: string };
  if (operator === "??") return add(node, text.slice(left.start, left.end));
  const isText = [left, right].some((side) => side.type === "TemplateLiteral" || (side.type === "Literal" && typeof side.value === "string"));
  if (operator === "+" && isText) return;
  const start = text.indexOf(operator, left.end);
  for (const other of OTHERS[operator] ?? []) add({ start, end: start + operator.length }, other);
}
