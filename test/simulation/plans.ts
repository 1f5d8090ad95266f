// The configs that a simulated gateway runs and reloads. A new condition is one line in `conditions`; a rule's name stands for
// the same condition in every plan, with other limits and delays, so that a reload changes logic, text, both or nothing.

import { json } from "../../src/broker/codecs/json.ts";
import type { IngestSource } from "../../src/broker/ingest.ts";
import { createPlan, toRule } from "../../src/config/plan.ts";
import { utc } from "../../src/engine/calendar.ts";
import { type DispatchPlan, noDispatch, type RoutePlan } from "../../src/engine/dispatch/plan.ts";
import { type Device, type RulePlan, ruleSchema, type SourceTiming } from "../../src/engine/rule.ts";
import type { Receiver } from "../../src/notify/outbox.ts";
import type { Random } from "./random.ts";

export type SimulatedConfig = { readonly plan: RulePlan; readonly sources: readonly IngestSource[]; readonly receivers: readonly Receiver[] };

/** Devices measure about 20 and now and then go to 40 or to 0; `limit` is drawn about 30. */
const conditions: readonly ((limit: number, random: Random) => Record<string, unknown>)[] = [
  (limit) => ({ type: "threshold", above: limit }),
  (limit) => ({ type: "threshold", above: limit, clear_below: limit - 5 }),
  (limit) => ({ type: "threshold", below: limit - 20 }),
  (limit) => ({ type: "threshold", outside: [limit - 25, limit], clear_inside: [limit - 22, limit - 3] }),
  () => ({ type: "threshold", above: "limit.high" }),
  (limit) => ({ type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: limit - 3 }),
  (limit) => ({ type: "window", window: { hopping: "5m", slide: "1m" }, aggregate: "max", above: limit, min_count: 2 }),
  (limit) => ({ type: "window", window: { hopping: "90s", slide: "20s" }, aggregate: "min", below: limit - 15 }),
  (limit) => ({ type: "window", window: { tumbling: "10m" }, aggregate: "avg", above: limit - 5, clear_below: limit - 9 }),
  (_limit, random) => ({ type: "window", window: { tumbling: "2m" }, aggregate: "count", below: random.whole(2, 5) }),
  (_limit, random) => ({ type: "absence", after: random.pick(["20s", "1m", "2m", "10m"]) }),
  (_limit, random) => ({ type: "absence", after: random.pick(["9s", "1h"]) }),
  () => ({
    type: "absence",
    after: "3m",
    expect: [
      { device: "d0", metric: "temperature" },
      { device: "never-there", metric: "temperature" },
    ],
  }),
  (limit) => ({ type: "threshold", levels: levels(limit) }),
  (limit) => ({ type: "window", window: { tumbling: "1m" }, aggregate: "max", levels: levels(limit) }),
  (limit) => ({ type: "window", window: { session: "45s" }, aggregate: "avg", above: limit - 5 }),
  (limit) => ({ type: "window", window: { count: 4, slide: 2 }, aggregate: "twa", above: limit - 5 }),
  (limit) => ({ type: "window", window: { tumbling: "day" }, aggregate: "p95", above: limit - 5 }),
  (limit) => ({ type: "window", window: { hopping: "10m", slide: "1m" }, aggregate: "p90", above: limit }),
  () => ({ type: "window", window: { hopping: "3m", slide: "30s" }, aggregate: "slope", above: 0.01 }),
  (limit) => ({ type: "rate", over: "2m", per: "1m", above: limit - 15 }),
  () => ({ type: "flatline", over: "1m", tolerance: 1 }),
  (limit) => ({ type: "consecutive", n: 2, of: 3, above: limit - 3 }),
  () => ({ type: "deviation", above: 0.6 }),
  () => ({ type: "compare", left: "temperature", right: "humidity", op: "difference", outside: [-15, 15] }),
  (limit) => ({
    type: "all",
    conditions: [
      { type: "threshold", above: limit - 3 },
      { type: "rate", over: "2m", per: "1m", above: 1 },
    ],
  }),
  (limit) => ({
    type: "any",
    conditions: [
      { type: "threshold", above: limit },
      { type: "flatline", over: "2m", tolerance: 0.5 },
    ],
  }),
  (limit) => grouped({ type: "threshold", aggregate: "avg", above: limit - 5 }, ["metric"]),
  (limit) => grouped({ type: "threshold", aggregate: "max", levels: levels(limit) }, ["room"]),
  (limit) => grouped({ type: "window", window: { tumbling: "1m" }, aggregate: "avg", above: limit - 5 }, []),
  () => grouped({ type: "threshold", aggregate: "count", below: 2 }, ["metric"]),
];

const levels = (limit: number) => [
  { above: limit - 4, severity: "info" },
  { above: limit, severity: "warning" },
  { above: limit + 6, severity: "critical" },
];

/** Of a rule, not of its condition. */
const GROUP_BY = "group_by";
const grouped = (condition: Record<string, unknown>, labels: readonly string[]) => ({ ...condition, [GROUP_BY]: labels });

const delays = ["0s", "0s", "30s", "1m", "5m"] as const;

function ruleOf(index: number, random: Random): Record<string, unknown> {
  const { [GROUP_BY]: labels, ...condition } = conditions[index]?.(random.whole(28, 33), random) ?? {};
  const isAbsence = condition["type"] === "absence";
  return {
    name: `rule-${index}`,
    match: random.chance(0.8) ? { metric: "*" } : { device: random.pick(["d*", "d1", "d[2-9]*"]), metric: "temperature" },
    condition,
    ...(labels !== undefined && { group_by: labels }),
    ...(isAbsence ? {} : { for: random.pick(delays) }),
    keep_firing_for: random.pick(delays),
    severity: random.pick(["critical", "warning", "info"]),
    annotations: { summary: "{{device}} is at {{value}}" },
  };
}

export const topics = ["fast/{device}/{metric}", "slow/{device}/{metric}", "past/{device}/{metric}"] as const;

const timingOf = (topic: (typeof topics)[number], random: Random): SourceTiming => ({
  outOfOrdernessMs: topic === "fast/{device}/{metric}" ? 0 : random.pick([5_000, 20_000, 60_000]),
  maxFutureMs: 60_000,
  maxPastMs: topic === "past/{device}/{metric}" ? 86_400_000 : null,
  idleAfterMs: random.pick([10_000, 10_000, 30_000]),
});

const channelsOf = { "on-call": ["webhook:0", "email:0"], backup: ["webhook:0"], night: ["email:0"] } as const;

/** The channels that there are, as receiver and key. */
export const channelKeys = Object.entries(channelsOf).flatMap(([receiver, keys]) => keys.map((key) => ({ receiver, key })));

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const severity = (...patterns: string[]) => [{ label: "severity", patterns }];

function settingsOf(random: Random): Partial<RoutePlan> {
  return {
    ...(random.chance(0.4) && {
      groupBy: random.pick([["device"], ["metric"], [], null]),
      groupWaitMs: random.pick([0, 10 * SECOND, MINUTE]),
      groupIntervalMs: random.pick([30 * SECOND, 5 * MINUTE]),
    }),
    ...(random.chance(0.3) && { repeatMs: random.pick([20 * MINUTE, 120 * MINUTE]) }),
  };
}

/** Whom alerts are told; half of the configs tell each at once, and hide nothing. */
function routingOf(receiver: string, random: Random): { route: RoutePlan; dispatch?: DispatchPlan } {
  if (random.chance(0.5)) return { route: { receiver } };
  const isEscalated = random.chance(0.3);
  const below = { receiver: "backup", matchers: severity("critical"), continue: random.chance(0.5), ...settingsOf(random) };
  return {
    route: {
      receiver: isEscalated ? "up" : receiver,
      ...settingsOf(random),
      routes: random.chance(0.5) ? [below, { receiver: "on-call", ...settingsOf(random) }] : [],
    },
    dispatch: {
      ...noDispatch,
      inhibit: random.chance(0.5)
        ? [{ source: severity("critical"), target: severity("warning", "info"), equal: random.pick([["device"], []]), waitMs: random.pick([0, 30 * SECOND]) }]
        : [],
      storm: random.chance(0.3) ? { above: 4, perMs: 10 * MINUTE, until: 3, intervalMs: MINUTE } : null,
      flapping: random.chance(0.3) ? { firings: 4, withinMs: 20 * MINUTE, calmMs: 10 * MINUTE } : null,
      escalations: isEscalated
        ? [
            {
              name: "up",
              steps: [
                { targets: [receiver], waitMs: 5 * MINUTE },
                { targets: ["night"], waitMs: MINUTE },
              ],
              repeat: 1,
            },
          ]
        : [],
      reannounceMs: random.chance(0.3) ? 30 * MINUTE : null,
    },
  };
}

const deviceNames = ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"] as const;

function createConfig(chosen: readonly number[], timing: Record<string, SourceTiming>, random: Random): SimulatedConfig {
  const devices: [string, Device][] = random
    .some(deviceNames, 0.5)
    .map((name) => [name, { labels: { room: random.pick(["B1", "B2"]) }, limits: { high: random.whole(28, 33) }, unit: "°C", expectedEveryMs: null }]);
  const plan = createPlan({
    rules: chosen.map((index) => toRule(ruleSchema.parse(ruleOf(index, random)))),
    sources: timing,
    devices: Object.fromEntries(devices),
    zone: utc,
    receivers: Object.entries(channelsOf).map(([name, channels]) => ({ name, channels })),
    // Drawn apart, so that what is found by its seed stays to be found.
    ...routingOf(random.chance(0.8) ? "on-call" : "backup", random.stream("routing")),
  });
  const receivers = Object.entries(channelsOf).map(([name, keys]) => ({
    name,
    channels: keys.map((key) => ({ key, type: "simulated", settings: { receiver: name, key } })),
  }));
  const sources = topics.map((topic) => ({ topic, codec: "json", settings: json.schema.parse({}), labels: {} }));
  return { plan, sources, receivers };
}

/** The configs of one run: the first it starts with. Neighbours share most of their rules. */
export function drawConfigs(random: Random): SimulatedConfig[] {
  const all = conditions.map((_, index) => index);
  let chosen = random.some(all, random.between(0.05, 0.4));
  let timing = Object.fromEntries(topics.map((topic) => [topic, timingOf(topic, random)]));
  return Array.from({ length: 4 }, (_, index) => {
    if (index > 0 && random.chance(0.5)) chosen = all.filter((rule) => (random.chance(0.25) ? random.chance(0.5) : chosen.includes(rule)));
    if (index > 0 && random.chance(0.2)) timing = Object.fromEntries(topics.map((topic) => [topic, timingOf(topic, random)]));
    // A seed of its own, often the same: then only some rules differ.
    return createConfig(chosen, timing, random.stream(`config-${random.whole(0, 1)}`));
  });
}
