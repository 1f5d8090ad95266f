// Two routes to one receiver, of which one is mute at times; and whom a group's repeats and lists are about.

import { describe, expect, it } from "vitest";
import type { ZoneTable } from "../../../src/engine/calendar.ts";
import { zoneTable } from "../../../src/zone.ts";
import { desk, receivers } from "./desk.ts";
import { interval } from "./plans.ts";

const START = Date.UTC(2026, 0, 5, 22, 0);
const nights = { ...interval({ times: [{ from: 21 * 60, to: 22 * 60 + 1 }] }), name: "nights" };
const dispatch = { zones: { UTC: zoneTable("UTC") as ZoneTable }, intervals: [nights] };

describe("two routes to one receiver", () => {
  const muted = { receiver: "on-call", mute: ["nights"], continue: true };

  it("tell by the second what the first is mute about, and only once", () => {
    const run = desk({ route: { routes: [muted, { receiver: "on-call" }] }, dispatch }, START);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → on-call"]);
    expect(run.pass(120)).toEqual([]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["120: transition resolved a → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 2, "muted interval": 1 });
  });

  it("tell by the second what waits in a group of the first and is mute when that is due", () => {
    const grouped = { ...muted, groupBy: ["site"], groupWaitMs: 30_000, groupIntervalMs: 60_000 };
    const run = desk({ route: { routes: [grouped, { receiver: "on-call" }] }, dispatch }, START);
    run.say(1, "a,site=x");
    expect(run.pass(40)).toEqual(["30: transition firing a → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 1, "muted interval": 1 });
  });

  it("tell by the first alone when that is not mute", () => {
    const run = desk({ route: { routes: [muted, { receiver: "on-call" }] }, dispatch }, START + 120_000);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 1 });
  });
});

it("an active interval that never comes again keeps no other from beginning", () => {
  const [gone, early] = [interval({ years: [[2020, 2020]] }), interval({ times: [{ from: 22 * 60 + 10, to: 22 * 60 + 20 }] })];
  const intervals = [
    { ...gone, name: "gone" },
    { ...early, name: "early" },
  ];
  const run = desk({ route: { active: ["gone", "early"] }, dispatch: { ...dispatch, intervals } }, START);
  run.say(1, "a");
  expect(run.pass(900, 10)).toEqual(["600: announced firing a → on-call"]);
});

it("with several active intervals an alert waits for the first of them to begin", () => {
  const [late, early] = [interval({ times: [{ from: 23 * 60, to: 23 * 60 + 30 }] }), interval({ times: [{ from: 22 * 60 + 10, to: 22 * 60 + 20 }] })];
  const intervals = [
    { ...late, name: "late" },
    { ...early, name: "early" },
  ];
  const run = desk({ route: { active: ["late", "early"] }, dispatch: { ...dispatch, intervals } }, START);
  expect(run.sentBy(run.say(1, "a"))).toEqual([]);
  expect(run.pass(900, 10)).toEqual(["600: announced firing a → on-call"]);
});

describe("a group", () => {
  const escalation = {
    name: "up",
    steps: [
      { targets: ["first"], waitMs: 100_000 },
      { targets: ["second"], waitMs: 100_000 },
    ],
    repeat: 0,
  };
  const grouped = { receiver: "up", groupBy: ["site"], groupWaitMs: 0, groupIntervalMs: 1_000, repeatMs: 60_000 };

  it("repeats to each channel that any of its alerts has reached", () => {
    const run = desk({ route: grouped, dispatch: { escalations: [escalation] }, receivers: receivers("first", "second") });
    run.say(1, "a,site=x");
    run.pass(1);
    run.command({ kind: "acknowledge", alert: run.alertOf("a"), note: "" });
    expect(run.sentBy(run.say(1, "b,site=x"))).toEqual(["1: transition firing b+1 → first"]);
    expect(run.pass(149).at(-1)).toBe("101: escalation firing b+0 → second");
    run.command({ kind: "unacknowledge", alert: run.alertOf("a"), note: "" });
    expect(run.pass(20)).toEqual(["161: repeat firing a+1 → first", "161: repeat firing b+0 → second"]);
  });

  it("does not list what is silenced, though it was told before", () => {
    const run = desk({ route: { ...grouped, receiver: "on-call" } });
    run.say(1, "a,site=x");
    const silence = { kind: "silence", matchers: [{ label: "device", patterns: ["a"] }], startsAt: run.now(), endsAt: run.now() + 600_000, why: "" } as const;
    expect(run.command(silence)).toMatchObject({ kind: "done" });
    run.say(1, "b,site=x");
    expect(run.pass(5)).toEqual(["1: transition firing b+0 → on-call"]);
  });
});
