// `all` and `any` over conditions that may be combinations themselves. A part that was not judged yet neither breaches nor clears;
// `any` leaves it out.

import type { ZoneTable } from "../../../src/engine/calendar.ts";
import { Leaf, type LeafSettings } from "./leaf.ts";
import type { Judgement } from "./relay.ts";

export type TreeSettings = LeafSettings | { type: "all" | "any"; conditions: readonly TreeSettings[] };
export type Tree = { type: "leaf"; leaf: Leaf } | { type: "all" | "any"; parts: readonly Tree[] };

export function grow(settings: TreeSettings, zone: ZoneTable, born: number): Tree {
  if (!("conditions" in settings)) return { type: "leaf", leaf: new Leaf(settings, zone, born) };
  return { type: settings.type, parts: settings.conditions.map((part) => grow(part, zone, born)) };
}

export const leavesOf = (tree: Tree): Leaf[] => (tree.type === "leaf" ? [tree.leaf] : tree.parts.flatMap(leavesOf));

const isJudged = (tree: Tree): boolean => leavesOf(tree).some(({ judgement }) => judgement !== undefined);

export function judgementOfTree(tree: Tree): Judgement {
  if (tree.type === "leaf") return tree.leaf.judgement ?? "between";
  const asked = tree.type === "all" ? tree.parts : tree.parts.filter(isJudged);
  const judgements = asked.map(judgementOfTree);
  const [strong, weak] = tree.type === "all" ? (["clear", "breach"] as const) : (["breach", "clear"] as const);
  if (judgements.includes(strong)) return strong;
  return judgements.length > 0 && judgements.every((each) => each === weak) ? weak : "between";
}

/** The measure of the first part that was judged as the whole was. */
export function measureOfTree(tree: Tree): number {
  if (tree.type === "leaf") return tree.leaf.value;
  const judged = tree.parts.filter(isJudged);
  const decider = judged.find((part) => judgementOfTree(part) === judgementOfTree(tree)) ?? judged[0];
  return decider === undefined ? Number.NaN : measureOfTree(decider);
}
