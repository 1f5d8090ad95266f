// Groups: waits, intervals, repeats, and that a resolved goes to exactly those that were sent the firing.

import { describe, expect, it } from "vitest";
import { desk, receivers } from "./desk.ts";

describe("an alert on its own", () => {
  it("is told at once, and so is its end", () => {
    const run = desk();
    expect(run.sentBy(run.say(1, "a"))).toEqual(["0: transition firing a → on-call"]);
    run.pass(5);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["5: transition resolved a → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 2 });
  });

  it("is told again each repeat_interval while it fires, until somebody acknowledges it, and again when that is taken back", () => {
    const run = desk({ route: { repeatMs: 10_000 } });
    run.say(1, "a");
    expect(run.pass(25)).toEqual(["10: repeat firing a → on-call", "20: repeat firing a → on-call"]);
    expect(run.command({ kind: "acknowledge", alert: run.alertOf("a"), note: "" })).toMatchObject({ kind: "done" });
    expect(run.pass(20)).toEqual([]);
    run.command({ kind: "unacknowledge", alert: run.alertOf("a"), note: "" });
    expect(run.pass(10)).toEqual(["50: repeat firing a → on-call"]);
    run.say(0, "a");
    expect(run.pass(30)).toEqual([]);
  });
});

describe("a group", () => {
  const route = { groupBy: ["site"], groupWaitMs: 10_000, groupIntervalMs: 60_000, repeatMs: 600_000 };

  it("waits for more, and then tells all in one", () => {
    const run = desk({ route });
    expect(run.sentBy(run.say(1, "a,site=x"))).toEqual([]);
    run.pass(4);
    run.say(1, "b,site=x", "c,site=y");
    expect(run.dispositions()).toEqual({ held: 3 });
    expect(run.pass(20)).toEqual(["10: transition firing a+1 → on-call", "14: transition firing c+0 → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 2, "grouped notification": 1 });
    expect([...run.rows.values()].map(({ seq }) => seq).sort()).toEqual([0, 1, 1]);
  });

  it("tells what is new and what is over after its interval, and is gone when all is over", () => {
    const run = desk({ route });
    run.say(1, "a,site=x", "b,site=x");
    expect(run.pass(20)).toEqual(["10: transition firing a+1 → on-call"]);
    run.say(1, "c,site=x");
    run.pass(10);
    run.say(0, "a,site=x");
    expect(run.pass(60)).toEqual(["70: transition firing a+2 → on-call"]);
    const second = [...run.rows.values()].find(({ seq }) => seq === 2);
    expect(second?.members).toEqual({ alerts: ["a", "c", "b"].map((device) => [run.alertOf(device), device === "a" ? 2 : 1]), fresh: 2, more: 0 });
    run.say(0, "b,site=x", "c,site=x");
    expect(run.pass(60)).toEqual(["130: transition resolved b+1 → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 3, "grouped notification": 3 });
  });

  it("does not tell what is over before its wait is", () => {
    const run = desk({ route });
    run.say(1, "a,site=x");
    run.pass(5);
    run.say(0, "a,site=x");
    expect(run.pass(100)).toEqual([]);
    expect(run.dispositions()).toEqual({ "grouped wait": 1 });
  });

  it("goes on over a restart as if there had been none", () => {
    const [whole, cut] = [desk({ route }), desk({ route })];
    const told = [whole, cut].map((run) => {
      const sent: string[] = [];
      for (const step of [
        () => run.say(1, "a,site=x", "b,site=x"),
        () => run.say(1, "c,site=x", "d,site=y"),
        () => run.say(0, "b,site=x"),
        () => run.say(0, "a,site=x", "c,site=x"),
      ]) {
        step();
        if (run === cut) run.restart();
        sent.push(...run.pass(35));
      }
      return { sent, rows: [...run.rows.values()] };
    });
    expect(told[0]).toEqual(told[1]);
    expect(told[0]?.sent.length).toBeGreaterThan(3);
  });
});

describe("routes", () => {
  const tree = {
    receiver: "on-call",
    routes: [
      { receiver: "night", matchers: [{ label: "site", patterns: ["x"] }], continue: true },
      { receiver: "day", matchers: [{ label: "site", patterns: ["x*"] }] },
    ],
  };

  it("take what matches first, go on where they say so, and leave the rest to the one above", () => {
    const run = desk({ route: tree, receivers: receivers("on-call", "night", "day") });
    expect(run.sentBy(run.say(1, "a,site=x"))).toEqual(["0: transition firing a → night", "0: transition firing a → day"]);
    expect(run.sentBy(run.say(1, "b,site=x1"))).toEqual(["0: transition firing b → day"]);
    expect(run.sentBy(run.say(1, "c,site=y"))).toEqual(["0: transition firing c → on-call"]);
  });

  it("that change while it fires do not change who is told of its end", () => {
    const run = desk({ route: tree, receivers: receivers("on-call", "night", "day") });
    run.say(1, "a,site=x");
    run.pass(1);
    run.reload({ route: { receiver: "on-call" }, receivers: receivers("on-call", "night", "day") });
    expect(run.sentBy(run.say(0, "a,site=x"))).toEqual(["1: transition resolved a → night", "1: transition resolved a → day"]);
  });
});
