// `all`: every one of its conditions holds at once.

import type { ConditionType } from "./condition.ts";
import { type CombinationSettings, type ConditionList, createCombination } from "./parts.ts";

export type AllSettings = CombinationSettings<"all">;

export const createAll = (list: ConditionList): ConditionType<"all", AllSettings> => createCombination("all", true, list);
