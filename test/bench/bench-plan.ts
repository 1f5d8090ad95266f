// Rules as a plan that an engine takes without a config file.

import { toRule } from "../../src/config/plan.ts";
import { createPlan } from "../../src/config.ts";
import { utc } from "../../src/engine/calendar.ts";
import { type RulePlan, ruleSchema } from "../../src/engine/rule.ts";
import { MINUTE, type RuleBlock, SOURCE } from "./workload.ts";

export function planOf(blocks: readonly RuleBlock[]): RulePlan {
  return createPlan({
    rules: blocks.map((block) => toRule(ruleSchema.parse(block))),
    sources: { [SOURCE]: { outOfOrdernessMs: 0, maxFutureMs: MINUTE, maxPastMs: null, idleAfterMs: 10_000 } },
    devices: {},
    zone: utc,
    receivers: [{ name: "bench", channels: ["webhook:0"] }],
    route: { receiver: "bench" },
  });
}
