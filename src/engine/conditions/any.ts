// `any`: one of its conditions holds, or several.

import type { ConditionType } from "./condition.ts";
import { type CombinationSettings, type ConditionList, createCombination } from "./parts.ts";

export type AnySettings = CombinationSettings<"any">;

export const createAny = (list: ConditionList): ConditionType<"any", AnySettings> => createCombination("any", false, list);
