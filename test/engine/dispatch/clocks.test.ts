// The wall clock: what people wait for keeps what was left of it when the clock is set by more than a minute, what is said in times of the
// clock goes by the new one; and mutes, schedules and overrides, which are times of the clock.

import { describe, expect, it } from "vitest";
import type { Command } from "../../../src/engine/dispatch/command.ts";
import { STANDING_MAX } from "../../../src/engine/dispatch/operator.ts";
import { desk, onOff, receivers } from "./desk.ts";

/** Midnight in UTC. */
const MIDNIGHT = 1_700_006_400_000;
const zones = { UTC: { name: "UTC", from: [Number.MIN_SAFE_INTEGER], offsets: [0] } };
const between = (name: string, from: number, to: number) => ({
  name,
  spans: [{ zone: "UTC", times: [{ from, to }], weekdays: [], daysOfMonth: [], months: [], years: [] }],
});
const quiet = { receivers: receivers("on-call", "gateway"), own: { receiver: "gateway", matchers: [{ label: "alertname", patterns: ["highwater-*"] }] } };
/** Of the alerts of the gateway about its clock others are told. */
const told = (sent: readonly string[]): string[] => sent.filter((words) => !words.endsWith("gateway"));

describe.each([{ by: 3600 }, { by: -3600 }])("a wall clock that is set by $by s", ({ by }) => {
  it("leaves to waits of groups and repeats what was left of them", () => {
    const run = desk({
      receivers: quiet.receivers,
      route: { groupBy: [], groupWaitMs: 20_000, groupIntervalMs: 60_000, repeatMs: 100_000, routes: [quiet.own] },
    });
    run.say(1, "a");
    run.pass(5);
    run.setClock(by);
    expect(told(run.pass(14))).toEqual([]);
    expect(told(run.pass(2))).toEqual([`${by + 20}: transition firing a+0 → on-call`]);
    run.say(1, "b");
    run.pass(4);
    run.setClock(by);
    expect(told(run.pass(60))).toEqual([`${2 * by + 80}: transition firing a+1 → on-call`].map((words) => words.replace("firing a", "firing b")));
    run.setClock(-by);
    expect(told(run.pass(100))).toEqual([`${by + 180}: repeat firing a+1 → on-call`]);
  });

  it("is an alert, which stands until somebody resets it", () => {
    const run = desk();
    const words = by > 0 ? "1h forward" : "1h back";
    const effect = run.setClock(by);
    expect(run.sentBy(effect)).toEqual([`${by}: transition firing highwater-clock-step → on-call`]);
    expect(effect.alerts).toMatchObject([{ rule: "highwater-clock-step", severity: "warning", annotations: { summary: expect.stringContaining(words) } }]);
    expect(run.sentBy(run.setClock(by))).toEqual([]);
    expect(run.command({ kind: "reset", alert: run.alertOf("highwater-clock-step"), note: "" }).sent).toHaveLength(1);
  });

  it("leaves to a target what was left of its wait, and to one that waits for its own end too", () => {
    const run = desk({
      receivers: quiet.receivers,
      route: { routes: [quiet.own] },
      dispatch: { inhibit: [{ source: [{ label: "device", patterns: ["s"] }], target: [{ label: "device", patterns: ["t*"] }], equal: [], waitMs: 30_000 }] },
    });
    run.say(1, "t");
    run.pass(10);
    run.setClock(by);
    expect(told(run.pass(25))).toEqual([`${by + 30}: transition firing t → on-call`]);
    run.say(1, "s", "t2");
    run.pass(30);
    run.say(0, "s");
    run.pass(5);
    run.setClock(-by);
    expect(told(run.pass(30))).toEqual(["95: announced firing t2 → on-call"]);
  });
});

describe("a silence", () => {
  it("is over by a clock that is set past its end", () => {
    const run = desk({ receivers: quiet.receivers, route: { routes: [quiet.own] } });
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 600_000, why: "" });
    run.say(1, "a");
    expect(run.sentBy(run.setClock(900))).toEqual(["900: announced firing a → on-call", "900: transition firing highwater-clock-step → gateway"]);
  });

  it("has not begun by a clock that is set before its beginning", () => {
    const run = desk({ receivers: quiet.receivers, route: { routes: [quiet.own] } });
    run.pass(100);
    run.command({ kind: "silence", matchers: [], startsAt: run.now() - 10_000, endsAt: run.now() + 600_000, why: "" });
    run.say(1, "a");
    expect(told(run.sentBy(run.setClock(-90)))).toEqual(["10: announced firing a → on-call"]);
  });
});

describe("a mute", () => {
  const muted = {
    receivers: quiet.receivers,
    route: { mute: ["night"], routes: [quiet.own] },
    dispatch: { zones, intervals: [between("night", 22 * 60, 30 * 60)] },
  };

  it("hides what fires in it, and what still fires after it is announced", () => {
    const run = desk(muted, MIDNIGHT + 6 * 3_600_000 - 100_000);
    expect(run.sentBy(run.say(1, "a", "b"))).toEqual([]);
    run.pass(50);
    run.say(0, "b");
    run.restart();
    expect(run.pass(60)).toEqual(["100: announced firing a → on-call"]);
    expect(run.dispositions()).toEqual({ "muted interval": 2, sent: 1 });
  });

  it("goes by a clock that was set: into it, out of it", () => {
    const run = desk(muted, MIDNIGHT + 12 * 3_600_000);
    expect(run.sentBy(run.say(1, "a"))).toHaveLength(1);
    run.setClock(11 * 3600);
    expect(run.sentBy(run.say(1, "b"))).toEqual([]);
    expect(told(run.sentBy(run.setClock(-11 * 3600)))).toEqual(["0: announced firing b → on-call"]);
  });

  it("that a reload takes away, or moves, is over", () => {
    const run = desk(muted, MIDNIGHT);
    run.say(1, "a");
    const later = { ...muted, dispatch: { zones, intervals: [between("night", 22 * 60, 31 * 60)] } };
    expect(run.sentBy(run.reload(later))).toEqual([]);
    expect(run.pass(7 * 3600 - 60, 60)).toEqual([]);
    expect(run.pass(120, 60)).toHaveLength(1);
    run.setClock(-6 * 3600);
    run.say(1, "b");
    expect(told(run.sentBy(run.reload({ ...muted, dispatch: {} })))).toHaveLength(1);
  });

  it("is the other way round for active times; names that the config lacks count for nothing", () => {
    const run = desk(
      { route: { active: ["day", "gone"], mute: ["gone"] }, dispatch: { zones, intervals: [between("day", 8 * 60, 16 * 60)] } },
      MIDNIGHT + 8 * 3_600_000 - 60_000,
    );
    expect(run.sentBy(run.say(1, "a"))).toEqual([]);
    expect(run.pass(100)).toEqual(["60: announced firing a → on-call"]);
    expect(run.sentBy(run.say(1, "b"))).toHaveLength(1);
    const open = desk({ route: { active: ["gone"] } });
    expect(open.sentBy(open.say(1, "a"))).toHaveLength(1);
  });

  it("of all times is never over", () => {
    const run = desk({
      route: { mute: ["always"] },
      dispatch: { zones, intervals: [{ name: "always", spans: [{ ...between("", 0, 1440).spans[0], times: [] }] }] },
    } as never);
    run.say(1, "a");
    expect(run.pass(100_000, 10_000)).toEqual([]);
    expect(run.sentBy(run.say(0, "a"))).toEqual([]);
  });
});

describe("a schedule", () => {
  const day = 86_400_000;
  const layer = { members: ["ann", "bob"], rotation: { kind: "local", everyMinutes: 1440 }, anchor: MIDNIGHT, start: MIDNIGHT, active: null } as const;
  const rota = {
    receivers: receivers("ann", "bob", "cem"),
    route: { receiver: "rota" },
    dispatch: { zones, schedules: [{ name: "rota", zone: "UTC", layers: [layer], overrides: [] }] },
  };
  const override = (run: ReturnType<typeof desk>, from: number, to: number, member = "cem", schedule = "rota"): Command => ({
    kind: "override",
    schedule,
    member,
    from: run.now() + from * 1000,
    to: run.now() + to * 1000,
    why: "ill",
  });

  it("tells whoever is on call; an end goes to who was told", () => {
    const run = desk(rota, MIDNIGHT);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → ann"]);
    run.pass(day / 1000, 3600);
    expect(run.sentBy(run.say(1, "b"))).toEqual(["86400: transition firing b → bob"]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["86400: transition resolved a → ann"]);
  });

  it("is overridden for a time, also over a restart, until somebody takes that away", () => {
    const run = desk(rota, MIDNIGHT);
    const first = run.command(override(run, 0, 100));
    const second = run.command(override(run, 0, 100));
    expect(first).toMatchObject({ kind: "done", id: expect.any(String) });
    expect(second).not.toEqual(first);
    run.restart();
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → cem"]);
    run.pass(100);
    expect(run.sentBy(run.say(1, "b"))).toEqual(["100: transition firing b → ann"]);
    const third = run.command(override(run, 0, 1000));
    const id = third.kind === "done" ? (third.id ?? "") : "";
    expect(run.command({ kind: "remove_override", id }, "bert")).toMatchObject({ kind: "done" });
    expect(run.effects.at(-1)?.overrides).toMatchObject([{ id, removedBy: "bert" }]);
    expect(run.sentBy(run.say(1, "c"))).toEqual(["100: transition firing c → ann"]);
    expect(run.command({ kind: "remove_override", id })).toMatchObject({ code: "unknown_override" });
  });

  it.each([
    ["unknown_schedule", 0, 10, "cem", "none"],
    ["unknown_member", 0, 10, "nobody", "rota"],
    ["span_empty", 10, 10, "cem", "rota"],
    ["override_too_long", 10, 400 * 86_400, "cem", "rota"],
    ["span_empty", -10, 0, "cem", "rota"],
  ])("refuses an override: %s", (code, from, to, member, schedule) => {
    const run = desk(rota, MIDNIGHT);
    expect(run.command(override(run, from, to, member, schedule))).toMatchObject({ kind: "refused", code });
  });

  it("refuses one override too many", () => {
    const run = desk(rota, MIDNIGHT);
    for (let count = 0; count < STANDING_MAX; count++)
      run.command({ kind: "override", schedule: "rota", member: "cem", from: run.now() + count, to: run.now() + 10_000_000, why: "" });
    expect(run.command(override(run, 0, 10))).toMatchObject({ code: "too_many" });
  });

  it("with nobody on call is looked at again each minute, and what still fires is announced", () => {
    const late = {
      ...rota,
      dispatch: { ...rota.dispatch, schedules: [{ name: "rota", zone: "UTC", layers: [{ ...layer, start: MIDNIGHT + 90_000 }], overrides: [] }] },
    };
    const run = desk(late, MIDNIGHT);
    run.say(1, "a", "b");
    run.pass(30);
    run.say(0, "b");
    expect(run.pass(100)).toEqual(["120: announced firing a → ann"]);
  });
});

describe("a dead letter", () => {
  it("is an alert that is told by the other channels, at once by the next step of an escalation", () => {
    const run = desk({
      receivers: receivers("first", "second"),
      route: { receiver: "up" },
      dispatch: {
        escalations: [
          {
            name: "up",
            steps: [
              { targets: ["first"], waitMs: 600_000 },
              { targets: ["second"], waitMs: 1000 },
            ],
            repeat: 0,
          },
        ],
      },
    });
    run.say(1, "a");
    const [id = ""] = run.rows.keys();
    expect(run.sentBy(run.dead(id))).toEqual(["0: transition firing highwater-dead-letter → second"]);
    expect(run.effects.at(-1)?.dead).toEqual([{ notification: id, reason: "refused" }]);
    expect(run.sentBy(run.dead(id))).toEqual([]);
    const own = [...run.rows.keys()].at(-1) ?? "";
    expect(run.sentBy(run.dead(own))).toEqual([]);
  });

  it("of a channel that nobody else stands beside is told to nobody, and so is its end", () => {
    const run = desk();
    run.say(1, "a");
    const [id = ""] = run.rows.keys();
    expect(run.sentBy(run.dead(id))).toEqual([]);
    expect(run.down(10)).toEqual([]);
    expect(run.effects.at(-1)?.transitions).toMatchObject([{ to: "resolved", reason: "dead_letter" }]);
  });

  it("raised, reset and raised again at one instant is two occurrences", () => {
    const run = desk({
      receivers: receivers("on-call", "more"),
      route: { continue: true, routes: [{ receiver: "on-call", continue: true }, { receiver: "more" }] },
    });
    run.say(1, "a");
    const [id = ""] = run.rows.keys();
    run.dead(id);
    const first = run.alertOf("highwater-dead-letter");
    run.command({ kind: "reset", alert: first, note: "" });
    run.restart();
    run.dead(id);
    expect(run.alertOf("highwater-dead-letter")).not.toBe(first);
  });
});

describe("a reload in the middle of everything", () => {
  it("keeps who waits, who was told, what is acknowledged and shelved", () => {
    const run = desk({ route: { groupBy: [], groupWaitMs: 20_000, groupIntervalMs: 60_000 } });
    run.say(1, "a", "b");
    run.pass(10);
    run.reload({ receivers: receivers("other"), route: { receiver: "other" }, rules: [onOff({ annotations: { more: "1" } })] });
    expect(run.pass(20)).toEqual(["20: transition firing a+1 → on-call"]);
    run.command({ kind: "acknowledge", alert: run.alertOf("a"), note: "" });
    expect(run.sentBy(run.say(1, "c"))).toEqual(["30: transition firing c → other"]);
    run.reload({ rules: [] });
    expect(run.pass(60)).toEqual(["80: transition resolved a+1 → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 4, "grouped notification": 2 });
  });
});
