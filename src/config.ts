// The config: one YAML file, its rules files, and the plan made of them. See docs/reference/configuration.md.
// Everything outside src/config/ imports from here.

export { editorSchema } from "./config/editor-schema.ts";
export type { GatewayConfig } from "./config/gateway-config.ts";
export { urlOf } from "./config/listener.ts";
export type { LoadResult, PlacedRule, PlacedRulesResult, RulesResult } from "./config/load.ts";
export { loadConfig, loadRules, placeRules } from "./config/load.ts";
export { findMqttUsersFile } from "./config/mqtt-users.ts";
export { createPlan } from "./config/plan.ts";
export type { Problem } from "./config/problem.ts";
export { ruleAsYaml, withRule } from "./config/rewrite.ts";
export type { ExpectedAlert, RuleCheck, RuleTest, RuleTestFile, RuleTestsResult } from "./config/rule-test-file.ts";
export { loadRuleTests } from "./config/rule-test-file.ts";
