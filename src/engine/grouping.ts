// Which series a rule evaluates together: those that agree in the labels of `group_by`, or, for a condition that compares metrics of
// one device, in all labels but the metric.

import { metricsOf } from "./conditions/index.ts";
import type { Labels } from "./reading.ts";
import type { Rule } from "./rule.ts";

export const isGrouped = (rule: Rule): boolean => rule.groupBy !== null || metricsOf(rule.condition) !== undefined;

/**
 * The labels of the group of a rule that a series belongs to.
 * @param labels the device's under the series' own
 * @param own the series' own labels
 * @returns undefined when the rule does not ask for this series
 */
export function groupOf(rule: Rule, labels: Labels, own: Labels): Labels | undefined {
  if (rule.groupBy !== null) return Object.fromEntries(rule.groupBy.map((name) => [name, labels[name] ?? ""]));
  const metrics = metricsOf(rule.condition);
  const { metric, ...rest } = own;
  return metric !== undefined && metrics?.includes(metric) === true ? rest : undefined;
}
