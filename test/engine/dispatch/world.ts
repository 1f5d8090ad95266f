// Random worlds for the laws of dispatch: a plan with all that dispatch knows, and what happens under it: readings, commands, time,
// a gateway that is down, a wall clock that is set, changes of the plan. A world is lived once, an input at a time, and gives the inputs,
// which then can be cut in other ways.

import fc from "fast-check";
import type { Command } from "../../../src/engine/dispatch/command.ts";
import { keyOf } from "../../../src/engine/dispatch/occurrence.ts";
import { type DispatchPlan, noDispatch, type RoutePlan } from "../../../src/engine/dispatch/plan.ts";
import type { AlertRecord, Effects } from "../../../src/engine/effect.ts";
import { createEngine } from "../../../src/engine/engine.ts";
import type { Input } from "../../../src/engine/input.ts";
import type { RulePlan } from "../../../src/engine/rule.ts";
import { plan, rule, SECOND, SOURCE } from "../harness.ts";

export const START = 1_700_000_000_000;

/** Devices by their place; `kind` says by which rule each is watched. */
const devices = [
  { device: "gw-x", site: "x", role: "gw", kind: "level" },
  { device: "gw-y", site: "y", role: "gw", kind: "plain" },
  { device: "both", site: "x", role: "both", kind: "plain" },
  { device: "a", site: "x", role: "dev", kind: "plain" },
  { device: "b", site: "x", role: "dev", kind: "level" },
  { device: "c", site: "y", role: "dev", kind: "latch" },
] as const;

const match = (pairs: { readonly [label: string]: string | readonly string[] }) =>
  Object.entries(pairs).map(([label, patterns]) => ({ label, patterns: [patterns].flat() }));

const levels = [
  { above: 0.5, severity: "warning" },
  { above: 1.5, severity: "critical" },
];
const rules = [
  rule({ name: "plain", match: { kind: "plain" }, condition: { type: "threshold", above: 0.5 }, keep_firing_for: "5s" }),
  rule({ name: "level", match: { kind: "level" }, condition: { type: "threshold", levels } }),
  rule({ name: "latch", match: { kind: "latch" }, condition: { type: "threshold", above: 0.5 }, latch: true }),
];

const ms = (...seconds: number[]) => fc.constantFrom(...seconds.map((each) => each * SECOND));
const targets = ["r1", "r2", "r3", "up", "far", "rota", "gone"] as const;

const settings = fc.record(
  {
    receiver: fc.constantFrom(...targets),
    continue: fc.boolean(),
    groupBy: fc.constantFrom(["site"], [], ["device"], null),
    groupWaitMs: ms(0, 10, 60),
    groupIntervalMs: ms(0, 20, 300),
    repeatMs: ms(30, 700),
    mute: fc.constantFrom(["nights"], []),
    active: fc.constantFrom(["late", "early"], [], []),
  },
  { requiredKeys: ["receiver", "continue"] },
);
const matchers = fc.constantFrom(
  match({ site: "x" }),
  match({ role: ["dev", "both"] }),
  match({ severity: "critical" }),
  match({ device: ["a", "gw-*"] }),
  match({}),
);
const below = fc.record({ own: settings, matchers }).map(({ own, matchers: each }): RoutePlan => ({ ...own, matchers: each }));
const middle = fc.tuple(below, fc.array(below, { maxLength: 2 })).map(([own, routes]): RoutePlan => ({ ...own, routes }));
const route = fc.tuple(settings, fc.array(middle, { maxLength: 3 })).map(([own, routes]): RoutePlan => ({ ...own, routes }));

const inhibit = fc.subarray([
  { source: match({ role: ["gw", "both"] }), target: match({ role: ["dev", "both"] }), equal: ["site"], waitMs: 30 * SECOND },
  { source: match({ severity: "critical" }), target: match({ severity: "warning" }), equal: [], waitMs: 0 },
]);
/** An hour each day, in UTC. */
const nights = {
  name: "nights",
  spans: [{ zone: "UTC", times: [{ from: 22 * 60 + 20, to: 22 * 60 + 40 }], weekdays: [], daysOfMonth: [], months: [], years: [] }],
};
/** Of each hour its last quarter, and its second. */
const quarters = (name: string, from: number) =>
  ({
    name,
    spans: [{ ...nights.spans[0], times: Array.from({ length: 24 }, (_, hour) => ({ from: hour * 60 + from, to: hour * 60 + from + 15 })) }],
  }) as typeof nights;
const isNight = (at: number): boolean => {
  const minute = Math.floor(at / 60_000) % 1440;
  return minute >= 22 * 60 + 20 && minute < 22 * 60 + 40;
};
const dispatch: fc.Arbitrary<DispatchPlan> = fc
  .record(
    {
      inhibit,
      storm: fc.record({ above: fc.integer({ min: 1, max: 3 }), perMs: ms(60, 600), until: fc.constant(1), waitMs: ms(0, 10), intervalMs: ms(30, 120) }),
      flapping: fc.record({ firings: fc.integer({ min: 2, max: 3 }), withinMs: ms(60, 600), calmMs: ms(30, 300) }),
      reannounceMs: ms(50, 400),
    },
    { requiredKeys: ["inhibit"] },
  )
  .map((given) => ({
    ...noDispatch,
    ...given,
    shelveMaxMs: 400 * SECOND,
    zones: { UTC: { name: "UTC", from: [Number.MIN_SAFE_INTEGER], offsets: [0] } },
    intervals: [nights, quarters("late", 45), quarters("early", 15)],
    schedules: [schedule],
    escalations: [
      {
        name: "up",
        steps: [
          { targets: ["r1"], waitMs: 20 * SECOND },
          { targets: ["nobody"], waitMs: 50 * SECOND },
          { targets: ["r2", "r3"], waitMs: 40 * SECOND },
        ],
        repeat: 1,
      },
      {
        name: "far",
        steps: [
          { targets: ["r3"], waitMs: 60 * SECOND },
          { targets: ["r1"], waitMs: 60 * SECOND },
        ],
        repeat: 0,
      },
    ],
  }));

/** Turns of ten minutes, in the quarters only: there are gaps. */
const schedule = {
  name: "rota",
  zone: "UTC",
  layers: ["late", "early"].map((active, index) => ({
    members: index === 0 ? ["r1", "r3"] : ["r2", "r1"],
    rotation: { kind: "local" as const, everyMinutes: 10 },
    anchor: START - 86_400_000,
    start: START - 86_400_000,
    active,
  })),
  overrides: [],
};

const receivers = [
  { name: "r1", channels: ["email:0", "webhook:0"] },
  { name: "r2", channels: ["webhook:0"] },
  { name: "r3", channels: ["email:0"] },
  { name: "nobody", channels: [] },
];

export const worldPlan: fc.Arbitrary<RulePlan> = fc.record({ route, dispatch, hasGone: fc.boolean() }).map((given) => ({
  // A wall clock that is set back must not make readings those of the future.
  ...plan(rules, { maxFutureMs: 10_000_000 * SECOND }),
  ...given,
  // A plan that lacks a receiver does not name it.
  route: given.hasGone ? given.route : (JSON.parse(JSON.stringify(given.route).replaceAll('"gone"', '"r2"')) as RoutePlan),
  receivers: given.hasGone ? [...receivers, { name: "gone", channels: ["webhook:9"] }] : receivers,
  hash: JSON.stringify(given),
}));

export type Act =
  | { kind: "say"; values: (readonly [device: number, value: number])[] }
  | { kind: "pass"; seconds: number }
  | { kind: "down"; seconds: number }
  | { kind: "set"; seconds: number }
  | { kind: "plan"; plan: number }
  | { kind: "dead"; row: number }
  | { kind: "command"; command: Command["kind"]; which: number; seconds: number };

const commandKinds = [
  ...["acknowledge", "unacknowledge", "comment", "shelve", "unshelve", "take_out_of_service", "return_to_service"],
  ...["reset", "silence", "silence", "end_silence", "acknowledge", "shelve"],
] as Command["kind"][];
const value = fc.constantFrom(0, 1, 1, 2);
export const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("say" as const), values: fc.array(fc.tuple(fc.nat(5), value), { minLength: 1, maxLength: 6 }) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("pass" as const), seconds: fc.oneof(fc.nat(40), fc.nat(40), fc.nat(900)) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("command" as const), command: fc.constantFrom(...commandKinds), which: fc.nat(20), seconds: fc.nat(300) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("down" as const), seconds: fc.nat(300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("set" as const), seconds: fc.constantFrom(-4000, -600, -90, -30, 30, 90, 600, 4000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("plan" as const), plan: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("dead" as const), row: fc.nat(50) }) },
);

const silenceMatchers = [match({ site: "x" }), match({ device: "a" }), match({ severity: "warning" }), match({ role: "gw" })];

/** What a world knows while it is lived: enough to name alerts, silences and notifications in commands. */
export function live(plans: readonly RulePlan[]) {
  const engine = createEngine();
  let [at, up] = [START, 0];
  const [inputs, effects]: [Input[], Effects[]] = [[], []];
  const alerts = new Map<string, AlertRecord>();
  const [silences, sent]: [string[], string[]] = [[], []];
  const defined = new Set<number>();

  function run(input: Input | undefined): Effects {
    if (input !== undefined) inputs.push(input);
    const effect = engine.step(input === undefined ? [] : [input], { now: at, up });
    effects.push(effect);
    for (const record of effect.alerts) alerts.set(record.id, record);
    for (const { id } of effect.silences) if (!silences.includes(id)) silences.push(id);
    for (const { id, disposition, heldUntil } of effect.notifications) if (disposition === "waiting" && heldUntil === null) sent.push(id);
    return effect;
  }

  function say(values: readonly (readonly [number, number])[]): Effects {
    const ids = values.map(([device]) => device);
    const fresh = devices.map((_, id) => id).filter((id) => id <= Math.max(...ids) && !defined.has(id));
    for (const id of fresh) defined.add(id);
    const batch = {
      series: Uint32Array.from(ids),
      ts: new Float64Array(ids.length).fill(Number.NaN),
      value: Float64Array.from(values, ([, each]) => each),
      defined: fresh.map((id) => ({ id, labels: { ...(devices[id] as (typeof devices)[number]), metric: "on" }, source: SOURCE })),
      rejected: {},
    };
    return run({ kind: "readings", at, up, batch });
  }

  const nameOf = ({ id, rule: name, subject, labels }: AlertRecord) => ({ id, rule: name, subject, labels });

  function commandOf(kind: Command["kind"], which: number, seconds: number): Command | undefined {
    const all = [...alerts.values()];
    // The newest ones mostly.
    const alert = all.at(-1 - (which % Math.max(1, Math.min(all.length, 4))));
    if (kind === "silence") {
      const startsAt = at + ((which % 5) - 2) * 10 * SECOND;
      return { kind, matchers: silenceMatchers[which % silenceMatchers.length] ?? [], startsAt, endsAt: startsAt + seconds * SECOND, why: "w" };
    }
    if (kind === "end_silence") return { kind, id: silences.at(-1 - (which % 3)) ?? "none" };
    if (alert === undefined) return undefined;
    switch (kind) {
      case "acknowledge":
      case "unacknowledge":
      case "reset":
        return { kind, alert: alert.id, note: "n" };
      case "comment":
        return { kind, alert: alert.id, text: "t" };
      case "shelve":
        return { kind, alert: nameOf(alert), until: which % 3 === 0 ? null : at + seconds * SECOND, why: "w" };
      case "unshelve":
      case "take_out_of_service":
      case "return_to_service":
        return { kind, alert: nameOf(alert), why: "w" };
      default:
        throw new Error(`${kind} is not drawn`);
    }
  }

  run({ kind: "rules", at, up, plan: plans[0] as RulePlan });
  const lived = {
    engine,
    inputs,
    effects,
    alerts,
    silences,
    say,
    run,
    time: () => ({ now: at, up }),
    pass(seconds: number): Effects {
      at += seconds * SECOND;
      up += seconds * SECOND;
      return run(undefined);
    },
    command: (command: Command): Effects => run({ kind: "command", at, up, by: "anna", command }),
    act(each: Act): Effects | undefined {
      switch (each.kind) {
        case "say":
          return say(each.values);
        case "pass":
          return lived.pass(each.seconds);
        case "down":
          // Until then both clocks ran alike.
          run({ kind: "clock", at, up });
          at += each.seconds * SECOND;
          return run({ kind: "started", at, up, version: "1" });
        case "set":
          at += each.seconds * SECOND;
          return run({ kind: "clock", at, up, steppedMs: each.seconds * SECOND });
        case "plan":
          return run({ kind: "rules", at, up, plan: plans[each.plan % plans.length] as RulePlan });
        case "dead": {
          const notification = sent[each.row % sent.length];
          return notification === undefined ? undefined : run({ kind: "dead-letter", at, up, notification, reason: "refused" });
        }
        case "command": {
          const command = commandOf(each.command, each.which, each.seconds);
          return command && lived.command(command);
        }
        default: {
          const never: never = each;
          return never;
        }
      }
    },
    /** Nobody hides anything any more, and everything ends. */
    end(): void {
      lived.unhide();
      say(devices.map((_, id) => [id, 0] as const));
      lived.pass(60);
      for (const { id, latchedAt, state } of alerts.values())
        if (latchedAt !== null && state !== "resolved") lived.command({ kind: "reset", alert: id, note: "" });
      for (let hour = 0; hour < 30; hour++) lived.pass(3_600);
    },
    /** Nothing hides alerts any more but what inhibits them, and all waits are over. */
    calm(): void {
      lived.unhide();
      for (let quarter = 0; quarter < 12 || isNight(at); quarter++) lived.pass(900);
    },
    unhide(): void {
      for (const id of silences) lived.command({ kind: "end_silence", id });
      const keys = new Map([...alerts.values()].map((record) => [keyOf(record.id), record]));
      for (const record of keys.values()) {
        lived.command({ kind: "unshelve", alert: nameOf(record), why: "" });
        lived.command({ kind: "return_to_service", alert: nameOf(record), why: "" });
      }
    },
  };
  return lived;
}
export type Lived = ReturnType<typeof live>;
