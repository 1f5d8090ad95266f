// Escalation: who is told after whom until somebody acknowledges, what acknowledging stops and taking it back starts again, and what
// nobody attends to.

import { describe, expect, it } from "vitest";
import { desk, levelled, receivers } from "./desk.ts";

const steps = [
  { targets: ["first"], waitMs: 10_000 },
  { targets: ["nobody"], waitMs: 60_000 },
  { targets: ["second", "third"], waitMs: 20_000 },
];
const three = [...receivers("first", "second", "third"), { name: "nobody", channels: [] }];
const setting = { route: { receiver: "up" }, receivers: three, dispatch: { escalations: [{ name: "up", steps, repeat: 1 }] } };
const acknowledge = (run: ReturnType<typeof desk>, kind: "acknowledge" | "unacknowledge" = "acknowledge") =>
  run.command({ kind, alert: run.alertOf("a"), note: "" });

describe("an escalation", () => {
  it("goes step by step, skips a step with nobody at once, and goes through all again as often as it says", () => {
    const run = desk(setting);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → first"]);
    expect(run.pass(200)).toEqual([
      "10: escalation firing a → second",
      "10: escalation firing a → third",
      "30: escalation firing a → first",
      "40: escalation firing a → second",
      "40: escalation firing a → third",
    ]);
  });

  it("tells the end to all that were told", () => {
    const run = desk(setting);
    run.say(1, "a");
    run.pass(5);
    expect(run.sentBy(run.say(1, "b"))).toEqual(["5: transition firing b → first"]);
    run.pass(6);
    expect(run.sentBy(run.say(0, "a", "b"))).toEqual([
      "11: transition resolved a → first",
      "11: transition resolved a → second",
      "11: transition resolved a → third",
      "11: transition resolved b → first",
    ]);
    expect(run.pass(200)).toEqual([]);
  });

  it("stops when somebody acknowledges, and goes on with the wait of its step when that is taken back", () => {
    const run = desk(setting);
    run.say(1, "a");
    run.pass(5);
    acknowledge(run);
    expect(run.pass(100)).toEqual([]);
    acknowledge(run, "unacknowledge");
    expect(run.pass(15)).toEqual(["115: escalation firing a → second", "115: escalation firing a → third"]);
  });

  it("does not begin for what was acknowledged while it waited for its group, until that is taken back", () => {
    const run = desk({ ...setting, route: { receiver: "up", groupBy: [], groupWaitMs: 10_000 } });
    run.say(1, "a");
    acknowledge(run);
    expect(run.pass(100)).toEqual(["10: transition firing a+0 → first"]);
    acknowledge(run, "unacknowledge");
    expect(run.pass(10)).toHaveLength(2);
  });

  it("tells those that another route told already no second time, and goes on after them", () => {
    const run = desk({ ...setting, route: { receiver: "", routes: [{ receiver: "first", continue: true }, { receiver: "up" }] } });
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → first"]);
    expect(run.pass(35)).toEqual(["10: escalation firing a → second", "10: escalation firing a → third"]);
    // The step of those is passed over in its second round too, after its time.
    expect(run.pass(10)).toEqual(["40: escalation firing a → second", "40: escalation firing a → third"]);
    expect(run.sentBy(run.say(0, "a"))).toHaveLength(3);
  });

  it("that passes over a step while a silence hides the alert begins anew with its end", () => {
    const run = desk({ ...setting, route: { receiver: "", routes: [{ receiver: "first", continue: true }, { receiver: "up" }] } });
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 50_000, why: "" });
    run.say(1, "a");
    expect(run.pass(61)).toEqual(["50: announced firing a → first", "60: escalation firing a → second", "60: escalation firing a → third"]);
    expect(run.dispositions()).toEqual({ "silenced silence": 1, sent: 3 });
  });

  it("tells the end to whom another route was to tell and could not", () => {
    const run = desk({
      ...setting,
      route: {
        receiver: "",
        routes: [
          { receiver: "up", continue: true },
          { receiver: "second", mute: ["always"] },
        ],
      },
      dispatch: {
        ...setting.dispatch,
        zones: { UTC: { name: "UTC", from: [Number.MIN_SAFE_INTEGER], offsets: [0] } },
        intervals: [{ name: "always", spans: [{ zone: "UTC", times: [], weekdays: [], daysOfMonth: [], months: [], years: [] }] }],
      },
    });
    const [record] = run.say(1, "a").alerts;
    expect(run.pass(15)).toHaveLength(2);
    const alert = { id: run.alertOf("a"), rule: "on", subject: record?.subject ?? "", labels: {} };
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 9_000, why: "" });
    run.command({ kind: "shelve", alert, until: run.now() + 5_000, why: "" });
    run.pass(6);
    expect(run.sentBy(run.say(0, "a")).sort()).toEqual(["first", "second", "third"].map((name) => `21: transition resolved a → ${name}`));
  });

  it("waits where nobody is to be told, and looks again each minute", () => {
    const nobody = { ...setting, dispatch: { escalations: [{ name: "up", steps: [{ targets: ["nobody"], waitMs: 10_000 }], repeat: 0 }] } };
    const run = desk(nobody);
    run.say(1, "a");
    expect(run.pass(130)).toEqual([]);
    const somebody = { ...nobody, receivers: [...receivers("first"), { name: "nobody", channels: ["email:0"] }] };
    expect(run.sentBy(run.reload(somebody))).toEqual(["130: announced firing a → nobody"]);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["130: transition resolved a → nobody"]);
    run.pass(100);
  });

  it("ends where the steps that are left have nobody", () => {
    const run = desk({ ...setting, dispatch: { escalations: [{ name: "up", steps: steps.slice(0, 2), repeat: 0 }] } });
    run.say(1, "a");
    expect(run.pass(300)).toEqual([]);
    acknowledge(run);
    acknowledge(run, "unacknowledge");
    expect(run.pass(300)).toEqual([]);
  });

  it("stops where a silence hides it, and begins anew when that is over", () => {
    const run = desk(setting);
    run.say(1, "a");
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 50_000, why: "" });
    expect(run.pass(75)).toEqual(["50: announced firing a → first", "60: escalation firing a → second", "60: escalation firing a → third"]);
    expect(run.dispositions()).toEqual({ sent: 4, "silenced silence": 2 });
  });

  it("goes on over a restart with what was left, and keeps it when the wall clock is set", () => {
    const run = desk(setting);
    run.say(1, "a");
    run.pass(4);
    run.restart();
    expect(run.sentBy(run.setClock(600)).join()).toContain("transition firing highwater-clock-step");
    expect(run.pass(5)).toEqual([]);
    expect(run.pass(1)).toContain("610: escalation firing a → second");
  });
});

describe("an acknowledgement", () => {
  it("is refused with a second one, and so is what is not there to be taken back", () => {
    const run = desk();
    run.say(1, "a");
    expect(acknowledge(run, "unacknowledge")).toMatchObject({ code: "not_acknowledged" });
    expect(acknowledge(run)).toMatchObject({ kind: "done" });
    expect(acknowledge(run)).toMatchObject({ code: "already_acknowledged" });
    expect(run.effects.flatMap(({ acks }) => acks)).toEqual([{ alert: run.alertOf("a"), ack: { by: "anna", at: run.now(), note: "" } }]);
  });

  it("is gone after a time in which nobody attended, and the alert is announced from the first step on", () => {
    const run = desk({ ...setting, dispatch: { ...setting.dispatch, reannounceMs: 100_000 } });
    run.say(1, "a");
    run.pass(15);
    acknowledge(run);
    expect(run.pass(111)).toEqual([
      "115: announced firing a → first",
      "115: announced firing a → second",
      "115: announced firing a → third",
      "125: escalation firing a → second",
      "125: escalation firing a → third",
    ]);
    expect(run.effects.flatMap(({ alertEvents }) => alertEvents.map(({ kind, by }) => `${kind} ${by}`))).toEqual(["acknowledged anna", "unattended "]);
  });

  it("is not unattended when it is taken back or the alert is over, nor told where it is hidden", () => {
    const run = desk({ dispatch: { reannounceMs: 100_000 } });
    run.say(1, "a");
    acknowledge(run);
    acknowledge(run, "unacknowledge");
    expect(run.pass(200)).toEqual([]);
    run.command({ kind: "silence", matchers: [], startsAt: run.now(), endsAt: run.now() + 900_000, why: "" });
    run.say(1, "b");
    run.command({ kind: "acknowledge", alert: run.alertOf("b"), note: "" });
    expect(run.pass(200)).toEqual([]);
    run.say(0, "a", "b");
    expect(run.pass(900)).toEqual([]);
  });

  it("ends when the alert gets graver, not when it gets milder", () => {
    const run = desk({ rules: [levelled], route: { repeatMs: 50_000 } });
    run.say(1, "a");
    acknowledge(run);
    run.pass(1);
    expect(run.sentBy(run.say(2, "a"))).toEqual(["1: transition firing a → on-call"]);
    expect(run.effects.at(-1)).toMatchObject({ acks: [{ ack: null }], alertEvents: [{ kind: "unacknowledged", by: "", text: "it became critical" }] });
    acknowledge(run);
    run.pass(1);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["2: transition firing a → on-call"]);
    expect(run.effects.at(-1)?.acks).toEqual([]);
  });

  it("of an alert that gets graver: who takes the new level is told too", () => {
    const run = desk({
      rules: [levelled],
      receivers: receivers("on-call", "boss"),
      route: { routes: [{ receiver: "boss", matchers: [{ label: "severity", patterns: ["critical"] }] }] },
    });
    run.say(1, "a");
    run.pass(1);
    expect(run.sentBy(run.say(2, "a"))).toEqual(["1: transition firing a → on-call", "1: transition firing a → boss"]);
    run.pass(1);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["2: transition resolved a → on-call", "2: transition resolved a → boss"]);
  });

  it("and comments are written down in order", () => {
    const run = desk();
    run.say(1, "a");
    run.command({ kind: "comment", alert: run.alertOf("a"), text: "a door" }, "bert");
    acknowledge(run);
    expect(run.effects.flatMap(({ alertEvents }) => alertEvents)).toMatchObject([
      { number: 1, kind: "commented", by: "bert", text: "a door", until: null },
      { number: 2, kind: "acknowledged", by: "anna" },
    ]);
  });
});
