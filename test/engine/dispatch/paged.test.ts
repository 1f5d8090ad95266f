// Who would be paged: by hand where each word of the answer counts, and against an engine that is driven with the same plans, to which
// nobody answers: told are the same ones at the same times.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Paged, type PagedEvent, whoIsPaged } from "../../../src/engine/dispatch/paged.ts";
import type { DispatchPlan, RoutePlan } from "../../../src/engine/dispatch/plan.ts";
import type { OverrideRecord, Silence } from "../../../src/engine/dispatch/record.ts";
import { plan } from "../harness.ts";
import { desk, onOff, receivers } from "./desk.ts";
import { at, day, hour, interval, iso, layer, minute, schedule, times, zones } from "./plans.ts";

const people = receivers("anna", "bo", "carla", "nora");
const nights = { ...interval({ zone: "Europe/Oslo", times: times("22:00-06:00") }), name: "nights" };
const ops = schedule([layer(["anna", "bo"], 7 * 1440, "2026-01-05 09:00"), layer(["nora"], 1440, "2026-01-05 12:00", { active: "nights" })]);
const office = schedule([layer(["carla"], 1440, "2026-01-05 09:00", { active: "days" })], { name: "office" });
const days = { ...interval({ zone: "Europe/Oslo", times: times("09:00-17:00") }), name: "days" };
const urgent = {
  name: "urgent",
  steps: [
    { targets: ["office"], waitMs: 5 * minute },
    { targets: ["ops", "bo"], waitMs: 10 * minute },
    { targets: ["office"], waitMs: 20 * minute },
  ],
  repeat: 1,
};
const dispatch: Partial<DispatchPlan> = { zones, intervals: [nights, days], schedules: [ops, office], escalations: [urgent] };
const planOf = (route: RoutePlan) => {
  const { noDispatch, ...rest } = { ...plan([]), receivers: people, route, noDispatch: { ...emptyDispatch, ...dispatch } };
  return { ...rest, dispatch: noDispatch };
};
const emptyDispatch: DispatchPlan = {
  ...{ zones, intervals: [], schedules: [], escalations: [], inhibit: [], storm: null, flapping: null, reannounceMs: null, shelveMaxMs: hour },
};
const nothing = { overrides: [], silences: [] };

/** `2026-01-10T11:00Z told 1/0 anna (ops layer 0), bo (itself)`. */
function wordsOf(event: PagedEvent): string {
  if (event.kind === "hidden") return `${iso(event.at)} hidden ${event.cause} until ${iso(event.until ?? undefined)}`;
  const place = `${iso(event.at)} ${event.kind} ${event.step}/${event.round}`;
  if (event.kind === "skipped") return `${place} ${event.targets.join(", ")}`;
  const told = event.told.map(({ receiver, via, channels }) => {
    if (via.kind !== "schedule") return `${receiver} (${via.kind}, ${channels.join(" ")})`;
    return `${receiver} (${via.schedule} ${via.by.kind === "layer" ? `layer ${via.by.layer}` : `override ${via.by.override.why}`})`;
  });
  return `${place} ${event.why} ${told.join(", ")}`;
}
const words = ({ routes }: Paged): string[][] => routes.map(({ events }) => events.map(wordsOf));

const override = (id: string, parts: Partial<OverrideRecord>): OverrideRecord => ({
  ...{ id, schedule: "office", member: "nora", from: at("2026-01-10T00:00Z"), to: at("2026-01-11T00:00Z"), by: "ada", why: id, createdAt: 1, removedBy: null },
  ...parts,
});
const silence = (id: string, parts: Partial<Silence>): Silence => ({
  ...{ id, matchers: [{ label: "site", patterns: ["x"] }], startsAt: 0, endsAt: at("2026-01-10T12:00Z"), by: "ada", why: "", createdAt: 1, endedBy: null },
  ...parts,
});

describe("who is paged", () => {
  const at11 = at("2026-01-10T11:00Z");

  it("is who a receiver stands for, at once", () => {
    const paged = whoIsPaged(planOf({ receiver: "anna" }), nothing, { site: "x" }, at11);
    expect(words(paged)).toEqual([["2026-01-10T11:00Z told 0/0 transition anna (receiver, webhook:0)"]]);
    expect(paged.routes[0]).toMatchObject({ targetKind: "receiver", group: null, muted: null, isComplete: true, settings: { target: "anna", waitMs: 0 } });
    expect(paged).toMatchObject({ silences: [], until: at11 + 3 * day });
  });

  it("is nobody where no route has a receiver, and each of those that take it", () => {
    expect(whoIsPaged(planOf({ receiver: "" }), nothing, {}, at11).routes).toEqual([]);
    const routes = [{ receiver: "bo", continue: true }, { receiver: "office" }];
    const paged = whoIsPaged(planOf({ receiver: "anna", routes }), nothing, { severity: "critical" }, at11);
    expect(words(paged)).toEqual([
      ["2026-01-10T11:00Z told 0/0 transition bo (receiver, webhook:0)"],
      ["2026-01-10T11:00Z told 0/0 transition carla (office layer 0)"],
    ]);
    expect(paged.routes.map(({ targetKind }) => targetKind)).toEqual(["receiver", "schedule"]);
  });

  it("goes up step by step, by the schedules as they are then, in each round", () => {
    expect(words(whoIsPaged(planOf({ receiver: "urgent" }), nothing, {}, at11))).toEqual([
      [
        "2026-01-10T11:00Z told 0/0 transition carla (office layer 0)",
        "2026-01-10T11:05Z told 1/0 escalation anna (ops layer 0), bo (receiver, webhook:0)",
        "2026-01-10T11:15Z told 2/0 escalation carla (office layer 0)",
        "2026-01-10T11:35Z told 0/1 escalation carla (office layer 0)",
        "2026-01-10T11:40Z told 1/1 escalation anna (ops layer 0), bo (receiver, webhook:0)",
        "2026-01-10T11:50Z told 2/1 escalation carla (office layer 0)",
      ],
    ]);
  });

  it("skips steps for which nobody is on call, also the last", () => {
    expect(words(whoIsPaged(planOf({ receiver: "urgent" }), nothing, {}, at("2026-01-10T22:00Z")))).toEqual([
      [
        "2026-01-10T22:00Z skipped 0/0 office",
        "2026-01-10T22:00Z told 1/0 transition nora (ops layer 1), bo (receiver, webhook:0)",
        "2026-01-10T22:10Z skipped 2/0 office",
        "2026-01-10T22:10Z skipped 0/1 office",
        "2026-01-10T22:10Z told 1/1 escalation nora (ops layer 1), bo (receiver, webhook:0)",
        "2026-01-10T22:20Z skipped 2/1 office",
      ],
    ]);
  });

  it("waits for whoever comes on call, within a minute, where there is nobody at all", () => {
    const firing = at("2026-01-10T05:30:30Z");
    expect(words(whoIsPaged(planOf({ receiver: "office" }), nothing, {}, firing))).toEqual([
      ["2026-01-10T05:30:30.000Z hidden nobody:office until 2026-01-10T08:00:30.000Z", "2026-01-10T08:00:30.000Z told 0/0 announced carla (office layer 0)"],
    ]);
    const never = whoIsPaged(
      { ...planOf({ receiver: "office" }), dispatch: { ...emptyDispatch, schedules: [schedule([], { name: "office" })] } },
      nothing,
      {},
      firing,
    );
    expect(words(never)).toEqual([["2026-01-10T05:30:30.000Z hidden nobody:office until undefined"]]);
  });

  it("waits for the group and for what may inhibit it, and who is told is who was on call when it fired", () => {
    const route = { receiver: "ops", groupBy: ["site"], groupWaitMs: 30 * minute, repeatMs: minute };
    const firing = at("2026-01-10T20:45Z");
    const paged = whoIsPaged(planOf(route), nothing, { site: "x" }, firing);
    expect(words(paged)).toEqual([["2026-01-10T21:15Z told 0/0 transition anna (ops layer 0)"]]);
    expect(paged.routes[0]?.group).toMatch(/^ops\/.*:\{site="x"\}$/);
    const inhibit = [{ source: [{ label: "site", patterns: ["y"] }], target: [{ label: "site", patterns: ["x"] }], equal: [], waitMs: 45 * minute }];
    const inhibited = whoIsPaged({ ...planOf(route), dispatch: { ...emptyDispatch, ...dispatch, inhibit } }, nothing, { site: "x" }, firing);
    expect(words(inhibited)).toEqual([["2026-01-10T21:30Z told 0/0 transition anna (ops layer 0)"]]);
  });

  it("is told when what mutes its route is over; and again what was told before", () => {
    const muted = whoIsPaged(planOf({ receiver: "anna", mute: ["nights"] }), nothing, {}, at("2026-01-10T22:00Z"));
    expect(muted.routes[0]?.muted).toEqual({ interval: "nights", until: at("2026-01-11T05:00Z") });
    expect(words(muted)).toEqual([
      ["2026-01-10T22:00Z hidden interval:nights until 2026-01-11T05:00Z", "2026-01-11T05:00Z told 0/0 announced anna (receiver, webhook:0)"],
    ]);
    const late = whoIsPaged(planOf({ receiver: "urgent", mute: ["nights"] }), nothing, {}, at("2026-01-10T20:58Z"));
    expect(words(late)[0]?.slice(0, 5)).toEqual([
      "2026-01-10T20:58Z skipped 0/0 office",
      "2026-01-10T20:58Z told 1/0 transition anna (ops layer 0), bo (receiver, webhook:0)",
      "2026-01-10T21:08Z skipped 2/0 office",
      "2026-01-10T21:08Z skipped 0/1 office",
      "2026-01-10T21:08Z hidden interval:nights until 2026-01-11T05:00Z",
    ]);
    expect(words(late)[0]?.slice(5, 7)).toEqual([
      "2026-01-11T05:00Z skipped 0/0 office",
      "2026-01-11T05:00Z told 1/0 announced anna (ops layer 0), bo (receiver, webhook:0)",
    ]);
    const forever = { ...emptyDispatch, intervals: [{ ...interval({ times: [] }), name: "ever" }] };
    const never = whoIsPaged({ ...planOf({ receiver: "anna", mute: ["ever"] }), dispatch: forever }, nothing, {}, at11);
    expect(never.routes[0]?.muted).toEqual({ interval: "ever", until: null });
    expect(words(never)).toEqual([["2026-01-10T11:00Z hidden interval:ever until undefined"]]);
  });

  it("tells again those that were told before what hid it, and who is on call by then", () => {
    const mute = { ...interval({ zone: "UTC", times: times("22:00-23:30") }), name: "late" };
    const both = { ...emptyDispatch, ...dispatch, intervals: [nights, days, mute] };
    const first = schedule([layer(["anna", "bo"], 60, "2026-01-05 00:00")], { name: "ops", zone: "UTC" });
    const twice = { name: "twice", steps: [{ targets: ["ops"], waitMs: 10 * minute }], repeat: 3 };
    const route = { receiver: "twice", mute: ["late"] };
    const paged = whoIsPaged({ ...planOf(route), dispatch: { ...both, schedules: [first], escalations: [twice] } }, nothing, {}, at("2026-01-10T21:55Z"));
    expect(words(paged)[0]?.slice(0, 4)).toEqual([
      "2026-01-10T21:55Z told 0/0 transition bo (ops layer 0)",
      "2026-01-10T22:05Z hidden interval:late until 2026-01-10T23:30Z",
      "2026-01-10T23:30Z told 0/0 announced bo (ops layer 0)",
      "2026-01-10T23:40Z told 0/1 escalation bo (ops layer 0)",
    ]);
    const hourLater = { ...mute, spans: interval({ zone: "UTC", times: times("22:00-22:30") }).spans };
    const other = { ...both, intervals: [hourLater], schedules: [first], escalations: [twice] };
    expect(words(whoIsPaged({ ...planOf(route), dispatch: other }, nothing, {}, at("2026-01-10T21:55Z")))[0]?.[2]).toBe(
      "2026-01-10T22:30Z told 0/0 announced bo (before, webhook:0), anna (ops layer 0)",
    );
  });

  it("is not at its end while its last step is muted", () => {
    const two = { name: "two", steps: ["anna", "bo"].map((name) => ({ targets: [name], waitMs: 10 * minute })), repeat: 0 };
    const plans = { ...planOf({ receiver: "two", mute: ["nights"] }), dispatch: { ...emptyDispatch, intervals: [nights], escalations: [two] } };
    const paged = whoIsPaged(plans, nothing, {}, at("2026-01-10T20:55Z"));
    expect(words(paged)).toEqual([
      [
        "2026-01-10T20:55Z told 0/0 transition anna (receiver, webhook:0)",
        "2026-01-10T21:05Z hidden interval:nights until 2026-01-11T05:00Z",
        "2026-01-11T05:00Z told 0/0 announced anna (receiver, webhook:0)",
        "2026-01-11T05:10Z told 1/0 escalation bo (receiver, webhook:0)",
      ],
    ]);
    expect(paged.routes[0]?.isComplete).toBe(true);
  });

  it("minds overrides in the order of their making, and silences", () => {
    const overrides = [
      override("second", { createdAt: 2, member: "bo" }),
      override("first", {}),
      override("gone", { createdAt: 3, removedBy: "ada" }),
      override("over", { createdAt: 4, to: at11 }),
      override("b", { createdAt: 0 }),
      override("a", { createdAt: 0 }),
    ];
    expect(words(whoIsPaged(planOf({ receiver: "office" }), { overrides, silences: [] }, {}, at11))).toEqual([
      ["2026-01-10T11:00Z told 0/0 transition bo (office override second)"],
    ]);
    const ties = overrides.filter(({ createdAt }) => createdAt === 0).map((each) => ({ ...each, member: each.id === "b" ? "bo" : "nora" }));
    expect(words(whoIsPaged(planOf({ receiver: "office" }), { overrides: ties, silences: [] }, {}, at11))[0]?.[0]).toContain("bo (office override b)");
    const silences = [silence("s1", {}), silence("later", { startsAt: at11 + hour, endsAt: at11 + 2 * hour }), silence("over", { endsAt: at11 })];
    const paged = whoIsPaged(planOf({ receiver: "office" }), { overrides: [], silences }, { site: "x" }, at11);
    expect(paged.silences).toEqual(["s1"]);
    expect(words(paged)).toEqual([
      [
        "2026-01-10T11:00Z hidden silence:s1 until 2026-01-10T12:00Z",
        "2026-01-10T12:00Z hidden silence:later until 2026-01-10T13:00Z",
        "2026-01-10T13:00Z told 0/0 announced carla (office layer 0)",
      ],
    ]);
    expect(whoIsPaged(planOf({ receiver: "office" }), { overrides: [], silences }, { site: "y" }, at11).silences).toEqual([]);
  });

  it("tells a channel by one route, and goes on with the steps of the other", () => {
    const steps = ["anna", "bo", "anna", "carla"].map((name) => ({ targets: [name], waitMs: minute }));
    const plans = { ...planOf({ receiver: "x", routes: [{ receiver: "anna", continue: true }, { receiver: "up" }] }) };
    const paged = whoIsPaged({ ...plans, dispatch: { ...emptyDispatch, escalations: [{ name: "up", steps, repeat: 0 }] } }, nothing, {}, at11);
    expect(words(paged)).toEqual([
      ["2026-01-10T11:00Z told 0/0 transition anna (receiver, webhook:0)"],
      [
        "2026-01-10T11:00Z told 0/0 transition ",
        "2026-01-10T11:01Z told 1/0 escalation bo (receiver, webhook:0)",
        "2026-01-10T11:02Z told 2/0 escalation ",
        "2026-01-10T11:03Z told 3/0 escalation carla (receiver, webhook:0)",
      ],
    ]);
  });

  it("looks at so much and no more", () => {
    const slow = {
      name: "slow",
      steps: [
        { targets: ["anna"], waitMs: 2 * hour },
        { targets: ["bo"], waitMs: hour },
      ],
      repeat: 0,
    };
    const plans = { ...planOf({ receiver: "slow", repeatMs: 1000 }), dispatch: { ...emptyDispatch, escalations: [slow] } };
    const paged = whoIsPaged(plans, nothing, {}, at11);
    expect([paged.until, paged.routes[0]?.isComplete]).toEqual([at11 + 5000 * 1000, false]);
    expect(whoIsPaged(planOf({ receiver: "slow" }), nothing, {}, at11).routes[0]?.events).toEqual([]);
  });

  it("needs no block of its own in the plan", () => {
    const { dispatch: _, ...bare } = planOf({ receiver: "anna" });
    expect(words(whoIsPaged(bare, nothing, {}, at11))[0]).toHaveLength(1);
  });
});

describe("the engine, which nobody answers", () => {
  const names = people.map(({ name }) => name);
  const minutes = (max: number) => fc.integer({ min: 1, max }).map((count) => count * minute);
  const intervalArb = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 23 })).map(([from, to]) => ({ from, to }));
  const layerArb = fc.record({
    members: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    every: fc.constantFrom(60, 360, 720, 1440),
    active: fc.constantFrom(null, "one", "two"),
  });
  const stepArb = fc.record({
    targets: fc.uniqueArray(fc.constantFrom("first", "second", ...names), { minLength: 1, maxLength: 2 }),
    waitMs: minutes(90),
  });
  const target = fc.constantFrom("first", "second", "up", "again", "anna");
  const routeArb = fc.record(
    {
      receiver: target,
      groupBy: fc.constantFrom(null, ["device"]),
      groupWaitMs: minutes(20),
      groupIntervalMs: minutes(20),
      repeatMs: minutes(400),
      mute: fc.constantFrom(["one"], ["two"], ["one", "two"]),
      active: fc.constantFrom(["one"], ["two"], ["one", "two"]),
      continue: fc.constant(true),
    },
    { requiredKeys: ["receiver"] },
  );
  const scene = fc.record({
    one: intervalArb,
    two: intervalArb,
    first: fc.array(layerArb, { maxLength: 2 }),
    second: fc.array(layerArb, { minLength: 1, maxLength: 2 }),
    up: fc.array(stepArb, { minLength: 1, maxLength: 3 }),
    again: fc.array(stepArb, { minLength: 1, maxLength: 2 }),
    repeat: fc.integer({ min: 0, max: 2 }),
    routes: fc.array(routeArb, { minLength: 1, maxLength: 2 }),
    overrides: fc.array(
      fc.record({ schedule: fc.constantFrom("first", "second"), member: fc.constantFrom(...names), from: minutes(1440), length: minutes(1440) }),
      {
        maxLength: 2,
      },
    ),
    firing: minutes(2880),
  });

  it("tells the same ones at the same times", () => {
    fc.assert(
      fc.property(scene, (given) => {
        const clock = (hours: number): string => `${String(hours).padStart(2, "0")}:00`;
        const named = (name: "one" | "two") => ({ ...interval({ times: times(`${clock(given[name].from)}-${clock(given[name].to)}`) }), name });
        const scheduled = (name: "first" | "second") =>
          schedule(
            given[name].map(({ members, every, active }) => layer(members, every, "2026-01-05 09:00", { active })),
            { name },
          );
        const setting = {
          route: { receiver: "carla", routes: given.routes },
          receivers: people,
          rules: [onOff()],
          dispatch: {
            ...{ zones, intervals: [named("one"), named("two")], schedules: [scheduled("first"), scheduled("second")] },
            escalations: [
              { name: "up", steps: given.up, repeat: given.repeat },
              { name: "again", steps: given.again, repeat: 0 },
            ],
          },
        };
        const start = at("2026-01-09T00:00Z");
        const run = desk(setting, start);
        for (const { length, from, ...each } of given.overrides)
          run.command({ kind: "override", ...each, from: start + from, to: start + from + length, why: "" });
        run.pass(given.firing / 1000, given.firing / 1000);
        const before = run.effects.length;
        run.say(1, "a");
        const [record] = run.effects.at(-1)?.alerts ?? [];
        const overrides = run.effects.flatMap((effect) => effect.overrides);
        const firing = run.now();
        run.pass(36 * 3600, 60);
        const current = { ...plan([onOff()]), ...setting, dispatch: { ...emptyDispatch, ...setting.dispatch } };
        const paged = whoIsPaged(current, { overrides, silences: [] }, record?.labels ?? {}, firing);
        const end = firing + 36 * hour;
        // What is told again after the last step is not in the answer. A channel is told by one route alone.
        const lastOf = new Map<string, number>();
        for (const { events, isComplete } of paged.routes)
          for (const { receiver } of events.flatMap((event) => (event.kind === "told" ? event.told : [])))
            lastOf.set(receiver, isComplete ? (events.at(-1) as PagedEvent).at : end);
        // So is who comes on call later and is told what others were told before.
        const ends = paged.routes.filter(({ isComplete }) => isComplete).map(({ events }) => (events.at(-1) as PagedEvent).at);
        const lastOfAll = ends.length > 0 ? Math.max(...ends) : end;
        const told = run.effects.slice(before).flatMap(({ notifications }, index) =>
          notifications
            .filter(({ disposition, heldUntil, kind }) => disposition === "waiting" && heldUntil === null && kind !== "repeat")
            .filter(({ receiver }) => firing + index * minute <= (lastOf.get(receiver) ?? lastOfAll))
            .map(({ receiver, channel, kind }) => `${index} ${kind} ${receiver} ${channel}`),
        );
        const answered = paged.routes.flatMap(({ events }) =>
          events.flatMap((event) =>
            event.kind === "told" && event.at <= end
              ? event.told.flatMap(({ receiver, channels }) => channels.map((channel) => `${(event.at - firing) / minute} ${event.why} ${receiver} ${channel}`))
              : [],
          ),
        );
        expect(answered.sort()).toEqual(told.sort());
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
