// Random rules of every kind, and plans that follow each other: rules that change a little or altogether, go and come back, and
// devices whose limits change.

import fc from "fast-check";
import type { RulePlan, SourceTiming } from "../../../src/engine/rule.ts";
import { plan, rule, SECOND } from "../harness.ts";

type Block = Record<string, unknown>;
const isSet = fc.boolean();
const gap = fc.nat(6);
const severity = fc.constantFrom("critical", "warning", "info");

/** `scale` and `shift` keep limits away from figures that are sums of fractions. */
function predicates(scale = 1, shift = 0, hasNamed = true): fc.Arbitrary<Block> {
  const limit = fc.integer({ min: 5, max: 35 }).map((each) => each * scale + shift);
  const band = gap.map((each) => each * scale);
  const plain = fc.oneof(
    fc.tuple(limit, band, isSet).map(([above, width, has]) => ({ above, ...(has ? { clear_below: above - width } : {}) })),
    fc.tuple(limit, band, isSet).map(([below, width, has]) => ({ below, ...(has ? { clear_above: below + width } : {}) })),
    fc.tuple(limit, band, band, isSet).map(([low, width, dead, has]) => {
      const high = low + width + 2 * dead + scale / 2;
      return { outside: [low, high], ...(has ? { clear_inside: [low + dead, high - dead] } : {}) };
    }),
    fc.tuple(limit, band, band, isSet).map(([low, width, dead, has]) => ({
      inside: [low, low + width + 5 * scale],
      ...(has ? { clear_outside: [low - dead, low + width + 5 * scale + dead] } : {}),
    })),
  );
  if (!hasNamed) return plain;
  return fc.oneof(
    { weight: 6, arbitrary: plain },
    { weight: 1, arbitrary: fc.constantFrom<Block>({ above: "limit.high" }, { below: "limit.high" }, { inside: [10, "limit.high"] }) },
  );
}

/** A predicate, or levels. */
function limits(scale = 1, shift = 0): fc.Arbitrary<Block> {
  const levels = fc
    .tuple(isSet, isSet, fc.integer({ min: 8, max: 25 }), fc.array(fc.tuple(gap, severity), { minLength: 1, maxLength: 3 }))
    .map(([isAbove, hasDeadband, start, steps]) => {
      let limit = start * scale + shift;
      const sign = isAbove ? scale : -scale;
      return {
        levels: steps.map(([step, name]) => {
          limit += sign * step;
          const deadband = hasDeadband ? { [isAbove ? "clear_below" : "clear_above"]: limit - 2 * sign } : {};
          return { [isAbove ? "above" : "below"]: limit, ...deadband, severity: name };
        }),
      };
    });
  const named = fc.tuple(severity, severity).map(([mild, grave]) => ({
    levels: [
      { above: 8 * scale + shift, severity: mild },
      { above: "limit.high", severity: grave },
    ],
  }));
  return fc.oneof({ weight: 9, arbitrary: predicates(scale, shift) }, { weight: 3, arbitrary: levels }, { weight: 1, arbitrary: named });
}

const spec = fc.oneof(
  fc.constantFrom<Block>(
    { tumbling: "30s" },
    { tumbling: "1m" },
    { tumbling: "5m" },
    { tumbling: "day" },
    { hopping: "1m", slide: "20s" },
    { hopping: "5m", slide: "1m" },
    { hopping: "90s", slide: "1m" },
    { session: "10s" },
    { session: "45s" },
    { session: "3m" },
  ),
  fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })).map(([count, slide]) => ({ count, slide: Math.min(count, slide) })),
);
const ordinary = fc.constantFrom("avg", "min", "max", "sum", "count", "range", "first", "last", "median", "p90", "p95", "p99");
/** Figures that depend on the order in which they are reckoned. */
const fractions = fc.constantFrom<[string, number]>(["stddev", 0.3], ["twa", 1], ["rate", 0.02], ["slope", 0.01]);

function windows(predicate: (scale?: number, shift?: number) => fc.Arbitrary<Block>): fc.Arbitrary<Block> {
  const min_count = fc.integer({ min: 1, max: 3 });
  const settings = { type: fc.constant("window"), window: spec, min_count };
  const whole = fc.tuple(fc.record({ ...settings, aggregate: ordinary }), predicate()).map(([block, each]) => fitting({ ...block, ...each }));
  const fraction = fractions.chain(([aggregate, scale]) =>
    fc
      .tuple(fc.record({ ...settings, aggregate: fc.constant(aggregate) }), predicate(scale, 0.00123457))
      .map(([block, each]) => fitting({ ...block, ...each })),
  );
  return fc.oneof({ weight: 2, arbitrary: whole }, { weight: 1, arbitrary: fraction });
}

/** A window of few readings cannot hold more. */
const fitting = <Any extends { window: Block; min_count: number }>(block: Any): Any => ({
  ...block,
  min_count: Math.min(block.min_count, (block.window["count"] as number | undefined) ?? block.min_count),
});

const withoutDeadband = (block: Block): Block => Object.fromEntries(Object.entries(block).filter(([key]) => !key.startsWith("clear_")));

const over = fc.constantFrom("20s", "1m", "5m");
const absence = fc.record({ type: fc.constant("absence"), after: fc.constantFrom("10s", "30s", "2m", "10m") });
const leaves = (predicate: (scale?: number, shift?: number) => fc.Arbitrary<Block>, kinds: readonly Kind[]): fc.Arbitrary<Block> => {
  const settings: Record<Kind, fc.Arbitrary<Block>> = {
    threshold: predicate().map((each) => ({ type: "threshold", ...each })),
    window: windows(predicate),
    absence,
    rate: fc
      .tuple(fc.record({ type: fc.constant("rate"), over, per: fc.constantFrom("1s", "1m"), counter: isSet }), predicate(0.05, 0.00123457))
      .map(([block, each]) => ({ ...block, ...each })),
    flatline: fc.record({ type: fc.constant("flatline"), over, tolerance: fc.constantFrom(0, 2, 10) }),
    consecutive: fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(3), predicates(1, 0, false))
      .map(([n, more, each]) => ({ type: "consecutive", n, of: n + more, ...withoutDeadband(each) })),
  };
  return fc.oneof(...kinds.map((kind) => ({ weight: kind === "threshold" || kind === "window" ? 3 : 1, arbitrary: settings[kind] })));
};
type Kind = "threshold" | "window" | "absence" | "rate" | "flatline" | "consecutive";

/** A condition and what stands beside it. @param kinds of conditions that are there */
function conditionsOf(kinds: readonly Kind[]): fc.Arbitrary<Block> {
  const alone = leaves(limits, kinds);
  const part = leaves(predicates, kinds);
  const of = (parts: fc.Arbitrary<Block>): fc.Arbitrary<Block> =>
    fc.record({ type: fc.constantFrom("all", "any"), conditions: fc.array(parts, { minLength: 1, maxLength: 3 }) });
  const nested = of(fc.oneof({ weight: 3, arbitrary: part }, { weight: 1, arbitrary: of(part) }));
  return fc.oneof({ weight: 4, arbitrary: alone }, { weight: 1, arbitrary: nested }).map((condition) => ({ condition }));
}

/** Rules over several series. */
function groupsOf(): fc.Arbitrary<Block> {
  const aggregate = fc.constantFrom("avg", "min", "max", "sum", "count", "stddev", "range", "median", "p90");
  const last = fc.tuple(aggregate, limits(1, 0.00123457)).map(([name, each]) => ({ type: "threshold", aggregate: name, ...each }));
  const group_by = fc.constantFrom([], ["site"], ["device"], ["metric"]);
  const compare = fc.tuple(fc.constantFrom<[string, number]>(["difference", 1], ["ratio", 0.05]), fc.boolean()).chain(([[op, scale], isTurned]) =>
    limits(scale, -8 * scale + 0.00123457).map((each) => ({
      ...{ type: "compare", op, left: isTurned ? "humidity" : "temperature", right: isTurned ? "temperature" : "humidity" },
      ...each,
    })),
  );
  const beside = { stale_after: fc.constantFrom("1m", "5m", "20m") };
  return fc.oneof(
    fc.record({ condition: last, group_by, ...beside }, { requiredKeys: ["condition", "group_by"] }),
    fc.record({ condition: windows(limits), group_by }),
    fc.record({ condition: compare, ...beside }, { requiredKeys: ["condition"] }),
  );
}

const delays = fc.record({ for: fc.constantFrom("0s", "0s", "30s", "1m", "5m"), keep_firing_for: fc.constantFrom("0s", "0s", "30s", "2m") });

/** A rule's settings without a name. */
const draftOf = (block: Block, times: Block, name: string, device: string): Block => ({
  ...block,
  ...times,
  ...((block["condition"] as Block)["type"] === "absence" ? { for: "0s" } : {}),
  severity: name,
  match: { device },
});

/** What follows each other under one name: the same condition with other delays, or another condition. */
function draftsOfOne(block: fc.Arbitrary<Block>): fc.Arbitrary<Block[]> {
  const next = fc.record({ block, isOther: fc.boolean(), times: delays, severity, device: fc.constantFrom("*", "*", "*", "a") });
  return fc
    .array(next, { minLength: 1, maxLength: 3, size: "max" })
    .map((list) => list.map((each, index) => draftOf(each.isOther ? each.block : (list[index - 1] ?? each).block, each.times, each.severity, each.device)));
}

const timing: fc.Arbitrary<SourceTiming> = fc.record({
  outOfOrdernessMs: fc.constantFrom(0, 0, 5, 20, 120, 600).map((seconds) => seconds * SECOND),
  maxFutureMs: fc.constantFrom(60, 60, 3600).map((seconds) => seconds * SECOND),
  maxPastMs: fc.constantFrom(null, null, 1800).map((seconds) => (seconds === null ? null : seconds * SECOND)),
  idleAfterMs: fc.constantFrom(0, 1, 10, 10, 60).map((seconds) => seconds * SECOND),
});

const high = fc.option(fc.integer({ min: 11, max: 30 }), { freq: 6 });
const deviceOf = fc.record({
  labels: fc.constantFrom({ site: "x" }, { site: "x" }, { site: "y" }),
  limits: high.map((limit): Record<string, number> => (limit === null ? {} : { high: limit })),
  unit: fc.constant(null),
  expectedEveryMs: fc.constantFrom(null, null, 180 * SECOND),
});
const devices = fc.record({ a: deviceOf, b: deviceOf });

/** Midnight and a change of the clocks are within the log. */
const zone = fc.tuple(fc.nat(40), fc.nat(60), fc.constantFrom(-60, -30, 30, 60)).map(([midnight, change, by]) => ({
  name: "Test/Zone",
  from: [Number.MIN_SAFE_INTEGER, change * 60 * SECOND],
  offsets: [-midnight * 60 * SECOND, (by - midnight) * 60 * SECOND],
}));

/** What a plan is made of, short enough to be read in a counterexample. */
export type Draft = { readonly rules: readonly Block[]; readonly timing: SourceTiming } & Pick<RulePlan, "devices" | "zone">;

export const planOf = ({ rules, timing: times, devices: limited, zone: table }: Draft): RulePlan => ({
  ...plan(rules.map(rule), times),
  devices: limited,
  zone: table,
});

/** Plans that follow each other, of the same sources: rules r0 to r3, each in up to three drafts, of which a plan takes one or none. */
export function draftsOf(hasGroups: boolean): fc.Arbitrary<Draft[]> {
  const alone = conditionsOf(["threshold", "window", "absence", "rate", "flatline", "consecutive"]);
  const block = hasGroups ? fc.oneof({ weight: 1, arbitrary: alone }, { weight: 1, arbitrary: groupsOf() }) : alone;
  const names = fc.array(draftsOfOne(block), { minLength: 1, maxLength: 4, size: "max" });
  const four = <Any>(of: fc.Arbitrary<Any>): fc.Arbitrary<Any[]> => fc.array(of, { minLength: 4, maxLength: 4 });
  const choices = fc.array(fc.record({ devices, picks: four(fc.nat(3)), severities: four(severity) }), { minLength: 1, maxLength: 3, size: "max" });
  return fc.tuple(names, timing, zone, choices).map(([lists, times, table, list]) =>
    list.map((choice, index) => {
      const rules = lists.flatMap((drafts, number): Block[] => {
        const pick = index === 0 ? 0 : (choice.picks[number] as number);
        const draft = drafts[pick] ?? (pick === 3 ? undefined : drafts[0]);
        return draft === undefined ? [] : [{ name: `r${number}`, ...draft, ...(pick === 0 ? {} : { severity: choice.severities[number] }) }];
      });
      return { rules, timing: times, devices: choice.devices, zone: table };
    }),
  );
}
