// What `all` and `any` have in common: a list of conditions, which may be combinations themselves, judged together.

import { z } from "zod";
import type { Condition, ConditionType } from "./condition.ts";
import type { ConditionSettings } from "./index.ts";

/** Combinations within combinations, the outermost counted. */
const DEPTH_MAX = 4;
/** Conditions that are no combinations, over all depths; bounds the work of a reading. */
const LEAVES_MAX = 16;

export type CombinationSettings<Type extends string> = { type: Type; conditions: ConditionSettings[] };

/** The open list, which a combination is part of itself. */
export type ConditionList = {
  /** Of any condition. */
  readonly schema: z.ZodType<ConditionSettings>;
  bind(settings: ConditionSettings, limits: Readonly<Record<string, number>>): Condition | undefined;
};

/** What `partProblem` checks, for editors. */
export const partMeta = {
  id: "Part",
  not: {
    anyOf: [
      { required: ["levels"] },
      { properties: { type: { const: "compare" } } },
      { properties: { type: { const: "threshold" } }, required: ["aggregate"] },
    ],
  },
};

/** @param every all parts must hold, or one is enough */
export function createCombination<Type extends "all" | "any">(type: Type, every: boolean, list: ConditionList): ConditionType<Type, CombinationSettings<Type>> {
  const schema = z
    .strictObject({
      type: z.literal(type),
      conditions: z.array(list.schema).min(1).max(LEAVES_MAX).meta({ description: "Conditions of any type but compare, all of one series" }),
    })
    .superRefine(({ conditions }, context) => {
      for (const [index, part] of conditions.entries()) {
        const problem = partProblem(part);
        if (problem !== undefined) context.addIssue({ code: "custom", path: ["conditions", index, ...problem.path], message: problem.message });
      }
      const { depth, leaves } = sizeOf(conditions);
      if (leaves > LEAVES_MAX)
        context.addIssue({ code: "custom", path: ["conditions"], message: `${leaves} conditions in one; write at most ${LEAVES_MAX}, over all depths` });
      if (depth > DEPTH_MAX)
        context.addIssue({ code: "custom", path: ["conditions"], message: `${depth} combinations within each other; write at most ${DEPTH_MAX}` });
    })
    .meta({ id: type === "all" ? "All" : "Any" });
  return {
    type,
    schema: schema as unknown as z.ZodType<CombinationSettings<Type>>,
    bind({ conditions }, limits) {
      const parts: Condition[] = [];
      for (const part of conditions) {
        const bound = list.bind(part, limits);
        if (bound === undefined) return undefined;
        parts.push(bound);
      }
      return { on: "parts", every, parts };
    },
  };
}

function partProblem(part: ConditionSettings): { path: string[]; message: string } | undefined {
  if ("levels" in part) return { path: ["levels"], message: "levels cannot stand within all or any; write a predicate, or one rule per level" };
  if (part.type === "threshold" && "aggregate" in part)
    return { path: ["aggregate"], message: "a group cannot be judged within all or any; give it a rule of its own" };
  if ("expect" in part) return { path: ["expect"], message: "expect cannot stand within all or any; give the absence a rule of its own" };
  if ((part.type as string) === "compare") return { path: ["type"], message: "compare cannot stand within all or any; give it a rule of its own" };
  return undefined;
}

function sizeOf(conditions: readonly ConditionSettings[]): { depth: number; leaves: number } {
  const sizes = conditions.map((part) => ("conditions" in part ? sizeOf(part.conditions) : { depth: 0, leaves: 1 }));
  return { depth: 1 + Math.max(...sizes.map(({ depth }) => depth)), leaves: sizes.reduce((sum, { leaves }) => sum + leaves, 0) };
}
