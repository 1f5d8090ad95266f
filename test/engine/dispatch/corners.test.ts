// Corners of dispatch that no story leads through: what is over but not told yet, what is changed while nobody can be told, and inputs
// that no caller makes.

import { describe, expect, it } from "vitest";
import type { Command } from "../../../src/engine/dispatch/command.ts";
import { type LifeEvent, refusalOf } from "../../../src/engine/dispatch/life.ts";
import { DispatchState } from "../../../src/engine/dispatch/state.ts";
import { Dispatcher } from "../../../src/engine/dispatch.ts";
import type { AlertRecord, Transition } from "../../../src/engine/effect.ts";
import { desk, levelled, onOff, receivers } from "./desk.ts";

const acknowledge = (run: ReturnType<typeof desk>, device: string, kind: "acknowledge" | "unacknowledge" = "acknowledge") =>
  run.command({ kind, alert: run.alertOf(device), note: "" });

describe("an alert that is over and not told so yet", () => {
  const route = { groupBy: [], groupIntervalMs: 60_000 };

  it("is over for whoever would do anything to it", () => {
    const run = desk({ route });
    const [record] = run.say(1, "a").alerts;
    run.pass(1);
    run.say(0, "a");
    expect(run.dispositions()).toEqual({ sent: 1, held: 1 });
    const alert = run.alertOf("a");
    const commands: Command[] = [
      { kind: "acknowledge", alert, note: "" },
      { kind: "unacknowledge", alert, note: "" },
      { kind: "comment", alert, text: "" },
      { kind: "reset", alert, note: "" },
    ];
    for (const command of commands) expect(run.command(command)).toMatchObject({ kind: "refused", code: "not_active" });
    const name = { id: alert, rule: "on", subject: record?.subject ?? "", labels: {} };
    run.command({ kind: "shelve", alert: name, until: run.now() + 10_000, why: "" });
    expect(run.command({ kind: "unshelve", alert: name, why: "" })).toMatchObject({ kind: "done", sent: [] });
    expect(run.pass(100)).toEqual(["60: transition resolved a+0 → on-call"]);
  });
});

describe("an escalation", () => {
  const up = {
    name: "up",
    steps: [
      { targets: ["first"], waitMs: 10_000 },
      { targets: ["second"], waitMs: 10_000 },
    ],
    repeat: 0,
  };
  const setting = { route: { receiver: "up" }, receivers: receivers("first", "second"), dispatch: { escalations: [up] } };

  it("that a reload takes away goes no further", () => {
    const run = desk(setting);
    run.say(1, "a");
    run.reload({ ...setting, dispatch: {}, route: { receiver: "first" } });
    expect(run.pass(100)).toEqual([]);
    run.reload({ ...setting, dispatch: {}, receivers: [...receivers("first"), { name: "up", channels: ["webhook:0"] }] });
    acknowledge(run, "a");
    acknowledge(run, "a", "unacknowledge");
    expect(run.pass(100)).toEqual([]);
  });

  it("that became a receiver before its next step goes no further", () => {
    const run = desk(setting);
    run.say(1, "a");
    run.reload({ ...setting, dispatch: {}, receivers: [...receivers("first"), { name: "up", channels: ["webhook:0"] }] });
    expect(run.pass(100)).toEqual([]);
  });

  it("stops where its alert is hidden between two steps, and begins anew", () => {
    const run = desk(setting);
    const [record] = run.say(1, "a").alerts;
    const alert = { id: run.alertOf("a"), rule: "on", subject: record?.subject ?? "", labels: {} };
    run.command({ kind: "shelve", alert, until: run.now() + 5000, why: "" });
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 30_000, why: "" });
    expect(run.pass(45)).toEqual(["30: announced firing a → first", "40: escalation firing a → second"]);
  });

  it("that has nothing to tell and is acknowledged does not go on with a milder level", () => {
    const run = desk({ ...setting, rules: [levelled], route: { receiver: "", routes: [{ receiver: "first", continue: true }, { receiver: "up" }] } });
    run.say(2, "a");
    acknowledge(run, "a");
    run.pass(1);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["1: transition firing a → first"]);
    expect(run.pass(100)).toEqual([]);
  });

  it("with nobody is not looked at any more when nothing waits for it", () => {
    const run = desk({ ...setting, receivers: [] });
    run.say(1, "a");
    run.pass(61);
    run.say(0, "a");
    run.pass(120);
    expect(run.engine.nextWakeAt().now).toBeUndefined();
  });
});

describe("a latched alert", () => {
  it("stays latched by the same rule in other words, and is over by one that does not latch", () => {
    const run = desk({ rules: [onOff({ latch: true, keep_firing_for: "5s" })] });
    run.say(1, "a");
    run.pass(1);
    run.say(0, "a");
    run.pass(30);
    run.reload({ rules: [onOff({ latch: true, keep_firing_for: "5s", annotations: { more: "1" } })] });
    expect(run.pass(60)).toEqual([]);
    const other = { ...onOff({ keep_firing_for: "5s" }), logic: "does not latch" };
    expect(run.sentBy(run.reload({ rules: [other] }))).toEqual(["91: transition resolved a → on-call"]);
  });
});

describe("what no caller makes", () => {
  it("a transition of an occurrence that was over before anybody kept it is written down, and told to nobody", () => {
    const dispatcher = new Dispatcher();
    dispatcher.transition({ alert: "a-1", to: "resolved" } as Transition, { id: "a-1", state: "resolved" } as AlertRecord);
    expect(dispatcher.take()).toMatchObject({ transitions: [{ alert: "a-1" }], notifications: [] });
  });

  it("events, commands and things that are not known change nothing", () => {
    const state = { condition: "firing", isAcknowledged: false, shelving: "none" } as const;
    expect(refusalOf(state, "dance" as LifeEvent)).toBe("dance");
    const run = desk();
    expect(run.command({ kind: "dance" } as unknown as Command)).toMatchObject({ kind: "dance" });
    expect(() => new DispatchState({} as never).restore('[["dance", 1]]')).not.toThrow();
  });
});
