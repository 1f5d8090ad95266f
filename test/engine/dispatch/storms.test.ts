// Too much at once, and too often: storms and flapping.

import { describe, expect, it } from "vitest";
import { desk, receivers } from "./desk.ts";

describe("a storm", () => {
  const setting = { dispatch: { storm: { above: 2, perMs: 60_000, until: 2, intervalMs: 20_000 } } };

  it("tells what is past the threshold together, at once and then each interval, and writes each down with its cause", () => {
    const run = desk(setting);
    run.say(1, "a", "b");
    run.pass(1);
    expect(run.sentBy(run.say(1, "c"))).toEqual(["1: storm firing c+0 → on-call"]);
    run.pass(1);
    expect(run.sentBy(run.say(1, "d", "e", "f"))).toEqual([]);
    expect(run.pass(40)).toEqual(["21: storm firing d+3 → on-call"]);
    expect(run.dispositions()).toEqual({ sent: 4, "grouped storm": 2 });
    const carrier = [...run.rows.values()].find(({ kind, seq }) => kind === "storm" && seq === 2);
    expect([...run.rows.values()].flatMap(({ disposition, cause }) => (disposition === "grouped" ? [cause] : []))).toEqual([
      `storm:${carrier?.id}`,
      `storm:${carrier?.id}`,
    ]);
  });

  it("is told a little after its begin, where the plan says so, with all that came", () => {
    const run = desk({ dispatch: { storm: { ...setting.dispatch.storm, waitMs: 5_000 } } });
    run.say(1, "a", "b", "c");
    run.pass(2);
    run.say(1, "d");
    expect(run.pass(10)).toEqual(["5: storm firing c+1 → on-call"]);
  });

  it("is over when fewer come; what it took is told of its end together", () => {
    const run = desk(setting);
    run.say(1, "a", "b", "c", "d");
    run.pass(100);
    expect(run.sentBy(run.say(1, "e"))).toEqual(["100: transition firing e → on-call"]);
    run.pass(1);
    expect(run.sentBy(run.say(0, "a", "c", "d", "e"))).toEqual([
      "101: transition resolved a → on-call",
      "101: storm firing c+1 → on-call",
      "101: transition resolved e → on-call",
    ]);
    expect(run.pass(30)).toEqual(["121: storm resolved d+0 → on-call"]);
  });

  it("goes on while more come, also over a restart and when all of it is over for a while", () => {
    const run = desk(setting);
    run.say(1, "a", "b", "c");
    run.pass(25);
    expect(run.sentBy(run.say(0, "a", "b", "c"))).toHaveLength(3);
    run.restart();
    run.pass(5);
    expect(run.sentBy(run.say(1, "a", "b"))).toEqual(["30: storm firing a+0 → on-call"]);
    expect(run.pass(30)).toEqual(["50: storm firing b+1 → on-call"]);
    const lines = [...run.rows.values()].flatMap(({ line, kind }) => (kind === "storm" ? [line] : []));
    expect(new Set(lines).size).toBe(2);
  });

  it("of one receiver is none of another", () => {
    const run = desk({
      ...setting,
      route: { routes: [{ receiver: "night", matchers: [{ label: "site", patterns: ["x"] }] }] },
      receivers: receivers("on-call", "night"),
    });
    run.say(1, "a", "b", "c");
    expect(run.sentBy(run.say(1, "d,site=x"))).toEqual(["0: transition firing d → night"]);
  });

  it("ends with the plan that knows storms, and begins anew by the next", () => {
    const run = desk(setting);
    run.say(1, "a", "b", "c");
    run.reload({});
    run.pass(100);
    expect(run.sentBy(run.say(1, "d"))).toEqual(["100: transition firing d → on-call"]);
    run.reload({ dispatch: { storm: { above: 3, perMs: 60_000, until: 3, intervalMs: 20_000 } } });
    expect(run.sentBy(run.say(1, "e"))).toEqual(["100: transition firing e → on-call"]);
    run.pass(100);
    expect(run.sentBy(run.say(1, "f"))).toEqual(["200: transition firing f → on-call"]);
  });

  it("repeats what it took, and goes on when the wall clock is set", () => {
    const run = desk({ ...setting, route: { repeatMs: 300_000 } });
    run.say(1, "a", "b", "c");
    run.setClock(-3600);
    expect(run.sentBy(run.say(1, "d"))).toEqual([]);
    expect(run.pass(20)).toHaveLength(1);
  });
});

describe("an alert that flaps", () => {
  const setting = { dispatch: { flapping: { firings: 3, withinMs: 60_000, calmMs: 100_000 } } };
  const flap = (run: ReturnType<typeof desk>, times: number, last = 0): string[] => {
    const sent: string[] = [];
    for (let count = 0; count < times; count++) {
      sent.push(...run.sentBy(run.say(1, "a")), ...run.pass(5));
      if (count < times - 1 || last === 0) sent.push(...run.sentBy(run.say(0, "a")), ...run.pass(5));
    }
    return sent;
  };

  it("is told once as flapping, and then held back until it is calm", () => {
    const run = desk(setting);
    expect(flap(run, 5)).toEqual([
      "0: transition firing a → on-call",
      "5: transition resolved a → on-call",
      "10: transition firing a → on-call",
      "15: transition resolved a → on-call",
      "20: flapping firing a → on-call",
      "25: transition resolved a → on-call",
    ]);
    expect(run.dispositions()).toEqual({ sent: 6, "grouped flapping": 2 });
    expect(run.pass(200)).toEqual([]);
    expect(run.sentBy(run.say(1, "a"))).toEqual(["250: transition firing a → on-call"]);
  });

  it("is announced when it is calm, if it fires still, also over a restart", () => {
    const run = desk(setting);
    flap(run, 4, 1);
    run.restart();
    expect(run.pass(200)).toEqual(["130: announced firing a → on-call"]);
    run.pass(1);
    expect(run.sentBy(run.say(0, "a"))).toEqual(["236: transition resolved a → on-call"]);
  });

  it("does not when its firings are far apart, and what is long ago is forgotten", () => {
    const run = desk(setting);
    for (let count = 0; count < 4; count++) {
      expect(run.sentBy(run.say(1, "a", "b", "c"))).toHaveLength(3);
      run.pass(40);
      run.say(0, "a", "b", "c");
      run.pass(1);
    }
  });

  it("holds what others forget, by the order of their firings", () => {
    const run = desk({ dispatch: { flapping: { firings: 2, withinMs: 20_000, calmMs: 500_000 } } });
    flap(run, 2);
    run.pass(30);
    run.say(1, "b");
    expect(run.pass(30)).toEqual([]);
    expect(flap(run, 1)).toEqual([]);
  });

  it("is told when the plan no longer looks for it", () => {
    const run = desk(setting);
    flap(run, 4, 1);
    expect(run.sentBy(run.reload({}))).toEqual(["35: announced firing a → on-call"]);
    expect(run.pass(200)).toEqual([]);
  });

  it("keeps what was left of its calm when the wall clock is set", () => {
    const run = desk(setting);
    flap(run, 4, 1);
    run.setClock(3600);
    expect(run.pass(94)).toEqual([]);
    expect(run.pass(2)).toEqual(["3730: announced firing a → on-call"]);
  });
});
