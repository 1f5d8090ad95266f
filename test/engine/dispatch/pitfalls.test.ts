// Ways in which people would be told too much, too late or not at all, each found by trying: they are kept so that they stay mended.

import { describe, expect, it } from "vitest";
import { utc } from "../../../src/engine/calendar.ts";
import { desk, levelled, receivers } from "./desk.ts";

const names = (count: number): string[] => Array.from({ length: count }, (_, number) => `d${number}`);

describe("a step of an escalation", () => {
  const escalations = [
    {
      name: "up",
      steps: [
        { targets: ["first"], waitMs: 600_000 },
        { targets: ["second"], waitMs: 600_000 },
      ],
      repeat: 0,
    },
  ];
  const setting = { route: { receiver: "up" }, receivers: receivers("first", "second") };

  it("tells of a storm together, not of each of its alerts", () => {
    const storm = { above: 10, perMs: 600_000, until: 5, waitMs: 5_000, intervalMs: 300_000 };
    const run = desk({ ...setting, dispatch: { storm, escalations } });
    expect(run.sentBy(run.say(1, ...names(1_000)))).toHaveLength(10);
    const sent = run.pass(1_000);
    expect(sent.filter((words) => words.endsWith("first"))).toEqual(["5: storm firing d10+499 → first"]);
    // The ten that came before the storm are told one by one, as they were before.
    expect(sent.filter((words) => words.endsWith("second") && !words.includes("storm"))).toHaveLength(10);
    expect(sent.filter((words) => words.endsWith("second") && words.includes("storm"))).toEqual(["605: storm firing d10+499 → second"]);
    expect(run.sentBy(run.say(0, ...names(1_000))).filter((words) => words.includes("storm"))).toHaveLength(2);
  });

  it("tells of a group together, but not of what was acknowledged meanwhile", () => {
    const run = desk({ ...setting, route: { receiver: "up", groupBy: [], groupWaitMs: 10_000, groupIntervalMs: 300_000 }, dispatch: { escalations } });
    run.say(1, ...names(5));
    run.pass(20);
    run.command({ kind: "acknowledge", alert: run.alertOf("d2"), note: "" });
    expect(run.pass(700)).toEqual(["610: escalation firing d0+3 → second"]);
  });
});

describe("a target that goes from the config while an alert stands", () => {
  const old = { route: { receiver: "old", repeatMs: 100_000 }, receivers: receivers("old", "boss") };
  const renamed = { route: { receiver: "new", repeatMs: 100_000 }, receivers: receivers("new", "boss") };
  const ladder = (name: string, first: string) => ({
    route: { receiver: name },
    receivers: receivers("first", "second", "third"),
    dispatch: {
      escalations: [
        {
          name,
          steps: [
            { targets: [first], waitMs: 10_000 },
            { targets: ["second"], waitMs: 10_000 },
          ],
          repeat: 0,
        },
      ],
    },
  });

  it("does not lose what a silence hides: who is named instead is told", () => {
    const run = desk(old);
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 50_000, why: "" });
    run.say(1, "a");
    run.reload(renamed);
    run.restart();
    expect(run.pass(60)).toEqual(["50: announced firing a → new"]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["60: transition resolved a → new"]);
  });

  it("has whoever is named instead told with the next repeat, and of the end like those before", () => {
    const run = desk(old);
    run.say(1, "a");
    run.reload(renamed);
    expect(run.pass(110)).toEqual(["100: repeat firing a → old", "100: repeat firing a → new"]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["110: transition resolved a → old", "110: transition resolved a → new"]);
  });

  it("does not end an escalation that nobody acknowledged", () => {
    const run = desk(ladder("up", "first"));
    run.say(1, "a");
    run.reload(ladder("upwards", "third"));
    expect(run.pass(30)).toEqual(["10: escalation firing a → third", "20: escalation firing a → second"]);
  });

  it("has an alert whose shelf is over told to whoever is named instead", () => {
    const run = desk(old);
    run.say(1, "a");
    const alert = { id: run.alertOf("a"), rule: "on", subject: "", labels: {} };
    run.command({ kind: "shelve", alert, until: run.now() + 20_000, why: "" });
    run.reload(renamed);
    expect(run.pass(30)).toEqual(["20: announced firing a → old", "20: announced firing a → new"]);
  });
});

describe("a route that tells only in time intervals", () => {
  const times = (name: string, from: number, to: number) => ({
    name,
    spans: [{ zone: "UTC", times: [{ from: from * 60, to: to * 60 }], weekdays: [], daysOfMonth: [], months: [], years: [] }],
  });
  const midnight = 1_700_006_400_000;

  it("tells when the first of them begins, whatever their order", () => {
    const run = desk(
      { route: { active: ["late", "early"] }, dispatch: { zones: { UTC: utc }, intervals: [times("late", 10, 11), times("early", 1, 2)] } },
      midnight,
    );
    run.say(1, "a");
    run.restart();
    expect(run.pass(12 * 3600, 60)).toEqual(["3600: announced firing a → on-call"]);
    run.say(0, "a");
    run.pass(12 * 3600, 60);
    run.say(1, "b");
    run.pass(90 * 60, 60);
    run.say(1, "c");
    expect([...run.rows.values()].map(({ cause }) => cause).filter((cause) => cause !== null)).toEqual(["interval:early", "interval:early"]);
    expect(run.sentBy(run.say(1, "d"))).toEqual(["91800: transition firing d → on-call"]);
  });
});

describe("an alert that flaps within the time for which it waits", () => {
  it("is told as flapping by the first firing that lasts, since of those before nobody was told", () => {
    const inhibit = [{ source: [{ label: "device", patterns: ["gw"] }], target: [{ label: "device", patterns: ["a"] }], equal: [], waitMs: 30_000 }];
    const run = desk({ dispatch: { flapping: { firings: 3, withinMs: 600_000, calmMs: 600_000 }, inhibit } });
    for (let time = 0; time < 20; time++) {
      run.say(1, "a");
      expect(run.pass(10)).toEqual([]);
      run.say(0, "a");
      run.pass(10);
      if (time === 10) run.restart();
    }
    run.say(1, "a");
    expect(run.pass(900)).toEqual(["430: flapping firing a → on-call"]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["1300: transition resolved a → on-call"]);
    expect(run.dispositions()).toEqual({ "grouped wait": 20, sent: 2 });
  });
});

describe("a standing alert over a handover", () => {
  const midnight = 1_700_006_400_000;
  const layer = { members: ["anna", "bo"], rotation: { kind: "local" as const, everyMinutes: 60 }, anchor: midnight, start: midnight, active: null };
  const schedules = [{ name: "ops", zone: "UTC", layers: [layer], overrides: [] }];
  const rota = (route: Record<string, unknown> = {}, reannounceMs: number | null = 4_000_000) => ({
    route: { receiver: "ops", ...route },
    receivers: receivers("anna", "bo"),
    dispatch: { zones: { UTC: utc }, schedules, reannounceMs },
  });

  it("is repeated to whoever is on call by then too", () => {
    const run = desk(rota({ repeatMs: 2_400_000 }), midnight);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → anna"]);
    expect(run.pass(5_000, 10)).toEqual(["2400: repeat firing a → anna", "4800: repeat firing a → anna", "4800: repeat firing a → bo"]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["5000: transition resolved a → anna", "5000: transition resolved a → bo"]);
  });

  it("in a group is repeated to them with all that stand and nothing hides", () => {
    const run = desk(rota({ repeatMs: 2_400_000, groupBy: [], groupWaitMs: 0, groupIntervalMs: 1_000 }, null), midnight);
    run.say(1, "a", "b", "c", "d");
    run.command({ kind: "silence", matchers: [{ label: "device", patterns: ["c"] }], startsAt: run.now(), endsAt: run.now() + 9_000_000, why: "" });
    run.command({ kind: "acknowledge", alert: run.alertOf("d"), note: "" });
    expect(run.pass(5_000, 10).slice(-2)).toEqual(["4810: repeat firing a+2 → anna", "4810: repeat firing a+1 → bo"]);
  });

  it("that nobody attends to is announced to whoever is on call by then too", () => {
    const run = desk(rota(), midnight);
    run.say(1, "a");
    run.command({ kind: "acknowledge", alert: run.alertOf("a"), note: "" });
    expect(run.pass(5_000, 10)).toEqual(["4000: announced firing a → anna", "4000: announced firing a → bo"]);
  });

  it("and over before its group told whoever is on call by then is told to those that were told", () => {
    const run = desk(rota({ groupBy: [], groupWaitMs: 10_000, groupIntervalMs: 5_000_000 }), midnight);
    run.say(1, "a");
    run.pass(10);
    run.command({ kind: "acknowledge", alert: run.alertOf("a"), note: "" });
    run.pass(4_500, 10);
    run.say(0, "a");
    expect(run.pass(5_000, 10)).toEqual(["5010: transition resolved a+0 → anna"]);
    expect(run.dispositions()).toEqual({ "grouped notification": 1, "grouped wait": 1, sent: 2 });
  });
});

describe("a gateway that was down for days", () => {
  it("repeats once what it would have repeated meanwhile", () => {
    const run = desk({ route: { repeatMs: 300_000 } });
    run.say(1, "a");
    run.pass(100);
    run.restart();
    expect(run.down(3 * 86_400)).toEqual(["259300: repeat firing a → on-call"]);
    expect(run.pass(310)).toEqual(["259600: repeat firing a → on-call"]);
  });

  it("goes one step of an escalation further, not all of them, also of what waited for its group", () => {
    const steps = ["first", "second", "third"].map((name) => ({ targets: [name], waitMs: 60_000 }));
    const setting = { receivers: receivers("first", "second", "third"), dispatch: { escalations: [{ name: "up", steps, repeat: 3 }] } };
    const alone = desk({ ...setting, route: { receiver: "up" } });
    alone.say(1, "a");
    expect(alone.down(86_400)).toEqual(["86400: escalation firing a → second"]);
    expect(alone.pass(60)).toEqual(["86460: escalation firing a → third"]);
    const grouped = desk({ ...setting, route: { receiver: "up", groupBy: [], groupWaitMs: 30_000, groupIntervalMs: 30_000 } });
    grouped.say(1, "a");
    expect(grouped.down(86_400)).toEqual(["86400: transition firing a+0 → first"]);
    expect(grouped.pass(60)).toEqual(["86460: escalation firing a+0 → second"]);
  });
});

describe("a storm of more alerts than a notification lists", () => {
  it("lists the gravest, however late they came", () => {
    const storm = { above: 1, perMs: 600_000, until: 1, waitMs: 5_000, intervalMs: 300_000 };
    const run = desk({ rules: [levelled], dispatch: { storm } });
    run.say(1, ...names(700));
    run.say(2, "freezer");
    run.pass(10);
    const [carrier] = [...run.rows.values()].filter(({ members }) => members !== null);
    expect(carrier?.members).toMatchObject({ fresh: 500, more: 200 });
    expect(carrier?.members?.alerts[0]?.[0]).toBe(run.alertOf("freezer"));
  });
});

describe("a group of more alerts than a notification lists", () => {
  it("is told as over when all of it is", () => {
    const run = desk({ route: { groupBy: [], groupWaitMs: 1_000, groupIntervalMs: 60_000 } });
    run.say(1, ...names(700));
    run.pass(2);
    run.say(0, ...names(700));
    expect(run.pass(120)).toEqual(["61: transition resolved d0+499 → on-call"]);
    expect([...run.rows.values()].find(({ id, seq }) => seq === 2 && id !== "")?.members).toMatchObject({ fresh: 500, more: 200 });
  });
});

describe("a repeat of a group", () => {
  it("goes to all that were told of any of it, also where the first of it was told to others", () => {
    const escalations = [
      {
        name: "up",
        steps: [
          { targets: ["first"], waitMs: 10_000 },
          { targets: ["second"], waitMs: 10_000 },
        ],
        repeat: 0,
      },
    ];
    const run = desk({
      route: {
        receiver: "",
        routes: [
          { receiver: "second", matchers: [{ label: "device", patterns: ["a"] }], continue: true, repeatMs: 100_000 },
          { receiver: "up", groupBy: [], groupWaitMs: 0, groupIntervalMs: 1_000, repeatMs: 90_000 },
        ],
      },
      receivers: receivers("first", "second"),
      dispatch: { escalations },
    });
    run.say(1, "a", "b");
    run.pass(20);
    expect(run.pass(90)).toEqual(["100: repeat firing a → second", "101: repeat firing a+1 → first", "101: repeat firing b+0 → second"]);
  });
});

describe("a time interval that mutes several alerts", () => {
  const nights = { name: "nights", spans: [{ zone: "UTC", times: [{ from: 0, to: 60 }], weekdays: [], daysOfMonth: [], months: [], years: [] }] };
  const dispatch = { zones: { UTC: utc }, intervals: [nights] };

  it("mutes repeats of what a storm took too", () => {
    const evening = 1_700_006_400_000 - 600_000;
    const storm = { above: 2, perMs: 60_000, until: 1, waitMs: 1_000, intervalMs: 60_000 };
    const run = desk({ route: { mute: ["nights"], repeatMs: 1_200_000 }, dispatch: { ...dispatch, storm } }, evening);
    run.say(1, "a", "b", "c", "d");
    expect(run.pass(20)).toEqual(["1: storm firing c+1 → on-call"]);
    run.restart();
    expect(run.pass(4_150, 1)).toEqual([]);
    expect(run.pass(100, 1)).toEqual(["4200: announced firing a → on-call", "4200: announced firing b → on-call", "4200: storm firing c+1 → on-call"]);
  });

  it("ends for all of them, also when a reload had one of them hidden by something else", () => {
    const run = desk({ route: { mute: ["nights"] }, dispatch }, 1_700_006_400_000);
    run.say(1, "gw", "b", "a");
    const inhibit = [{ source: [{ label: "device", patterns: ["gw"] }], target: [{ label: "device", patterns: ["a"] }], equal: [], waitMs: 0 }];
    run.reload({ route: { mute: ["nights"] }, dispatch: { ...dispatch, inhibit } });
    expect(run.pass(4_000, 10)).toEqual(["3600: announced firing gw → on-call", "3600: announced firing b → on-call"]);
  });
});

describe("a wall clock that is set back by days", () => {
  it("leaves nothing shelved for longer than anything may be", () => {
    const run = desk();
    run.say(1, "a", "b");
    const nameOf = (device: string) => ({ id: run.alertOf(device), rule: "on", subject: device, labels: {} });
    run.command({ kind: "shelve", alert: nameOf("a"), until: run.now() + 7_200_000, why: "" });
    run.command({ kind: "take_out_of_service", alert: nameOf("b"), why: "" });
    const { shelves } = run.setClock(-86_400);
    expect(shelves).toMatchObject([{ shelf: { kind: "timed", until: run.now() + 8 * 3_600_000 } }]);
    run.restart();
    expect(run.pass(9 * 3_600, 60)).toEqual([`${-86_400 + 8 * 3_600}: announced firing a → on-call`]);
  });
});
